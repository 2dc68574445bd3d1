// Panels of 8-bit B for products of pairs of 16-bit numbers:
//
//   B[K,N] -> panels of 16 columns, each [k_padded / 2][16][2], zeros where B ends
#pragma once

#include <cstdint>

namespace neural_engine::pack {

struct IntPanelShape {
  static constexpr int64_t kWidth = 16;
  // Rows come in steps that generated code unrolls.
  static constexpr int64_t kStep = 8;

  int64_t k = 0, n = 0;

  int64_t k_padded() const noexcept { return (k + kStep - 1) / kStep * kStep; }
  int64_t panels() const noexcept { return (n + kWidth - 1) / kWidth; }
  int64_t panel_bytes() const noexcept { return k_padded() * kWidth; }
};

// Writes one panel. B is [K,N] with leading dimension ldb, or [N,K] when transposed.
void int_panel(const int8_t* b, int64_t ldb, bool transposed, const IntPanelShape& shape, int64_t index, int8_t* dst);

}  // namespace neural_engine::pack
