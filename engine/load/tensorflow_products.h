// What operators with a product in them share.
#pragma once

#include "load/tensorflow_node.h"

namespace neural_engine {

// The last two dimensions exchanged; a rank that is not known is refused.
ValueId swap_last_two(TfNode& n, ValueId x);
ValueId product(TfNode& n, ValueId a, ValueId b, bool transpose_a, bool transpose_b);

// What the attribute "fused_ops" says is done to x, with operands next .. end. `window`: of the convolution that x is.
struct TfWindow;
ValueId fused_tail(TfNode& n, ValueId x, size_t next, size_t end, const TfWindow* window);

}  // namespace neural_engine
