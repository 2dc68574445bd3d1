#include "executor/ops/signal.h"

#include <cmath>
#include <numbers>

#include "base/dtype.h"
#include "base/onnx_dtype.h"

namespace neural_engine {

int64_t scalar_int(const Tensor& tensor) {
  require(tensor.elems() == 1, Code::kInvalidArgument, "an operand has shape ", to_string(tensor.shape()),
          ", expected a scalar");
  return tensor.dtype() == DType::kS32 ? tensor.data<int32_t>()[0] : tensor.data<int64_t>()[0];
}

namespace {

void fill(Tensor* tensor, const std::vector<double>& values) {
  dispatch_dtype(tensor->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* out = tensor->data<T>();
    for (size_t i = 0; i < values.size(); ++i) {
      if constexpr (std::is_integral_v<T> || std::is_same_v<T, double>) {
        out[i] = static_cast<T>(values[i]);
      } else {
        out[i] = T(static_cast<float>(values[i]));
      }
    }
  });
}

// a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n), where n is the size, or one less in a symmetric window.
void window(const Node& node, OpContext& context, double a0, double a1, double a2) {
  const int64_t size = scalar_int(context.input(0));
  require(size >= 0, Code::kInvalidArgument, "size is ", size, ", expected at least 0");
  const int64_t period = node.attr<int64_t>("periodic") != 0 ? size : size - 1;
  std::vector<double> values;
  for (int64_t i = 0; i < size; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(period);
    // A window of one point is that point.
    values.push_back(period == 0 ? 1.0 : a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle));
  }
  fill(&output_of_shape(context, 0, dtype_of_onnx(node.attr<int64_t>("output_datatype")), {size}), values);
}

void hann_window(const Node& node, OpContext& context) { window(node, context, 0.5, 0.5, 0); }
// ONNX gives Hamming's coefficients as 25/46 and 21/46.
void hamming_window(const Node& node, OpContext& context) { window(node, context, 25.0 / 46, 21.0 / 46, 0); }
void blackman_window(const Node& node, OpContext& context) { window(node, context, 0.42, 0.5, 0.08); }

double scalar_value(const Tensor& tensor) {
  require(tensor.elems() == 1, Code::kInvalidArgument, "an operand has shape ", to_string(tensor.shape()),
          ", expected a scalar");
  return dispatch_floating(
      tensor.dtype(), [&](auto tag) { return static_cast<double>(tensor.data<typename decltype(tag)::type>()[0]); });
}

double mel_of(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double hertz_of(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

// Triangles over the frequencies of a DFT, their corners at equal distances on the mel scale.
void mel_weight_matrix(const Node& node, OpContext& context) {
  const int64_t bands = scalar_int(context.input(0)), length = scalar_int(context.input(1));
  const int64_t rate = scalar_int(context.input(2));
  require(bands > 0 && length > 0 && rate > 0, Code::kInvalidArgument, bands, " bands, a length of ", length,
          " and a rate of ", rate, " found, expected positive numbers");
  const double low = mel_of(scalar_value(context.input(3))), high = mel_of(scalar_value(context.input(4)));
  const double step = (high - low) / static_cast<double>(bands + 2);
  const int64_t bins = length / 2 + 1;
  std::vector<int64_t> corners;
  for (int64_t i = 0; i < bands + 2; ++i) {
    const double hertz = hertz_of(low + static_cast<double>(i) * step);
    const double bin = std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
    if (!(bin >= 0 && bin < static_cast<double>(bins))) {
      fail(Code::kInvalidArgument, "a corner at ", hertz, " Hz lies outside the ", bins, " bins of a rate of ", rate);
    }
    corners.push_back(static_cast<int64_t>(bin));
  }
  std::vector<double> weights(static_cast<size_t>(bins * bands), 0.0);
  for (int64_t band = 0; band < bands; ++band) {
    const size_t at = static_cast<size_t>(band);
    const int64_t left = corners[at], centre = corners[at + 1], right = corners[at + 2];
    const auto weight = [&](int64_t bin) -> double& { return weights[static_cast<size_t>(bin * bands + band)]; };
    weight(centre) = 1;
    for (int64_t i = left; i < centre; ++i)
      weight(i) = static_cast<double>(i - left) / static_cast<double>(centre - left);
    for (int64_t i = centre; i < right; ++i) {
      weight(i) = static_cast<double>(right - i) / static_cast<double>(right - centre);
    }
  }
  fill(&output_of_shape(context, 0, dtype_of_onnx(node.attr<int64_t>("output_datatype")), {bins, bands}), weights);
}

}  // namespace

std::span<const OpBinding> signal_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"DFT", bind_simple<run_dft>},
      {"STFT", bind_simple<run_stft>},
      {"HannWindow", bind_simple<hann_window>},
      {"HammingWindow", bind_simple<hamming_window>},
      {"BlackmanWindow", bind_simple<blackman_window>},
      {"MelWeightMatrix", bind_simple<mel_weight_matrix>},
      {"NegativeLogLikelihoodLoss", bind_simple<run_negative_log_likelihood>},
      {"SoftmaxCrossEntropyLoss", bind_simple<run_softmax_cross_entropy>},
      {"TfIdfVectorizer", bind_tf_idf},
  };
  return kBindings;
}

}  // namespace neural_engine
