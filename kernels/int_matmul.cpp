#include "kernels/int_matmul.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "kernels/requests.h"

namespace neural_engine {

RowQuantization RowQuantization::of(float low, float high, uint32_t absolute_bits) noexcept {
  constexpr uint32_t kInfinityBits = 0x7f800000u;
  // The floor keeps 1 / scale finite; a row within it is zeros to any reader of f32 sums.
  const float range = std::max(high - low, 1e-30f);
  if (absolute_bits >= kInfinityBits || !std::isfinite(range))
    return {std::numeric_limits<float>::quiet_NaN(), 0.0f, 0, 0};
  const float scale = range / 255.0f;
  const float inverse = 1.0f / scale;
  const auto zero = std::clamp(static_cast<int32_t>(std::nearbyint(-low * inverse)), 0, 255);
  return {scale, inverse, -zero, 255 - zero};
}

namespace {

std::string check_unary(UnaryOp op) {
  switch (op) {
    case UnaryOp::kLinear:
    case UnaryOp::kRelu:
    case UnaryOp::kGeluErf:
    case UnaryOp::kGeluTanh:
    case UnaryOp::kSilu:
    case UnaryOp::kSigmoid:
    case UnaryOp::kTanh: return "";
    default:
      return text("the epilogue has ", to_string(op),
                  "; linear, relu, gelu_erf, gelu_tanh, silu, sigmoid and tanh are supported");
  }
}

bool is_byte(DType dtype) { return dtype == DType::kU8 || dtype == DType::kS8; }

std::string check_binary(const EpilogueOp& op) {
  if (op.binary == BinaryOp::kMax || op.binary == BinaryOp::kMin)
    return text("the epilogue has ", to_string(op.binary), ", add, sub, mul and div are supported");
  if (op.operand_dtype == DType::kF32) return "";
  if (!is_byte(op.operand_dtype))
    return text("the operand of ", to_string(op.binary), " is ", to_string(op.operand_dtype),
                ", f32, s8 and u8 are supported");
  if (op.spread != Spread::kFull)
    return text("the operand of ", to_string(op.binary), " is ", to_string(op.operand_dtype), " by ",
                to_string(op.spread), ", a full one is supported");
  return "";
}

}  // namespace

int64_t max_int_k(bool has_zero_b) noexcept { return has_zero_b ? 33025 : 65535; }

std::string check_int_matmul(const IntMatmulDesc& desc) {
  const int64_t max_k = max_int_k(desc.has_zero_b);
  if (desc.n < 1 || desc.k < 1 || desc.k > max_k)
    return text("B is ", desc.k, " x ", desc.n, ", supported: 1 to ", max_k, " rows, 1 column and more");
  if (desc.a != DType::kF32 && !is_byte(desc.a))
    return text("A is ", to_string(desc.a), ", f32, s8 and u8 are supported");
  if (!is_byte(desc.b)) return text("B is ", to_string(desc.b), ", s8 and u8 are supported");
  for (const EpilogueOp& op : desc.epilogue) {
    std::string reason;
    if (op.kind == EpilogueOp::Kind::kUnary) reason = check_unary(op.unary);
    if (op.kind == EpilogueOp::Kind::kBinary) reason = check_binary(op);
    if (op.kind == EpilogueOp::Kind::kGrid && !is_byte(op.operand_dtype))
      reason = text("the epilogue has a grid of ", to_string(op.operand_dtype), ", s8 and u8 are supported");
    if (op.levels && &op != &desc.epilogue.back()) reason = "the epilogue quantizes before its end";
    if (!reason.empty()) return reason;
  }
  return "";
}

}  // namespace neural_engine
