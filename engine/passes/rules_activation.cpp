// Activations from their formulas. The erf and the tanh GELU stay two functions: they differ by up to 5e-4, and the
// constants of the formula say which one a model was trained with.
#include <cmath>
#include <numbers>

#include "passes/queries.h"
#include "passes/rules.h"

namespace neural_engine {

namespace {

constexpr double kSqrt2 = std::numbers::sqrt2;
const double kSqrt2OverPi = std::sqrt(2 / std::numbers::pi);

// x / 2 * (1 + erf(x / sqrt(2)))
Pattern gelu_erf() {
  const Pattern x = any("x");
  const Pattern erf = op("Erf", {x / kSqrt2});
  return x * 0.5 * (erf + 1.0) | x * (erf * 0.5 + 0.5);
}

// sqrt(2 / pi) * (x + 0.044715 x^3), also as sqrt(2 / pi) * x * (1 + 0.044715 x^2)
Pattern tanh_argument() {
  const Pattern x = any("x");
  const Pattern square = op("Pow", {x, 2.0});
  const Pattern cubic = 0.044715 * op("Pow", {x, 3.0}) | 0.044715 * x * x * x | 0.044715 * x * square;
  const Pattern quadratic = 0.044715 * x * x | 0.044715 * square;
  return kSqrt2OverPi * (x + cubic) | kSqrt2OverPi * x * (1.0 + quadratic);
}

Pattern gelu_tanh() {
  const Pattern x = any("x");
  const Pattern tanh = op("Tanh", {tanh_argument()});
  return x * 0.5 * (tanh + 1.0) | x * (tanh * 0.5 + 0.5);
}

void to_gelu(const char* approximate, const Match& m, Patch& p) {
  p.replace(m.root(), p.add("Gelu", {m["x"]}, {{"approximate", std::string(approximate)}}));
}

void to_swish(double alpha, const Match& m, Patch& p) {
  p.replace(m.root(), p.add("Swish", {m["x"]}, {{"alpha", static_cast<float>(alpha)}}));
}

}  // namespace

std::vector<Rule> activation_rules() {
  const Pattern x = any("x");
  return {
      {"gelu", gelu_erf(), [](const Match& m, Patch& p) { to_gelu("none", m, p); }},
      {"gelu_tanh", gelu_tanh(), [](const Match& m, Patch& p) { to_gelu("tanh", m, p); }},
      {"silu", x * op("Sigmoid", {x}), [](const Match& m, Patch& p) { to_swish(1, m, p); }},
      // Quick GELU is this with 1.702.
      {"swish", x * op("Sigmoid", {x * scalar("alpha")}),
       [](const Match& m, Patch& p) { to_swish(m.number("alpha"), m, p); }},
  };
}

}  // namespace neural_engine
