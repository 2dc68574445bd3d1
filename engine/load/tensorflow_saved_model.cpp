// SavedModels: which graph, which signature, and where the values of variables are.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/mapped_file.h"
#include "load/tensorflow.h"
#include "load/tensorflow_builder.h"
#include "load/tensorflow_bundle.h"
#include "load/tensorflow_variables.h"
#include "load/wire_scanner.h"

namespace neural_engine {

namespace {

constexpr const char* kModelFile = "saved_model.pb";
constexpr const char* kVariables = "variables/variables";
constexpr const char* kServingTag = "serve";
constexpr const char* kDefaultSignature = "serving_default";

const tf::MetaGraphDef& choose_graph(const tf::SavedModel& model) {
  if (model.meta_graphs_size() == 1) return model.meta_graphs(0);
  const tf::MetaGraphDef* chosen = nullptr;
  for (const tf::MetaGraphDef& graph : model.meta_graphs()) {
    const auto& tags = graph.meta_info_def().tags();
    if (tags.size() != 1 || tags.Get(0) != kServingTag) continue;
    if (chosen != nullptr) fail(Code::kUnsupported, "two graphs are tagged \"", kServingTag, "\"");
    chosen = &graph;
  }
  if (chosen == nullptr) {
    fail(Code::kUnsupported, model.meta_graphs_size(), " graphs found, none of them tagged \"", kServingTag,
         "\" alone");
  }
  return *chosen;
}

// Those that are an interface: TensorFlow keeps its initialization among them, too.
std::map<std::string, const tf::SignatureDef*> signatures_of(const tf::MetaGraphDef& graph) {
  std::map<std::string, const tf::SignatureDef*> result;
  for (const auto& [name, signature] : graph.signature_def()) {
    if (name.rfind("__saved_model", 0) != 0) result.emplace(name, &signature);
  }
  return result;
}

const tf::SignatureDef& choose_signature(const tf::MetaGraphDef& graph, const std::string& wanted) {
  const std::map<std::string, const tf::SignatureDef*> signatures = signatures_of(graph);
  auto it = signatures.find(wanted.empty() ? kDefaultSignature : wanted);
  if (it == signatures.end() && wanted.empty() && signatures.size() == 1) it = signatures.begin();
  if (it != signatures.end()) return *it->second;
  std::string names;
  for (const auto& [name, unused] : signatures) names += (names.empty() ? "\"" : ", \"") + name + "\"";
  if (names.empty()) names = "none";
  if (wanted.empty()) {
    fail(Code::kUnsupported, "no signature is named \"", kDefaultSignature, "\"; say which one to take: ", names);
  }
  fail(Code::kInvalidModel, "there is no signature \"", wanted, "\", but ", names);
}

TfPort port_of(const std::string& name, const tf::TensorInfo& info) {
  return with_context([&] { return "\"" + name + "\" of the signature"; },
                      [&] {
                        if (info.encoding_case() != tf::TensorInfo::kName) {
                          fail(Code::kUnsupported, "it is a sparse or composite tensor, supported are plain ones");
                        }
                        TfPort port{.name = name, .ref = info.name()};
                        port.dtype = checked_tf_dtype(info.dtype());
                        port.shape = read_tf_shape(info.tensor_shape());
                        return port;
                      });
}

std::vector<TfPort> ports_of(const google::protobuf::Map<std::string, tf::TensorInfo>& infos) {
  std::vector<TfPort> result;
  for (const auto& [name, info] : infos) result.push_back(port_of(name, info));
  std::sort(result.begin(), result.end(), [](const TfPort& a, const TfPort& b) { return a.name < b.name; });
  return result;
}

// `owner` keeps the model's bytes alive, see TfTensorReader.
Graph load(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::optional<TensorBundle> bundle,
           const std::string& wanted) {
  StrippedModel stripped = strip_raw_data(bytes, WireFormat::kTfSavedModel);
  tf::SavedModel model;
  if (!model.ParseFromString(stripped.message)) {
    fail(Code::kInvalidModel, "protobuf cannot parse it: the file is truncated or no SavedModel");
  }
  stripped.message = {};
  if (model.saved_model_schema_version() != 1) {
    fail(Code::kUnsupported, "schema version ", model.saved_model_schema_version(), " found, 1 is supported");
  }
  if (model.meta_graphs().empty()) fail(Code::kInvalidModel, "there is no graph");
  const tf::MetaGraphDef& graph = choose_graph(model);
  const tf::SignatureDef& signature = choose_signature(graph, wanted);
  const std::vector<TfPort> inputs = ports_of(signature.inputs()), outputs = ports_of(signature.outputs());

  TfTensorReader tensors(stripped, std::move(owner));
  TfBuilder builder(graph.graph_def(), tensors);
  std::map<std::string, std::string> saved;
  if (bundle) {
    saved = restored_variables(graph);
    builder.find_variable = [&](const std::string& name) {
      const auto it = saved.find(name);
      return it == saved.end() ? Tensor() : bundle->read(it->second);
    };
  }
  return builder.build(inputs, outputs);
}

}  // namespace

Graph load_saved_model(const std::string& folder, const std::string& signature) {
  return with_context(
      [&] { return folder; },
      [&] {
        const std::shared_ptr<const MappedFile> file = MappedFile::open_below(folder, kModelFile);
        std::optional<TensorBundle> bundle;
        // Without variables there is no bundle.
        if (std::filesystem::exists(std::filesystem::path(folder) / (std::string(kVariables) + ".index")))
          bundle.emplace(folder, kVariables);
        return load(file->bytes(), file, std::move(bundle), signature);
      });
}

Graph load_saved_model(std::span<const std::byte> model, std::span<const std::byte> index, const std::string& folder,
                       const std::string& signature) {
  return with_context([] { return std::string("model in memory"); },
                      [&] {
                        std::optional<TensorBundle> bundle;
                        if (!index.empty()) bundle.emplace(index, folder, kVariables);
                        return load(model, nullptr, std::move(bundle), signature);
                      });
}

}  // namespace neural_engine
