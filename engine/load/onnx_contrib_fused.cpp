// Products and activations that ONNX Runtime's optimizer fused.
#include "load/onnx_contrib.h"

namespace neural_engine {

namespace {

using Ints = std::vector<int64_t>;

float number(const std::vector<float>& numbers, size_t i, float otherwise) {
  return i < numbers.size() ? numbers[i] : otherwise;
}

// The permutation of an operand of FusedMatMul: its first axis moved before the last one, then the last two swapped.
ValueId transposed(Rewrite& r, ValueId x, bool batch, bool matrix) {
  if (!batch && !matrix) return x;
  const std::optional<int64_t> rank = r.rank(x);
  if (!rank) r.unsupported("an operand of unknown rank cannot be transposed");
  if (*rank < (batch ? 3 : 2)) {
    r.unsupported("an operand of rank ", *rank, " found, supported with ", batch ? "transBatch" : "trans",
                  " are ranks from ", batch ? 3 : 2, " on");
  }
  Ints perm;
  for (int64_t i = 0; i < *rank; ++i) perm.push_back(i);
  if (batch) {
    perm.erase(perm.begin());
    perm.insert(perm.end() - 1, 0);
  }
  if (matrix) std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return r.add("Transpose", {x}, {{"perm", perm}});
}

void fused_matmul(Rewrite& r) {
  const ValueId a =
      transposed(r, r.input(0), r.take_or<int64_t>("transBatchA", 0) != 0, r.take_or<int64_t>("transA", 0) != 0);
  const ValueId b =
      transposed(r, r.input(1), r.take_or<int64_t>("transBatchB", 0) != 0, r.take_or<int64_t>("transB", 0) != 0);
  const float alpha = r.take_or<float>("alpha", 1.f);
  if (alpha == 1.f) return r.finish("MatMul", {a, b});
  const ValueId product = r.add("MatMul", {a, b});
  r.finish("Mul", {product, r.scalar_like(alpha, product)});
}

void fused_gemm(Rewrite& r) {
  const std::string activation = r.take_required<std::string>("activation");
  std::vector<float> numbers;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"}) {
    if (const std::optional<float> value = r.take<float>(name)) numbers.push_back(*value);
  }
  Attrs attrs = {{"alpha", r.take_or<float>("alpha", 1.f)},
                 {"beta", r.take_or<float>("beta", 1.f)},
                 {"transA", r.take_or<int64_t>("transA", 0)},
                 {"transB", r.take_or<int64_t>("transB", 0)}};
  const ValueId product = r.add("Gemm", {r.input(0), r.input(1), r.input_or_absent(2)}, std::move(attrs));
  r.finish("Identity", {add_activation(r, activation, product, numbers)});
}

// Conv, then the sum with input 3, then the activation.
void fused_conv(Rewrite& r) {
  const std::string activation = r.take_or<std::string>("activation", "");
  const std::vector<float> numbers = r.take_or<std::vector<float>>("activation_params", {});
  const Attrs attrs = r.node().attrs;  // the rest are Conv's
  for (const auto& [name, value] : attrs.items()) r.node().attrs.erase(name);
  ValueId result = r.add("Conv", {r.input(0), r.input(1), r.input_or_absent(2)}, attrs);
  if (r.has_input(3)) result = r.add("Add", {result, r.input(3)});
  if (!activation.empty()) result = add_activation(r, activation, result, numbers);
  r.finish("Identity", {result});
}

void biased_gelu(Rewrite& r, const char* approximate) {
  const ValueId x = r.has_input(1) ? r.add("Add", {r.input(0), r.input(1)}) : r.input(0);
  r.finish("Gelu", {x}, {{"approximate", std::string(approximate)}});
}

void bias_gelu(Rewrite& r) {
  r.input(1);
  biased_gelu(r, "none");
}

void gelu(Rewrite& r) { r.finish("Gelu", {r.input(0)}, {{"approximate", std::string("none")}}); }

void fast_gelu(Rewrite& r) { biased_gelu(r, "tanh"); }

void quick_gelu(Rewrite& r) {
  const float alpha = r.take_or<float>("alpha", 1.702f);
  r.finish("Swish", {r.input(0)}, {{"alpha", alpha}});
}

}  // namespace

ValueId add_activation(Rewrite& r, const std::string& name, ValueId x, const std::vector<float>& numbers) {
  const auto plain = [&](size_t most) {
    if (numbers.size() > most) r.unsupported("activation ", name, " with ", numbers.size(), " numbers found");
  };
  if (name == "Relu" || name == "Tanh" || name == "Sigmoid" || name == "Softplus" || name == "Softsign") {
    plain(0);
    return r.add(name, {x});
  }
  if (name == "Gelu") {
    plain(0);
    return r.add(name, {x}, {{"approximate", std::string("none")}});
  }
  if (name == "LeakyRelu" || name == "Elu" || name == "ThresholdedRelu") {
    plain(1);
    return r.add(name, {x}, {{"alpha", number(numbers, 0, name == "LeakyRelu" ? 0.01f : 1.f)}});
  }
  if (name == "HardSigmoid") {
    plain(2);
    return r.add(name, {x}, {{"alpha", number(numbers, 0, 0.2f)}, {"beta", number(numbers, 1, 0.5f)}});
  }
  if (name == "Clip" && numbers.size() == 2) {
    return r.add(name, {x, r.scalar_like(numbers[0], x), r.scalar_like(numbers[1], x)});
  }
  r.unsupported("activation \"", name, "\" with ", numbers.size(),
                " numbers found, supported: Relu, LeakyRelu, Elu, ThresholdedRelu, Tanh, Sigmoid, HardSigmoid, "
                "Softplus, Softsign, Gelu, Clip with 2");
}

std::span<const LegacyRule> contrib_fused_rules() {
  static constexpr LegacyRule kRules[] = {
      {"FusedMatMul", 1, 1, fused_matmul, kMicrosoft}, {"TransposeMatMul", 1, 1, fused_matmul, kMicrosoft},
      {"FusedGemm", 1, 1, fused_gemm, kMicrosoft},     {"FusedConv", 1, 1, fused_conv, kMicrosoft},
      {"BiasGelu", 1, 1, bias_gelu, kMicrosoft},       {"Gelu", 1, 1, gelu, kMicrosoft},
      {"FastGelu", 1, 1, fast_gelu, kMicrosoft},       {"QuickGelu", 1, 1, quick_gelu, kMicrosoft},
  };
  return kRules;
}

}  // namespace neural_engine
