// Discrete Fourier transforms in double precision. An even length is halved (Cooley and Tukey), an odd one summed as it
// stands: n log n for powers of two, n times the odd part in general.
#include <complex>
#include <numbers>

#include "base/dtype.h"
#include "executor/ops/signal.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

using Complex = std::complex<double>;

class Fourier {
 public:
  Fourier(int64_t n, bool inverse) : n_(n), roots_(static_cast<size_t>(n)) {
    for (int64_t i = 0; i < n; ++i) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n);
      roots_[static_cast<size_t>(i)] = std::polar(1.0, inverse ? angle : -angle);
    }
  }

  // `out` has n elements and is not `in`.
  void transform(const Complex* in, Complex* out) const { transform(in, 1, out, n_); }

 private:
  // `n` elements that lie `step` apart; root(k) of this n is root(k * n_ / n) of the table.
  void transform(const Complex* in, int64_t step, Complex* out, int64_t n) const {
    const int64_t spread = n_ / n;
    if (n % 2 != 0) {
      for (int64_t k = 0; k < n; ++k) {
        out[k] = 0;
        for (int64_t i = 0; i < n; ++i) out[k] += in[i * step] * root(i * k % n * spread);
      }
      return;
    }
    const int64_t half = n / 2;
    transform(in, 2 * step, out, half);
    transform(in + step, 2 * step, out + half, half);
    for (int64_t k = 0; k < half; ++k) {
      const Complex even = out[k], odd = root(k * spread) * out[k + half];
      out[k] = even + odd;
      out[k + half] = even - odd;
    }
  }
  const Complex& root(int64_t k) const { return roots_[static_cast<size_t>(k)]; }

  int64_t n_;
  std::vector<Complex> roots_;
};

template <class T>
T rounded(double value) {
  return T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(value));
}

// Rows of a tensor [outer, size, inner, parts], where parts is 1 (real) or 2 (complex).
template <class T>
struct Rows {
  T* data;
  int64_t size, inner, parts;
  T* at(int64_t row, int64_t i) const { return data + ((row / inner * size + i) * inner + row % inner) * parts; }
  Complex load(int64_t row, int64_t i) const {
    const T* value = at(row, i);
    return {static_cast<double>(value[0]), parts == 2 ? static_cast<double>(value[1]) : 0.0};
  }
  void store(int64_t row, int64_t i, const Complex& value) const {
    using Element = std::remove_const_t<T>;
    at(row, i)[0] = rounded<Element>(value.real());
    if (parts == 2) at(row, i)[1] = rounded<Element>(value.imag());
  }
};

struct Transform {
  int64_t length;
  bool inverse, onesided;
};

template <class T>
void transform_rows(const Transform& dft, const Rows<const T>& from, const Rows<T>& to, int64_t count,
                    Parallel& parallel) {
  const Fourier fourier(dft.length, dft.inverse);
  const bool from_one_side = dft.inverse && dft.onesided;
  const double scale = dft.inverse ? 1.0 / static_cast<double>(dft.length) : 1.0;
  parallel.ranges(count, 1, [&](int64_t begin, int64_t end) {
    std::vector<Complex> in(static_cast<size_t>(dft.length)), out(in.size());
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = 0; i < dft.length; ++i) {
        // The other side of a real signal's spectrum mirrors the given one.
        const bool mirrored = from_one_side && i > dft.length / 2;
        const int64_t at = mirrored ? dft.length - i : i;
        const Complex value = at < from.size ? from.load(row, at) : Complex(0);
        in[static_cast<size_t>(i)] = mirrored ? std::conj(value) : value;
      }
      // What a real signal cannot have is dropped.
      if (from_one_side) {
        in[0] = in[0].real();
        if (dft.length % 2 == 0) in[in.size() / 2] = in[in.size() / 2].real();
      }
      fourier.transform(in.data(), out.data());
      for (int64_t i = 0; i < to.size; ++i) to.store(row, i, out[static_cast<size_t>(i)] * scale);
    }
  });
}

}  // namespace

void run_dft(const Node& node, OpContext& context) {
  const Tensor& x = context.input(0);
  Transform dft{0, node.attr<int64_t>("inverse") != 0, node.attr<int64_t>("onesided") != 0};
  int64_t axis = context.has_input(2) ? scalar_int(context.input(2)) : -2;
  if (axis < 0) axis += x.rank();
  require(axis >= 0 && axis < x.rank() - 1, Code::kInvalidArgument, "axis ", axis, " found in a tensor of rank ",
          x.rank());
  const int64_t size = x.dim(static_cast<int>(axis));
  dft.length = context.has_input(1)          ? scalar_int(context.input(1))
               : dft.inverse && dft.onesided ? 2 * (size - 1)
                                             : size;
  require(dft.length > 0, Code::kInvalidArgument, "dft_length is ", dft.length, ", expected at least 1");
  Shape shape = x.shape();
  const size_t at = static_cast<size_t>(axis);
  shape[at] = dft.onesided && !dft.inverse ? dft.length / 2 + 1 : dft.length;
  shape.back() = dft.inverse && dft.onesided ? 1 : 2;
  Tensor& out = output_of_shape(context, 0, x.dtype(), shape);
  const int64_t inner = elems_between(shape, at + 1, shape.size() - 1);
  dispatch_floating(x.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    transform_rows<T>(dft, {x.data<T>(), size, inner, x.shape().back()},
                      {out.data<T>(), shape[at], inner, shape.back()}, elems_between(shape, 0, at) * inner,
                      context.parallel);
  });
}

namespace {

struct Frames {
  int64_t step, length, count, bins;
};

template <class T>
void short_time_transform(const Frames& frames, OpContext& context, Tensor* result) {
  const Tensor& signal = context.input(0);
  const T* window = context.has_input(2) ? context.input(2).data<T>() : nullptr;
  const Rows<const T> from{signal.data<T>(), signal.dim(1), 1, signal.dim(2)};
  const Rows<T> to{result->data<T>(), frames.bins, 1, 2};
  const Fourier fourier(frames.length, false);
  context.parallel.ranges(signal.dim(0) * frames.count, 1, [&](int64_t begin, int64_t end) {
    std::vector<Complex> in(static_cast<size_t>(frames.length)), out(in.size());
    for (int64_t frame = begin; frame < end; ++frame) {
      const int64_t first = frame % frames.count * frames.step;
      for (int64_t i = 0; i < frames.length; ++i) {
        const Complex value = from.load(frame / frames.count, first + i);
        in[static_cast<size_t>(i)] = window ? value * static_cast<double>(window[i]) : value;
      }
      fourier.transform(in.data(), out.data());
      for (int64_t i = 0; i < frames.bins; ++i) to.store(frame, i, out[static_cast<size_t>(i)]);
    }
  });
}

}  // namespace

void run_stft(const Node& node, OpContext& context) {
  const Tensor& signal = context.input(0);
  Frames frames{};
  frames.step = scalar_int(context.input(1));
  const bool has_window = context.has_input(2);
  frames.length = context.has_input(3) ? scalar_int(context.input(3))
                  : has_window         ? context.input(2).dim(0)
                                       : signal.dim(1);
  require(frames.step > 0 && frames.length > 0 && frames.length <= signal.dim(1), Code::kInvalidArgument, "frames of ",
          frames.length, " with a step of ", frames.step, " found in a signal of ", signal.dim(1));
  if (has_window && context.input(2).dim(0) != frames.length) {
    fail(Code::kInvalidArgument, "the window has ", context.input(2).dim(0), " elements, the frames ", frames.length);
  }
  frames.count = (signal.dim(1) - frames.length) / frames.step + 1;
  frames.bins = node.attr<int64_t>("onesided") != 0 ? frames.length / 2 + 1 : frames.length;
  Tensor& out = output_of_shape(context, 0, signal.dtype(), {signal.dim(0), frames.count, frames.bins, 2});
  dispatch_floating(signal.dtype(),
                    [&](auto tag) { short_time_transform<typename decltype(tag)::type>(frames, context, &out); });
}

}  // namespace neural_engine
