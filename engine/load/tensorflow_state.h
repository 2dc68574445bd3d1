// Variables, whose values are constants here.
#pragma once

#include "load/tensorflow_node.h"

namespace neural_engine {

// The value of the variable that operand i names. One constant, however often it is read.
ValueId read_variable(TfNode& n, size_t i);

}  // namespace neural_engine
