// Products of integers: DynamicQuantizedMatMul and QuantizedMatMul.
#include "executor/ops/int_matmul.h"

#include <algorithm>
#include <cmath>

#include "executor/ops/convert.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/post_ops.h"
#include "executor/weight_store.h"

namespace neural_engine {

namespace {

// Behind the inputs of any node: an operand that an op does not have.
constexpr int kAbsent = 1 << 20;

// Which inputs of the node are what.
struct Roles {
  int a = 0, scale_a = kAbsent, zero_a = kAbsent, b = 1, scale_b = 2, zero_b = kAbsent, bias = 3, first_operand = 4;
};
constexpr Roles kDynamic;
constexpr Roles kStatic = {
    .a = 0, .scale_a = 1, .zero_a = 4, .b = 2, .scale_b = 3, .zero_b = 5, .bias = 6, .first_operand = 7};

float scale_of(const Tensor& tensor) {
  const float scale = tensor.data<float>()[0];
  require(std::isfinite(scale), Code::kInvalidData, "a scale is ", scale, ", expected a finite number");
  return scale;
}

int32_t byte_at(const Tensor& tensor, int64_t i) {
  return tensor.dtype() == DType::kU8 ? tensor.data<uint8_t>()[i] : tensor.data<int8_t>()[i];
}

// Prepared for known shapes. The scratch memory holds the list of operands, B's scales and zero points by column, a B
// that is no constant, and what the kernel needs.
class IntMatmulPlan {
 public:
  IntMatmulPlan(const BindContext& context, const Roles& roles, BoundOp* bound) : roles_(roles) {
    const Shape a = context.shape(roles.a), b = context.shape(roles.b);
    transposed_ = context.attr<int64_t>("trans_b") != 0;
    n_ = b[transposed_ ? 0 : 1];
    ldb_ = b[1];
    k_ = a.back();
    for (size_t i = 0; i + 1 < a.size(); ++i) m_ *= a[i];
    // Zero points of u8 are 128 less, as the kernel packs it: there are some unless the model's are all 128.
    b_dtype_ = context.dtype(roles.b);
    has_zero_b_ = b_dtype_ == DType::kU8 || context.has_input(roles.zero_b);
    if (const Tensor* zeros = context.has_input(roles.zero_b) ? context.constant(roles.zero_b) : nullptr)
      has_zero_b_ = has_other_zeros(*zeros);
    kernel_ = choose_kernel(IntMatmulDesc{.m = m_,
                                          .n = n_,
                                          .k = k_,
                                          .b_transposed = transposed_,
                                          .epilogue = epilogue_of(context),
                                          .a = context.dtype(roles.a),
                                          .b = b_dtype_,
                                          .has_zero_b = has_zero_b_},
                            bound);
    pack_weight(context);
    lay_out();
    bound->scratch_bytes = static_cast<size_t>(scratch_bytes_);
    bound->operations = 2.0 * static_cast<double>(m_ * n_) * static_cast<double>(k_);
  }

  void run(OpContext& context) const {
    Tensor& out = context.output(0);
    if (out.elems() == 0) return;
    const Tensor& a = context.input(roles_.a);
    IntMatmulArgs args = {.m = m_, .a = a.raw(), .lda = k_, .c = out.raw(), .ldc = n_};
    if (context.has_input(roles_.scale_a)) args.scale_a = scale_of(context.input(roles_.scale_a));
    if (context.has_input(roles_.zero_a)) args.zero_a = byte_at(context.input(roles_.zero_a), 0);
    args.b = weight(context);
    args.scale_b = column_scales(context);
    if (has_zero_b_) args.zero_b = column_zeros(context);
    args.operands = operands(context);
    args.scratch = context.scratch + work_at_;
    kernel_->run(args, context.parallel);
  }

 private:
  bool has_other_zeros(const Tensor& zeros) const {
    const int32_t packed_as_zero = b_dtype_ == DType::kU8 ? 128 : 0;
    for (int64_t i = 0; i < zeros.elems(); ++i) {
      if (byte_at(zeros, i) != packed_as_zero) return true;
    }
    return false;
  }

  Epilogue epilogue_of(const BindContext& context) {
    Epilogue epilogue;
    const float alpha = context.attr<float>("alpha");
    if (alpha != 1.0f) epilogue.push_back(scale(alpha));
    if (context.has_input(roles_.bias)) {
      epilogue.push_back(bias());
      operands_.push_back({.input = roles_.bias, .spread = Spread::kRow});
    }
    append_post_ops(context, roles_.first_operand, &epilogue, &operands_);
    return epilogue;
  }

  void pack_weight(const BindContext& context) {
    const Tensor* weight = context.packed_constant(roles_.b);
    if (weight == nullptr) return;
    const std::string layout = kernel_->packing() + (transposed_ ? ":t" : "");
    packed_ = context.weights.get(*weight, layout, [&] {
      Tensor packed = context.weights.allocate(kernel_->packed_bytes());
      kernel_->pack(weight->raw(), ldb_, packed.raw(), context.weights.parallel());
      return packed;
    });
  }

  void lay_out() {
    const auto take = [&](int64_t bytes) {
      const int64_t at = scratch_bytes_;
      scratch_bytes_ += round_up(bytes, kScratchAlignment);
      return at;
    };
    take(static_cast<int64_t>(operands_.size() * sizeof(EpilogueOperand)));
    scales_at_ = take(n_ * 4);
    zeros_at_ = take(has_zero_b_ ? n_ * 4 : 0);
    packed_at_ = take(packed_.defined() ? 0 : kernel_->packed_bytes());
    work_at_ = take(kernel_->scratch_bytes(m_));
  }

  const void* weight(OpContext& context) const {
    if (packed_.defined()) return packed_.raw();
    kernel_->pack(context.input(roles_.b).raw(), ldb_, context.scratch + packed_at_, context.parallel);
    return context.scratch + packed_at_;
  }

  const float* column_scales(OpContext& context) const {
    const Tensor& scales = context.input(roles_.scale_b);
    if (scales.elems() == n_) return scales.data<float>();
    auto* spread = reinterpret_cast<float*>(context.scratch + scales_at_);
    std::fill(spread, spread + n_, scale_of(scales));
    return spread;
  }

  const int32_t* column_zeros(OpContext& context) const {
    auto* zeros = reinterpret_cast<int32_t*>(context.scratch + zeros_at_);
    const int32_t offset = b_dtype_ == DType::kU8 ? 128 : 0;
    if (!context.has_input(roles_.zero_b)) {
      std::fill(zeros, zeros + n_, -offset);
      return zeros;
    }
    const Tensor& given = context.input(roles_.zero_b);
    for (int64_t i = 0; i < n_; ++i) zeros[i] = byte_at(given, given.elems() == 1 ? 0 : i) - offset;
    return zeros;
  }

  std::span<const EpilogueOperand> operands(OpContext& context) const {
    auto* list = reinterpret_cast<EpilogueOperand*>(context.scratch);
    for (size_t i = 0; i < operands_.size(); ++i) {
      const PlanOperand& from = operands_[i];
      EpilogueOperand& operand = list[i] = {.data = nullptr, .ld = n_};
      if (from.input >= 0) operand.data = context.input(from.input).raw();
      if (from.parameters < 0) continue;
      operand.scale = scale_of(context.input(from.parameters));
      operand.zero = byte_at(context.input(from.parameters + 1), 0);
      require(from.input >= 0 || operand.scale != 0.0f, Code::kInvalidData, "a scale to divide by is 0");
    }
    return {list, operands_.size()};
  }

  const Roles roles_;
  bool transposed_ = false, has_zero_b_ = false;
  DType b_dtype_ = DType::kS8;
  int64_t m_ = 1, n_ = 0, k_ = 0, ldb_ = 0;
  std::vector<PlanOperand> operands_;
  std::shared_ptr<IntMatmulKernel> kernel_;
  Tensor packed_;  // undefined when B is no constant
  int64_t scales_at_ = 0, zeros_at_ = 0, packed_at_ = 0, work_at_ = 0, scratch_bytes_ = 0;
};

BoundOp bind(const BindContext& context, const Roles& roles) {
  BoundOp bound;
  const auto plan = std::make_shared<const IntMatmulPlan>(context, roles, &bound);
  bound.run = [plan](OpContext& op) { plan->run(op); };
  return bound;
}

}  // namespace

BoundOp bind_dynamic_matmul(const BindContext& context) { return bind(context, kDynamic); }
BoundOp bind_quantized_matmul(const BindContext& context) { return bind(context, kStatic); }

}  // namespace neural_engine
