// Any bytes as a TensorProto: what is accepted is written and read back the same.
#include "base/error.h"
#include "fuzz/targets.h"
#include "ir/attrs.h"
#include "load/tensor_proto.h"

namespace neural_engine {

void fuzz_tensor_pb(std::span<const std::byte> bytes) {
  try {
    const Tensor tensor = parse_tensor_pb(bytes).tensor;
    const std::string written = serialize_tensor_pb(tensor);
    if (!equal_bytes(parse_tensor_pb(std::as_bytes(std::span(written))).tensor, tensor))
      throw Finding("another tensor was read back");
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
