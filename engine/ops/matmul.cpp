#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef> matmul_ops() { return {}; }

}  // namespace neural_engine
