#include "base/error.h"
#include "models/tokenizer/model.h"
#include "models/tokenizer/trie.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

// The longest token that the word begins with, then the longest continuation of it, and so on; a word that does not
// work out is unknown as a whole. Both are walks in a trie, so a word costs its length and not its square.
class WordPiece final : public TokenModel {
 public:
  WordPiece(Vocabulary vocabulary, const WordPieceOptions& options)
      : TokenModel(std::move(vocabulary)), max_chars_(options.max_input_chars_per_word) {
    unk_ = vocabulary_.find(options.unk_token);
    if (unk_ < 0) {
      fail(Code::kInvalidData, "the unknown token \"", options.unk_token, "\" is not in the vocabulary of ",
           vocabulary_.size(), " tokens");
    }
    const std::u32string prefix = utf8::decode(options.continuing_subword_prefix);
    vocabulary_.for_each([&](const std::string& token, int32_t id) {
      const std::u32string text = utf8::decode(token);
      if (!text.empty()) words_.insert(text, id);
      if (text.size() > prefix.size() && text.compare(0, prefix.size(), prefix) == 0) {
        continuations_.insert(std::u32string_view(text).substr(prefix.size()), id);
      }
    });
  }

  void tokenize(std::u32string_view word, std::vector<ModelToken>& out) const override {
    const auto size = static_cast<uint32_t>(word.size());
    const size_t before = out.size();
    bool known = static_cast<int64_t>(word.size()) <= max_chars_;
    for (uint32_t at = 0; known && at < size;) {
      size_t length = 0;
      const Trie& trie = at == 0 ? words_ : continuations_;
      const int32_t id = trie.longest(word.substr(at), &length);
      known = id >= 0;
      if (!known) break;
      out.push_back({id, at, at + static_cast<uint32_t>(length)});
      at += static_cast<uint32_t>(length);
    }
    if (known) return;
    out.resize(before);
    out.push_back({unk_, 0, size});
  }

 private:
  Trie words_, continuations_;
  int32_t unk_;
  int64_t max_chars_;
};

}  // namespace

TokenModelPtr make_word_piece(Vocabulary vocabulary, const WordPieceOptions& options) {
  return std::make_unique<WordPiece>(std::move(vocabulary), options);
}

}  // namespace neural_engine
