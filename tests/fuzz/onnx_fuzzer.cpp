// Any bytes as an ONNX model: a graph or an Error, in bounded time and memory. An internal error is a defect.
#include "base/error.h"
#include "fuzz/targets.h"
#include "load/onnx.h"

namespace neural_engine {

void fuzz_onnx(std::span<const std::byte> bytes) {
  try {
    load_onnx(bytes, "");
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
