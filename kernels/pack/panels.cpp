#include "kernels/pack/panels.h"

#include <emmintrin.h>
#include <xmmintrin.h>

#include <algorithm>
#include <cstring>

namespace neural_engine::pack {
namespace {

// dst[j][i] = src[i][j] for 4 x 4 floats: SSE, which every x86-64 has.
void transpose4(const float* src, int64_t ld_src, float* dst, int64_t ld_dst) {
  __m128 r0 = _mm_loadu_ps(src), r1 = _mm_loadu_ps(src + ld_src);
  __m128 r2 = _mm_loadu_ps(src + 2 * ld_src), r3 = _mm_loadu_ps(src + 3 * ld_src);
  _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
  _mm_storeu_ps(dst, r0);
  _mm_storeu_ps(dst + ld_dst, r1);
  _mm_storeu_ps(dst + 2 * ld_dst, r2);
  _mm_storeu_ps(dst + 3 * ld_dst, r3);
}

// dst[j][i] = src[i][j] for `rows` x `cols`.
void transpose(const float* src, int64_t ld_src, int64_t rows, int64_t cols, float* dst, int64_t ld_dst) {
  const int64_t rows4 = rows / 4 * 4, cols4 = cols / 4 * 4;
  for (int64_t j = 0; j < cols4; j += 4)
    for (int64_t i = 0; i < rows4; i += 4) transpose4(src + i * ld_src + j, ld_src, dst + j * ld_dst + i, ld_dst);
  for (int64_t j = 0; j < cols; ++j)
    for (int64_t i = j < cols4 ? rows4 : 0; i < rows; ++i)
      std::memcpy(dst + j * ld_dst + i, src + i * ld_src + j, sizeof(float));
}

}  // namespace

void panel(const float* b, int64_t ldb, bool transposed, const PanelShape& shape, int64_t index, float* dst) {
  const int64_t n0 = index * shape.width;
  const int64_t columns = std::min<int64_t>(shape.width, shape.n - n0);
  if (columns < shape.width) std::memset(dst, 0, static_cast<size_t>(shape.panel_elems()) * sizeof(float));
  if (transposed) return transpose(b + n0 * ldb, ldb, columns, shape.k, dst, shape.width);
  for (int64_t k = 0; k < shape.k; ++k)
    std::memcpy(dst + k * shape.width, b + k * ldb + n0, static_cast<size_t>(columns) * sizeof(float));
}

void panel_group(const float* b, int64_t ldb, bool transposed, const PanelShape& shape, int64_t group, float* dst) {
  const int64_t first = group * kGroupPanels, last = std::min(first + kGroupPanels, shape.panels());
  const bool whole = last * shape.width <= shape.n && last - first == kGroupPanels && shape.width % 4 == 0;
  if (transposed || !whole) {
    for (int64_t i = first; i < last; ++i) panel(b, ldb, transposed, shape, i, dst + (i - first) * shape.panel_elems());
    return;
  }
  for (int64_t k = 0; k < shape.k; ++k) {
    const float* row = b + k * ldb + first * shape.width;
    for (int64_t i = 0; i < kGroupPanels; ++i) {
      float* to = dst + i * shape.panel_elems() + k * shape.width;
      for (int j = 0; j < shape.width; j += 4) _mm_storeu_ps(to + j, _mm_loadu_ps(row + j));
      row += shape.width;
    }
  }
}

}  // namespace neural_engine::pack
