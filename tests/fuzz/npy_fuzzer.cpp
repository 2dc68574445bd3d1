// Any bytes as a .npy file: what is accepted is written and read back the same.
#include "base/error.h"
#include "fuzz/targets.h"
#include "ir/attrs.h"
#include "load/npy.h"

namespace neural_engine {

void fuzz_npy(std::span<const std::byte> bytes) {
  try {
    const Tensor tensor = parse_npy(bytes);
    const std::string written = serialize_npy(tensor);
    if (!equal_bytes(parse_npy(std::as_bytes(std::span(written))), tensor))
      throw Finding("another tensor was read back");
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
