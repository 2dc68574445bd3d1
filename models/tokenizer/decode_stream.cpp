#include "models/tokenizer/decode_stream.h"

namespace neural_engine {
namespace {

// An unfinished character decodes to U+FFFD.
bool is_whole(const std::string& text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  return text.size() < kReplacement.size() ||
         text.compare(text.size() - kReplacement.size(), kReplacement.size(), kReplacement) != 0;
}

}  // namespace

std::string DecodeStream::push(int64_t id) {
  ids_.push_back(id);
  const std::string text = tokenizer_.decode(ids_, skip_special_tokens_);
  if (text.size() <= prefix_.size() || !is_whole(text)) return {};
  if (text.compare(0, prefix_.size(), prefix_) != 0) return {};
  std::string added = text.substr(prefix_.size());
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<int64_t>(prefix_ids_));
  prefix_ids_ = ids_.size();
  prefix_ = tokenizer_.decode(ids_, skip_special_tokens_);
  return added;
}

}  // namespace neural_engine
