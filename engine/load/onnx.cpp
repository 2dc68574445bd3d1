#include "load/onnx.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "load/onnx_builder.h"
#include "load/unknown_fields.h"
#include "load/wire_scanner.h"

namespace neural_engine {

namespace {

void check_model(const onnx::ModelProto& model) {
  check_unknown_fields(model);
  if (!model.has_graph()) fail(Code::kInvalidModel, "there is no graph, so this is not an ONNX model");
  if (model.training_info_size() > 0) fail(Code::kUnsupported, "training_info found, only inference is supported");
  if (model.opset_import_size() == 0) {
    fail(Code::kUnsupported, "no opset is imported (opset 1 of domain \"ai.onnx\"), supported are 6 to ",
         kMaxOnnxOpset);
  }
}

Graph load(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const std::string& folder) {
  if (bytes.empty()) fail(Code::kInvalidModel, "the file is empty");
  StrippedModel stripped = strip_raw_data(bytes);
  onnx::ModelProto model;
  if (!model.ParseFromString(stripped.message)) {
    fail(Code::kInvalidModel, "protobuf cannot parse it: the file is truncated or not an ONNX model");
  }
  stripped.message = {};
  check_model(model);
  TensorReader tensors(stripped, std::move(owner), folder);
  return OnnxBuilder(model, tensors).build();
}

}  // namespace

Graph load_onnx(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
                        return load(file->bytes(), file, folder_of(path));
                      });
}

Graph load_onnx(std::span<const std::byte> bytes, const std::string& folder_for_external_data) {
  return with_context([] { return std::string("model in memory"); },
                      [&] { return load(bytes, nullptr, folder_for_external_data); });
}

}  // namespace neural_engine
