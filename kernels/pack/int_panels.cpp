#include "kernels/pack/int_panels.h"

#include <algorithm>
#include <cstring>

namespace neural_engine::pack {

void int_panel(const int8_t* b, int64_t ldb, bool transposed, const IntPanelShape& shape, int64_t index, int8_t* dst) {
  const int64_t n0 = index * shape.kWidth, columns = std::min(shape.kWidth, shape.n - n0);
  std::memset(dst, 0, static_cast<size_t>(shape.panel_bytes()));
  const int64_t k_step = transposed ? 1 : ldb, n_step = transposed ? ldb : 1;
  const int8_t* src = b + n0 * n_step;
  for (int64_t k = 0; k < shape.k; ++k)
    for (int64_t j = 0; j < columns; ++j) dst[(k / 2 * shape.kWidth + j) * 2 + k % 2] = src[k * k_step + j * n_step];
}

}  // namespace neural_engine::pack
