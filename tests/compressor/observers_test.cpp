// Histograms of unknown ranges, statistics, and the ranges that observers take from them.
#include "compressor/calibrate/observers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::random_doubles;

std::vector<float> normal(int64_t count, uint32_t seed, float scale = 1) {
  std::vector<float> result;
  for (double value : random_doubles(count, seed)) result.push_back(static_cast<float>(value) * scale);
  return result;
}

Statistics observed(const std::vector<float>& values, int64_t channels = 1) {
  Statistics statistics(channels);
  statistics.begin_run();
  statistics.observe(values.data(), static_cast<int64_t>(values.size()));
  statistics.end_run();
  return statistics;
}

uint64_t total(const Histogram& histogram) {
  uint64_t sum = histogram.zeros();
  for (int bin = 0; bin < histogram.bins(); ++bin) sum += histogram[bin];
  return sum;
}

TEST(Histogram, CountsEachNumberInItsBinWhateverTheOrder) {
  std::vector<float> values = normal(5000, 1, 30);
  values.insert(values.end(), {0, 0, 1e-30f, -1e-30f, 64, -64, 1, -1});
  Histogram ascending(256), descending(256), direct(256);
  std::sort(values.begin(), values.end(), [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  for (float value : values) ascending.add(value);
  std::reverse(values.begin(), values.end());
  for (float value : values) descending.add(value);
  EXPECT_EQ(total(ascending), values.size());
  ASSERT_EQ(ascending.limit(), descending.limit());
  for (int bin = 0; bin < 256; ++bin) ASSERT_EQ(ascending[bin], descending[bin]) << bin;
  int64_t below = 0, counted = 0;
  for (int bin = 0; bin < 100; ++bin) counted += descending[bin];
  for (float value : values) below += static_cast<double>(value) < descending.edge(100) ? 1 : 0;
  EXPECT_EQ(counted, below);
}

TEST(Histogram, HoldsZerosAlone) {
  Histogram histogram(256);
  for (int i = 0; i < 7; ++i) histogram.add(0);
  EXPECT_EQ(histogram.limit(), 0);
  EXPECT_EQ(histogram.zeros(), 7u);
  histogram.add(3);
  EXPECT_EQ(histogram.limit(), 4);
  EXPECT_EQ(histogram[128], 7u);
  EXPECT_EQ(total(histogram), 8u);
}

TEST(Histogram, ItsSizeDoesNotGrow) {
  Histogram histogram(256);
  const size_t before = histogram.bytes();
  for (float value = 1e-20f; value < 1e30f; value *= 1.7f) histogram.add(value);
  EXPECT_EQ(histogram.bytes(), before);
}

TEST(Statistics, ExtremesMeansAndWhatIsLeftOut) {
  std::vector<float> values = {1, 10, -2, 20, 3, 30};
  Statistics statistics = observed(values, 2);
  EXPECT_EQ(statistics.min(), -2);
  EXPECT_EQ(statistics.max(), 30);
  EXPECT_EQ(statistics.channel_absmax(0), 3);
  EXPECT_DOUBLE_EQ(statistics.channel_mean(1), 20);
  EXPECT_DOUBLE_EQ(statistics.channel_mean_square(0), 14.0 / 3);
  values = {INFINITY, NAN, -INFINITY, 40};
  statistics.begin_run();
  statistics.observe(values.data(), 4);
  statistics.end_run();
  EXPECT_EQ(statistics.non_finite(), 3);
  EXPECT_EQ(statistics.max(), 40);
}

TEST(Statistics, MovingAverageFollowsSlowly) {
  Statistics statistics(1);
  for (float value : {1.0f, 101.0f}) {
    statistics.begin_run();
    statistics.observe(&value, 1);
    statistics.end_run();
  }
  EXPECT_FLOAT_EQ(statistics.distribution().average_max, 2);
  EXPECT_FLOAT_EQ(statistics.distribution().max, 101);
}

TEST(Statistics, ChannelsTogetherAreTheWhole) {
  const std::vector<float> values = normal(40000, 3);
  const Distribution apart = observed(values, 8).distribution(), whole = observed(values).distribution();
  EXPECT_EQ(apart.min, whole.min);
  EXPECT_EQ(apart.max, whole.max);
  for (double percentile : {99.0, 99.9}) {
    const ObserverRequest request = {.observer = Observer::kPercentile, .percentile = percentile};
    EXPECT_NEAR(observed_range(apart, request).max, observed_range(whole, request).max, 0.02);
  }
}

TEST(Statistics, DivisorsApplyToChannels) {
  std::vector<float> values = normal(20000, 5);
  for (size_t i = 0; i < values.size(); i += 4) values[i] *= 100;
  const std::vector<float> divisors = {100, 1, 1, 1};
  const Statistics statistics = observed(values, 4);
  EXPECT_GT(statistics.distribution().max, 200);
  EXPECT_LT(statistics.distribution(divisors).max, 7);
  EXPECT_NEAR(
      observed_range(statistics.distribution(divisors), {.observer = Observer::kPercentile, .percentile = 97.7}).max,
      2.0, 0.1);
}

// Normal numbers with a few far away: all observers but min-max leave these out.
class Outliers : public ::testing::Test {
 protected:
  static Distribution distribution() {
    std::vector<float> values = normal(200000, 7);
    values[10] = 40;
    values[20] = -35;
    return observed(values).distribution();
  }
  static Range range(Observer observer, double percentile = 99.99) {
    return observed_range(distribution(), {.observer = observer, .percentile = percentile, .spec = {}});
  }
};

TEST_F(Outliers, MinMaxKeepsThem) {
  EXPECT_EQ(range(Observer::kMinMax).max, 40);
  EXPECT_EQ(range(Observer::kMinMax).min, -35);
}

TEST_F(Outliers, PercentileLeavesItsShareOut) {
  EXPECT_NEAR(range(Observer::kPercentile, 97.725).max, 2, 0.05);
  EXPECT_NEAR(range(Observer::kPercentile, 97.725).min, -2, 0.05);
  EXPECT_EQ(range(Observer::kPercentile, 100).max, 40);
}

TEST_F(Outliers, MseClips) {
  EXPECT_LT(range(Observer::kMse).max, 32);
  EXPECT_GT(range(Observer::kMse).max, 2.5);
  EXPECT_GT(range(Observer::kMse).min, -32);
}

// A hundredth of the energy in two numbers is no tail.
TEST_F(Outliers, EntropyKeepsWhatHoldsEnergy) { EXPECT_EQ(range(Observer::kEntropy).max, 40); }

// GELU piles half of its results up within the step next to 0, and has few that are large.
TEST(Observers, EntropyClipsATailThatHoldsLittle) {
  std::vector<float> values = normal(200000, 8);
  for (float& each : values) each = 0.5f * each * (1 + std::erf(each / std::sqrt(2.0f)));
  values[10] = 6;
  const Distribution distribution = observed(values).distribution();
  const Range range = observed_range(distribution, {.observer = Observer::kEntropy, .spec = {}});
  EXPECT_LT(range.max, 5.5f);
  EXPECT_GT(range.max, 2);
}

TEST_F(Outliers, MseIsNoWorseThanAnyOther) {
  const QuantSpec spec;
  const auto error = [&](Observer observer) {
    const QuantParams params = quant_params(spec, range(observer));
    return quantization_noise(distribution(), params, limits_of(params.dtype, false)).error;
  };
  for (Observer observer : {Observer::kMinMax, Observer::kPercentile, Observer::kEntropy}) {
    EXPECT_LE(error(Observer::kMse), error(observer) * 1.001);
  }
}

TEST(Observers, ExpectedNoiseIsTheMeasuredOne) {
  const std::vector<float> values = normal(50000, 9);
  const Distribution distribution = observed(values).distribution();
  for (Range range : {Range{-4, 4}, Range{-1, 2}}) {
    const QuantParams params = quant_params({}, range);
    double error = 0, signal = 0;
    for (float value : values) {
      const double difference = static_cast<double>(value - fake_quantize(value, params, limits_of(DType::kU8, false)));
      error += difference * difference;
      signal += static_cast<double>(value) * static_cast<double>(value);
    }
    const Noise noise = quantization_noise(distribution, params, limits_of(DType::kU8, false));
    EXPECT_NEAR(noise.error / (error / 50000), 1, 0.05);
    EXPECT_NEAR(noise.signal / (signal / 50000), 1, 0.01);
  }
}

TEST(Observers, NothingSeenIsNoRange) {
  for (Observer observer :
       {Observer::kMinMax, Observer::kMovingAverage, Observer::kPercentile, Observer::kEntropy, Observer::kMse}) {
    for (const Statistics& statistics : {Statistics(1), observed({0, 0, 0, 0}), observed({0, 0, 0, 0}, 2)}) {
      const Range range =
          observed_range(statistics.distribution(), {.observer = observer, .percentile = 99, .spec = {}});
      EXPECT_EQ(range.min, 0);
      EXPECT_EQ(range.max, 0);
    }
  }
}

}  // namespace
}  // namespace neural_engine
