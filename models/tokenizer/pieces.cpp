#include "models/tokenizer/pieces.h"

#include <algorithm>

namespace neural_engine {
namespace {

struct Part {
  uint32_t begin, end;
  bool is_match;
};

// Matches and the gaps between them, covering the piece.
void cover(const Piece& piece, const std::vector<Regex::Match>& matches, bool invert, std::vector<Part>& parts) {
  parts.clear();
  uint32_t at = piece.begin;
  for (const Regex::Match& match : matches) {
    const uint32_t begin = piece.begin + static_cast<uint32_t>(match.begin);
    const uint32_t end = piece.begin + static_cast<uint32_t>(match.end);
    if (at != begin) parts.push_back({at, begin, invert});
    parts.push_back({begin, end, !invert});
    at = end;
  }
  if (at != piece.end) parts.push_back({at, piece.end, invert});
}

// Joins neighbours as the behaviour asks. For kMergedWithNext the parts come from the right.
void merge(std::vector<Part>& parts, SplitBehavior behavior) {
  if (behavior == SplitBehavior::kIsolated || behavior == SplitBehavior::kRemoved) return;
  const bool backwards = behavior == SplitBehavior::kMergedWithNext;
  if (backwards) std::reverse(parts.begin(), parts.end());
  std::vector<Part> merged;
  bool previous = false;
  for (const Part& part : parts) {
    const bool joins = behavior == SplitBehavior::kContiguous ? part.is_match == previous : part.is_match && !previous;
    if (joins && !merged.empty()) {
      (backwards ? merged.back().begin : merged.back().end) = backwards ? part.begin : part.end;
    } else {
      merged.push_back(part);
    }
    previous = part.is_match;
  }
  if (backwards) std::reverse(merged.begin(), merged.end());
  parts = std::move(merged);
}

}  // namespace

void Pieces::split(FindMatches find, SplitBehavior behavior, bool invert) {
  std::vector<Piece> out;
  out.reserve(list.size());
  std::vector<Regex::Match> matches;
  std::vector<Part> parts;
  for (const Piece& piece : list) {
    if (piece.token >= 0) {
      out.push_back(piece);
      continue;
    }
    find(view(piece), matches);
    cover(piece, matches, invert, parts);
    merge(parts, behavior);
    for (const Part& part : parts) {
      if (behavior == SplitBehavior::kRemoved && part.is_match) continue;
      out.push_back({part.begin, part.end, -1});
    }
  }
  list = std::move(out);
}

void Pieces::rewrite(Emit emit) {
  AlignedText out;
  out.reserve(text.size() + list.size());
  size_t kept = 0;
  for (const Piece& piece : list) {
    const auto begin = static_cast<uint32_t>(out.size());
    if (piece.token >= 0) {
      out.append(text, piece.begin, piece.end);
    } else {
      emit(piece, out);
    }
    if (out.size() == begin) continue;
    list[kept++] = {begin, static_cast<uint32_t>(out.size()), piece.token};
  }
  list.resize(kept);
  text = std::move(out);
}

}  // namespace neural_engine
