// Any bytes as a frozen TensorFlow graph: a graph or an Error, in bounded time and memory. An internal error is a
// defect.
#include "base/error.h"
#include "fuzz/targets.h"
#include "load/tensorflow.h"

namespace neural_engine {

void fuzz_tensorflow(std::span<const std::byte> bytes) {
  tensorflow_kind(bytes);
  try {
    load_frozen_graph(bytes);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
