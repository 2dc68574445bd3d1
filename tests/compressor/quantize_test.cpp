// From a small graph to its quantized form: what is written, that it computes nearly the same, and what is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "compressor/prepared.h"
#include "neural_engine/compress.h"
#include "passes/graph_maker.h"

namespace neural_engine {
namespace {

using testing::count_ops;
using testing::GraphMaker;
using testing::random_floats;

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

Model simplified(Graph graph) {
  infer_graph(graph);
  PassReport report(-1);
  simplify(graph, testing::evaluator, report);
  return Model(std::move(graph));
}

constexpr int64_t kWidth = 16;

// norm -> linear, relu -> linear -> + input of the norm: the second half of a transformer's layer.
Model feed_forward(bool reads_norm_twice = false) {
  GraphMaker m;
  const ValueId x = m.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), kWidth});
  const ValueId norm = m.op("LayerNormalization", {x, m.floats({kWidth}, 1), m.floats({kWidth}, 2)});
  const ValueId hidden = m.op("Relu", {m.add(m.matmul(norm, m.floats({kWidth, 32}, 3)), m.floats({32}, 4))});
  const ValueId out = m.add(m.matmul(hidden, m.floats({32, kWidth}, 5)), m.floats({kWidth}, 6));
  m.output(m.add(out, reads_norm_twice ? norm : x));
  return simplified(std::move(m.graph));
}

std::vector<Tensor> sample(uint32_t seed, int64_t tokens = 6) { return {random_floats({2, tokens, kWidth}, seed)}; }

Model quantized(const Model& model, const Recipe& recipe, std::vector<OpReport>* report = nullptr) {
  PreparedModel prepared = prepare(model, recipe, {.threads = 1});
  for (uint32_t seed = 1; seed <= 8; ++seed) prepared.run(sample(seed, 3 + seed));
  return convert(prepared, report);
}

double sqnr_db(const Model& model, const Model& other) {
  double signal = 0, noise = 0;
  Session a(model, {.threads = 1}), b(other, {.threads = 1});
  for (uint32_t seed = 20; seed < 24; ++seed) {
    const Tensor x = a.run(sample(seed))[0], y = b.run(sample(seed))[0];
    for (int64_t i = 0; i < x.elems(); ++i) {
      const double p = static_cast<double>(x.data<float>()[i]), q = static_cast<double>(y.data<float>()[i]);
      signal += p * p;
      noise += (p - q) * (p - q);
    }
  }
  return 10 * std::log10(signal / std::max(noise, 1e-30));
}

TEST(Quantize, WritesPairsAroundActivationsAndS8Weights) {
  const Model model = feed_forward();
  std::vector<OpReport> report;
  const Model result = quantized(model, Recipe(), &report);
  const Graph& graph = result.graph();
  EXPECT_EQ(count_ops(graph, "QuantizeLinear"), 2);
  EXPECT_EQ(count_ops(graph, "DequantizeLinear"), 4);
  EXPECT_LT(result.weight_bytes(), model.weight_bytes() * 2 / 5);
  EXPECT_GT(sqnr_db(model, result), 30);
  ASSERT_EQ(report.size(), 3u);  // two products and a sum
  EXPECT_EQ(report[0].precision, "int8");
  EXPECT_EQ(report[2].precision, "fp32");
  EXPECT_GT(report[0].sqnr_db, 30);
}

TEST(Quantize, EverySchemeDtypeAndObserverComputesNearlyTheSame) {
  const Model model = feed_forward();
  for (Scheme scheme : {Scheme::kOnnxRuntime, Scheme::kPyTorch, Scheme::kTensorFlow, Scheme::kIpex, Scheme::kMxnet}) {
    for (DType dtype : {DType::kU8, DType::kS8}) {
      Recipe recipe;
      recipe.set_global({.scheme = scheme, .activation_dtype = dtype});
      EXPECT_GT(sqnr_db(model, quantized(model, recipe)), 28) << static_cast<int>(scheme) << " " << to_string(dtype);
    }
  }
  for (Observer observer : {Observer::kMovingAverage, Observer::kPercentile, Observer::kEntropy, Observer::kMse}) {
    Recipe recipe;
    recipe.set_global({.observer = observer});
    EXPECT_GT(sqnr_db(model, quantized(model, recipe)), 20) << static_cast<int>(observer);
  }
}

TEST(Quantize, GranularityAndRange) {
  const Model model = feed_forward();
  const double base = sqnr_db(model, quantized(model, Recipe()));
  Recipe per_tensor, narrow;
  per_tensor.set_global({.weight_per_channel = false});
  narrow.set_global({.activation_reduce_range = true, .weight_reduce_range = true});
  const Model coarse = quantized(model, per_tensor);
  EXPECT_LT(coarse.weight_bytes(), quantized(model, Recipe()).weight_bytes());
  EXPECT_GT(sqnr_db(model, coarse), 25);
  EXPECT_LT(sqnr_db(model, quantized(model, narrow)), base - 4);  // a bit is 6 dB
  for (ValueId id = 0; id < quantized(model, narrow).graph().num_values(); ++id) {
    const Model result = quantized(model, narrow);
    const Tensor& tensor = result.graph().value(id).facts.constant;
    if (!tensor.defined() || tensor.dtype() != DType::kS8) continue;
    for (int64_t i = 0; i < tensor.elems(); ++i) ASSERT_LE(std::abs(tensor.data<int8_t>()[i]), 64);
  }
}

TEST(Quantize, DynamicNeedsNoCalibration) {
  const Model model = feed_forward();
  for (Approach approach : {Approach::kDynamic, Approach::kDynamicPerToken}) {
    Recipe recipe;
    recipe.set_global({.approach = approach});
    const Model result = convert(prepare(model, recipe, {.threads = 1}));
    EXPECT_GT(sqnr_db(model, result), 30);
    EXPECT_EQ(count_ops(result.graph(), "DynamicQuantizeLinear"), approach == Approach::kDynamic ? 2 : 0);
  }
}

TEST(Quantize, StaticWithoutRunsIsRefused) {
  const PreparedModel prepared = prepare(feed_forward(), Recipe(), {.threads = 1});
  EXPECT_NE(error_of([&] { convert(prepared); }).find("was not run on any input"), std::string::npos);
}

TEST(Quantize, SmoothingFoldsIntoTheNormWhereNobodyElseReadsIt) {
  Recipe recipe;
  recipe.smooth = {.enabled = true, .alpha = SmoothSettings::Alpha::kFixed, .value = 0.5};
  for (bool shared : {false, true}) {
    const Model model = feed_forward(shared);
    std::vector<OpReport> report;
    const Model result = quantized(model, recipe, &report);
    EXPECT_EQ(report[0].detail.find("folded") != std::string::npos, !shared) << report[0].detail;
    EXPECT_NE(report[1].detail.find("smoothed"), std::string::npos);  // behind ReLU: scales of QuantizeLinear
    EXPECT_GT(sqnr_db(model, result), 30);
  }
}

TEST(Quantize, SmoothingRescuesAnOutlierChannel) {
  GraphMaker m;
  const ValueId x = m.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), kWidth});
  Tensor gains = random_floats({kWidth}, 1, 0.5f, 1);
  gains.data<float>()[3] = 400;
  const ValueId wide = m.op("Relu", {m.mul(x, m.constant(gains))});
  Tensor weight = random_floats({kWidth, 8}, 2);
  for (int64_t i = 0; i < 8; ++i) weight.data<float>()[3 * 8 + i] /= 400;
  m.output(m.matmul(wide, m.constant(weight)));
  const Model model = simplified(std::move(m.graph));
  const double plain = sqnr_db(model, quantized(model, Recipe()));
  EXPECT_LT(plain, 15);
  for (Approach approach : {Approach::kStatic, Approach::kDynamic}) {
    for (auto alpha : {SmoothSettings::Alpha::kFixed, SmoothSettings::Alpha::kPerLayer}) {
      Recipe recipe;
      recipe.set_global({.approach = approach});
      recipe.smooth = {.enabled = true, .alpha = alpha, .value = 0.5};
      EXPECT_GT(sqnr_db(model, quantized(model, recipe)), plain + 15);
    }
  }
}

TEST(Quantize, BiasCorrectionTakesTheMeanErrorAway) {
  const Model model = feed_forward();
  Recipe plain, corrected;
  plain.set_global({.weight_per_channel = false, .weight_reduce_range = true});
  corrected = plain;
  corrected.bias_correction = true;
  const auto mean_error = [&](const Recipe& recipe) {
    const Model result = quantized(model, recipe);
    Session a(model, {.threads = 1}), b(result, {.threads = 1});
    std::vector<double> shift(kWidth, 0);
    for (uint32_t seed = 1; seed <= 8; ++seed) {
      const Tensor x = a.run(sample(seed))[0], y = b.run(sample(seed))[0];
      for (int64_t i = 0; i < x.elems(); ++i) {
        shift[static_cast<size_t>(i % kWidth)] += static_cast<double>(x.data<float>()[i] - y.data<float>()[i]);
      }
    }
    double sum = 0;
    for (double each : shift) sum += each * each;
    return sum;
  };
  EXPECT_LT(mean_error(corrected), mean_error(plain) / 2);
}

TEST(Quantize, EqualizationKeepsWhatIsComputed) {
  GraphMaker m;
  const ValueId x = m.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), kWidth});
  Tensor first = random_floats({kWidth, 8}, 3), second = random_floats({8, 4}, 4);
  for (int64_t i = 0; i < kWidth; ++i) first.data<float>()[i * 8 + 5] *= 300;
  for (int64_t i = 0; i < 4; ++i) second.data<float>()[5 * 4 + i] /= 300;
  m.output(m.matmul(m.op("Relu", {m.add(m.matmul(x, m.constant(first)), m.floats({8}, 5))}), m.constant(second)));
  const Model model = simplified(std::move(m.graph));
  Recipe off, on;
  off.set_global({.precision = OpPrecision::kInt8, .weight_per_channel = false});
  on = off;
  on.equalization = true;
  EXPECT_GT(sqnr_db(model, quantized(model, on)), sqnr_db(model, quantized(model, off)) + 10);
}

TEST(Quantize, ResidualAndBf16) {
  const Model model = feed_forward();
  Recipe residual;
  residual.set_type("Residual", {.precision = OpPrecision::kInt8});
  const Model with_residual = quantized(model, residual);
  EXPECT_EQ(count_ops(with_residual.graph(), "QuantizeLinear"), 3);
  EXPECT_GT(sqnr_db(model, with_residual), 30);

  Recipe narrow;
  narrow.set_global({.precision = OpPrecision::kBF16});
  const Model bf16 = quantized(model, narrow);
  EXPECT_GT(sqnr_db(model, bf16), 40);
  EXPECT_LT(sqnr_db(model, bf16), 70);
}

Model attention(bool shared_input) {
  GraphMaker m;
  const ValueId x = m.input("x", {Dim::symbol("batch"), Dim::symbol("seq"), kWidth});
  const auto heads = [&](uint32_t seed, std::vector<int64_t> perm) {
    const ValueId projected = m.add(m.matmul(x, m.floats({kWidth, kWidth}, seed)), m.floats({kWidth}, seed + 1));
    return m.transpose(m.reshape(projected, {0, 0, 2, kWidth / 2}), std::move(perm));
  };
  const ValueId q = heads(1, {0, 2, 1, 3}), k = heads(3, {0, 2, 3, 1}), v = heads(5, {0, 2, 1, 3});
  const ValueId weights = m.op("Softmax", {m.mul(m.matmul(q, k), m.number(0.05f))});
  const ValueId context = m.reshape(m.transpose(m.matmul(weights, v), {0, 2, 1, 3}), {0, 0, kWidth});
  m.output(m.matmul(context, m.floats({kWidth, kWidth}, 7)));
  if (shared_input) m.output(context);
  return simplified(std::move(m.graph));
}

TEST(Quantize, BothProductsOfAttention) {
  const Model model = attention(false);
  ASSERT_EQ(count_ops(model.graph(), "FusedAttention"), 1);
  std::vector<OpReport> report;
  const Model result = quantized(model, Recipe(), &report);
  EXPECT_EQ(count_ops(result.graph(), "FusedAttention"), 0);
  EXPECT_EQ(count_ops(result.graph(), "QuantizeLinear"), 6);  // two inputs of products with weights, four of attention
  EXPECT_GT(sqnr_db(model, result), 25);

  Recipe recipe;
  recipe.set_type("Attention", {.precision = OpPrecision::kF32});
  const Model kept = quantized(model, recipe);
  EXPECT_EQ(count_ops(kept.graph(), "FusedAttention"), 1);
  EXPECT_EQ(count_ops(kept.graph(), "QuantizeLinear"), 2);
}

TEST(Quantize, AResultThatIsAlsoAnOutputStaysOne) {
  const Model model = attention(true);
  const Model result = quantized(model, Recipe());
  EXPECT_EQ(result.outputs().size(), 2u);
  EXPECT_GT(sqnr_db(model, result), 25);
}

TEST(Quantize, EmbeddingsAreGatheredInEightBits) {
  GraphMaker m;
  const ValueId ids = m.input("ids", {Dim::symbol("batch"), Dim::symbol("seq")}, DType::kS64);
  m.output(m.op("Gather", {m.floats({64, kWidth}, 1), ids}));
  const Model model = simplified(std::move(m.graph));
  Recipe recipe;
  PreparedModel prepared = prepare(model, recipe, {.threads = 1});
  const Tensor indices = Tensor::of<int64_t>({1, 4}, {0, 5, 63, 5});
  prepared.run(std::vector<Tensor>{indices});
  const Model result = convert(prepared);
  EXPECT_LT(result.weight_bytes(), model.weight_bytes() / 3);
  const Tensor a = Session(model).run(std::vector<Tensor>{indices})[0];
  const Tensor b = Session(result).run(std::vector<Tensor>{indices})[0];
  for (int64_t i = 0; i < a.elems(); ++i) EXPECT_NEAR(a.data<float>()[i], b.data<float>()[i], 2.0 / 127);
}

TEST(Quantize, PreparingTwiceAndRunningMoreGivesTheSameBits) {
  const Model model = feed_forward();
  const Model a = quantized(model, Recipe()), b = quantized(model, Recipe());
  EXPECT_EQ(a.text(), b.text());
  for (ValueId id = 0; id < a.graph().num_values(); ++id) {
    const Tensor &x = a.graph().value(id).facts.constant, &y = b.graph().value(id).facts.constant;
    ASSERT_EQ(x.defined(), y.defined());
    if (x.defined()) {
      ASSERT_TRUE(equal_bytes(x, y));
    }
  }
}

TEST(Quantize, TheModelItselfIsNotTouched) {
  const Model model = feed_forward();
  const std::string before = model.text();
  Recipe recipe;
  recipe.equalization = recipe.bias_correction = recipe.smooth.enabled = true;
  quantized(model, recipe);
  EXPECT_EQ(model.text(), before);
}

}  // namespace
}  // namespace neural_engine
