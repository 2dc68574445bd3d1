#include "kernels/onednn/post_ops.h"

#include <optional>
#include <set>

namespace neural_engine::onednn {
namespace {

using dnnl::algorithm;

struct Eltwise {
  algorithm kind;
  float alpha = 0.0f, beta = 0.0f;
};

std::optional<Eltwise> eltwise_of(const EpilogueOp& op) {
  switch (op.unary) {
    case UnaryOp::kLinear: return Eltwise{algorithm::eltwise_linear, op.alpha, op.beta};
    case UnaryOp::kClip: return Eltwise{algorithm::eltwise_clip, op.alpha, op.beta};
    case UnaryOp::kRelu: return Eltwise{algorithm::eltwise_relu};
    case UnaryOp::kLeakyRelu: return Eltwise{algorithm::eltwise_relu, op.alpha};
    case UnaryOp::kGeluErf: return Eltwise{algorithm::eltwise_gelu_erf};
    case UnaryOp::kGeluTanh: return Eltwise{algorithm::eltwise_gelu_tanh};
    case UnaryOp::kSilu: return Eltwise{algorithm::eltwise_swish, op.alpha};
    case UnaryOp::kSigmoid: return Eltwise{algorithm::eltwise_logistic};
    case UnaryOp::kTanh: return Eltwise{algorithm::eltwise_tanh};
    case UnaryOp::kExp: return Eltwise{algorithm::eltwise_exp};
    case UnaryOp::kAbs: return Eltwise{algorithm::eltwise_abs};
    case UnaryOp::kNeg: return Eltwise{algorithm::eltwise_linear, -1.0f, 0.0f};
    case UnaryOp::kSquare: return Eltwise{algorithm::eltwise_square};
    case UnaryOp::kSqrt: return Eltwise{algorithm::eltwise_sqrt};
    case UnaryOp::kErf:
    case UnaryOp::kReciprocal: return std::nullopt;
  }
  return std::nullopt;
}

std::optional<algorithm> binary_of(const EpilogueOp& op) {
  const bool swaps = op.binary == BinaryOp::kSub || op.binary == BinaryOp::kDiv;
  if (op.reversed && swaps) return std::nullopt;
  if (op.spread != Spread::kRow && op.spread != Spread::kScalar) return std::nullopt;
  switch (op.binary) {
    case BinaryOp::kAdd: return algorithm::binary_add;
    case BinaryOp::kSub: return algorithm::binary_sub;
    case BinaryOp::kMul: return algorithm::binary_mul;
    case BinaryOp::kDiv: return algorithm::binary_div;
    case BinaryOp::kMax:
    case BinaryOp::kMin: return std::nullopt;  // its NaN rule is another
  }
  return std::nullopt;
}

void append_eltwise(dnnl::post_ops* ops, const Eltwise& eltwise) {
#if DNNL_VERSION_MAJOR >= 3
  ops->append_eltwise(eltwise.kind, eltwise.alpha, eltwise.beta);
#else
  ops->append_eltwise(1.0f, eltwise.kind, eltwise.alpha, eltwise.beta);
#endif
}

}  // namespace

Takeover most_to_take(const Epilogue& epilogue) {
  Takeover takes;
  if (!epilogue.empty() && epilogue[0] == bias()) takes = {true, 1};
  // oneDNN 2.6 gives the second of two element-wise post-ops of one algorithm the constants of the first.
  std::set<algorithm> seen;
  for (; takes.ops < epilogue.size(); ++takes.ops) {
    const EpilogueOp& op = epilogue[takes.ops];
    if (op.kind == EpilogueOp::Kind::kBinary) {
      if (!binary_of(op)) break;
    } else {
      const std::optional<Eltwise> eltwise = eltwise_of(op);
      if (!eltwise || !seen.insert(eltwise->kind).second) break;
    }
  }
  return takes;
}

dnnl::primitive_attr attributes(const Epilogue& epilogue, const Takeover& takes, int64_t n) {
  dnnl::post_ops ops;
  for (size_t i = takes.bias ? 1 : 0; i < takes.ops; ++i) {
    const EpilogueOp& op = epilogue[i];
    if (op.kind == EpilogueOp::Kind::kUnary) {
      append_eltwise(&ops, *eltwise_of(op));
      continue;
    }
    const dnnl::memory::dims dims = {1, op.spread == Spread::kRow ? n : 1};
    ops.append_binary(*binary_of(op), {dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab});
  }
  dnnl::primitive_attr attr;
  attr.set_post_ops(ops);
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

}  // namespace neural_engine::onednn
