// Unicode normal forms, as of Unicode 9 (what tokenizers knows), computed with utf8proc's decompositions.
#pragma once

#include "models/tokenizer/aligned_text.h"

namespace neural_engine {

enum class NormalForm { kNfd, kNfkd, kNfc, kNfkc };

void normalize(NormalForm form, AlignedText& text);

}  // namespace neural_engine
