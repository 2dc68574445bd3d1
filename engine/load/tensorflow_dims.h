// Dimensions that a TensorFlow graph leaves open.
#pragma once

#include "ir/graph.h"

namespace neural_engine {

// Where open dimensions of two inputs meet in an element-wise operator they become one symbol. TensorFlow writes -1 for
// each of them, and would also take one that is 1 and spreads over the other; models mean that they are equal (batch
// and sequence of ids and mask), and all that is known of shapes inside of the model hangs on it. Whether a request
// holds to it is checked when it is run.
void unify_open_dims(Graph& graph);

}  // namespace neural_engine
