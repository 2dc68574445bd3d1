// Dense f32 panels: the layout that vector kernels read B in.
//
//   B[K,N] -> panels of `width` columns, each [K][width], the last one padded with zeros.
#pragma once

#include <cstdint>

namespace neural_engine::pack {

struct PanelShape {
  int64_t k = 0, n = 0;
  int width = 16;

  int64_t panels() const noexcept { return (n + width - 1) / width; }
  int64_t panel_elems() const noexcept { return k * width; }
  int64_t bytes() const noexcept { return panels() * panel_elems() * int64_t{sizeof(float)}; }
};

// Writes one panel. B is [K,N] with leading dimension ldb, or [N,K] when transposed; it may lie at any address.
void panel(const float* b, int64_t ldb, bool transposed, const PanelShape& shape, int64_t index, float* dst);

// Writes kGroupPanels panels, or what is left of them, one after the other: B is then read along its rows, some lines
// at a time, where a single panel takes one line from each row's page.
inline constexpr int64_t kGroupPanels = 8;
void panel_group(const float* b, int64_t ldb, bool transposed, const PanelShape& shape, int64_t group, float* dst);

}  // namespace neural_engine::pack
