// Pooling of regions of interest: RoiAlign samples between pixels, MaxRoiPool takes whole pixels.
#include <algorithm>
#include <cmath>

#include "base/checked.h"
#include "base/dtype.h"
#include "executor/ops/image_run.h"
#include "executor/ops/run_helpers.h"

namespace neural_engine {

namespace {

constexpr int64_t kMaxSamples = 1 << 20;

// A sample by bilinear interpolation: four pixels and their weights; all zero outside the image.
struct Sample {
  int64_t offset[4] = {0, 0, 0, 0};
  double weight[4] = {0, 0, 0, 0};
};

// The pixels around x, and the share of the upper one.
struct Neighbours {
  int64_t low, high;
  double share;
};

Neighbours neighbours(double x, int64_t size) {
  x = std::max(x, 0.0);
  const int64_t low = static_cast<int64_t>(x);
  if (low >= size - 1) return {size - 1, size - 1, 0};
  return {low, low + 1, x - static_cast<double>(low)};
}

Sample sample_at(double y, double x, int64_t height, int64_t width) {
  const bool inside = y >= -1 && y <= static_cast<double>(height) && x >= -1 && x <= static_cast<double>(width);
  if (!inside) return {};
  const Neighbours v = neighbours(y, height), h = neighbours(x, width);
  return {{v.low * width + h.low, v.low * width + h.high, v.high * width + h.low, v.high * width + h.high},
          {(1 - v.share) * (1 - h.share), (1 - v.share) * h.share, v.share * (1 - h.share), v.share * h.share}};
}

// Along one axis: where a region begins, the size of an output bin, and its samples.
struct BinAxis {
  double start, bin;
  int64_t samples;
};

BinAxis bin_axis(double start, double end, int64_t bins, int64_t sampling_ratio, bool half_pixel) {
  double length = end - start;
  if (!half_pixel) length = std::max(length, 1.0);  // malformed regions become 1 x 1
  const double bin = length / static_cast<double>(bins);
  // Bounded, because a region from a file may be of any size.
  if (!(std::abs(bin) < 1e6)) fail(Code::kInvalidData, "a region from ", start, " to ", end, " cannot be sampled");
  return {start, bin, sampling_ratio > 0 ? sampling_ratio : std::max<int64_t>(0, static_cast<int64_t>(std::ceil(bin)))};
}

double position(const BinAxis& axis, int64_t bin, int64_t sample) {
  return axis.start + static_cast<double>(bin) * axis.bin +
         (static_cast<double>(sample) + 0.5) * axis.bin / static_cast<double>(axis.samples);
}

template <class T>
double average(const T* image, const std::vector<Sample>& samples) {
  double sum = 0;
  for (const Sample& sample : samples) {
    for (int i = 0; i < 4; ++i) sum += sample.weight[i] * static_cast<double>(image[sample.offset[i]]);
  }
  return sum / static_cast<double>(std::max<size_t>(samples.size(), 1));
}

// As the operator defines it: of the weighted pixels, not of the interpolated samples.
template <class T>
double maximum(const T* image, const std::vector<Sample>& samples) {
  double result = samples.empty() ? 0 : -INFINITY;
  for (const Sample& sample : samples) {
    for (int i = 0; i < 4; ++i) {
      result = std::max(result, sample.weight[i] * static_cast<double>(image[sample.offset[i]]));
    }
  }
  return result;
}

int64_t checked_batch(int64_t batch, int64_t batches, int64_t region) {
  require(batch >= 0 && batch < batches, Code::kInvalidData, "batch index ", batch, " of region ", region,
          " is outside [0,", batches, ")");
  return batch;
}

struct Region {
  int64_t batch;
  BinAxis y, x;
};

template <class T>
std::vector<Region> read_regions(const Node& node, const OpContext& op) {
  const double scale = static_cast<double>(node.attr<float>("spatial_scale"));
  const bool half_pixel = node.attr<std::string>("coordinate_transformation_mode") == "half_pixel";
  const int64_t ratio = node.attr<int64_t>("sampling_ratio");
  const Tensor& dst = op.output(0);
  std::vector<Region> regions;
  for (int64_t i = 0; i < dst.dim(0); ++i) {
    const T* corners = op.input(1).data<T>() + i * 4;
    const auto corner = [&](int k) { return static_cast<double>(corners[k]) * scale - (half_pixel ? 0.5 : 0); };
    regions.push_back({checked_batch(op.input(2).data<int64_t>()[i], op.input(0).dim(0), i),
                       bin_axis(corner(1), corner(3), dst.dim(2), ratio, half_pixel),
                       bin_axis(corner(0), corner(2), dst.dim(3), ratio, half_pixel)});
    int64_t samples = 0;
    require(checked_mul(regions.back().y.samples, regions.back().x.samples, &samples) && samples <= kMaxSamples,
            Code::kUnsupported, "region ", i, " needs more than ", kMaxSamples, " samples per bin");
  }
  return regions;
}

template <class T>
void align_region(const Region& region, bool average_mode, const Tensor& src, T* dst, const Shape& out) {
  const int64_t height = src.dim(2), width = src.dim(3), channels = src.dim(1);
  std::vector<Sample> samples;
  for (int64_t bin = 0; bin < out[2] * out[3]; ++bin) {
    samples.clear();
    for (int64_t i = 0; i < region.y.samples; ++i) {
      for (int64_t j = 0; j < region.x.samples; ++j) {
        samples.push_back(
            sample_at(position(region.y, bin / out[3], i), position(region.x, bin % out[3], j), height, width));
      }
    }
    for (int64_t c = 0; c < channels; ++c) {
      const T* image = src.data<T>() + (region.batch * channels + c) * height * width;
      const double value = average_mode ? average(image, samples) : maximum(image, samples);
      dst[c * out[2] * out[3] + bin] = static_cast<T>(value);
    }
  }
}

// Pixels of one bin of MaxRoiPool along one axis.
struct PixelRange {
  int64_t begin, end;
};

PixelRange bin_pixels(double first, double last, int64_t bin, int64_t bins, int64_t size) {
  // Both ends belong to the region, and it is at least one pixel.
  const double start = std::round(first), length = std::max(std::round(last) - start + 1, 1.0);
  const double step = length / static_cast<double>(bins), index = static_cast<double>(bin);
  const auto pixel = [&](double x) {
    return static_cast<int64_t>(std::clamp(x + start, 0.0, static_cast<double>(size)));
  };
  return {pixel(std::floor(index * step)), pixel(std::ceil((index + 1) * step))};
}

template <class T>
void pool_region(const T* corners, double scale, const T* image, const Shape& in, T* dst, const Shape& out) {
  const auto corner = [&](int k) { return static_cast<double>(corners[k]) * scale; };
  for (int64_t bin = 0; bin < out[2] * out[3]; ++bin) {
    const PixelRange rows = bin_pixels(corner(2), corner(4), bin / out[3], out[2], in[2]);
    const PixelRange columns = bin_pixels(corner(1), corner(3), bin % out[3], out[3], in[3]);
    const bool empty = rows.end <= rows.begin || columns.end <= columns.begin;
    for (int64_t c = 0; c < in[1]; ++c) {
      const T* plane = image + c * in[2] * in[3];
      T best = empty ? T(0.0f) : plane[rows.begin * in[3] + columns.begin];
      for (int64_t y = rows.begin; !empty && y < rows.end; ++y) {
        for (int64_t x = columns.begin; x < columns.end; ++x) best = std::max<T>(best, plane[y * in[3] + x]);
      }
      dst[c * out[2] * out[3] + bin] = best;
    }
  }
}

}  // namespace

void run_roi_align(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  if (dst.elems() == 0) return;
  require(elems_between(src.shape(), 2) > 0, Code::kInvalidData, "an image of shape ", to_string(src.shape()),
          " has no pixels to sample");
  const bool average_mode = node.attr<std::string>("mode") == "avg";
  dispatch_floating(src.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::vector<Region> regions = read_regions<T>(node, op);
    op.parallel.ranges(dst.dim(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        align_region<T>(regions[static_cast<size_t>(i)], average_mode, src,
                        dst.data<T>() + i * elems_between(dst.shape(), 1), dst.shape());
      }
    });
  });
}

void run_max_roi_pool(const Node& node, OpContext& op) {
  define_outputs(node, op);
  const Tensor& src = op.input(0);
  Tensor& dst = op.output(0);
  const double scale = static_cast<double>(node.attr<float>("spatial_scale"));
  dispatch_floating(src.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* regions = op.input(1).data<T>();
    for (int64_t i = 0; i < dst.dim(0); ++i) {
      for (int64_t k = 0; k < 5; ++k) {
        const double value = static_cast<double>(regions[i * 5 + k]);
        require(std::abs(value) < 1e9, Code::kInvalidData, "region ", i, " holds ", value);
      }
      checked_batch(static_cast<int64_t>(static_cast<double>(regions[i * 5])), src.dim(0), i);
    }
    op.parallel.ranges(dst.dim(0), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* region = regions + i * 5;
        const int64_t batch = static_cast<int64_t>(static_cast<double>(region[0]));
        pool_region<T>(region, scale, src.data<T>() + batch * elems_between(src.shape(), 1), src.shape(),
                       dst.data<T>() + i * elems_between(dst.shape(), 1), dst.shape());
      }
    });
  });
}

}  // namespace neural_engine
