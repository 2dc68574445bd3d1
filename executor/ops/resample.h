// Interpolation weights and conversions that the resampling ops share.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace neural_engine {

// Keys' cubic convolution kernel; a is -0.5 or -0.75 by custom.
inline double cubic_weight(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

inline double linear_weight(double distance) { return std::max(0.0, 1 - std::abs(distance)); }

// From the type of the computation to that of the elements: integers are truncated, and saturate where an
// interpolation overshoots.
template <class T>
T to_element(double value) {
  if constexpr (std::is_integral_v<T>) {
    const double low = static_cast<double>(std::numeric_limits<T>::min());
    const double high = static_cast<double>(std::numeric_limits<T>::max());
    if (!(value > low)) return std::numeric_limits<T>::min();  // NaN, too
    return value < high ? static_cast<T>(value) : std::numeric_limits<T>::max();
  } else {
    return static_cast<T>(value);
  }
}

}  // namespace neural_engine
