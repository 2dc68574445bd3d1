// A text cut into pieces: what pre-tokenizers refine and models then tokenize.
#pragma once

#include <functional>
#include <vector>

#include "base/function_ref.h"
#include "models/tokenizer/aligned_text.h"
#include "models/tokenizer/regex.h"

namespace neural_engine {

// What becomes of the delimiters that a split finds. "the-final--countdown" on "-":
enum class SplitBehavior {
  kRemoved,             // the final countdown
  kIsolated,            // the - final - - countdown
  kMergedWithPrevious,  // the- final- - countdown
  kMergedWithNext,      // the -final - -countdown
  kContiguous,          // the - final -- countdown
};

struct Piece {
  uint32_t begin = 0, end = 0;  // in text.chars; never empty
  int32_t token = -1;           // >= 0: an added token, which no later step touches
};

struct Pieces {
  AlignedText text;  // all pieces in one buffer
  std::vector<Piece> list;

  // Splits every piece where `matches` says. Gaps between matches are pieces of their own; `invert` exchanges the roles
  // of matches and gaps.
  using FindMatches = FunctionRef<void(std::u32string_view, std::vector<Regex::Match>&)>;
  void split(FindMatches find, SplitBehavior behavior, bool invert = false);

  // Splits at single characters.
  template <class Predicate>
  void split_at(Predicate is_delimiter, SplitBehavior behavior) {
    const auto find = [&](std::u32string_view view, std::vector<Regex::Match>& matches) {
      matches.clear();
      for (size_t i = 0; i < view.size(); ++i) {
        if (is_delimiter(view[i])) matches.push_back({i, i + 1});
      }
    };
    split(find, behavior);
  }

  // Writes every piece anew: emit(piece, out) appends what takes its place to `out`.
  using Emit = FunctionRef<void(const Piece&, AlignedText&)>;
  void rewrite(Emit emit);

  std::u32string_view view(const Piece& piece) const { return text.view(piece.begin, piece.end); }
};

}  // namespace neural_engine
