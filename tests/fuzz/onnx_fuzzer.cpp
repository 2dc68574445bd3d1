// Any bytes as an ONNX model: a graph or an Error, in bounded time and memory. An internal error is a defect.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "load/onnx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    neural_engine::load_onnx(std::as_bytes(std::span(data, size)), "");
  } catch (const neural_engine::Error& error) {
    if (error.code() == neural_engine::Code::kInternal) std::abort();
  }
  return 0;
}
