#include "models/tokenizer/added_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "models/tokenizer/unicode.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

// Bounds the search at one position; real tokens have less than 100 characters.
constexpr size_t kMaxLength = 1024;

bool is_space(char32_t c) { return unicode::has(c, unicode::kWhitespace); }
bool is_word(char32_t c) { return unicode::has(c, unicode::kWord); }

std::u32string match_text(const AddedToken& token, const Normalizer* normalizer) {
  if (!token.normalized || normalizer == nullptr) return utf8::decode(token.content);
  AlignedText text = AlignedText::from_utf8(token.content);
  normalizer->apply(text);
  return std::move(text.chars);
}

}  // namespace

void AddedTokens::Matcher::insert(std::u32string_view word, int32_t id) {
  // Two tokens can be equal once normalized; the first one counts.
  trie.insert(word, id);
  if (word.front() < 128) {
    ascii[word.front()] = true;
  } else {
    other = true;
  }
}

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary,
                         const Normalizer* normalizer) {
  // New tokens follow the vocabulary's size, not its largest id: the reference's rule.
  auto next = static_cast<int64_t>(vocabulary.size());
  for (const AddedToken& token : tokens) {
    if (token.content.empty()) fail(Code::kInvalidData, "an added token without content");
    if (token.special) specials_.insert(token.content);
    if (ids_.count(token.content) != 0) continue;
    const int32_t known = vocabulary.find(token.content);
    const int64_t id = known >= 0 ? known : next++;
    if (id > Vocabulary::kMaxId) fail(Code::kInvalidData, "more than ", Vocabulary::kMaxId, " tokens");
    ids_.emplace(token.content, static_cast<int32_t>(id));
    by_id_[id] = token;
  }
  // Special tokens come first where two match the same text.
  for (const bool special : {true, false}) {
    for (const AddedToken& token : tokens) {
      if ((specials_.count(token.content) != 0) != special) continue;
      const std::u32string text = match_text(token, normalizer);
      if (text.empty() || text.size() > kMaxLength) {
        fail(Code::kUnsupported, "added token \"", token.content, "\" has ", text.size(),
             " characters once normalized; 1 to ", kMaxLength, " are supported");
      }
      (token.normalized ? normalized_ : raw_).insert(text, find(token.content));
    }
  }
}

// Leftmost, longest tokens; those that a rule refuses are passed over as a whole.
void AddedTokens::cut(const AlignedText& text, const Matcher& matcher, std::vector<Piece>& out) const {
  const auto size = static_cast<uint32_t>(text.size());
  uint32_t done = 0;  // the end of the last piece
  const auto add = [&](uint32_t begin, uint32_t end, int32_t token) {
    if (begin < end) out.push_back({begin, end, token});
  };
  for (uint32_t at = 0; at < size && !matcher.trie.empty();) {
    size_t length = 0;
    const int32_t id =
        matcher.may_begin(text.chars[at]) ? matcher.trie.longest(text.view(at, size), &length) : Trie::kNone;
    if (id == Trie::kNone) {
      ++at;
      continue;
    }
    uint32_t begin = at;
    uint32_t end = at + static_cast<uint32_t>(length);
    at = end;
    const AddedToken& token = by_id_.at(id);
    if (token.single_word) {
      if (begin > 0 && is_word(text.chars[begin - 1])) continue;
      if (end < size && is_word(text.chars[end])) continue;
    }
    if (token.lstrip) {
      while (begin > 0 && is_space(text.chars[begin - 1])) --begin;
      begin = std::max(begin, done);
    }
    while (token.rstrip && end < size && is_space(text.chars[end])) ++end;
    if (done < begin) add(done, begin, -1);
    add(begin, end, id);
    done = end;
  }
  add(done, size, -1);
}

Pieces AddedTokens::extract(std::string_view input, const Normalizer* normalizer) const {
  const AlignedText text = AlignedText::from_utf8(input);
  std::vector<Piece> segments;
  cut(text, raw_, segments);
  Pieces out;
  out.text.reserve(text.size());
  std::vector<Piece> parts;
  for (const Piece& segment : segments) {
    const auto base = static_cast<uint32_t>(out.text.size());
    if (segment.token >= 0) {
      out.text.append(text, segment.begin, segment.end);
      out.list.push_back({base, static_cast<uint32_t>(out.text.size()), segment.token});
      continue;
    }
    AlignedText between = text.slice(segment.begin, segment.end);
    if (normalizer != nullptr) normalizer->apply(between);
    parts.clear();
    cut(between, normalized_, parts);
    out.text.append(between);
    for (const Piece& part : parts) out.list.push_back({base + part.begin, base + part.end, part.token});
  }
  return out;
}

int32_t AddedTokens::find(std::string_view content) const {
  const auto it = ids_.find(content);
  return it == ids_.end() ? -1 : it->second;
}

const AddedToken* AddedTokens::token(int64_t id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

}  // namespace neural_engine
