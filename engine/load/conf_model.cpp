#include "load/conf_model.h"

#include <array>
#include <filesystem>

#include "base/checked.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "load/conf_call.h"

namespace neural_engine {

namespace {

namespace fs = std::filesystem;

class ConfReader {
 public:
  ConfReader(std::span<const std::byte> weights, std::shared_ptr<const void> owner)
      : weights_(weights), owner_(std::move(owner)), scope_(graph_) {}

  Graph read(const std::vector<ConfOperator>& operators) {
    if (operators.size() < 2 || operators.front().type != "Input" || operators.back().type != "Output") {
      fail(Code::kInvalidModel, "the first operator is expected to be of type Input, the last one of type Output");
    }
    for (const ConfOperator& op : operators) {
      with_context([&] { return "operator \"" + op.name + "\" (" + op.type + ")"; }, [&] { read_operator(op); });
    }
    return std::move(graph_);
  }

 private:
  void read_operator(const ConfOperator& op) {
    if (op.type == "Input") return read_inputs(op);
    if (op.type == "Output") return read_outputs(op);
    scope_.writer.set_place(op.name);
    for (const std::span<const ConfRow> family : families()) {
      for (const ConfRow& row : family) {
        if (op.type != row.type) continue;
        ConfCall call(op, scope_);
        if (op.outputs.empty()) fail(Code::kInvalidModel, "it has no output");
        row.translate(call);
        return call.finish();
      }
    }
    std::string names;
    for (const std::span<const ConfRow> family : families()) {
      for (const ConfRow& row : family) names += std::string(names.empty() ? "" : ", ") + row.type;
    }
    fail(Code::kUnsupported, "type \"", op.type, "\" found, supported: ", names);
  }

  static std::array<std::span<const ConfRow>, 4> families() {
    return {conf_product_rows(), conf_elementwise_rows(), conf_shape_rows(), conf_text_rows()};
  }

  void read_inputs(const ConfOperator& op) {
    if (!op.inputs.empty() || !op.attrs.empty()) fail(Code::kUnsupported, "inputs or attributes found");
    for (const ConfTensor& tensor : op.outputs) {
      const ValueId value =
          with_context([&] { return "tensor \"" + tensor.name + "\""; }, [&] { return read_tensor(tensor); });
      if (!scope_.values.emplace(tensor.name, value).second) {
        fail(Code::kInvalidModel, "tensor \"", tensor.name, "\" is made twice");
      }
    }
  }

  ValueId read_tensor(const ConfTensor& tensor) {
    const DType dtype = conf_dtype(tensor.dtype);
    if (dtype == DType::kUndefined) {
      fail(Code::kUnsupported, "dtype \"", tensor.dtype, "\" found, supported: fp32, bf16, s32, s8, u8, int64");
    }
    if (!tensor.shape) fail(Code::kInvalidModel, "it has no shape");
    if (tensor.place) return read_constant(tensor, dtype);
    SymShape shape;
    for (size_t i = 0; i < tensor.shape->size(); ++i) {
      const int64_t dim = (*tensor.shape)[i];
      if (dim < -1) fail(Code::kInvalidModel, "a dimension of ", dim, " found");
      // Of its own: nothing says which inputs share a dimension.
      shape.push_back(dim == -1 ? Dim::symbol(tensor.name + "_" + std::to_string(i)) : Dim(dim));
    }
    return graph_.add_input(tensor.name, dtype, shape);
  }

  ValueId read_constant(const ConfTensor& tensor, DType dtype) {
    const int64_t offset = (*tensor.place)[0], size = (*tensor.place)[1];
    int64_t bytes = bits_of(dtype) / 8;
    for (int64_t dim : *tensor.shape) {
      if (dim < 0 || !checked_mul(bytes, dim, &bytes)) {
        fail(Code::kInvalidModel, "shape ", to_string(*tensor.shape), " of a constant found");
      }
    }
    check_strides(tensor);
    if (bytes != size) {
      fail(Code::kInvalidModel, size, " bytes found, shape ", to_string(*tensor.shape), " of ", to_string(dtype),
           " takes ", bytes);
    }
    const auto held = static_cast<int64_t>(weights_.size());
    if (offset < 0 || size < 0 || offset > held || size > held - offset) {
      fail(Code::kInvalidModel, size, " bytes at ", offset, " found, model.bin has ", held);
    }
    if (size == 0) return graph_.add_constant(Tensor(dtype, *tensor.shape), tensor.name);
    return graph_.add_constant(Tensor::share(dtype, *tensor.shape, weights_.data() + offset, owner_), tensor.name);
  }

  static void check_strides(const ConfTensor& tensor) {
    if (!tensor.strides) return;
    int64_t stride = 1;
    bool dense = tensor.strides->size() == tensor.shape->size();
    for (size_t i = tensor.shape->size(); dense && i-- > 0;) {
      dense = (*tensor.strides)[i] == stride && checked_mul(stride, (*tensor.shape)[i], &stride);
    }
    if (!dense) fail(Code::kUnsupported, "strides other than those of a dense tensor found");
  }

  void read_outputs(const ConfOperator& op) {
    if (!op.outputs.empty() || !op.attrs.empty()) fail(Code::kUnsupported, "outputs or attributes found");
    if (op.inputs.empty()) fail(Code::kInvalidModel, "no tensor found");
    for (const std::string& name : op.inputs) {
      const auto it = scope_.values.find(name);
      if (it == scope_.values.end()) fail(Code::kInvalidModel, "tensor \"", name, "\" is made by no operator");
      graph_.add_output(name, it->second);
    }
  }

  std::span<const std::byte> weights_;
  std::shared_ptr<const void> owner_;
  Graph graph_;
  ConfScope scope_;
};

}  // namespace

Graph load_conf_model(std::string_view conf, std::span<const std::byte> weights, std::shared_ptr<const void> owner) {
  return ConfReader(weights, std::move(owner)).read(parse_conf(conf));
}

Graph load_conf_model(const std::string& path) {
  const fs::path conf = fs::is_directory(path) ? fs::path(path) / "conf.yaml" : fs::path(path);
  return with_context([&] { return conf.string(); },
                      [&] {
                        const std::shared_ptr<const MappedFile> text = MappedFile::open(conf.string());
                        const auto weights = MappedFile::open((conf.parent_path() / "model.bin").string());
                        const auto* begin = reinterpret_cast<const char*>(text->bytes().data());
                        return load_conf_model(std::string_view(begin, text->size()), weights->bytes(), weights);
                      });
}

bool is_conf_model(const std::string& path) {
  if (fs::is_directory(path)) return fs::exists(fs::path(path) / "conf.yaml");
  return path.ends_with(".yaml") || path.ends_with(".yml");
}

}  // namespace neural_engine
