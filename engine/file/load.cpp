#include <algorithm>
#include <cstring>
#include <limits>

#include "base/checked.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "base/onnx_dtype.h"
#include "file/model_file.h"
#include "ir/infer.h"
#include "model_file.pb.h"

namespace neural_engine {

namespace {

constexpr uint64_t kHeaderBytes = 64;
constexpr uint64_t kAlignment = 64;
constexpr int kMaxDepth = 64;  // of bodies within bodies

template <class T>
T get(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

DType decode_dtype(uint32_t code) {
  const DType dtype = dtype_of_onnx(code);
  if (dtype == DType::kUndefined && code != 0) fail(Code::kUnsupported, "dtype number ", code, " is not supported");
  return dtype;
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::shared_ptr<const void> owner)
      : bytes_(bytes), owner_(std::move(owner)) {}

  Graph read() {
    const std::span<const std::byte> section = check_header();
    file::Graph message;
    require(section.size() <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
                message.ParseFromArray(section.data(), static_cast<int>(section.size())),
            Code::kInvalidModel, "the graph section cannot be parsed");
    Graph graph = read_graph(message, 0);
    infer_graph(graph);
    return graph;
  }

 private:
  std::span<const std::byte> check_header() {
    require(bytes_.size() >= kHeaderBytes && is_model_file(bytes_), Code::kInvalidModel, "is not a .ne file");
    const uint32_t version = get<uint32_t>(bytes_, 8);
    require(version == kModelFileVersion, Code::kUnsupported, "format version ", version, " found, ", kModelFileVersion,
            " is supported");
    const uint64_t size = get<uint64_t>(bytes_, 16);
    require(size == bytes_.size(), Code::kInvalidModel, "is ", bytes_.size(), " bytes long, its header says ", size);
    weights_end_ = get<uint64_t>(bytes_, 24);
    const uint64_t section = get<uint64_t>(bytes_, 32);
    require(weights_end_ >= kHeaderBytes && weights_end_ <= size && section == size - weights_end_, Code::kInvalidModel,
            "the graph section lies outside of the file");
    require(checksum64(bytes_.subspan(kHeaderBytes), MappedFile::of(owner_)) == get<uint64_t>(bytes_, 40),
            Code::kInvalidModel, "is damaged: its checksum does not match");
    return bytes_.subspan(weights_end_);
  }

  Tensor read_tensor(const file::Tensor& message) {
    const DType dtype = decode_dtype(message.dtype());
    require(dtype != DType::kUndefined, Code::kInvalidModel, "a tensor has no dtype");
    Shape shape;
    for (uint64_t dim : message.dims()) {
      require(dim <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), Code::kInvalidModel,
              "a tensor's dimension is ", dim);
      shape.push_back(static_cast<int64_t>(dim));
    }
    const uint64_t offset = message.offset();
    const bool inside = offset % kAlignment == 0 && offset >= kHeaderBytes && offset <= weights_end_ &&
                        message.bytes() <= weights_end_ - offset;
    require(inside, Code::kInvalidModel, "a tensor lies at ", offset, ", outside of the weights");
    Tensor tensor = Tensor::share(dtype, std::move(shape), bytes_.data() + offset, owner_);
    require(tensor.bytes() == message.bytes(), Code::kInvalidModel, "a tensor of shape ", to_string(tensor.shape()),
            " has ", message.bytes(), " bytes");
    return tensor;
  }

  static SymShape read_shape(const file::Shape& message) {
    SymShape shape;
    for (const file::Dim& dim : message.dims()) {
      switch (dim.kind_case()) {
        case file::Dim::kValue:
          require(dim.value() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()), Code::kInvalidModel,
                  "an input's dimension is ", dim.value());
          shape.emplace_back(static_cast<int64_t>(dim.value()));
          break;
        case file::Dim::kSymbol: shape.push_back(Dim::symbol(dim.symbol())); break;
        case file::Dim::KIND_NOT_SET: shape.emplace_back(); break;
      }
    }
    return shape;
  }

  AttrValue read_attr(const file::Attr& attr, int depth) {
    switch (attr.value_case()) {
      case file::Attr::kI: return int64_t{attr.i()};
      case file::Attr::kF: return attr.f();
      case file::Attr::kS: return attr.s();
      case file::Attr::kInts: return std::vector<int64_t>(attr.ints().items().begin(), attr.ints().items().end());
      case file::Attr::kFloats: return std::vector<float>(attr.floats().items().begin(), attr.floats().items().end());
      case file::Attr::kStrings:
        return std::vector<std::string>(attr.strings().items().begin(), attr.strings().items().end());
      case file::Attr::kTensor: return read_tensor(attr.tensor());
      case file::Attr::kGraph: return GraphPtr(std::make_shared<const Graph>(read_graph(attr.graph(), depth + 1)));
      case file::Attr::VALUE_NOT_SET: break;
    }
    fail(Code::kInvalidModel, "attribute \"", attr.name(), "\" has no value");
  }

  static ValueId check_value(int32_t id, int count, bool may_be_absent) {
    require((id >= 0 && id < count) || (may_be_absent && id == kNoValue), Code::kInvalidModel, "there is no value ", id,
            " of ", count);
    return id;
  }

  // The format holds all values, then the inputs by index; a Graph makes its inputs and constants itself, in that order
  // too.
  Graph read_graph(const file::Graph& message, int depth) {
    require(depth <= kMaxDepth, Code::kInvalidModel, "bodies are nested more than ", kMaxDepth, " deep");
    Graph graph;
    graph.name = message.name();
    const int count = message.values_size();
    std::vector<ValueId> map(static_cast<size_t>(count), kNoValue);
    for (int32_t id : message.inputs()) {
      check_value(id, count, false);
      const file::Value& value = message.values(id);
      require(map[static_cast<size_t>(id)] == kNoValue && !value.has_constant(), Code::kInvalidModel, "input ", id,
              " is defined twice");
      map[static_cast<size_t>(id)] =
          graph.add_input(value.name(), decode_dtype(value.dtype()),
                          value.has_shape() ? std::optional(read_shape(value.shape())) : std::nullopt);
    }
    for (int32_t id = 0; id < count; ++id) {
      const file::Value& value = message.values(id);
      ValueId& to = map[static_cast<size_t>(id)];
      if (to != kNoValue) continue;
      to = value.has_constant() ? graph.add_constant(read_tensor(value.constant()), value.name())
                                : graph.add_value(value.name());
    }
    const auto mapped = [&](int32_t id, bool may_be_absent) {
      return check_value(id, count, may_be_absent) == kNoValue ? kNoValue : map[static_cast<size_t>(id)];
    };
    for (const file::Node& node : message.nodes()) read_node(node, mapped, depth, graph);
    for (const file::Output& output : message.outputs()) graph.add_output(output.name(), mapped(output.value(), false));
    check_defined(graph);
    return graph;
  }

  template <class Mapped>
  void read_node(const file::Node& node, const Mapped& mapped, int depth, Graph& graph) {
    with_context([&] { return "node \"" + node.name() + "\" (" + node.op() + ")"; },
                 [&] {
                   const OpDef* def = find_op(node.op());
                   require(def != nullptr, Code::kUnsupported, "there is no such operator");
                   std::vector<ValueId> inputs, outputs;
                   for (int32_t id : node.inputs()) inputs.push_back(mapped(id, true));
                   for (int32_t id : node.outputs()) {
                     outputs.push_back(mapped(id, true));
                     const auto& of_graph = graph.inputs();
                     require(std::find(of_graph.begin(), of_graph.end(), outputs.back()) == of_graph.end(),
                             Code::kInvalidModel, "an output is an input of the graph");
                   }
                   Attrs attrs;
                   for (const file::Attr& attr : node.attrs()) attrs.set(attr.name(), read_attr(attr, depth));
                   graph.add_node_to(*def, std::move(inputs), std::move(outputs), std::move(attrs), node.name());
                 });
  }

  // Every value that is read is an input, a constant or the output of a node.
  static void check_defined(const Graph& graph) {
    const auto check = [&](ValueId id) {
      const Value& value = graph.value(id);
      const bool is_input = std::find(graph.inputs().begin(), graph.inputs().end(), id) != graph.inputs().end();
      require(is_input || value.is_constant() || value.producer != kNoNode, Code::kInvalidModel, "value ", id, " \"",
              value.name, "\" is read and never defined");
    };
    for (NodeId id = 0; id < graph.num_nodes(); ++id) {
      for (ValueId input : graph.node(id).inputs) {
        if (input != kNoValue && graph.value(input).producer == kNoNode) check(input);
      }
    }
    for (const Graph::Output& output : graph.outputs()) check(output.value);
  }

  const std::span<const std::byte> bytes_;
  const std::shared_ptr<const void> owner_;
  uint64_t weights_end_ = 0;
};

}  // namespace

Graph parse_model_file(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  return Reader(bytes, std::move(owner)).read();
}

Graph load_model_file(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        const std::shared_ptr<const MappedFile> map = MappedFile::open(path);
                        return parse_model_file(map->bytes(), map);
                      });
}

}  // namespace neural_engine
