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

std::string check_int_matmul(const IntMatmulDesc& desc) {
  if (desc.n < 1 || desc.k < 1 || desc.k > kMaxIntMatmulK)
    return text("B is ", desc.k, " x ", desc.n, ", supported: 1 to ", kMaxIntMatmulK, " rows, 1 column and more");
  for (const EpilogueOp& op : desc.epilogue) {
    if (op.kind == EpilogueOp::Kind::kBinary) {
      if (op.binary == BinaryOp::kMax || op.binary == BinaryOp::kMin)
        return text("the epilogue has ", to_string(op.binary), ", add, sub, mul and div are supported");
      continue;
    }
    switch (op.unary) {
      case UnaryOp::kLinear:
      case UnaryOp::kRelu:
      case UnaryOp::kGeluErf:
      case UnaryOp::kGeluTanh:
      case UnaryOp::kSilu:
      case UnaryOp::kSigmoid:
      case UnaryOp::kTanh: break;
      default:
        return text("the epilogue has ", to_string(op.unary),
                    "; linear, relu, gelu_erf, gelu_tanh, silu, sigmoid and tanh are supported");
    }
  }
  return check_f32(desc.epilogue);
}

}  // namespace neural_engine
