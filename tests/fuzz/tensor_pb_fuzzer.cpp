// Any bytes as a TensorProto: what is accepted is written and read back the same.
#include <cstdint>
#include <cstdlib>

#include "base/error.h"
#include "ir/attrs.h"
#include "load/tensor_proto.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace neural_engine;
  try {
    const Tensor tensor = parse_tensor_pb(std::as_bytes(std::span(data, size))).tensor;
    const std::string written = serialize_tensor_pb(tensor);
    if (!equal_bytes(parse_tensor_pb(std::as_bytes(std::span(written))).tensor, tensor)) std::abort();
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) std::abort();
  }
  return 0;
}
