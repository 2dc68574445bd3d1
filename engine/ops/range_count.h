// The number of elements of ONNX's Range.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

namespace neural_engine {

// max(ceil((limit - start) / delta), 0); -1 when there is no such finite number (delta is 0, an operand is NaN, or the
// count does not fit).
template <class T>
int64_t range_count(T start, T limit, T delta) {
  if constexpr (std::is_integral_v<T>) {
    if (delta == 0) return -1;
    __extension__ using Wide = __int128;  // limit - start may not fit 64 bits
    const Wide distance = static_cast<Wide>(limit) - static_cast<Wide>(start), step = static_cast<Wide>(delta);
    if (distance == 0 || (distance > 0) != (step > 0)) return 0;
    const Wide count = (distance + step + (step > 0 ? -1 : 1)) / step;
    return count > INT64_MAX ? -1 : static_cast<int64_t>(count);
  } else {
    const double count =
        std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    if (!(count < 9e18)) return -1;
    return count > 0 ? static_cast<int64_t>(count) : 0;
  }
}

}  // namespace neural_engine
