// A text on its way: added tokens are cut out, the rest is normalized, cut into words, and each word given to the
// model; then truncation, special tokens, padding.
#include "models/tokenizer/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/tokenizer_parts.h"
#include "models/tokenizer/unicode.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

bool is_space(char32_t c) { return c == ByteAlphabet::kSpace || unicode::has(c, unicode::kWhitespace); }

// The white space of a token, as characters of the input from both ends of `span`. A prefix space that is in no text
// counts too, as for the reference, but never leads beyond the span.
Spaces spaces_of(std::u32string_view token, std::string_view input, Span span) {
  const auto leading = std::find_if_not(token.begin(), token.end(), is_space) - token.begin();
  const auto trailing = std::find_if_not(token.rbegin(), token.rend(), is_space) - token.rbegin();
  Spaces spaces;
  spaces.leading = static_cast<uint32_t>(leading);
  uint32_t begin = span.begin;
  for (auto i = leading; i > 0 && begin < span.end; --i) {
    char32_t c;
    begin += utf8::decode(input, begin, &c);
  }
  spaces.leading_bytes = begin - span.begin;
  // UTF-8 that is not valid can only be walked forwards.
  std::vector<uint32_t> ends;
  for (uint32_t at = span.begin; trailing > 0 && at < span.end;) {
    char32_t c;
    ends.push_back(at);
    at += utf8::decode(input, at, &c);
  }
  const size_t count = std::min(ends.size(), static_cast<size_t>(trailing));
  if (count != 0) spaces.trailing_bytes = span.end - ends[ends.size() - count];
  return spaces;
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;

TokenSequence Tokenizer::tokenize(std::string_view text) const {
  Pieces pieces = parts_->added.extract(text, parts_->normalizer.get());
  if (parts_->pre_tokenizer != nullptr) parts_->pre_tokenizer->apply(pieces);
  TokenSequence out;
  const bool trims = parts_->post_processor.trim_offsets;
  const Vocabulary& vocabulary = parts_->model->vocabulary();
  std::vector<ModelToken> tokens;
  for (size_t word = 0; word < pieces.list.size(); ++word) {
    const Piece& piece = pieces.list[word];
    const auto push = [&](int64_t id, uint32_t begin, uint32_t end) {
      out.ids.push_back(id);
      out.offsets.push_back({pieces.text.origin[begin].begin, pieces.text.origin[end - 1].end});
      out.word_ids.push_back(static_cast<int32_t>(word));
    };
    const auto push_spaces = [&](std::u32string_view token) {
      out.spaces.push_back(spaces_of(token, text, out.offsets.back()));
    };
    if (piece.token >= 0) {
      push(piece.token, piece.begin, piece.end);
      if (trims) push_spaces(pieces.view(piece));
      continue;
    }
    tokens.clear();
    parts_->model->tokenize(pieces.view(piece), tokens);
    for (const ModelToken& token : tokens) {
      push(token.id, piece.begin + token.begin, piece.begin + token.end);
      if (trims) push_spaces(utf8::decode(*vocabulary.token(token.id)));
    }
  }
  return out;
}

std::vector<Encoding> Tokenizer::rows(std::string_view text, const std::string_view* pair, const EncodeOptions& options,
                                      bool all_windows) const {
  const TokenSequence first = tokenize(text);
  const TokenSequence second = pair != nullptr ? tokenize(*pair) : TokenSequence();
  const PostProcessor& post = parts_->post_processor;
  const auto apply = [&](const TokenSequence& a, const TokenSequence& b) {
    return post.apply(a, pair != nullptr ? &b : nullptr, options.add_special_tokens);
  };
  const std::optional<Truncation>& truncation = options.truncation ? options.truncation : parts_->truncation;
  if (!truncation) return {apply(first, second)};

  const int64_t specials = options.add_special_tokens ? post.added_tokens(pair != nullptr) : 0;
  if (truncation->max_length < specials || truncation->stride < 0) {
    fail(Code::kInvalidArgument, "truncation to ", truncation->max_length, " tokens with a stride of ",
         truncation->stride, "; the special tokens alone are ", specials);
  }
  const auto limit = static_cast<size_t>(truncation->max_length - specials);
  const auto second_size = pair != nullptr ? std::optional<size_t>(second.size()) : std::nullopt;
  const Lengths lengths = truncated_lengths(first.size(), second_size, limit, truncation->strategy);
  const auto stride = static_cast<size_t>(truncation->stride);
  std::vector<TokenRange> first_windows = windows(first.size(), lengths.first, stride, truncation->side);
  std::vector<TokenRange> second_windows = windows(second.size(), lengths.second, stride, truncation->side);
  if (!all_windows) {
    first_windows.resize(1);
    second_windows.resize(1);
  }
  if (first_windows.size() > 1 && second_windows.size() > 1) {
    fail(Code::kUnsupported,
         "windows of both a text and its pair; supported are the strategies kOnlyFirst and "
         "kOnlySecond");
  }
  std::vector<Encoding> out;
  for (const TokenRange& a : first_windows) {
    for (const TokenRange& b : second_windows)
      out.push_back(apply(first.slice(a.begin, a.end), second.slice(b.begin, b.end)));
  }
  return out;
}

void Tokenizer::pad_rows(std::vector<Encoding>& rows, const std::optional<Padding>& wanted) const {
  const std::optional<Padding>& found = wanted ? wanted : parts_->padding;
  if (!found || found->strategy == PaddingStrategy::kNone || rows.empty()) return;
  const Padding& padding = *found;
  if (padding.multiple_of < 1 || padding.length < 0) {
    fail(Code::kInvalidArgument, "padding to ", padding.length, " tokens, to a multiple of ", padding.multiple_of);
  }
  int64_t length = padding.strategy == PaddingStrategy::kFixed ? padding.length : 0;
  if (padding.strategy == PaddingStrategy::kLongest) {
    for (const Encoding& row : rows) length = std::max(length, static_cast<int64_t>(row.size()));
  }
  const int64_t over = length % padding.multiple_of;
  if (over != 0) length += padding.multiple_of - over;
  const auto is_short = [&](const Encoding& row) { return static_cast<int64_t>(row.size()) < length; };
  if (std::none_of(rows.begin(), rows.end(), is_short)) return;
  const std::optional<int64_t> id = padding.pad_id ? padding.pad_id : parts_->pad_id;
  if (!id) fail(Code::kInvalidArgument, "the tokenizer has no padding token: give Padding::pad_id");
  for (Encoding& row : rows) pad(row, length, padding, *id);
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  std::vector<Encoding> out = rows(text, nullptr, options, false);
  pad_rows(out, options.padding);
  return std::move(out.front());
}

Encoding Tokenizer::encode_pair(std::string_view text, std::string_view pair, const EncodeOptions& options) const {
  std::vector<Encoding> out = rows(text, &pair, options, false);
  pad_rows(out, options.padding);
  return std::move(out.front());
}

std::vector<Encoding> Tokenizer::encode_windows(std::string_view text, const EncodeOptions& options) const {
  std::vector<Encoding> out = rows(text, nullptr, options, true);
  pad_rows(out, options.padding);
  return out;
}

std::vector<Encoding> Tokenizer::encode_pair_windows(std::string_view text, std::string_view pair,
                                                     const EncodeOptions& options) const {
  std::vector<Encoding> out = rows(text, &pair, options, true);
  pad_rows(out, options.padding);
  return out;
}

Batch Tokenizer::encode_batch(std::span<const std::string> texts, std::span<const std::string> pairs,
                              const EncodeOptions& options) const {
  if (!pairs.empty() && pairs.size() != texts.size()) {
    fail(Code::kInvalidArgument, texts.size(), " texts with ", pairs.size(), " pairs, expected none or one for each");
  }
  Batch batch;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::string_view pair = pairs.empty() ? std::string_view() : std::string_view(pairs[i]);
    batch.encodings.push_back(std::move(rows(texts[i], pairs.empty() ? nullptr : &pair, options, false).front()));
  }
  std::optional<Padding> padding = options.padding ? options.padding : parts_->padding;
  pad_rows(batch.encodings, padding ? padding : std::optional<Padding>(Padding()));
  // Rows that are longer than a fixed length make it theirs.
  if (padding && padding->strategy == PaddingStrategy::kFixed) {
    padding->strategy = PaddingStrategy::kLongest;
    pad_rows(batch.encodings, padding);
  }
  batch.rows = static_cast<int64_t>(texts.size());
  for (const Encoding& row : batch.encodings) {
    if (&row == &batch.encodings.front()) batch.columns = static_cast<int64_t>(row.size());
    if (static_cast<int64_t>(row.size()) != batch.columns) {
      fail(Code::kInvalidArgument, "rows of ", batch.columns, " and ", row.size(), " tokens without padding");
    }
    batch.ids.insert(batch.ids.end(), row.ids.begin(), row.ids.end());
    batch.type_ids.insert(batch.type_ids.end(), row.type_ids.begin(), row.type_ids.end());
    batch.attention_mask.insert(batch.attention_mask.end(), row.attention_mask.begin(), row.attention_mask.end());
  }
  return batch;
}

Batch Tokenizer::encode_batch(std::initializer_list<std::string> texts, std::initializer_list<std::string> pairs,
                              const EncodeOptions& options) const {
  return encode_batch(std::span(texts.begin(), texts.size()), std::span(pairs.begin(), pairs.size()), options);
}

std::string Tokenizer::decode(std::span<const int64_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  for (const int64_t id : ids) {
    std::optional<std::string> token = id_to_token(id);
    if (!token || (skip_special_tokens && parts_->added.is_special(*token))) continue;
    tokens.push_back(*std::move(token));
  }
  if (tokens.empty()) return {};
  parts_->decoder->apply(tokens);
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

std::optional<int64_t> Tokenizer::token_to_id(std::string_view token) const {
  const int32_t added = parts_->added.find(token);
  const int32_t id = added >= 0 ? added : parts_->model->vocabulary().find(token);
  return id >= 0 ? std::optional<int64_t>(id) : std::nullopt;
}

std::optional<std::string> Tokenizer::id_to_token(int64_t id) const {
  if (const AddedToken* added = parts_->added.token(id)) return added->content;
  const std::string* token = parts_->model->vocabulary().token(id);
  return token != nullptr ? std::optional<std::string>(*token) : std::nullopt;
}

bool Tokenizer::is_special(int64_t id) const {
  const AddedToken* added = parts_->added.token(id);
  return added != nullptr && added->special;
}

int64_t Tokenizer::vocabulary_size() const {
  return std::max(parts_->model->vocabulary().max_id(), parts_->added.max_id()) + 1;
}

std::optional<int64_t> Tokenizer::model_max_length() const { return parts_->model_max_length; }
std::optional<int64_t> Tokenizer::pad_id() const { return parts_->pad_id; }

}  // namespace neural_engine
