// Searches on a model that plain int8 spoils: a product whose input has one channel a thousand times the others.
#include "neural_engine/tune.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "compressor/report/tuning_report.h"
#include "passes/graph_maker.h"

namespace neural_engine {
namespace {

using testing::GraphMaker;
using testing::random_floats;

constexpr int64_t kWidth = 16;
constexpr int kLayers = 6;
constexpr int kHard = 3;

// Column 0 of the layer before times 1000, row 0 of the hard layer divided by it: ReLU lets the factor through, so the
// model computes what it did.
Model model_with_outliers() {
  GraphMaker m;
  ValueId x = m.input("x", {Dim::symbol("batch"), kWidth});
  for (int layer = 0; layer < kLayers; ++layer) {
    Tensor weight = random_floats({kWidth, kWidth}, static_cast<uint32_t>(layer + 1), -0.6f, 0.7f);
    for (int64_t i = 0; i < kWidth; ++i) {
      if (layer == kHard - 1) weight.data<float>()[i * kWidth] *= 1000;
      if (layer == kHard) weight.data<float>()[i] /= 1000;
    }
    const ValueId matrix = m.graph.add_constant(weight, "weight" + std::to_string(layer));
    x = m.op("Relu", {m.matmul(x, matrix)});
  }
  m.output(x);
  infer_graph(m.graph);
  PassReport report(-1);
  simplify(m.graph, testing::evaluator, report);
  return Model(std::move(m.graph));
}

std::vector<std::vector<Tensor>> samples() {
  std::vector<std::vector<Tensor>> result;
  for (uint32_t seed = 1; seed <= 6; ++seed) result.push_back({random_floats({8, kWidth}, seed)});
  return result;
}

class Tune : public ::testing::Test {
 protected:
  Tune() {
    // By name, as sensitivities are: the node that has weight3.
    for (NodeId id : model.graph().order()) {
      const Node& node = model.graph().node(id);
      for (ValueId input : node.inputs) {
        if (model.graph().value(input).name == "weight" + std::to_string(kHard)) hard = node.name;
      }
    }
    tuning.max_loss = 0.02;
    tuning.relative = false;
    tuning.objective = {.latency = 0, .size = 1};
    tuning.max_trials = 300;
    tuning.session.threads = 1;
  }

  // 1 - the relative error of the results.
  Evaluation evaluate(const Model& candidate) {
    ++evaluations;
    Session a(model, {.threads = 1}), b(candidate, {.threads = 1});
    double signal = 0, error = 0;
    for (uint32_t seed = 50; seed < 53; ++seed) {
      const std::vector<Tensor> inputs = {random_floats({8, kWidth}, seed)};
      const Tensor x = a.run(inputs)[0], y = b.run(inputs)[0];
      for (int64_t i = 0; i < x.elems(); ++i) {
        signal += std::pow(static_cast<double>(x.data<float>()[i]), 2);
        error += std::pow(static_cast<double>(x.data<float>()[i] - y.data<float>()[i]), 2);
      }
    }
    return {.value = 1 - std::sqrt(error / signal), .rows = 24};
  }

  TuneResult run() {
    return autotune(model, tuning, samples(), [&](const Model& each, double) { return evaluate(each); });
  }

  std::string error_of_run() {
    try {
      run();
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

  static std::string scratch(const std::string& name) { return ::testing::TempDir() + "tune_" + name; }

  const Model model = model_with_outliers();
  std::string hard;
  Tuning tuning;
  int evaluations = 0;
};

TEST_F(Tune, PlainInt8MissesTheGoal) {
  tuning.max_trials = 1;
  const TuneResult result = run();
  EXPECT_FALSE(result.model);
  EXPECT_EQ(result.best, 0);
  ASSERT_EQ(result.trials.size(), 1u);
  EXPECT_LT(result.trials[0].evaluation.value, 0.9);
  EXPECT_EQ(result.ended, "the number of trials was reached");
}

class EveryStrategy : public Tune, public ::testing::WithParamInterface<const char*> {};

TEST_P(EveryStrategy, MeetsTheGoalAndNamesTheReason) {
  tuning.strategy = GetParam();
  if (tuning.strategy == "exhaustive" || tuning.strategy == "random") tuning.max_trials = 60;
  if (tuning.strategy == "bayesian" || tuning.strategy == "tpe") tuning.max_trials = 40;
  const TuneResult result = run();
  ASSERT_TRUE(result.model);
  const Trial& best = result.trials[static_cast<size_t>(result.best) - 1];
  EXPECT_TRUE(best.met);
  EXPECT_GE(best.evaluation.value, result.needed);
  EXPECT_LT(best.score, 0.75);  // it is still smaller
  EXPECT_LT(result.model->weight_bytes(), model.weight_bytes());
  EXPECT_GE(evaluate(*result.model).value, result.needed);
  ASSERT_EQ(result.sensitivities.size(), static_cast<size_t>(kLayers));
  EXPECT_EQ(result.sensitivities[0].name, hard);
  EXPECT_GT(result.sensitivities[0].error, 20 * result.sensitivities[1].error);
}
INSTANTIATE_TEST_SUITE_P(All, EveryStrategy,
                         ::testing::Values("basic", "conservative", "mse", "mse_v2", "random", "exhaustive", "bayesian",
                                           "tpe", "front"));

TEST_F(Tune, FallsBackTheHardOperationAndNoOther) {
  for (const char* strategy : {"conservative", "mse_v2", "front"}) {
    tuning.strategy = strategy;
    const TuneResult result = run();
    ASSERT_TRUE(result.model) << strategy;
    EXPECT_EQ(result.trials[static_cast<size_t>(result.best) - 1].fallbacks, std::vector<std::string>{hard})
        << strategy;
  }
}

TEST_F(Tune, TheSameSeedGivesTheSameTrials) {
  const auto trials = [&](uint32_t seed) {
    tuning.seed = seed;
    std::vector<std::pair<std::string, double>> found;
    for (const Trial& each : run().trials) found.emplace_back(each.recipe.yaml(), each.evaluation.value);
    return found;
  };
  for (const char* strategy : {"random", "bayesian", "tpe"}) {
    tuning.strategy = strategy;
    tuning.max_trials = 14;
    const auto first = trials(3);
    EXPECT_EQ(first, trials(3)) << strategy;
    EXPECT_NE(first, trials(4)) << strategy;
  }
}

TEST_F(Tune, TheRecipeOfATrialMakesItsModel) {
  tuning.strategy = "mse";
  const TuneResult result = run();
  ASSERT_TRUE(result.model);
  const Recipe recipe = Recipe::parse(result.trials[static_cast<size_t>(result.best) - 1].recipe.yaml());
  PreparedModel prepared = prepare(model, recipe, {.threads = 1});
  for (const std::vector<Tensor>& each : samples()) prepared.run(each);
  EXPECT_EQ(evaluate(convert(prepared)).value, evaluate(*result.model).value);
}

TEST_F(Tune, GoesOnFromTheJournalOfARunThatWasKilled) {
  tuning.strategy = "random";
  tuning.max_trials = 10;
  const TuneResult whole = run();
  const int all = evaluations;
  tuning.journal = scratch("journal");
  std::filesystem::remove(tuning.journal);
  int trials = 0;
  tuning.interrupted = [&] { return trials >= 4; };
  tuning.on_trial = [&](const Trial&) { ++trials; };
  EXPECT_EQ(run().ended, "interrupted");
  ASSERT_TRUE(std::filesystem::exists(tuning.journal));
  // A kill in the middle of a line.
  std::ofstream(tuning.journal, std::ios::app) << R"({"kind":"trial","key":"0:00)";
  tuning.interrupted = {};
  evaluations = 0;
  const TuneResult second = run();
  EXPECT_EQ(evaluations, all - 4);  // the f32 model once more
  ASSERT_EQ(second.trials.size(), whole.trials.size());
  for (size_t i = 0; i < whole.trials.size(); ++i) {
    EXPECT_EQ(second.trials[i].resumed, i < 4);
    EXPECT_EQ(second.trials[i].evaluation.value, whole.trials[i].evaluation.value);
  }
  EXPECT_EQ(second.best, whole.best);
  EXPECT_FALSE(std::filesystem::exists(tuning.journal));  // it came to its end
}

TEST_F(Tune, RefusesAnotherSearchsJournal) {
  tuning.journal = scratch("other");
  std::filesystem::remove(tuning.journal);
  tuning.strategy = "random";
  tuning.max_trials = 0;
  int trials = 0;
  tuning.interrupted = [&] { return trials >= 2; };
  tuning.on_trial = [&](const Trial&) { ++trials; };
  run();
  tuning.seed = 9;
  EXPECT_NE(error_of_run().find("another model, data or settings"), std::string::npos);
  std::ofstream(tuning.journal) << "label\ttext\n";
  EXPECT_NE(error_of_run().find("is no tuning journal"), std::string::npos);
}

TEST_F(Tune, AnInterruptKeepsTheBestSoFar) {
  tuning.strategy = "conservative";
  bool met = false;
  tuning.interrupted = [&] { return met; };
  tuning.on_trial = [&](const Trial& trial) { met = met || trial.met; };
  const TuneResult result = run();
  EXPECT_EQ(result.ended, "interrupted");
  EXPECT_TRUE(result.model);
}

TEST_F(Tune, TheTimeoutEndsIt) {
  tuning.timeout_s = 1e-9;
  const TuneResult result = run();
  EXPECT_TRUE(result.trials.empty());
  EXPECT_FALSE(result.model);
  EXPECT_EQ(result.ended, "the timeout was reached before the first trial");
}

TEST_F(Tune, RefusesWhatItCannotDo) {
  tuning.strategy = "annealing";
  EXPECT_NE(error_of_run().find("there is no strategy \"annealing\", expected one of basic, "), std::string::npos);
  tuning.strategy = "basic";
  tuning.max_loss = -1;
  EXPECT_NE(error_of_run().find("the loss allowed is -1"), std::string::npos);
  tuning.max_loss = 0.1;
  tuning.objective = {.latency = 0, .size = 0, .memory = 0};
  EXPECT_NE(error_of_run().find("objective's weights"), std::string::npos);
  tuning.objective = {};
  tuning.recipe.set_global({.precision = OpPrecision::kF32});
  EXPECT_NE(error_of_run().find("nothing can be tuned"), std::string::npos);
  tuning.recipe = {};
  EXPECT_THROW(autotune(model, tuning, {}, [&](const Model& each, double) { return evaluate(each); }), Error);
}

TEST_F(Tune, ReportsSayWhatAndWhy) {
  tuning.strategy = "mse_v2";
  const TuneResult result = run();
  const TuningTitle title = {.model = "<m&m>.onnx", .data = "dev.tsv", .metric = "accuracy", .strategy = "mse_v2"};
  const nlohmann::json report = nlohmann::json::parse(tuning_json(result, title));
  EXPECT_EQ(report["best"], result.best);
  EXPECT_EQ(report["trials"].size(), result.trials.size());
  EXPECT_EQ(report["sensitivities"][0]["name"], hard);
  EXPECT_EQ(Recipe::parse(report["trials"][1]["recipe"]), result.trials[1].recipe);
  const std::string page = tuning_html(result, title);
  EXPECT_NE(page.find("&lt;m&amp;m&gt;.onnx"), std::string::npos);
  EXPECT_EQ(page.find("<m&m>"), std::string::npos);
  EXPECT_NE(page.find(hard), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);  // no network
}

}  // namespace
}  // namespace neural_engine
