// numpy's broadcasting: a walk over the output in pieces, along each of which every operand either repeats one element
// or advances by one.
#pragma once

#include <cstdint>
#include <vector>

#include "base/function_ref.h"
#include "executor/ops/strides.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class Broadcast {
 public:
  // Consecutive elements of the output, and where the operands' elements for them begin (all in elements).
  struct Piece {
    int64_t out;
    int64_t count;
    const int64_t* in;
  };

  // Operands of these shapes, broadcast to `out` (a broadcast of them: kInvalidModel where it is not).
  Broadcast(const std::vector<Shape>& operands, const Shape& out);

  int64_t elems() const { return elems_; }
  int operands() const { return static_cast<int>(strides_.size()); }
  // How far operand k moves from one element of a piece to the next: 1, or 0 where it repeats.
  int64_t step(int k) const { return strides_[static_cast<size_t>(k)].back(); }

  // The output's dimensions after merging those that no operand tells apart (at least one), and an operand's strides
  // over them. Same shapes and scalars have one dimension, a row or column vector two.
  const Shape& dims() const { return dims_; }
  const std::vector<int64_t>& strides(int k) const { return strides_[static_cast<size_t>(k)]; }

  // The pieces of output elements [begin, end), each of at most `limit`.
  void walk(int64_t begin, int64_t end, int64_t limit, FunctionRef<void(const Piece&)> body) const;

 private:
  Shape dims_;
  std::vector<std::vector<int64_t>> strides_;  // [operand][dimension]
  int64_t elems_ = 1;
};

}  // namespace neural_engine
