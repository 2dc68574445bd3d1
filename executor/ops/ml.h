// The bindings of engine/ops/ml.cpp.
#pragma once

#include <span>

#include "executor/op_binding.h"

namespace neural_engine {

std::span<const OpBinding> ml_bindings();

}  // namespace neural_engine
