#include "models/tokenizer/encoding.h"

#include <algorithm>

#include "base/error.h"

namespace neural_engine {
namespace {

template <class T>
void pad_vector(std::vector<T>& values, size_t count, Side side, T value) {
  values.insert(side == Side::kLeft ? values.begin() : values.end(), count, value);
}

template <class T>
std::vector<T> slice_of(const std::vector<T>& values, size_t begin, size_t end) {
  if (values.empty()) return {};
  return std::vector<T>(values.begin() + static_cast<int64_t>(begin), values.begin() + static_cast<int64_t>(end));
}

}  // namespace

void pad(Encoding& encoding, int64_t length, const Padding& padding, int64_t pad_id) {
  if (static_cast<int64_t>(encoding.size()) >= length) return;
  const size_t count = static_cast<size_t>(length) - encoding.size();
  pad_vector(encoding.ids, count, padding.side, pad_id);
  pad_vector(encoding.type_ids, count, padding.side, padding.pad_type_id);
  pad_vector(encoding.attention_mask, count, padding.side, int64_t{0});
  pad_vector(encoding.offsets, count, padding.side, Span{});
  pad_vector(encoding.sequence_ids, count, padding.side, -1);
  pad_vector(encoding.word_ids, count, padding.side, -1);
}

TokenSequence TokenSequence::slice(size_t begin, size_t end) const {
  return {slice_of(ids, begin, end), slice_of(offsets, begin, end), slice_of(word_ids, begin, end),
          slice_of(spaces, begin, end)};
}

std::vector<TokenRange> windows(size_t size, size_t length, size_t stride, Side side) {
  if (size <= length) return {{0, size}};
  if (length == 0) return {{0, 0}};
  if (stride >= length) {
    fail(Code::kInvalidArgument, "a stride of ", stride, " tokens in windows of ", length,
         " (max_length less the special tokens), expected a smaller stride");
  }
  std::vector<TokenRange> out;
  for (size_t done = 0;; done += length - stride) {
    const size_t end = std::min(done + length, size);
    out.push_back(side == Side::kRight ? TokenRange{done, end} : TokenRange{size - end, size - done});
    if (end == size) return out;
  }
}

Lengths truncated_lengths(size_t first, std::optional<size_t> second, size_t limit, TruncationStrategy strategy) {
  const size_t total = first + second.value_or(0);
  if (total <= limit) return {first, second.value_or(0)};
  if (limit == 0) return {0, 0};
  const size_t excess = total - limit;
  const auto shorten = [&](size_t length, const char* name) {
    if (length <= excess) {
      fail(Code::kInvalidArgument, "cannot cut ", excess, " tokens from the ", name, " text, which has ", length);
    }
    return length - excess;
  };
  if (strategy == TruncationStrategy::kOnlyFirst) return {shorten(first, "first"), second.value_or(0)};
  if (strategy == TruncationStrategy::kOnlySecond) {
    if (!second) fail(Code::kInvalidArgument, "truncation of the second text only, but there is one text");
    return {first, shorten(*second, "second")};
  }
  if (!second) return {limit, 0};
  // The shorter one stays whole if it leaves the longer one at least as much; else both get half.
  const size_t shorter = std::min(first, *second);
  size_t low = shorter;
  size_t high = shorter > limit ? shorter : std::max(shorter, limit - shorter);
  if (low + high > limit) {
    low = limit / 2;
    high = low + limit % 2;
  }
  return first > *second ? Lengths{high, low} : Lengths{low, high};
}

}  // namespace neural_engine
