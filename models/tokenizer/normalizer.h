// Normalizers: what is done to the text before it is cut.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/tokenizer/aligned_text.h"
#include "models/tokenizer/normal_form.h"
#include "models/tokenizer/regex.h"

namespace neural_engine {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text) const = 0;
};

using NormalizerPtr = std::unique_ptr<const Normalizer>;

struct BertNormalizerOptions {
  bool clean_text = true;            // control characters go, white space becomes a space
  bool handle_chinese_chars = true;  // spaces around ideographs
  bool lowercase = true;
  std::optional<bool> strip_accents;  // not given: as lowercase
};

NormalizerPtr make_bert_normalizer(const BertNormalizerOptions& options);
NormalizerPtr make_lowercase();
NormalizerPtr make_normal_form(NormalForm form);
NormalizerPtr make_strip_accents();
NormalizerPtr make_strip(bool left, bool right);
NormalizerPtr make_replace(Regex pattern, std::u32string content);
NormalizerPtr make_prepend(std::u32string prefix);
NormalizerPtr make_nmt();
NormalizerPtr make_byte_level_normalizer();
NormalizerPtr make_normalizer_sequence(std::vector<NormalizerPtr> parts);

// The characters of the input to ByteAlphabet, by their UTF-8.
void to_byte_alphabet(char32_t c, std::u32string& out);

// Replaces each match by `content`, which takes the origin of the last character that it replaces.
void replace_all(const Regex& pattern, std::u32string_view content, const AlignedText& text, size_t begin, size_t end,
                 AlignedText& out);

}  // namespace neural_engine
