// What tests know of the sanitizers that watch them.
#pragma once

namespace neural_engine {

#ifdef NE_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// True for most of the cases of a sweep that a sanitizer watches: it looks for other faults than wrong numbers, and one
// case in eight walks the same code. Every case counts without one.
inline bool left_out() {
  static unsigned cases = 0;
  return kSanitized && cases++ % 8 != 0;
}

}  // namespace neural_engine
