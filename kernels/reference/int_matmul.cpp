// The definition of quantized products, down to the bits of the float part: std::fma where generated code fuses.
#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "kernels/math_coefficients.h"
#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::reference {
namespace {

using namespace math;

// The instructions' rule: the second operand where one is NaN.
float min_of(float a, float b) { return a < b ? a : b; }
float max_of(float a, float b) { return a > b ? a : b; }

// 2^n from the float whose low bits hold n plus the exponent's bias.
float power_of_two(float biased) { return std::bit_cast<float>(std::bit_cast<uint32_t>(biased) << 23); }

template <size_t count>
float polynomial(float u, const float (&c)[count]) {
  float sum = c[count - 1];
  for (size_t i = count - 1; i-- > 0;) sum = std::fma(sum, u, c[i]);
  return sum;
}

float exp_f32(float x) {
  x = max_of(kExpLow, min_of(kExpHigh, x));
  const float biased = x * std::numbers::log2e_v<float> + magic(126);
  const float n = biased - magic(126);
  x = std::fma(-n, kLn2High, x);
  x = std::fma(-n, kLn2Low, x);
  return polynomial(x, kTwiceExp) * power_of_two(biased);
}

float gelu_erf_f32(float x) {
  const float t = min_of(kNormalTailEnd, std::fabs(x));
  float q = polynomial(t, kLog2NormalTail);
  const float biased = q + magic(127);
  q -= biased - magic(127);
  const float tail = polynomial(q, kExp2) * t;
  return std::fma(-tail, power_of_two(biased), max_of(0.0f, x));
}

float gelu_tanh_f32(float x) {
  const float factor = static_cast<float>(-kTwiceGeluTanh * 0.044715), offset = static_cast<float>(-kTwiceGeluTanh);
  return x / (exp_f32(std::fma(x * x, factor, offset) * x) + 1.0f);
}

float tanh_f32(float x) {
  x = max_of(-kTanhEnd, min_of(kTanhEnd, x));
  const float square = x * x;
  return x * polynomial(square, kTanhP) / polynomial(square, kTanhQ);
}

float apply_f32(const EpilogueOp& op, float x) {
  switch (op.unary) {
    case UnaryOp::kLinear: return op.beta == 0.0f ? x * op.alpha : std::fma(x, op.alpha, op.beta);
    case UnaryOp::kRelu: return max_of(0.0f, x);
    case UnaryOp::kGeluErf: return gelu_erf_f32(x);
    case UnaryOp::kGeluTanh: return gelu_tanh_f32(x);
    case UnaryOp::kSilu: return x / (exp_f32(x * -op.alpha) + 1.0f);
    case UnaryOp::kSigmoid: return 1.0f / (exp_f32(-x) + 1.0f);
    case UnaryOp::kTanh: return tanh_f32(x);
    default: return std::nanf("");  // check_int_matmul() lets no other through
  }
}

float apply_f32(const EpilogueOp& op, float x, float operand) {
  const float left = op.reversed ? operand : x, right = op.reversed ? x : operand;
  switch (op.binary) {
    case BinaryOp::kAdd: return left + right;
    case BinaryOp::kSub: return left - right;
    case BinaryOp::kMul: return left * right;
    case BinaryOp::kDiv: return left / right;
    default: return std::nanf("");
  }
}

template <class T>
float dequantized(const EpilogueOperand& operand, int64_t at) {
  const int32_t level = static_cast<const T*>(operand.data)[at];
  return static_cast<float>(level - operand.zero) * operand.scale;
}

float operand_at(const EpilogueOperand& operand, const EpilogueOp& op, int64_t m, int64_t n) {
  const int64_t at = op.spread == Spread::kScalar   ? 0
                     : op.spread == Spread::kRow    ? n
                     : op.spread == Spread::kColumn ? m
                                                    : m * operand.ld + n;
  if (op.operand_dtype == DType::kU8) return dequantized<uint8_t>(operand, at);
  if (op.operand_dtype == DType::kS8) return dequantized<int8_t>(operand, at);
  return static_cast<const float*>(operand.data)[at];
}

float apply_grid(const EpilogueOp& op, float x, const EpilogueOperand& grid) {
  const auto zero = static_cast<float>(grid.zero);
  const float lowest = (op.operand_dtype == DType::kU8 ? 0.0f : -128.0f) - zero;
  const float highest = (op.operand_dtype == DType::kU8 ? 255.0f : 127.0f) - zero;
  x = x / grid.scale;
  if (std::isnan(x)) x = 0.0f;
  // Through an integer, where 0 has one sign.
  x = static_cast<float>(static_cast<int32_t>(std::nearbyint(min_of(highest, max_of(lowest, x)))));
  return op.levels ? x + zero : x * grid.scale;
}

class ReferenceIntMatmul final : public IntMatmulKernel {
 public:
  explicit ReferenceIntMatmul(const IntMatmulDesc& desc) : desc_(desc) {}

  int64_t packed_bytes() const override { return desc_.k * desc_.n; }
  std::string packing() const override { return text("dense.", to_string(desc_.b)); }

  // [N,K]: a column of B side by side.
  void pack(const void* b, int64_t ldb, void* packed, Parallel&) const override {
    const uint8_t flip = desc_.b == DType::kU8 ? 0x80 : 0;
    const uint8_t* src = static_cast<const uint8_t*>(b);
    uint8_t* dst = static_cast<uint8_t*>(packed);
    for (int64_t n = 0; n < desc_.n; ++n)
      for (int64_t k = 0; k < desc_.k; ++k) *dst++ = src[desc_.b_transposed ? n * ldb + k : k * ldb + n] ^ flip;
  }

  int64_t scratch_bytes(int64_t m) const override { return m * desc_.k * int64_t{sizeof(int16_t)}; }

 private:
  void execute(const IntMatmulArgs& args, Parallel& parallel) const override {
    parallel.ranges(args.m, 1, [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) row(args, m, static_cast<int16_t*>(args.scratch) + m * desc_.k);
    });
  }

  void row(const IntMatmulArgs& args, int64_t m, int16_t* centred) const {
    const float scale = read_row(args, m, centred);
    const int8_t* column = static_cast<const int8_t*>(args.b);
    for (int64_t n = 0; n < desc_.n; ++n, column += desc_.k) {
      const int32_t zero = desc_.has_zero_b ? args.zero_b[n] : 0;
      int32_t sum = 0;
      for (int64_t k = 0; k < desc_.k; ++k) sum += int32_t{centred[k]} * (column[k] - zero);
      float x = static_cast<float>(sum) * (scale * args.scale_b[n]);
      size_t next = 0;
      for (const EpilogueOp& op : desc_.epilogue) x = apply(op, x, args, &next, m, n);
      store(args, m * args.ldc + n, x);
    }
  }

  static float apply(const EpilogueOp& op, float x, const IntMatmulArgs& args, size_t* next, int64_t m, int64_t n) {
    if (op.kind == EpilogueOp::Kind::kUnary) return apply_f32(op, x);
    const EpilogueOperand& operand = args.operands[(*next)++];
    if (op.kind == EpilogueOp::Kind::kGrid) return apply_grid(op, x, operand);
    return apply_f32(op, x, operand_at(operand, op, m, n));
  }

  void store(const IntMatmulArgs& args, int64_t at, float x) const {
    switch (result_dtype(desc_.epilogue)) {
      case DType::kU8: static_cast<uint8_t*>(args.c)[at] = static_cast<uint8_t>(x); return;
      case DType::kS8: static_cast<int8_t*>(args.c)[at] = static_cast<int8_t>(x); return;
      default: static_cast<float*>(args.c)[at] = x;
    }
  }

  // a - zero_a, and the scale.
  float read_row(const IntMatmulArgs& args, int64_t m, int16_t* centred) const {
    if (desc_.a == DType::kF32) return quantize(static_cast<const float*>(args.a) + m * args.lda, centred);
    for (int64_t k = 0; k < desc_.k; ++k) {
      const int64_t at = m * args.lda + k;
      const int32_t level =
          desc_.a == DType::kU8 ? static_cast<const uint8_t*>(args.a)[at] : static_cast<const int8_t*>(args.a)[at];
      centred[k] = static_cast<int16_t>(level - args.zero_a);
    }
    return args.scale_a;
  }

  float quantize(const float* a, int16_t* out) const {
    float low = 0, high = 0;
    uint32_t absolute = 0;
    for (int64_t k = 0; k < desc_.k; ++k) {
      low = std::min(low, a[k]);
      high = std::max(high, a[k]);
      absolute = std::max(absolute, std::bit_cast<uint32_t>(a[k]) & 0x7fffffffu);
    }
    const RowQuantization row = RowQuantization::of(low, high, absolute);
    for (int64_t k = 0; k < desc_.k; ++k) {
      // A row that cannot be quantized has no numbers; its NaN scale makes the result.
      const float value = row.inverse == 0.0f ? 0.0f : std::nearbyint(a[k] * row.inverse);
      out[k] = static_cast<int16_t>(std::clamp(static_cast<int32_t>(value), row.low, row.high));
    }
    return row.scale;
  }

  IntMatmulDesc desc_;
};

}  // namespace

std::string supports(const IntMatmulDesc& desc) { return check_int_matmul(desc); }
// About 1 Gop/s.
double cost(const IntMatmulDesc& desc, const CpuInfo&) { return flops(desc) / 1e3; }
std::unique_ptr<IntMatmulKernel> make(const IntMatmulDesc& desc) { return std::make_unique<ReferenceIntMatmul>(desc); }

}  // namespace neural_engine::reference
