#include "models/tokenizer/aligned_text.h"

#include <limits>

#include "base/error.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {

AlignedText AlignedText::from_utf8(std::string_view text) {
  if (text.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    fail(Code::kInvalidArgument, "a text of ", text.size(), " bytes, at most 2147483647 are supported");
  }
  AlignedText out;
  out.reserve(text.size());
  for (uint32_t at = 0; at < text.size();) {
    char32_t c;
    const uint32_t taken = utf8::decode(text, at, &c);
    out.push_back(c, {at, at + taken});
    at += taken;
  }
  return out;
}

AlignedText AlignedText::slice(size_t begin, size_t end) const {
  AlignedText out;
  out.append(*this, begin, end);
  return out;
}

void AlignedText::append(const AlignedText& other) { append(other, 0, other.size()); }

void AlignedText::append(const AlignedText& other, size_t begin, size_t end) {
  chars.append(other.chars, begin, end - begin);
  origin.insert(origin.end(), other.origin.begin() + static_cast<int64_t>(begin),
                other.origin.begin() + static_cast<int64_t>(end));
}

}  // namespace neural_engine
