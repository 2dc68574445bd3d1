#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef> random_ops() { return {}; }

}  // namespace neural_engine
