// Linear quantization and back, computed in float.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/float8.h"
#include "base/onnx_dtype.h"
#include "executor/ops/convert.h"
#include "executor/ops/quantize_bytes.h"
#include "executor/ops/quantize_grid.h"
#include "executor/ops/quantize_value.h"

namespace neural_engine {

std::span<const OpBinding> integer_bindings();       // quantize_integer.cpp
std::span<const OpBinding> integer_conv_bindings();  // quantize_conv.cpp

namespace {

constexpr int64_t kTask = 4096;

// Every scale is a number that can be divided by, or, for the way back, multiplied with.
void check_scales(const Tensor& scale, bool divides) {
  float block[kBlock];
  for (int64_t at = 0; at < scale.elems(); at += kBlock) {
    const int64_t count = std::min(kBlock, scale.elems() - at);
    load(scale.dtype(), scale.raw(), at, count, block);
    for (int64_t i = 0; i < count; ++i) {
      require(std::isfinite(block[i]) && !(divides && block[i] == 0.0f), Code::kInvalidData, "scale ", at + i, " is ",
              block[i], ", expected a finite number", divides ? " other than 0" : "");
    }
  }
}

// The scales and zero points of a piece.
struct Parameters {
  float scale[kBlock];
  int64_t zero_point[kBlock];

  void read(OpContext& context, const QuantizeGrid::Piece& piece) {
    const int64_t count = piece.step != 0 ? piece.count : 1;
    load(context.input(1).dtype(), context.input(1).raw(), piece.scale, count, scale);
    if (context.has_input(2)) {
      load(context.input(2).dtype(), context.input(2).raw(), piece.scale, count, zero_point);
    } else {
      std::fill(zero_point, zero_point + count, 0);
    }
  }
};

// The quotient in the precision that the node asks for: that of the scale unless it names one.
void divide(const float* x, const float* scale, int64_t step, int64_t count, DType precision, float* quotient) {
  for (int64_t i = 0; i < count; ++i) quotient[i] = x[i] / scale[i * step];
  if (precision == DType::kF16) {
    for (int64_t i = 0; i < count; ++i) quotient[i] = Half(quotient[i]);
  } else if (precision == DType::kBF16) {
    for (int64_t i = 0; i < count; ++i) quotient[i] = BFloat16(quotient[i]);
  }
}

// An 8-bit float has its zero at 0: another zero point would not come back.
void check_float8_zero_point(const OpContext& context) {
  if (!context.has_input(2) || !is_float8(context.input(2).dtype())) return;
  const Tensor& zero_point = context.input(2);
  for (int64_t i = 0; i < zero_point.elems(); ++i) {
    const float value = float8_to_float(static_cast<const uint8_t*>(zero_point.raw())[i], zero_point.dtype());
    require(value == 0.0f, Code::kUnsupported, "a zero point of dtype ", to_string(zero_point.dtype()), " is ", value,
            ", supported: 0");
  }
}

// f32 and bytes with one scale: the common form has loops of its own. False for another form.
bool is_plain(const Node& node, const OpContext& context, const Tensor& real, const Tensor& bytes) {
  return real.dtype() == DType::kF32 && (bytes.dtype() == DType::kU8 || bytes.dtype() == DType::kS8) &&
         context.input(1).dtype() == DType::kF32 && context.input(1).elems() == 1 &&
         node.attr<int64_t>("block_size") == 0;
}

int32_t byte_zero_point(const OpContext& context) {
  int64_t zero = 0;
  if (context.has_input(2)) load(context.input(2).dtype(), context.input(2).raw(), 0, 1, &zero);
  return static_cast<int32_t>(zero);
}

template <class T>
void quantize_plain(OpContext& context) {
  const float scale = context.input(1).data<float>()[0];
  const int32_t zero = byte_zero_point(context);
  const float* src = context.input(0).data<float>();
  T* dst = context.output(0).data<T>();
  context.parallel.ranges(context.input(0).elems(), kTask, [&](int64_t begin, int64_t end) {
    quantize_bytes(src + begin, end - begin, scale, zero, dst + begin);
  });
}

template <class T>
void dequantize_plain(OpContext& context) {
  const float scale = context.input(1).data<float>()[0];
  const int32_t zero = byte_zero_point(context);
  const T* src = context.input(0).data<T>();
  float* dst = context.output(0).data<float>();
  context.parallel.ranges(context.input(0).elems(), kTask, [&](int64_t begin, int64_t end) {
    dequantize_bytes(src + begin, end - begin, scale, zero, dst + begin);
  });
}

void run_quantize(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  Tensor& y = context.output(0);
  const QuantizeGrid grid = QuantizeGrid::of(node, x, context.input(1));
  check_scales(context.input(1), /*divides=*/true);
  check_float8_zero_point(context);
  const int64_t code = node.attr<int64_t>("precision");
  const DType precision = code != 0 ? dtype_of_onnx(code) : context.input(1).dtype();
  if (precision == DType::kF32 && is_plain(node, context, x, y)) {
    return y.dtype() == DType::kU8 ? quantize_plain<uint8_t>(context) : quantize_plain<int8_t>(context);
  }
  const bool to_float8 = is_float8(y.dtype());
  const bool saturate = node.attr<int64_t>("saturate") != 0;
  const IntRange range = to_float8 ? IntRange{0, 0} : int_range(y.dtype());
  // Pairs, so that no two tasks write the halves of one byte.
  context.parallel.ranges((x.elems() + 1) / 2, kTask / 2, [&](int64_t begin, int64_t end) {
    Parameters parameters;
    float values[kBlock];
    int64_t quantized[kBlock];
    const int64_t last = std::min(end * 2, x.elems());
    for (int64_t at = begin * 2; at < last;) {
      const QuantizeGrid::Piece piece = grid.piece(at, std::min(kBlock, last - at));
      parameters.read(context, piece);
      load(x.dtype(), x.raw(), at, piece.count, values);
      divide(values, parameters.scale, piece.step, piece.count, precision, values);
      if (to_float8) {
        store(y.dtype(), values, piece.count, y.raw(), at, saturate);
      } else {
        for (int64_t i = 0; i < piece.count; ++i) {
          const auto zero_point = static_cast<int32_t>(parameters.zero_point[i * piece.step]);
          quantized[i] = quantize_value(values[i], zero_point, range);
        }
        store(y.dtype(), quantized, piece.count, y.raw(), at);
      }
      at += piece.count;
    }
  });
}

void run_dequantize(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  Tensor& y = context.output(0);
  const QuantizeGrid grid = QuantizeGrid::of(node, x, context.input(1));
  check_scales(context.input(1), /*divides=*/false);
  check_float8_zero_point(context);
  if (is_plain(node, context, y, x)) {
    return x.dtype() == DType::kU8 ? dequantize_plain<uint8_t>(context) : dequantize_plain<int8_t>(context);
  }
  const bool from_float8 = is_float8(x.dtype());
  context.parallel.ranges(x.elems(), kTask, [&](int64_t begin, int64_t end) {
    Parameters parameters;
    float values[kBlock];
    int64_t quantized[kBlock];
    for (int64_t at = begin; at < end;) {
      const QuantizeGrid::Piece piece = grid.piece(at, std::min(kBlock, end - at));
      parameters.read(context, piece);
      if (from_float8) {
        load(x.dtype(), x.raw(), at, piece.count, values);
      } else {
        load(x.dtype(), x.raw(), at, piece.count, quantized);
        for (int64_t i = 0; i < piece.count; ++i) {
          values[i] = static_cast<float>(quantized[i] - parameters.zero_point[i * piece.step]);
        }
      }
      for (int64_t i = 0; i < piece.count; ++i) values[i] *= parameters.scale[i * piece.step];
      store(y.dtype(), values, piece.count, y.raw(), at);
      at += piece.count;
    }
  });
}

void run_dynamic_quantize(const Node&, OpContext& context) {
  const Tensor& x = context.input(0);
  const float* src = x.data<float>();
  // Extremes and conjunctions do not depend on the order, but tasks may not share one variable.
  constexpr int64_t kParts = 64;
  FloatBounds parts[kParts];
  context.parallel.run(x.elems() < kTask ? 1 : kParts, [&](int64_t part, int) {
    const int64_t count = x.elems() < kTask ? 1 : kParts;
    const int64_t begin = x.elems() * part / count, end = x.elems() * (part + 1) / count;
    parts[part] = bounds_of(src + begin, end - begin);
  });
  FloatBounds all;
  for (const FloatBounds& part : parts) {
    all.low = std::min(all.low, part.low);
    all.high = std::max(all.high, part.high);
    all.finite &= part.finite;
  }
  require(all.finite, Code::kInvalidData, "an infinity or NaN cannot be quantized");
  // Where all elements are 0, or too small to tell, ONNX's formula divides by a scale of 0: any other represents them.
  const float range = (all.high - all.low) / 255.0f;
  require(std::isfinite(range), Code::kInvalidData, "the range from ", all.low, " to ", all.high, " overflows");
  const float scale = range == 0.0f ? 1.0f : range;
  const auto zero_point = static_cast<uint8_t>(quantize_value(-all.low / scale, 0, int_range(DType::kU8)));
  if (context.wants_output(1)) context.output(1).data<float>()[0] = scale;
  if (context.wants_output(2)) context.output(2).data<uint8_t>()[0] = zero_point;
  if (!context.wants_output(0)) return;
  uint8_t* dst = context.output(0).data<uint8_t>();
  context.parallel.ranges(x.elems(), kTask, [&](int64_t begin, int64_t end) {
    quantize_bytes(src + begin, end - begin, scale, zero_point, dst + begin);
  });
}

}  // namespace

std::span<const OpBinding> quantize_bindings() {
  static const auto* const kBindings = [] {
    auto* all = new std::vector<OpBinding>{
        {"QuantizeLinear", bind_simple<run_quantize>},
        {"DequantizeLinear", bind_simple<run_dequantize>},
        {"DynamicQuantizeLinear", bind_simple<run_dynamic_quantize>},
    };
    for (std::span<const OpBinding> part : {integer_bindings(), integer_conv_bindings()}) {
      all->insert(all->end(), part.begin(), part.end());
    }
    return all;
  }();
  return *kBindings;
}

}  // namespace neural_engine
