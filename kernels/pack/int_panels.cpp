#include "kernels/pack/int_panels.h"

#include <algorithm>
#include <cstring>

namespace neural_engine::pack {

void int_panel(const uint8_t* b, int64_t ldb, bool transposed, uint8_t flip, const IntPanelShape& shape, int64_t index,
               int8_t* dst) {
  const int64_t width = shape.width, group = shape.group;
  const int64_t n0 = index * width, columns = std::min(width, shape.n - n0);
  std::memset(dst, 0, static_cast<size_t>(shape.panel_bytes()));
  const int64_t k_step = transposed ? 1 : ldb, n_step = transposed ? ldb : 1;
  const uint8_t* src = b + n0 * n_step;
  auto* sums = reinterpret_cast<int32_t*>(dst + shape.element_bytes());
  for (int64_t k = 0; k < shape.k; ++k) {
    int8_t* row = dst + k / group * width * group + k % group;
    for (int64_t j = 0; j < columns; ++j) {
      row[j * group] = static_cast<int8_t>(src[k * k_step + j * n_step] ^ flip);
      sums[j] += row[j * group];
    }
  }
}

}  // namespace neural_engine::pack
