// Elementary functions on vectors, in registers. Each works in place on x with four temporaries.
//
// Bounds, against double precision, over all finite floats (tests/kernels/eltwise_test.cpp measures them):
//   exp       2 ulp where the result is >= 2^-125, else 0 is returned; +inf above 88.73
//   sigmoid   3 ulp (0 where exp underflows); silu likewise, times x
//   tanh      6 ulp        erf  4e-7 absolute
//   gelu_erf  max(5e-8, 1 ulp of the result) absolute: no cancellation in the negative tail, exactly 0 below -10.5
//   gelu_tanh 4 ulp absolute on the scale of max(|result|, 0.17)
// NaN gives NaN.
#pragma once

#include <array>
#include <span>

#include "kernels/epilogue.h"
#include "kernels/jit/vec.h"

namespace neural_engine::jit {

class MathEmitter {
 public:
  static constexpr int kTemps = 4;

  MathEmitter(VecGenerator& g, int first_temp) : g_(g) {
    for (int i = 0; i < kTemps; ++i) t_[static_cast<size_t>(i)] = g.v(first_temp + i);
  }

  void emit(const EpilogueOp& op, const Vec& x);

  // Uses the temporaries 0..2 alone, so that x may be temporary 3.
  void exp(const Vec& x) { exp({&x, 1}, {&t_[0], 1}, {&t_[1], 1}, t_[2]); }
  // Several vectors at once, each with two temporaries of its own: a constant is then loaded once for all, and it is
  // the loads that bound the rate of one at a time.
  void exp(std::span<const Vec> x, std::span<const Vec> n, std::span<const Vec> scale, const Vec& loaded);

 private:
  void clamp(const Vec& x, float low, float high);
  // acc = (...(c[n-1] * u + c[n-2]) * u + ...) * u + c[0]
  void polynomial(const Vec& acc, const Vec& u, std::span<const float> coefficients);
  // x = x * P(x^2) / Q(x^2)
  void odd_rational(const Vec& x, std::span<const float> p, std::span<const float> q);
  void sigmoid_times(const Vec& x, const Vec& exponent, bool times_x);
  void gelu_erf(const Vec& x);
  void gelu_tanh(const Vec& x);
  void silu(const Vec& x, float alpha);
  void leaky_relu(const Vec& x, float alpha);

  VecGenerator& g_;
  std::array<Vec, kTemps> t_;
};

}  // namespace neural_engine::jit
