// TensorFlow's operators and what becomes of them: tables by family, one per file tensorflow_ops_<family>.cpp.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "load/tensorflow_node.h"

namespace neural_engine {

struct TfOp {
  const char* op;
  void (*build)(TfNode&);
  const char* types = "T=*";      // TfNode::check_types
  const char* outputs = nullptr;  // "y,idx": names of output arguments, where there are several
};

// A family for the documentation.
struct TfFamily {
  const char* name;
  std::span<const TfOp> ops;
};

std::span<const TfOp> tf_math_ops();
std::span<const TfOp> tf_logic_ops();
std::span<const TfOp> tf_matmul_ops();
std::span<const TfOp> tf_shape_ops();
std::span<const TfOp> tf_slice_ops();
std::span<const TfOp> tf_gather_ops();
std::span<const TfOp> tf_segment_ops();
std::span<const TfOp> tf_reduce_ops();
std::span<const TfOp> tf_conv_ops();
std::span<const TfOp> tf_norm_ops();
std::span<const TfOp> tf_fused_ops();
std::span<const TfOp> tf_quantize_ops();
std::span<const TfOp> tf_list_ops();
std::span<const TfOp> tf_state_ops();

std::vector<TfFamily> tf_families();
const TfOp* find_tf_op(std::string_view op);  // nullptr when there is none
// Operators that the builder itself resolves: control flow and function calls.
std::span<const char* const> tf_control_ops();
// Why an operator of a kind that will not be supported is none, or "" : "a hash table ..."
const char* why_not_supported(std::string_view op);

// The operator is ONNX's of this name, with the same operands.
template <size_t N>
struct OpName {
  char text[N];
  constexpr OpName(const char (&name)[N]) {
    for (size_t i = 0; i < N; ++i) text[i] = name[i];
  }
};
template <OpName kName>
void direct(TfNode& n) {
  n.finish(kName.text, n.all_inputs());
}

}  // namespace neural_engine
