// Panels of 8-bit B for products of pairs of 16-bit numbers or of quadruples of 8-bit ones:
//
//   B[K,N] -> panels of `width` columns, each [k_padded / group][width][group], zeros where B ends; behind each panel
//             the sums of its columns, [width] of 32 bits
#pragma once

#include <cstdint>

namespace neural_engine::pack {

struct IntPanelShape {
  // Rows come in steps that generated code unrolls.
  static constexpr int64_t kStep = 8;

  int64_t k = 0, n = 0;
  int64_t width = 16;
  int64_t group = 2;  // rows side by side: 2 or 4

  int64_t k_padded() const noexcept { return (k + kStep - 1) / kStep * kStep; }
  int64_t panels() const noexcept { return (n + width - 1) / width; }
  int64_t element_bytes() const noexcept { return k_padded() * width; }
  // Panels start on cache lines.
  int64_t panel_bytes() const noexcept { return (element_bytes() + width * 4 + 63) / 64 * 64; }
};

// Writes one panel. B is [K,N] with leading dimension ldb, or [N,K] when transposed. Elements are xor-ed with `flip`:
// 0x80 makes u8 what is 128 less as s8.
void int_panel(const uint8_t* b, int64_t ldb, bool transposed, uint8_t flip, const IntPanelShape& shape, int64_t index,
               int8_t* dst);

}  // namespace neural_engine::pack
