// Arithmetic on sizes that come from files: overflow is an answer, not undefined behaviour.
#pragma once

#include <cstdint>

namespace neural_engine {

// False when a * b (or a + b) does not fit; *result is then unspecified.
inline bool checked_mul(int64_t a, int64_t b, int64_t* result) { return !__builtin_mul_overflow(a, b, result); }
inline bool checked_add(int64_t a, int64_t b, int64_t* result) { return !__builtin_add_overflow(a, b, result); }

}  // namespace neural_engine
