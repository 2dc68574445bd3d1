#include "kernels/jit/math_emitter.h"

#include <cmath>
#include <numbers>

namespace neural_engine::jit {
namespace {

// Adding 1.5 * 2^23 + bias to a small float rounds it to an integer, which then stands, plus the bias, in the low bits.
constexpr float magic(int bias) { return 12582912.0f + static_cast<float>(bias); }

// 2 * exp(r) on |r| <= ln2 / 2; minimax with the first two coefficients exact, error 3.1e-9.
constexpr float kTwiceExp[] = {2.0f, 2.0f, 0.999999881f, 0.333330423f, 0.083336778f, 0.0167374313f, 0.00276292046f};

// 2^r on |r| <= 1/2, error 9.2e-8.
constexpr float kExp2[] = {1.0f, 0.693147004f, 0.240222424f, 0.0555073358f, 0.00967151299f, 0.00132647273f};

// log2 of the upper tail of the normal distribution, log2(erfc(t / sqrt2) / 2), on t >= 0. Fitted with the weight
// t * tail(t), the share that its error has in GELU: 6.9e-9 there. It falls steadily and rounds to -127, the exponent
// of zero, at the end.
constexpr float kLog2NormalTail[] = {-0.999998868f,    -1.15112329f,    -0.459115446f,
                                     -0.0527141988f,   0.00733338343f,  -0.000323341839f,
                                     -0.000114462768f, 2.50833218e-05f, -1.69040254e-06f};
constexpr float kNormalTailEnd = 10.5f;

// tanh(x) = x P(x^2) / Q(x^2) on |x| <= 8.9, relative error 6.6e-9; exactly 1 at the end in float arithmetic.
constexpr float kTanhP[] = {
    1.0f, 0.130840108f, 0.00310395611f, 1.11543031e-05f, -2.02251833e-08f, 5.27791977e-11f, -8.48861861e-14f};
constexpr float kTanhQ[] = {1.0f, 0.464173377f, 0.0244951788f, 0.000254614482f};
constexpr float kTanhEnd = 8.90000153f;

// erf(x) likewise on |x| <= 3.87, absolute error 4.3e-8.
constexpr float kErfP[] = {1.12837875f,     0.206111223f,     0.0513968542f,  0.00397272734f,
                           0.000148980063f, -1.99421788e-06f, 1.99205559e-08f};
constexpr float kErfQ[] = {1.0f, 0.515990078f, 0.117563285f, 0.0148889264f, 0.0010240745f};
constexpr float kErfEnd = 3.87000465f;

}  // namespace

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
  each_loaded(89.3f, [&](size_t i, const Vec& high) { g_.vminps(x[i], high, x[i]); });
  each_loaded(-87.6f, [&](size_t i, const Vec& low) { g_.vmaxps(x[i], low, x[i]); });
  each(std::numbers::log2e_v<float>, [&](size_t i, Operand c) { g_.vmulps(n[i], x[i], c); });
  each(magic(126), [&](size_t i, Operand c) {
    g_.vaddps(n[i], n[i], c);
    g_.vpslld(scale[i], n[i], 23);
    g_.vsubps(n[i], n[i], c);
  });
  // ln2 in two parts: the first has 15 trailing zero bits, so that n times it is exact.
  each(0.693359375f, [&](size_t i, Operand c) { g_.vfnmadd231ps(x[i], n[i], c); });
  each(-2.12194440e-4f, [&](size_t i, Operand c) { g_.vfnmadd231ps(x[i], n[i], c); });
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
  constexpr double kTwice = 2.0 * 0.79788456080286535588;  // 2 sqrt(2 / pi)
  const Vec& e = t_[3];
  g_.vmulps(e, x, x);
  g_.load_constant(t_[0], static_cast<float>(-kTwice));
  g_.vfmadd132ps(e, t_[0], g_.constant(static_cast<float>(-kTwice * 0.044715)));
  g_.vmulps(e, e, x);
  sigmoid_times(x, e, true);
}

void MathEmitter::silu(const Vec& x, float alpha) {
  g_.vmulps(t_[3], x, g_.constant(-alpha));
  sigmoid_times(x, t_[3], true);
}

void MathEmitter::leaky_relu(const Vec& x, float alpha) {
  g_.vmulps(t_[0], x, g_.constant(alpha));
  g_.vblendvps(x, x, t_[0], x);  // by the sign of x
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
