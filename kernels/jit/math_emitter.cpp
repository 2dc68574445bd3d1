#include "kernels/jit/math_emitter.h"

#include <cmath>
#include <numbers>

#include "kernels/math_coefficients.h"

namespace neural_engine::jit {

using namespace math;

// min and max return their second source when one is NaN: x stands there.
void MathEmitter::clamp(const Vec& x, float low, float high) {
  g_.load_constant(t_[0], high);
  g_.vminps(x, t_[0], x);
  g_.load_constant(t_[0], low);
  g_.vmaxps(x, t_[0], x);
}

void MathEmitter::polynomial(const Vec& acc, const Vec& u, std::span<const float> c) {
  g_.load_constant(acc, c.back());
  for (size_t i = c.size() - 1; i-- > 0;) g_.vfmadd213ps(acc, u, g_.constant(c[i]));
}

// exp(x) = 2 exp(r) * 2^(n - 1) with n = round(x / ln2). Half the scale keeps n = 128 finite; n = -126 makes it zero.
void MathEmitter::exp(std::span<const Vec> x, std::span<const Vec> n, std::span<const Vec> scale, const Vec& loaded) {
  const auto each_loaded = [&](float value, auto body) {
    g_.load_constant(loaded, value);
    for (size_t i = 0; i < x.size(); ++i) body(i, loaded);
  };
  // One vector alone takes the constant from memory in the instruction itself.
  const auto each = [&](float value, auto body) {
    x.size() == 1 ? body(0, g_.constant(value)) : each_loaded(value, body);
  };
  using Operand = const Xbyak::Operand&;
  each_loaded(kExpHigh, [&](size_t i, const Vec& high) { g_.vminps(x[i], high, x[i]); });
  each_loaded(kExpLow, [&](size_t i, const Vec& low) { g_.vmaxps(x[i], low, x[i]); });
  each(std::numbers::log2e_v<float>, [&](size_t i, Operand c) { g_.vmulps(n[i], x[i], c); });
  each(magic(126), [&](size_t i, Operand c) {
    g_.vaddps(n[i], n[i], c);
    g_.vpslld(scale[i], n[i], 23);
    g_.vsubps(n[i], n[i], c);
  });
  each(kLn2High, [&](size_t i, Operand c) { g_.vfnmadd231ps(x[i], n[i], c); });
  each(kLn2Low, [&](size_t i, Operand c) { g_.vfnmadd231ps(x[i], n[i], c); });
  const std::span<const Vec>& p = n;
  constexpr size_t kLast = std::size(kTwiceExp) - 1;
  each(kTwiceExp[kLast], [&](size_t i, Operand c) { g_.vmovups(p[i], c); });
  for (size_t k = kLast; k-- > 0;) each(kTwiceExp[k], [&](size_t i, Operand c) { g_.vfmadd213ps(p[i], x[i], c); });
  for (size_t i = 0; i < x.size(); ++i) g_.vmulps(x[i], p[i], scale[i]);
}

void MathEmitter::odd_rational(const Vec& x, std::span<const float> p, std::span<const float> q) {
  g_.vmulps(t_[0], x, x);
  polynomial(t_[1], t_[0], p);
  polynomial(t_[2], t_[0], q);
  g_.vmulps(x, x, t_[1]);
  g_.vdivps(x, x, t_[2]);
}

// x = (times_x ? x : 1) / (1 + exp(exponent)); the exponent is temporary 3.
void MathEmitter::sigmoid_times(const Vec& x, const Vec& exponent, bool times_x) {
  exp(exponent);
  g_.load_constant(t_[0], 1.0f);
  g_.vaddps(exponent, exponent, t_[0]);
  g_.vdivps(x, times_x ? x : t_[0], exponent);
}

// gelu(x) = max(x, 0) - |x| * tail(|x|): nothing cancels, and where the tail underflows the result is exact.
void MathEmitter::gelu_erf(const Vec& x) {
  const Vec &t = t_[0], &q = t_[1], &n = t_[2], &p = t_[3];
  g_.vandps(t, x, g_.constant_bits(0x7fffffffu));
  g_.load_constant(n, kNormalTailEnd);
  g_.vminps(t, n, t);
  polynomial(q, t, kLog2NormalTail);
  g_.load_constant(p, magic(127));
  g_.vaddps(n, q, p);
  g_.vsubps(p, n, p);
  g_.vsubps(q, q, p);
  polynomial(p, q, kExp2);
  g_.vpslld(n, n, 23);
  g_.vmulps(p, p, t);
  g_.zero(q);
  g_.vmaxps(x, q, x);
  g_.vfnmadd231ps(x, p, n);
}

// x / 2 * (1 + tanh(u)) = x / (1 + exp(-2 u)).
void MathEmitter::gelu_tanh(const Vec& x) {
  const Vec& e = t_[3];
  g_.vmulps(e, x, x);
  g_.load_constant(t_[0], static_cast<float>(-kTwiceGeluTanh));
  g_.vfmadd132ps(e, t_[0], g_.constant(static_cast<float>(-kTwiceGeluTanh * 0.044715)));
  g_.vmulps(e, e, x);
  sigmoid_times(x, e, true);
}

void MathEmitter::silu(const Vec& x, float alpha) {
  g_.vmulps(t_[3], x, g_.constant(-alpha));
  sigmoid_times(x, t_[3], true);
}

void MathEmitter::leaky_relu(const Vec& x, float alpha) {
  g_.vmulps(t_[0], x, g_.constant(alpha));
  g_.replace_negative(x, t_[0]);
}

void MathEmitter::emit(const EpilogueOp& op, const Vec& x) {
  switch (op.unary) {
    case UnaryOp::kLinear:
      if (op.beta == 0.0f) return g_.vmulps(x, x, g_.constant(op.alpha));
      g_.load_constant(t_[0], op.beta);
      return g_.vfmadd132ps(x, t_[0], g_.constant(op.alpha));
    case UnaryOp::kClip:
      g_.load_constant(t_[0], op.alpha);
      g_.vmaxps(x, t_[0], x);
      g_.load_constant(t_[0], op.beta);
      return g_.vminps(x, t_[0], x);
    case UnaryOp::kRelu: g_.zero(t_[0]); return g_.vmaxps(x, t_[0], x);
    case UnaryOp::kLeakyRelu: return leaky_relu(x, op.alpha);
    case UnaryOp::kGeluErf: return gelu_erf(x);
    case UnaryOp::kGeluTanh: return gelu_tanh(x);
    case UnaryOp::kSilu: return silu(x, op.alpha);
    case UnaryOp::kSigmoid: g_.vxorps(t_[3], x, g_.constant_bits(0x80000000u)); return sigmoid_times(x, t_[3], false);
    case UnaryOp::kTanh: clamp(x, -kTanhEnd, kTanhEnd); return odd_rational(x, kTanhP, kTanhQ);
    case UnaryOp::kErf: clamp(x, -kErfEnd, kErfEnd); return odd_rational(x, kErfP, kErfQ);
    case UnaryOp::kExp: return exp(x);
    case UnaryOp::kAbs: return g_.vandps(x, x, g_.constant_bits(0x7fffffffu));
    case UnaryOp::kNeg: return g_.vxorps(x, x, g_.constant_bits(0x80000000u));
    case UnaryOp::kSquare: return g_.vmulps(x, x, x);
    case UnaryOp::kSqrt: return g_.vsqrtps(x, x);
    case UnaryOp::kReciprocal: g_.load_constant(t_[0], 1.0f); return g_.vdivps(x, t_[0], x);
  }
}

}  // namespace neural_engine::jit
