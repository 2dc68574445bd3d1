#include "models/tokenizer/decoder.h"

#include <algorithm>
#include <utility>

#include "models/tokenizer/byte_alphabet.h"
#include "models/tokenizer/normalizer.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

using Tokens = std::vector<std::string>;

template <class Function>
class SimpleDecoder final : public Decoder {
 public:
  explicit SimpleDecoder(Function function) : function_(std::move(function)) {}
  void apply(Tokens& tokens) const override { function_(tokens); }

 private:
  Function function_;
};

template <class Function>
DecoderPtr make(Function function) {
  return std::make_unique<SimpleDecoder<Function>>(std::move(function));
}

void replace(std::string& text, std::string_view from, std::string_view to) {
  if (from.empty()) return;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

std::string joined(const Tokens& tokens) {
  std::string out;
  for (const std::string& token : tokens) out += token;
  return out;
}

// The bytes of a byte-level token; a token with a character that is no byte stands for its own UTF-8.
std::string bytes_of(const std::string& token) {
  std::string bytes;
  for (const char32_t c : utf8::decode(token)) {
    const int byte = kByteAlphabet.byte(c);
    if (byte < 0) return token;
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

// English spacing as it was before tokenization.
void clean_up(std::string& token) {
  constexpr std::string_view kRules[][2] = {{" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
                                            {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
                                            {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) replace(token, from, to);
}

// The byte of "<0x41>", or -1.
int fallback_byte(const std::string& token) {
  if (token.size() != 6 || token.compare(0, 3, "<0x") != 0 || token[5] != '>') return -1;
  int value = 0;
  for (const size_t i : {size_t{3}, size_t{4}}) {
    const char c = token[i];
    const char low = static_cast<char>(c | 0x20);
    // Rust's number parser takes one leading "+".
    if (i == 3 && c == '+') continue;
    if (c >= '0' && c <= '9') {
      value = value * 16 + (c - '0');
    } else if (low >= 'a' && low <= 'f') {
      value = value * 16 + (low - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

void decode_fallback(Tokens& tokens) {
  Tokens out;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (utf8::sanitize(bytes) == bytes) {
      out.push_back(bytes);
    } else {
      out.insert(out.end(), bytes.size(), std::string(kReplacement));
    }
    bytes.clear();
  };
  for (std::string& token : tokens) {
    const int byte = fallback_byte(token);
    if (byte >= 0) {
      bytes.push_back(static_cast<char>(byte));
    } else {
      flush();
      out.push_back(std::move(token));
    }
  }
  flush();
  tokens = std::move(out);
}

void strip(std::string& token, char32_t content, int64_t start, int64_t stop) {
  const std::u32string chars = utf8::decode(token);
  const auto size = static_cast<int64_t>(chars.size());
  const auto at = [&](int64_t i) { return chars[static_cast<size_t>(i)]; };
  int64_t begin = 0;
  int64_t end = size;
  while (begin < std::min(start, size) && at(begin) == content) ++begin;
  while (size - end < stop && end > begin && at(end - 1) == content) --end;
  token = utf8::encode(std::u32string_view(chars).substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
}

}  // namespace

DecoderPtr make_byte_level_decoder() {
  return make([](Tokens& tokens) {
    std::string bytes;
    for (const std::string& token : tokens) bytes += bytes_of(token);
    tokens = {utf8::sanitize(bytes)};
  });
}

DecoderPtr make_word_piece_decoder(std::string prefix, bool cleanup) {
  return make([prefix = std::move(prefix), cleanup](Tokens& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      std::string& token = tokens[i];
      if (i != 0) {
        const bool continues = token.compare(0, prefix.size(), prefix) == 0;
        token = continues ? token.substr(prefix.size()) : " " + token;
      }
      if (cleanup) clean_up(token);
    }
  });
}

DecoderPtr make_metaspace_decoder(char32_t replacement, bool prepended) {
  return make([replacement, prepended](Tokens& tokens) {
    std::string space;
    utf8::append(space, replacement);
    for (size_t i = 0; i < tokens.size(); ++i) replace(tokens[i], space, i == 0 && prepended ? "" : " ");
  });
}

DecoderPtr make_bpe_decoder(std::string suffix) {
  return make([suffix = std::move(suffix)](Tokens& tokens) {
    for (size_t i = 0; i < tokens.size(); ++i) replace(tokens[i], suffix, i + 1 == tokens.size() ? "" : " ");
  });
}

DecoderPtr make_byte_fallback_decoder() { return make(decode_fallback); }

DecoderPtr make_fuse_decoder() {
  return make([](Tokens& tokens) { tokens = {joined(tokens)}; });
}

DecoderPtr make_strip_decoder(char32_t content, int64_t start, int64_t stop) {
  return make([=](Tokens& tokens) {
    for (std::string& token : tokens) strip(token, content, start, stop);
  });
}

DecoderPtr make_replace_decoder(Regex pattern, std::u32string content) {
  return make([pattern = std::move(pattern), content = std::move(content)](Tokens& tokens) {
    for (std::string& token : tokens) {
      AlignedText out;
      const AlignedText text = AlignedText::from_utf8(token);
      replace_all(pattern, content, text, 0, text.size(), out);
      token = utf8::encode(out.chars);
    }
  });
}

DecoderPtr make_join_decoder(std::string separator) {
  return make([separator = std::move(separator)](Tokens& tokens) {
    for (size_t i = 1; i < tokens.size(); ++i) tokens[i].insert(0, separator);
  });
}

DecoderPtr make_decoder_sequence(std::vector<DecoderPtr> parts) {
  class Sequence final : public Decoder {
   public:
    explicit Sequence(std::vector<DecoderPtr> parts) : parts_(std::move(parts)) {}
    void apply(Tokens& tokens) const override {
      for (const DecoderPtr& part : parts_) part->apply(tokens);
    }

   private:
    std::vector<DecoderPtr> parts_;
  };
  return std::make_unique<Sequence>(std::move(parts));
}

}  // namespace neural_engine
