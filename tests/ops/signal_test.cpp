#include <gtest/gtest.h>

#include <complex>
#include <numbers>

#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::doubles;
using testing::error_of;
using testing::expect_near;
using testing::random_tensor;
using testing::run_op;
using testing::values;

// The sums of the definition over rows [outer, n, inner] of complex numbers.
std::vector<double> dft(const std::vector<std::complex<double>>& x, int64_t outer, int64_t n, int64_t inner,
                        int64_t length, int64_t bins, bool inverse = false) {
  std::vector<double> out(static_cast<size_t>(outer * bins * inner * 2));
  for (int64_t row = 0; row < outer * inner; ++row) {
    for (int64_t k = 0; k < bins; ++k) {
      std::complex<double> sum = 0;
      for (int64_t i = 0; i < std::min(n, length); ++i) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(i * k) / static_cast<double>(length);
        sum += x[static_cast<size_t>((row / inner * n + i) * inner + row % inner)] *
               std::polar(1.0, inverse ? angle : -angle);
      }
      if (inverse) sum /= static_cast<double>(length);
      const size_t at = static_cast<size_t>(((row / inner * bins + k) * inner + row % inner) * 2);
      out[at] = sum.real();
      out[at + 1] = sum.imag();
    }
  }
  return out;
}

std::vector<std::complex<double>> complex_of(const Tensor& x) {
  const std::vector<double> parts = doubles(x);
  const size_t step = static_cast<size_t>(x.shape().back());
  std::vector<std::complex<double>> result;
  for (size_t i = 0; i < parts.size(); i += step) result.emplace_back(parts[i], step == 2 ? parts[i + 1] : 0.0);
  return result;
}

TEST(Dft, TransformsRealAndComplexSignalsOfAnyLength) {
  for (const int64_t n : {1, 8, 12, 15, 34}) {
    for (const int64_t parts : {1, 2}) {
      const Tensor x = random_tensor({2, n, 3, parts}, 1, DType::kF64);
      const Tensor axis = Tensor::scalar<int64_t>(1);
      expect_near(run_op("DFT", {x, Tensor(), axis})[0], dft(complex_of(x), 2, n, 3, n, n), 1e-10, 1e-10);
      expect_near(run_op("DFT", {x, Tensor(), axis}, {{"inverse", int64_t{1}}})[0],
                  dft(complex_of(x), 2, n, 3, n, n, true), 1e-10, 1e-10);
    }
  }
}

TEST(Dft, PadsCutsAndGivesOneSide) {
  const Tensor x = random_tensor({3, 10, 1}, 1);
  for (const int64_t length : {6, 10, 16}) {
    const Tensor found = run_op("DFT", {x, Tensor::scalar<int64_t>(length)}, {{"onesided", int64_t{1}}})[0];
    EXPECT_EQ(found.shape(), (Shape{3, length / 2 + 1, 2}));
    expect_near(found, dft(complex_of(x), 3, 10, 1, length, length / 2 + 1));
  }
  // The inverse of one side is the signal.
  for (const int64_t n : {9, 10}) {
    const Tensor real = random_tensor({2, n, 1}, 2);
    const Tensor side = run_op("DFT", {real}, {{"onesided", int64_t{1}}})[0];
    const Attrs back = {{"inverse", int64_t{1}}, {"onesided", int64_t{1}}};
    expect_near(run_op("DFT", {side, Tensor::scalar<int64_t>(n)}, back)[0], doubles(real));
  }
}

TEST(Dft, RefusesBadOperands) {
  const Tensor x = random_tensor({3, 10, 2}, 1);
  EXPECT_NE(error_of([&] { run_op("DFT", {x}, {{"onesided", int64_t{1}}}); }).find("onesided"), std::string::npos);
  EXPECT_NE(error_of([&] {
              run_op("DFT", {x, Tensor(), Tensor::scalar<int64_t>(2)});
            }).find("axis 2"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run_op("DFT", {x, Tensor::scalar<int64_t>(0)});
            }).find("dft_length is 0"),
            std::string::npos);
  EXPECT_NE(error_of([&] { run_op("DFT", {random_tensor({3, 4}, 1)}); }).find("expected [...,n,1]"), std::string::npos);
}

TEST(Stft, TransformsWindowedFrames) {
  const Tensor x = random_tensor({2, 20, 1}, 1), window = random_tensor({6}, 2);
  const Tensor step = Tensor::scalar<int64_t>(4);
  const Tensor found = run_op("STFT", {x, step, window})[0];
  EXPECT_EQ(found.shape(), (Shape{2, 4, 4, 2}));
  std::vector<std::complex<double>> frames;
  for (size_t b = 0; b < 2; ++b) {
    for (size_t f = 0; f < 4; ++f) {
      for (size_t i = 0; i < 6; ++i) frames.emplace_back(doubles(x)[b * 20 + f * 4 + i] * doubles(window)[i]);
    }
  }
  expect_near(found, dft(frames, 8, 6, 1, 6, 4));
  const Tensor whole = run_op("STFT", {x, step, window, Tensor::scalar<int64_t>(6)}, {{"onesided", int64_t{0}}})[0];
  expect_near(whole, dft(frames, 8, 6, 1, 6, 6));
  EXPECT_NE(error_of([&] {
              run_op("STFT", {x, step, window, Tensor::scalar<int64_t>(5)});
            }).find("window has 6"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              run_op("STFT", {x, step, Tensor(), Tensor::scalar<int64_t>(21)});
            }).find("do not fit"),
            std::string::npos);
}

TEST(Windows, FollowTheirFormulas) {
  const Tensor size = Tensor::scalar<int64_t>(4);
  expect_near(run_op("HannWindow", {size})[0], {0, 0.5, 1, 0.5});
  expect_near(run_op("HannWindow", {size}, {{"periodic", int64_t{0}}})[0], {0, 0.75, 0.75, 0});
  expect_near(run_op("HammingWindow", {size})[0], {4 / 46.0, 25 / 46.0, 1, 25 / 46.0});
  expect_near(run_op("BlackmanWindow", {size})[0], {0, 0.34, 1, 0.34});
  const Tensor wide = run_op("BlackmanWindow", {size}, {{"output_datatype", int64_t{11}}})[0];
  EXPECT_EQ(wide.dtype(), DType::kF64);
  EXPECT_NE(error_of([&] {
              run_op("HannWindow", {size}, {{"output_datatype", int64_t{9}}});
            }).find("(bool)"),
            std::string::npos);
}

TEST(MelWeightMatrix, BuildsTrianglesThatPeakAtOne) {
  const Tensor found =
      run_op("MelWeightMatrix", {Tensor::scalar<int64_t>(4), Tensor::scalar<int64_t>(64), Tensor::scalar<int64_t>(8192),
                                 Tensor::scalar(0.0f), Tensor::scalar(4000.0f)})[0];
  ASSERT_EQ(found.shape(), (Shape{33, 4}));
  for (int64_t band = 0; band < 4; ++band) {
    int64_t peak = 0;
    for (int64_t bin = 0; bin < 33; ++bin) {
      if (found.data<float>()[bin * 4 + band] > found.data<float>()[peak * 4 + band]) peak = bin;
    }
    EXPECT_EQ(found.data<float>()[peak * 4 + band], 1.0f);
    for (int64_t bin = 1; bin < 33; ++bin) {
      const float slope = found.data<float>()[bin * 4 + band] - found.data<float>()[(bin - 1) * 4 + band];
      EXPECT_TRUE(bin <= peak ? slope >= 0 : slope <= 0);
    }
  }
  EXPECT_NE(error_of([] {
              run_op("MelWeightMatrix", {Tensor::scalar<int64_t>(4), Tensor::scalar<int64_t>(64),
                                         Tensor::scalar<int64_t>(8192), Tensor::scalar(0.0f), Tensor::scalar(9000.0f)});
            }).find("outside the 33 bins"),
            std::string::npos);
}

TEST(NegativeLogLikelihoodLoss, WeighsIgnoresAndReduces) {
  // ONNX's own examples.
  const Tensor input = Tensor::of<float>({2, 3, 2}, {1, 2, 2, 2, 3, 2, 0, 1, 2, 2, 1, 2});
  const Tensor target = Tensor::of<int64_t>({2, 2}, {2, 1, 0, 2}), weight = Tensor::of<float>({3}, {0.2f, 0.3f, 0.1f});
  const auto loss = [&](const std::vector<Tensor>& inputs, Attrs attrs) {
    return run_op("NegativeLogLikelihoodLoss", inputs, std::move(attrs))[0];
  };
  expect_near(loss({input, target}, {{"reduction", std::string("none")}}), {-3, -2, 0, -2});
  expect_near(loss({input, target, weight}, {{"reduction", std::string("sum")}}), {-1.1});
  expect_near(loss({input, target, weight}, {}), {-1.1 / 0.7});
  expect_near(loss({input, target}, {}), {-7 / 4.0});
  expect_near(loss({input, target}, {{"ignore_index", int64_t{2}}}), {-1});
  EXPECT_NE(error_of([&] {
              loss({input, Tensor::of<int64_t>({2, 2}, {0, 3, 0, 0})}, {});
            }).find("label 3"),
            std::string::npos);
}

TEST(SoftmaxCrossEntropyLoss, IsTheLossOfTheLogarithms) {
  const Tensor scores = random_tensor({3, 5, 2}, 1);
  const Tensor labels = Tensor::of<int32_t>({3, 2}, {0, 4, -1, 2, 1, 3}), weights = random_tensor({5}, 2);
  const Attrs attrs = {{"ignore_index", int64_t{-1}}, {"reduction", std::string("none")}};
  const std::vector<Tensor> found = run_op("SoftmaxCrossEntropyLoss", {scores, labels, weights}, attrs, 2);
  const Tensor logs = run_op("LogSoftmax", {scores}, {{"axis", int64_t{1}}})[0];
  expect_near(found[1], doubles(logs));
  expect_near(found[0], doubles(run_op("NegativeLogLikelihoodLoss", {logs, labels, weights}, attrs)[0]));
}

TEST(TfIdfVectorizer, CountsSkipsAndWeighs) {
  const std::vector<int64_t> pool = {2, 3, 5, 4, 5, 6, 7, 8, 6, 7};
  const auto run = [&](const char* mode, int64_t shortest, int64_t skips, const Tensor& x) {
    return run_op("TfIdfVectorizer", {x},
                  {{"mode", std::string(mode)},
                   {"min_gram_length", shortest},
                   {"max_gram_length", int64_t{2}},
                   {"max_skip_count", skips},
                   {"ngram_counts", std::vector<int64_t>{0, 4}},
                   {"ngram_indexes", std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6}},
                   {"pool_int64s", pool},
                   {"weights", std::vector<float>{1, 1, 0.5f, 1, 1, 2, 1}}})[0];
  };
  const Tensor x = Tensor::of<int32_t>({12}, {1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8});
  EXPECT_EQ(values<float>(run("TF", 2, 0, x)), (std::vector<float>{0, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(values<float>(run("TF", 2, 5, x)), (std::vector<float>{0, 0, 0, 0, 1, 3, 1}));
  EXPECT_EQ(values<float>(run("IDF", 1, 0, x)), (std::vector<float>{0, 1, 0.5f, 0, 1, 2, 1}));
  EXPECT_EQ(values<float>(run("TFIDF", 1, 0, x.reshaped({2, 6}))),
            (std::vector<float>{0, 3, 0, 0, 0, 0, 0, 0, 0, 0.5f, 0, 1, 0, 1}));
}

}  // namespace
}  // namespace neural_engine
