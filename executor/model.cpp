#include "neural_engine/model.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/mapped_file.h"
#include "base/tensor_memory.h"
#include "executor/evaluate.h"
#include "file/model_file.h"
#include "ir/graph.h"
#include "ir/print.h"
#include "load/conf_model.h"
#include "load/hugging_face.h"
#include "load/onnx.h"
#include "load/tensorflow.h"
#include "passes/pipeline.h"

namespace neural_engine {

namespace {

TensorInfo describe_port(const std::string& name, const Facts& facts) {
  TensorInfo info;
  info.name = name;
  info.dtype = facts.dtype;
  info.has_rank = facts.has_shape();
  if (facts.shape) {
    for (const Dim& dim : *facts.shape) {
      info.shape.push_back(dim.known() ? dim.value() : -1);
      info.dim_names.push_back(dim.symbol());
    }
  }
  return info;
}

// Constants of a graph and of the graphs in its attributes.
template <class Visit>
void for_each_constant(const Graph& graph, const Visit& visit) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.value(id).is_constant()) visit(graph.value(id).facts.constant);
  }
  for (NodeId id = 0; id < graph.num_nodes(); ++id) {
    for (const auto& [name, value] : graph.node(id).attrs.items()) {
      if (const GraphPtr* body = std::get_if<GraphPtr>(&value)) for_each_constant(**body, visit);
    }
  }
}

bool is_model_file_at(const std::string& path) {
  char magic[sizeof(kModelFileMagic)] = {};
  std::ifstream(path, std::ios::binary).read(magic, sizeof(magic));
  return is_model_file(std::as_bytes(std::span(magic)));
}

// The folder when the path is that of a SavedModel, or of the file in it; else "".
std::string saved_model_folder(const std::string& path) {
  namespace fs = std::filesystem;
  constexpr const char* kName = "saved_model.pb";
  if (fs::is_directory(path)) return fs::exists(fs::path(path) / kName) ? path : "";
  return fs::path(path).filename() == kName ? folder_of(path) : "";
}

Graph load_graph(const std::string& path, const std::string& signature) {
  if (const std::string folder = saved_model_folder(path); !folder.empty()) return load_saved_model(folder, signature);
  if (!signature.empty()) {
    fail(Code::kUnsupported, path, ": signature \"", signature, "\" is asked for, which only SavedModels have");
  }
  if (is_conf_model(path)) return load_conf_model(path);
  if (std::filesystem::is_directory(path)) return load_hugging_face(path);
  if (is_model_file_at(path)) return load_model_file(path);
  switch (tensorflow_kind(MappedFile::open(path)->bytes())) {
    case TfFile::kGraphDef: return load_frozen_graph(path);
    case TfFile::kSavedModel: fail(Code::kUnsupported, path, ": a SavedModel's graph must be named saved_model.pb");
    default: return load_onnx(path);
  }
}

std::vector<std::string> optimize(Graph& graph) {
  PassReport report;
  simplify(
      graph, [](const Node& node, std::span<const Tensor> inputs) { return evaluate_node(node, inputs); }, report);
  std::vector<std::string> log;
  std::istringstream lines(report.to_string());
  for (std::string line; std::getline(lines, line);) log.push_back(line);
  return log;
}

void check_size(const Graph& graph, const std::string& path, size_t max_memory) {
  if (max_memory == 0) return;
  size_t bytes = 0;
  for_each_constant(graph, [&](const Tensor& tensor) { bytes += tensor.bytes(); });
  require(bytes <= max_memory, Code::kOutOfMemory, path, ": constants of ", bytes, " bytes, the limit is ", max_memory,
          " bytes");
}

}  // namespace

struct Model::Impl {
  std::shared_ptr<const Graph> graph;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::vector<std::string> pass_log;
};

Model::Model(Graph graph, std::vector<std::string> pass_log) {
  auto impl = std::make_shared<Impl>();
  impl->graph = std::make_shared<const Graph>(graph.compacted());
  impl->pass_log = std::move(pass_log);
  for (ValueId input : impl->graph->inputs()) {
    impl->inputs.push_back(describe_port(impl->graph->value(input).name, impl->graph->value(input).facts));
  }
  for (const Graph::Output& output : impl->graph->outputs()) {
    impl->outputs.push_back(describe_port(output.name, impl->graph->value(output.value).facts));
  }
  impl_ = std::move(impl);
}

Model Model::load(const std::string& path, const LoadOptions& options) {
  Graph graph = load_graph(path, options.signature);
  std::vector<std::string> pass_log;
  check_size(graph, path, options.max_memory);
  if (options.optimize) pass_log = optimize(graph);
  // The passes looked at some bytes of each weight, for which the system may have mapped megabytes.
  for_each_constant(graph, [](const Tensor& tensor) { release_pages(tensor); });
  check_size(graph, path, options.max_memory);
  return with_context([&] { return path; }, [&] { return Model(std::move(graph), std::move(pass_log)); });
}

void Model::save(const std::string& path) const { save_model_file(graph(), path); }

std::string Model::text() const { return print(graph()); }

const std::vector<TensorInfo>& Model::inputs() const { return impl_->inputs; }
const std::vector<TensorInfo>& Model::outputs() const { return impl_->outputs; }
const std::vector<std::string>& Model::pass_log() const { return impl_->pass_log; }
const Graph& Model::graph() const { return *impl_->graph; }
const std::shared_ptr<const Graph>& Model::graph_ptr() const { return impl_->graph; }

int64_t Model::parameters() const {
  int64_t total = 0;
  for_each_constant(graph(), [&](const Tensor& tensor) { total += tensor.elems(); });
  return total;
}

size_t Model::weight_bytes() const {
  size_t total = 0;
  for_each_constant(graph(), [&](const Tensor& tensor) { total += tensor.bytes(); });
  return total;
}

std::map<std::string, int> Model::op_counts() const {
  std::map<std::string, int> counts;
  for (NodeId id : graph().order()) ++counts[graph().node(id).def->name];
  return counts;
}

}  // namespace neural_engine
