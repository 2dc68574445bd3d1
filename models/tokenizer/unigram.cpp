// The unigram model of SentencePiece: of all ways to cut the text into pieces, the one with the highest sum of scores.
#include <algorithm>
#include <limits>

#include "base/error.h"
#include "models/tokenizer/model.h"
#include "models/tokenizer/trie.h"
#include "models/tokenizer/utf8.h"

namespace neural_engine {
namespace {

// An unknown character scores this much less than the worst piece.
constexpr double kUnknownPenalty = 10.0;

// The best way to reach a position: the piece that ends there and where it begins.
struct Step {
  double score = 0.0;
  int32_t begin = -1;  // -1: not reached
  int32_t id = 0;
};

class Unigram final : public TokenModel {
 public:
  Unigram(const std::vector<std::string>& pieces, const UnigramOptions& options)
      : TokenModel(Vocabulary()), scores_(options.scores), byte_fallback_(options.byte_fallback) {
    if (options.unk_id) {
      const int64_t unk = *options.unk_id;
      if (unk < 0 || unk >= static_cast<int64_t>(pieces.size())) {
        fail(Code::kInvalidData, "unk_id is ", unk, ", the vocabulary has ", pieces.size(), " pieces");
      }
      unk_ = static_cast<int32_t>(unk);
    }
    for (size_t id = 0; id < pieces.size(); ++id) vocabulary_.add(pieces[id], static_cast<int64_t>(id));
    vocabulary_.for_each([&](const std::string& piece, int32_t id) {
      if (!piece.empty()) trie_.insert(utf8::decode(piece), id);
    });
    double worst = std::numeric_limits<double>::infinity();
    for (const double score : scores_) worst = std::min(worst, score);
    unknown_score_ = worst - kUnknownPenalty;
    constexpr char kHex[] = "0123456789ABCDEF";
    for (size_t b = 0; b < 256; ++b) {
      bytes_.push_back(vocabulary_.find(std::string("<0x") + kHex[b >> 4] + kHex[b & 15] + '>'));
    }
  }

  void tokenize(std::u32string_view word, std::vector<ModelToken>& out) const override {
    const std::vector<Step> steps = best_path(word);
    const size_t before = out.size();
    for (auto end = static_cast<int32_t>(word.size()); end > 0; end = steps[static_cast<size_t>(end)].begin) {
      const Step& step = steps[static_cast<size_t>(end)];
      const ModelToken token{step.id, static_cast<uint32_t>(step.begin), static_cast<uint32_t>(end)};
      // Neighbouring unknown characters are one token.
      if (step.id == unk_ && out.size() > before && out.back().id == unk_) {
        out.back().begin = token.begin;
      } else {
        out.push_back(token);
      }
    }
    std::reverse(out.begin() + static_cast<int64_t>(before), out.end());
    resolve_unknown(word, before, out);
  }

 private:
  std::vector<Step> best_path(std::u32string_view word) const {
    std::vector<Step> steps(word.size() + 1);
    for (size_t at = 0; at < word.size(); ++at) {
      const double so_far = steps[at].score;
      const auto offer = [&](size_t end, double score, int32_t id) {
        Step& step = steps[end];
        if (step.begin < 0 || so_far + score > step.score) step = {so_far + score, static_cast<int32_t>(at), id};
      };
      bool has_single = false;
      uint32_t node = Trie::kRoot;
      for (size_t end = at; end < word.size();) {
        node = trie_.child(node, word[end++]);
        if (node == 0) break;
        const int32_t id = trie_.value(node);
        if (id < 0) continue;
        offer(end, scores_[static_cast<size_t>(id)], id);
        has_single = has_single || end == at + 1;
      }
      if (has_single) continue;
      if (unk_ < 0) fail(Code::kInvalidData, "a character is not in the vocabulary, which has no unk_id");
      offer(at + 1, unknown_score_, unk_);
    }
    return steps;
  }

  // A run of unknown characters can still be a piece of its own (the text of the unknown token, for example); else it
  // becomes bytes, where the vocabulary has them all.
  void resolve_unknown(std::u32string_view word, size_t before, std::vector<ModelToken>& out) const {
    const auto is_unknown = [&](const ModelToken& token) { return token.id == unk_; };
    if (std::none_of(out.begin() + static_cast<int64_t>(before), out.end(), is_unknown)) return;
    const std::vector<ModelToken> tokens(out.begin() + static_cast<int64_t>(before), out.end());
    out.resize(before);
    for (const ModelToken& token : tokens) {
      const std::string text = utf8::encode(word.substr(token.begin, token.end - token.begin));
      const int32_t known = is_unknown(token) ? vocabulary_.find(text) : token.id;
      const auto has_byte = [&](char byte) { return bytes_[static_cast<uint8_t>(byte)] >= 0; };
      if (known < 0 && byte_fallback_ && std::all_of(text.begin(), text.end(), has_byte)) {
        for (const char byte : text) out.push_back({bytes_[static_cast<uint8_t>(byte)], token.begin, token.end});
      } else {
        out.push_back({known < 0 ? unk_ : known, token.begin, token.end});
      }
    }
  }

  Trie trie_;
  std::vector<double> scores_;
  std::vector<int32_t> bytes_;
  double unknown_score_;
  int32_t unk_ = -1;
  bool byte_fallback_;
};

}  // namespace

TokenModelPtr make_unigram(const std::vector<std::string>& pieces, const UnigramOptions& options) {
  return std::make_unique<Unigram>(pieces, options);
}

}  // namespace neural_engine
