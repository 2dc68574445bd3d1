// Random numbers by position: number i of a stream is a function of the key and i alone, so that the threads that make
// a tensor need not agree on an order.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

namespace neural_engine {

class RandomStream {
 public:
  // The same seed gives the same numbers, in every run.
  explicit RandomStream(uint64_t seed) : key_(mix(seed + kOdd)) {}

  // Seeded by the operating system.
  static RandomStream fresh() {
    std::random_device device;
    const uint64_t high = device();
    return RandomStream(high << 32 | device());
  }

  uint64_t bits(int64_t i) const { return mix(key_ + static_cast<uint64_t>(i) * kOdd); }
  // In [0, 1), all 53 bits of a double.
  double uniform(int64_t i) const { return static_cast<double>(bits(i) >> 11) * 0x1p-53; }
  // Of mean 0 and deviation 1, by Box and Muller; the logarithm's argument is in (0, 1].
  double normal(int64_t i) const {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(2 * i)));
    return radius * std::cos(2 * 3.14159265358979323846 * uniform(2 * i + 1));
  }

 private:
  static constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 over the golden ratio: consecutive inputs lie far apart

  // SplitMix64's finalizer (Steele, Lea, Flood 2014): every input bit changes half of the output bits.
  static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  uint64_t key_;
};

}  // namespace neural_engine
