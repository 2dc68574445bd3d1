// Models: loaded from a file, or built; immutable, shared by sessions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "neural_engine/export.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class Graph;

// An input or output of a model.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;                         // -1: decided by the request
  std::vector<std::string> dim_names;  // one per dimension: the symbol ("batch"), or empty
  bool has_rank = true;                // false: not even the number of dimensions is declared
};

struct LoadOptions {
  // Fuse and fold while loading. Without it the graph runs as the file says, operator by operator.
  bool optimize = true;
  // Refuses (kOutOfMemory) a model whose constants take more bytes than this; 0: no limit.
  size_t max_memory = 0;
  // Of a TensorFlow SavedModel: which signature; empty: "serving_default", or the only one.
  std::string signature = {};
};

// A graph with its weights. Copies are shallow; all members are const and may be called from many threads.
class NEURAL_ENGINE_EXPORT Model {
 public:
  // Reads `.onnx` (ai.onnx opsets 6 to 23), a frozen TensorFlow graph or `.ne`, by the file's content, or a folder: a
  // TensorFlow SavedModel, config.json and model.safetensors of a Hugging Face encoder, or conf.yaml and model.bin;
  // docs/FORMATS.md. The files are mapped, not copied: they must not be changed while the model lives. Throws Error:
  // kIo, kInvalidModel, kUnsupported; the text names the file and the node.
  static Model load(const std::string& path, const LoadOptions& options = {});

  // Writes a `.ne` file: to a temporary file beside `path`, which is then renamed. Reloading gives the same bits.
  void save(const std::string& path) const;

  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;

  int64_t parameters() const;   // elements of all constants
  size_t weight_bytes() const;  // their bytes
  std::map<std::string, int> op_counts() const;
  // What the passes did: "applied gelu at ..." and "refused: ...", one line each. Empty for a model that was not
  // optimised.
  const std::vector<std::string>& pass_log() const;
  // The graph in text form.
  std::string text() const;

  // For the engine's own modules.
  explicit Model(Graph graph, std::vector<std::string> pass_log = {});
  const Graph& graph() const;
  const std::shared_ptr<const Graph>& graph_ptr() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace neural_engine
