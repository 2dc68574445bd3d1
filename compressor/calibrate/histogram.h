// A histogram of bounded size over numbers whose range is not known beforehand.
//
// The bins cover [-limit, limit), limit being a power of two. A number outside doubles the limit, and neighbouring bins
// are merged: their edges fall together, so nothing is estimated and the result does not depend on the order of the
// numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace neural_engine {

class Histogram {
 public:
  explicit Histogram(int bins);  // an even number

  void add(float x) {
    if (!(x < limit_ && x > -limit_)) grow(x);
    if (limit_ == 0) {
      ++zeros_;
      return;
    }
    // The product is exact, as both are scaled by powers of two; the sum with half_ would round.
    const float bin = x * bins_per_unit_;
    const int whole = static_cast<int>(bin);
    count(whole - (bin < static_cast<float>(whole) ? 1 : 0) + static_cast<int>(half_));
  }

  int bins() const { return static_cast<int>(counts_.size()); }
  float limit() const { return limit_; }  // 0: nothing but zeros
  double width() const { return limit_ / half_; }
  // Of the bin's left edge.
  double edge(int bin) const { return (bin - half_) * width(); }
  uint32_t operator[](int bin) const { return counts_[static_cast<size_t>(bin)]; }
  uint32_t zeros() const { return zeros_; }  // while limit() is 0
  size_t bytes() const { return counts_.capacity() * sizeof(uint32_t); }

 private:
  void grow(float x);
  void count(int bin) {
    // Halving keeps the proportions; it takes four billion numbers in one bin.
    if (++counts_[static_cast<size_t>(bin)] == UINT32_MAX) halve();
  }
  void halve();

  std::vector<uint32_t> counts_;
  float half_;
  float limit_ = 0;
  float bins_per_unit_ = 0;
  uint32_t zeros_ = 0;
};

}  // namespace neural_engine
