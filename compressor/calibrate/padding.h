// Which numbers of a value belong to padding. A mask input [batch, sequence] says which tokens are real; the axes of
// other values are recognised by their dimensions: the same symbol means the same axis.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/function_ref.h"
#include "ir/graph.h"

namespace neural_engine {

// Where a value has the batch and the sequence.
struct TokenAxes {
  int batch = -1;             // 0, or -1: the value has no rows of its own per token and is observed whole
  std::vector<int> sequence;  // one, or two for attention scores
  bool flat = false;          // the first axis is batch * sequence
  bool any() const { return flat || (batch >= 0 && !sequence.empty()); }
};

class PaddingMask {
 public:
  // `name`: of the mask input; when the graph has no such input of rank 2, nothing is padding.
  PaddingMask(const Graph& graph, const std::string& name);

  bool exists() const { return input_ >= 0; }
  TokenAxes axes_of(const Facts& value) const;

  // The mask of one run. Other than zero is a real token.
  void set(std::span<const Tensor> inputs);
  // Calls `visit` with consecutive numbers of the tensor, whole rows of the last axis unless that is the sequence,
  // leaving padding out.
  void visit(const Tensor& tensor, const TokenAxes& axes, FunctionRef<void(const float*, int64_t)> visit) const;

 private:
  bool is_real(int64_t row, int64_t token) const { return real_[static_cast<size_t>(row * tokens_ + token)]; }

  int input_ = -1;
  SymShape shape_;  // of the mask
  std::vector<bool> real_;
  int64_t rows_ = 0, tokens_ = 0;
};

}  // namespace neural_engine
