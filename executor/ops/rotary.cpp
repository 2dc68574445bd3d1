#include "base/dtype.h"
#include "executor/ops/attention.h"

namespace neural_engine {

namespace {

struct Rotary {
  int64_t batch, heads, sequence, size;
  int64_t batch_stride, head_stride, row_stride;
  int64_t half;  // pairs of a head that are rotated, the rest is copied
  bool interleaved;
};

Rotary layout_of(const BindContext& context) {
  const Shape x = context.shape(0);
  Rotary r{};
  if (x.size() == 4) {
    r = {x[0], x[1], x[2], x[3], x[1] * x[2] * x[3], x[2] * x[3], x[3], 0, false};
  } else {
    const int64_t heads = context.attr<int64_t>("num_heads"), size = x[2] / heads;
    r = {x[0], heads, x[1], size, x[1] * x[2], size, x[2], 0, false};
  }
  const int64_t part = context.attr<int64_t>("rotary_embedding_dim");
  r.half = (part > 0 ? part : r.size) / 2;
  r.interleaved = context.attr<int64_t>("interleaved") != 0;
  return r;
}

// One head's row: pairs (x[i], x[i + half]), or (x[2i], x[2i + 1]) when interleaved, turned by their angles.
template <class T, class Wide>
void rotate(const Rotary& r, const T* x, const T* cos, const T* sin, T* out) {
  const int64_t step = r.interleaved ? 2 : 1, other = r.interleaved ? 1 : r.half;
  for (int64_t i = 0; i < r.half; ++i) {
    const Wide a = static_cast<Wide>(x[i * step]), b = static_cast<Wide>(x[i * step + other]);
    const Wide c = static_cast<Wide>(cos[i]), s = static_cast<Wide>(sin[i]);
    out[i * step] = T(c * a - s * b);
    out[i * step + other] = T(s * a + c * b);
  }
  for (int64_t i = 2 * r.half; i < r.size; ++i) out[i] = x[i];
}

// Row of the caches for each position; positions outside them are refused before any work is shared out.
void check_positions(const Tensor& positions, int64_t rows) {
  const int64_t* data = positions.data<int64_t>();
  for (int64_t i = 0; i < positions.elems(); ++i) {
    if (data[i] < 0 || data[i] >= rows) {
      fail(Code::kInvalidArgument, "position ", data[i], " found, the caches have ", rows, " rows");
    }
  }
}

template <class T, class Wide>
void run(const Rotary& r, OpContext& context) {
  const T* x = context.input(0).data<T>();
  const T* cos = context.input(1).data<T>();
  const T* sin = context.input(2).data<T>();
  T* out = context.output(0).data<T>();
  const int64_t* positions = nullptr;
  if (context.has_input(3)) {
    check_positions(context.input(3), context.input(1).dim(0));
    check_positions(context.input(3), context.input(2).dim(0));
    positions = context.input(3).data<int64_t>();
  }
  context.parallel.ranges(r.batch * r.sequence, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t at = (positions ? positions[row] : row) * r.half;
      for (int64_t head = 0; head < r.heads; ++head) {
        const int64_t offset =
            row / r.sequence * r.batch_stride + head * r.head_stride + row % r.sequence * r.row_stride;
        rotate<T, Wide>(r, x + offset, cos + at, sin + at, out + offset);
      }
    }
  });
}

}  // namespace

BoundOp bind_rotary_embedding(const BindContext& context) {
  return {.run = [r = layout_of(context)](OpContext& op) {
    dispatch_floating(op.input(0).dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      run<T, std::conditional_t<std::is_same_v<T, double>, double, float>>(r, op);
    });
  }};
}

}  // namespace neural_engine
