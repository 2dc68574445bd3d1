// Any bytes as a safetensors file: what is accepted has tensors whose bytes all are in the file.
#include "base/error.h"
#include "fuzz/targets.h"
#include "load/safetensors.h"

namespace neural_engine {

void fuzz_safetensors(std::span<const std::byte> bytes) {
  try {
    size_t total = 0;
    for (const auto& [name, tensor] : parse_safetensors(bytes, nullptr)) total += tensor.bytes();
    if (total > bytes.size()) throw Finding("the tensors are larger than the file");
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
