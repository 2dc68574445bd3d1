// Any bytes as a .npy file: what is accepted is written and read back the same.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "ir/attrs.h"
#include "load/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace neural_engine;
  try {
    const Tensor tensor = parse_npy(std::as_bytes(std::span(data, size)));
    const std::string written = serialize_npy(tensor);
    if (!equal_bytes(parse_npy(std::as_bytes(std::span(written))), tensor)) std::abort();
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) std::abort();
  }
  return 0;
}
