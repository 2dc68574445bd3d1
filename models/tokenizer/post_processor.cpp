#include "models/tokenizer/post_processor.h"

#include <algorithm>

namespace neural_engine {
namespace {

Span trimmed(const TokenSequence& tokens, size_t i, bool add_prefix_space) {
  Span span = tokens.offsets[i];
  const Spaces& spaces = tokens.spaces[i];
  // The one space before the first word is likely the one that was added: it is in no text.
  const bool is_first = i == 0 || span.begin == 0;
  const bool keeps = is_first && add_prefix_space && spaces.leading == 1;
  if (!keeps) span.begin += spaces.leading_bytes;
  span.end = std::max(span.end - std::min(span.end, spaces.trailing_bytes), span.begin);
  return span;
}

}  // namespace

int64_t PostProcessor::added_tokens(bool is_pair) const {
  int64_t count = 0;
  for (const TemplatePart& part : is_pair ? pair : single) count += static_cast<int64_t>(part.ids.size());
  return count;
}

Encoding PostProcessor::apply(const TokenSequence& first, const TokenSequence* second, bool add_special_tokens) const {
  Encoding out;
  for (const TemplatePart& part : second != nullptr ? pair : single) {
    if (part.sequence < 0) {
      if (!add_special_tokens) continue;
      for (const int64_t id : part.ids) out.push_back(id, part.type_id, {}, -1, -1);
      continue;
    }
    const TokenSequence& tokens = part.sequence == 0 ? first : *second;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const Span span = trim_offsets ? trimmed(tokens, i, add_prefix_space) : tokens.offsets[i];
      out.push_back(tokens.ids[i], part.type_id, span, part.sequence, tokens.word_ids[i]);
    }
  }
  return out;
}

}  // namespace neural_engine
