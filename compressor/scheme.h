// From a range of real numbers to a scale and a zero point: the formulas of the frameworks.
#pragma once

#include "neural_engine/compress.h"

namespace neural_engine {

struct Range {
  float min = 0, max = 0;
};

// How real numbers x become integers: saturate(round(x / scale) + zero_point).
struct QuantParams {
  DType dtype = DType::kU8;
  float scale = 1;
  int32_t zero_point = 0;
};

struct QuantSpec {
  Scheme scheme = Scheme::kOnnxRuntime;
  DType dtype = DType::kU8;  // kU8 or kS8
  bool symmetric = false;
  bool reduce_range = false;  // 7 bits: u8 0..127, s8 -64..63

  friend bool operator==(const QuantSpec&, const QuantSpec&) = default;
};

struct QuantLimits {
  int32_t low, high;
};
QuantLimits limits_of(DType dtype, bool reduce_range);

// The range is widened to hold 0. A range of nothing but 0 gets scale 1.
//
// Schemes whose symmetric u8 starts at 0 (TensorFlow, IPEX, MXNet) cannot hold negative numbers: what has them becomes
// s8, as these frameworks do, so the dtype of the result may differ from that of the spec. Error(kUnsupported) for a
// scheme without an asymmetric form.
QuantParams quant_params(const QuantSpec& spec, Range range);

// The real number that x is taken for.
float fake_quantize(float x, const QuantParams& params, QuantLimits limits);

}  // namespace neural_engine
