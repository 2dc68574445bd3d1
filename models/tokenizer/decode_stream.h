// Text from ids that come one at a time, as a generating model gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/tokenizer/tokenizer.h"

namespace neural_engine {

class DecodeStream {
 public:
  // `tokenizer` must outlive this.
  explicit DecodeStream(const Tokenizer& tokenizer, bool skip_special_tokens = true)
      : tokenizer_(tokenizer), skip_special_tokens_(skip_special_tokens) {}

  // The text that this id adds; empty as long as it is half a character.
  std::string push(int64_t id);

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_tokens_;
  // Ids since the text that was last given out, that one's included: what a token looks like depends on its neighbours.
  std::vector<int64_t> ids_;
  std::string prefix_;  // the text of the first prefix_ids_ ids
  size_t prefix_ids_ = 0;
};

}  // namespace neural_engine
