#include <cstring>
#include <map>
#include <vector>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/onnx_dtype.h"
#include "file/model_file.h"
#include "model_file.pb.h"

namespace neural_engine {

namespace {

constexpr uint64_t kHeaderBytes = 64;
constexpr uint64_t kAlignment = 64;

uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

// Gives each tensor a place in the weights section; equal bytes share one.
class WeightSection {
 public:
  void add(const Tensor& tensor, file::Tensor& out) {
    out.set_dtype(static_cast<uint32_t>(onnx_code(tensor.dtype())));
    for (int64_t dim : tensor.shape()) out.add_dims(static_cast<uint64_t>(dim));
    out.set_bytes(tensor.bytes());
    out.set_offset(place(tensor));
  }

  uint64_t end() const { return end_; }
  const std::vector<std::pair<uint64_t, Tensor>>& tensors() const { return tensors_; }

 private:
  uint64_t place(const Tensor& tensor) {
    const std::span bytes(static_cast<const std::byte*>(tensor.raw()), tensor.bytes());
    auto [begin, last] = by_checksum_.equal_range(checksum64(bytes));
    for (auto it = begin; it != last; ++it) {
      const Tensor& other = tensors_[it->second].second;
      if (other.bytes() == bytes.size() &&
          (bytes.empty() || std::memcmp(other.raw(), bytes.data(), bytes.size()) == 0)) {
        return tensors_[it->second].first;
      }
    }
    by_checksum_.emplace(checksum64(bytes), tensors_.size());
    const uint64_t offset = end_;
    tensors_.emplace_back(offset, tensor);
    end_ = aligned(end_ + bytes.size());
    return offset;
  }

  uint64_t end_ = kHeaderBytes;
  std::vector<std::pair<uint64_t, Tensor>> tensors_;
  std::multimap<uint64_t, size_t> by_checksum_;
};

void encode(const SymShape& shape, file::Shape& out) {
  for (const Dim& dim : shape) {
    file::Dim& to = *out.add_dims();
    if (dim.known()) to.set_value(static_cast<uint64_t>(dim.value()));
    if (dim.is_symbol()) to.set_symbol(dim.symbol());
  }
}

void encode(const Graph& graph, WeightSection& weights, file::Graph& out);

struct AttrEncoder {
  file::Attr& out;
  WeightSection& weights;

  void operator()(int64_t value) { out.set_i(value); }
  void operator()(float value) { out.set_f(value); }
  void operator()(const std::string& value) { out.set_s(value); }
  void operator()(const std::vector<int64_t>& list) {
    out.mutable_ints()->mutable_items()->Add(list.begin(), list.end());
  }
  void operator()(const std::vector<float>& list) {
    out.mutable_floats()->mutable_items()->Add(list.begin(), list.end());
  }
  void operator()(const std::vector<std::string>& list) {
    out.mutable_strings();
    for (const std::string& item : list) out.mutable_strings()->add_items(item);
  }
  void operator()(const Tensor& tensor) { weights.add(tensor, *out.mutable_tensor()); }
  void operator()(const GraphPtr& graph) { encode(*graph, weights, *out.mutable_graph()); }
};

void encode(const Node& node, WeightSection& weights, file::Node& out) {
  out.set_op(node.def->name);
  out.set_name(node.name);
  for (ValueId input : node.inputs) out.add_inputs(input);
  for (ValueId output : node.outputs) out.add_outputs(output);
  for (const auto& [name, value] : node.attrs.items()) {
    file::Attr& attr = *out.add_attrs();
    attr.set_name(name);
    std::visit(AttrEncoder{attr, weights}, value);
  }
}

void encode(const Graph& source, WeightSection& weights, file::Graph& out) {
  const Graph graph = source.compacted();
  out.set_name(graph.name);
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(id);
    file::Value& to = *out.add_values();
    to.set_name(value.name);
    if (value.is_constant()) weights.add(value.facts.constant, *to.mutable_constant());
  }
  for (ValueId input : graph.inputs()) {
    out.add_inputs(input);
    const Facts& facts = graph.value(input).facts;
    file::Value& to = *out.mutable_values(input);
    to.set_dtype(static_cast<uint32_t>(onnx_code(facts.dtype)));
    if (facts.shape) encode(*facts.shape, *to.mutable_shape());
  }
  for (NodeId id : graph.order()) encode(graph.node(id), weights, *out.add_nodes());
  for (const Graph::Output& output : graph.outputs()) {
    file::Output& to = *out.add_outputs();
    to.set_name(output.name);
    to.set_value(output.value);
  }
}

template <class T>
void put(std::string& to, size_t offset, T value) {
  std::memcpy(to.data() + offset, &value, sizeof(value));
}

}  // namespace

bool is_model_file(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof(kModelFileMagic) &&
         std::memcmp(bytes.data(), kModelFileMagic, sizeof(kModelFileMagic)) == 0;
}

void save_model_file(const Graph& graph, const std::string& path) {
  WeightSection weights;
  file::Graph message;
  encode(graph, weights, message);
  std::string body;
  require(message.SerializeToString(&body), Code::kUnsupported, path,
          ": the graph is larger than 2 GB without its weights");

  // The checksum needs the whole in order: sections are laid out in memory once, weights are not copied twice on disk.
  std::string content(weights.end() + body.size(), '\0');
  for (const auto& [offset, tensor] : weights.tensors()) {
    if (tensor.bytes() != 0) std::memcpy(content.data() + offset, tensor.raw(), tensor.bytes());
  }
  std::memcpy(content.data() + weights.end(), body.data(), body.size());
  std::memcpy(content.data(), kModelFileMagic, sizeof(kModelFileMagic));
  put(content, 8, kModelFileVersion);
  put(content, 16, static_cast<uint64_t>(content.size()));
  put(content, 24, weights.end());
  put(content, 32, static_cast<uint64_t>(body.size()));
  put(content, 40, checksum64(std::as_bytes(std::span(content)).subspan(kHeaderBytes)));
  write_file_atomically(path, content);
}

}  // namespace neural_engine
