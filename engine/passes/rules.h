// The rules, by family. Each function gives the rules in the order in which a node is offered to them; the order of the
// families is pipeline.cpp's.
#pragma once

#include <vector>

#include "passes/rule.h"

namespace neural_engine {

std::vector<Rule> algebra_rules();     // what computes nothing: x + 0, a Cast to the same type, Identity
std::vector<Rule> shape_rules();       // what moves nothing: Reshape of Reshape, Transpose back, Expand to the same
std::vector<Rule> norm_rules();        // layer and RMS normalization, softmax, from their formulas
std::vector<Rule> activation_rules();  // GELU (erf and tanh), SiLU, from their formulas
std::vector<Rule> matmul_rules();      // MatMul and Gemm with what follows become FusedMatMul
std::vector<Rule> attention_rules();   // softmax(q k^T) v becomes FusedAttention
std::vector<Rule> attention_layout_rules();    // what lies around FusedAttention becomes a matter of its layouts
std::vector<Rule> projection_rules();          // projections of one input that attention reads become one product
std::vector<Rule> quantized_product_rules();   // QDQ, MatMulInteger and QLinearMatMul become QuantizedMatMul
std::vector<Rule> quantized_epilogue_rules();  // what follows a QuantizedMatMul goes into it

}  // namespace neural_engine
