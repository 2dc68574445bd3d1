#include "executor/ops/broadcast.h"

#include <algorithm>

#include "base/error.h"

namespace neural_engine {

namespace {

// The operand's strides over the output's dimensions: 0 along those that it repeats.
std::vector<int64_t> spread(const Shape& operand, const Shape& out) {
  require(operand.size() <= out.size(), Code::kInvalidModel, "cannot broadcast ", to_string(operand), " to ",
          to_string(out));
  const size_t offset = out.size() - operand.size();
  std::vector<int64_t> strides(out.size(), 0);
  const std::vector<int64_t> dense = dense_strides(operand);
  for (size_t i = 0; i < operand.size(); ++i) {
    require(operand[i] == out[i + offset] || operand[i] == 1, Code::kInvalidModel, "cannot broadcast ",
            to_string(operand), " to ", to_string(out));
    if (operand[i] != 1) strides[i + offset] = dense[i];
  }
  return strides;
}

}  // namespace

Broadcast::Broadcast(const std::vector<Shape>& operands, const Shape& out) {
  std::vector<std::vector<int64_t>> full;
  for (const Shape& operand : operands) full.push_back(spread(operand, out));
  strides_.resize(operands.size());
  for (int64_t dim : out) elems_ *= dim;
  // From the innermost outwards: a dimension joins the one inside it when every operand goes through both in one step.
  for (size_t i = out.size(); i-- > 0;) {
    if (out[i] == 1) continue;
    bool joins = !dims_.empty();
    for (size_t k = 0; joins && k < full.size(); ++k) joins = full[k][i] == strides_[k].back() * dims_.back();
    if (joins) {
      dims_.back() *= out[i];
      continue;
    }
    dims_.push_back(out[i]);
    for (size_t k = 0; k < full.size(); ++k) strides_[k].push_back(full[k][i]);
  }
  if (dims_.empty()) {
    dims_ = {1};
    for (std::vector<int64_t>& strides : strides_) strides = {0};
  }
  std::reverse(dims_.begin(), dims_.end());
  for (std::vector<int64_t>& strides : strides_) std::reverse(strides.begin(), strides.end());
}

void Broadcast::walk(int64_t begin, int64_t end, int64_t limit, FunctionRef<void(const Piece&)> body) const {
  if (begin >= end) return;
  // Operators have few operands; a long variadic one pays an allocation per range, not per piece.
  constexpr size_t kInline = 4;
  int64_t inline_offsets[kInline] = {};
  std::vector<int64_t> more_offsets(strides_.size() > kInline ? strides_.size() : 0);
  int64_t* const offsets = more_offsets.empty() ? inline_offsets : more_offsets.data();

  const int64_t row = dims_.back();
  for (int64_t at = begin; at < end;) {
    // Rows are long where speed counts, so the indices are found by division anew for each.
    int64_t rest = at / row;
    const int64_t column = at % row;
    for (size_t k = 0; k < strides_.size(); ++k) offsets[k] = column * strides_[k].back();
    for (size_t i = dims_.size() - 1; i-- > 0; rest /= dims_[i]) {
      const int64_t index = rest % dims_[i];
      for (size_t k = 0; k < strides_.size(); ++k) offsets[k] += index * strides_[k][i];
    }
    const int64_t row_end = std::min(at - column + row, end);
    while (at < row_end) {
      const int64_t count = std::min(limit, row_end - at);
      body({at, count, offsets});
      at += count;
      for (size_t k = 0; k < strides_.size(); ++k) offsets[k] += count * strides_[k].back();
    }
  }
}

}  // namespace neural_engine
