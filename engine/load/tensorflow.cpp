#include "load/tensorflow.h"

#include <algorithm>

#include "base/error.h"
#include "base/mapped_file.h"
#include "load/tensorflow_builder.h"
#include "load/wire_scanner.h"

namespace neural_engine {

namespace {

Graph load(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) fail(Code::kInvalidModel, "the file is empty");
  StrippedModel stripped = strip_raw_data(bytes, WireFormat::kTfGraph);
  tf::GraphDef graph;
  if (!graph.ParseFromString(stripped.message)) {
    fail(Code::kInvalidModel, "protobuf cannot parse it: the file is truncated or no GraphDef");
  }
  stripped.message = {};
  TfTensorReader tensors(stripped, std::move(owner));
  return TfBuilder(graph, tensors).build_frozen();
}

}  // namespace

TfFile tensorflow_kind(std::span<const std::byte> bytes) {
  // GraphDef has messages as fields 1 and 2, SavedModel a number and then messages; an ONNX model has a number as field
  // 1 too, and its graph and opsets as fields 7 and 8, which SavedModel has not.
  constexpr size_t kEnough = 1 << 20;
  std::vector<WireField> fields;
  try {
    fields = top_level_fields(bytes, kEnough);
  } catch (const Error&) {
    return TfFile::kOther;
  }
  const auto all = [&](auto is) { return !fields.empty() && std::all_of(fields.begin(), fields.end(), is); };
  if (all([](const WireField& f) { return f.number <= 5 && f.wire_type == (f.number == 3 ? 0 : 2); }) &&
      std::any_of(fields.begin(), fields.end(), [](const WireField& f) { return f.number == 1; })) {
    return TfFile::kGraphDef;
  }
  if (all([](const WireField& f) {
        return (f.number == 1 && f.wire_type == 0) || (f.number == 2 && f.wire_type == 2);
      }) &&
      fields.size() >= 2) {
    return TfFile::kSavedModel;
  }
  return TfFile::kOther;
}

Graph load_frozen_graph(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
                        return load(file->bytes(), file);
                      });
}

Graph load_frozen_graph(std::span<const std::byte> bytes) {
  return with_context([] { return std::string("model in memory"); }, [&] { return load(bytes, nullptr); });
}

}  // namespace neural_engine
