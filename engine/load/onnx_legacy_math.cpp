#include "load/onnx_legacy.h"

namespace neural_engine {

std::span<const LegacyRule> legacy_math_rules() { return {}; }

}  // namespace neural_engine
