// Which scale an element of QuantizeLinear or DequantizeLinear has: one for all, one per index of an axis, or one per
// block of indices.
#pragma once

#include <algorithm>
#include <cstdint>

#include "executor/ops/axis_layout.h"

namespace neural_engine {

class QuantizeGrid {
 public:
  // Consecutive elements whose scales are one repeated element (step 0) or consecutive ones (step 1).
  struct Piece {
    int64_t count;
    int64_t scale;
    int64_t step;
  };

  // As the node's attributes and the number of scales say; the shapes have passed inference.
  static QuantizeGrid of(const Node& node, const Tensor& x, const Tensor& scale) {
    QuantizeGrid grid;
    grid.block_ = node.attr<int64_t>("block_size");
    grid.single_ = grid.block_ == 0 && scale.elems() == 1;
    if (!grid.single_) grid.layout_ = axis_layout(x.shape(), node.attr<int64_t>("axis"));
    grid.blocks_ = grid.block_ > 0 ? (grid.layout_.size + grid.block_ - 1) / grid.block_ : 0;
    const int64_t expected = grid.single_       ? 1
                             : grid.block_ == 0 ? grid.layout_.size
                                                : grid.layout_.outer * grid.blocks_ * grid.layout_.inner;
    require(scale.elems() == expected, Code::kInvalidData, "the scale has shape ", to_string(scale.shape()),
            ", expected ", expected, " elements for ", to_string(x.shape()));
    return grid;
  }

  // From `element` on, of at most `limit` elements.
  Piece piece(int64_t element, int64_t limit) const {
    if (single_) return {limit, 0, 0};
    const int64_t inner = element % layout_.inner, rest = element / layout_.inner;
    const int64_t index = rest % layout_.size, outer = rest / layout_.size;
    if (block_ == 0) {
      // Along the last axis the scales advance with the elements, else they stay for a row.
      if (layout_.inner == 1) return {std::min(limit, layout_.size - index), index, 1};
      return {std::min(limit, layout_.inner - inner), index, 0};
    }
    const int64_t first = outer * blocks_ + index / block_;
    if (layout_.inner == 1) return {std::min({limit, block_ - index % block_, layout_.size - index}), first, 0};
    return {std::min(limit, layout_.inner - inner), first * layout_.inner + inner, 1};
  }

 private:
  AxisLayout layout_;
  int64_t block_ = 0;
  int64_t blocks_ = 0;
  bool single_ = true;
};

}  // namespace neural_engine
