#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef> elementwise_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "Add",
       .inputs = {2, 2},
       .flags = kElementwise | kCommutative,
       .infer = infer_broadcast,
       .onnx = {{"Add", 7}}},
      {.name = "Relu", .flags = kElementwise, .infer = infer_same_as_first, .onnx = {{"Relu", 6}}},
  };
  return kOps;
}

}  // namespace neural_engine
