// Tokenizers: text to the ids that a model takes, and back.
//
//   const auto tokenizer = Tokenizer::load("models/tiny_a");
//   Encoding one = tokenizer->encode("a library for images");
//   Batch batch = tokenizer->encode_batch({"short", "a longer text"}, {}, {.truncation = Truncation{.max_length =
//   64}});
//   // batch.ids, batch.type_ids, batch.attention_mask: int64, batch.rows x batch.columns, ready to be tensors
//
// The ids are those of Hugging Face's `tokenizers` 0.22, token for token, whatever the text: all scripts, control
// characters, and bytes that are not UTF-8, which count as U+FFFD like Python's decode(errors="replace"). What a
// tokenizer.json asks for and this does not honour is refused when it is loaded, with kUnsupported and what is
// supported.
//
// A Tokenizer does not change after loading: any number of threads may use one at the same time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/tokenizer/encoding.h"

namespace neural_engine {

struct EncodeOptions {
  bool add_special_tokens = true;
  std::optional<Truncation> truncation = std::nullopt;  // not given: the file's, if it has one, else none
  std::optional<Padding> padding =
      std::nullopt;  // not given: the file's, if it has one, else (in batches) the longest row
};

// Rows of equal length, ready to be tensors of shape [rows, columns].
struct Batch {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<int64_t> ids, type_ids, attention_mask;  // row after row
  std::vector<Encoding> encodings;                     // the same, by row, with offsets
};

// What a vocab.txt does not say by itself.
struct WordPieceFileOptions {
  bool lowercase = true;
  std::optional<bool> strip_accents;  // not given: as lowercase
  bool handle_chinese_chars = true;
  std::string unk_token = "[UNK]", cls_token = "[CLS]", sep_token = "[SEP]", pad_token = "[PAD]", mask_token = "[MASK]";
};

class Tokenizer {
 public:
  // From a folder with tokenizer.json or else vocab.txt (with tokenizer_config.json where there is one), or from such a
  // file itself. A vocab.txt is a BERT tokenizer, lower-casing unless do_lower_case is false. Throws Error: kIo,
  // kInvalidData (malformed), kUnsupported.
  static std::unique_ptr<Tokenizer> load(const std::string& path);

  // From the contents of a tokenizer.json or of a vocab.txt.
  static std::unique_ptr<Tokenizer> from_json(std::string_view json);
  static std::unique_ptr<Tokenizer> from_vocabulary(std::string_view lines, const WordPieceFileOptions& options = {});

  ~Tokenizer();

  // Throws kInvalidArgument where truncation cannot be done as asked for.
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode_pair(std::string_view text, std::string_view pair, const EncodeOptions& options = {}) const;

  // A long text as several rows of at most truncation.max_length tokens, in order, each sharing truncation.stride
  // tokens with the one before. For a pair the strategy must be kOnlyFirst or kOnlySecond: the other text is in each
  // row.
  std::vector<Encoding> encode_windows(std::string_view text, const EncodeOptions& options) const;
  std::vector<Encoding> encode_pair_windows(std::string_view text, std::string_view pair,
                                            const EncodeOptions& options) const;

  // `pairs` is empty or has a text for each of `texts` (kInvalidArgument).
  Batch encode_batch(std::span<const std::string> texts, std::span<const std::string> pairs = {},
                     const EncodeOptions& options = {}) const;
  Batch encode_batch(std::initializer_list<std::string> texts, std::initializer_list<std::string> pairs = {},
                     const EncodeOptions& options = {}) const;

  // Ids that are no token are left out, and special tokens where asked for.
  std::string decode(std::span<const int64_t> ids, bool skip_special_tokens = true) const;

  std::optional<int64_t> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(int64_t id) const;
  bool is_special(int64_t id) const;

  // The largest id, plus one: what the model's embedding must have at least.
  int64_t vocabulary_size() const;

  // The longest row that the model takes, where the folder says it (tokenizer_config.json's model_max_length or
  // config.json's max_position_embeddings).
  std::optional<int64_t> model_max_length() const;

  // The id that batches are padded with: the file's, or that of [PAD] or <pad>.
  std::optional<int64_t> pad_id() const;

 private:
  struct Parts;
  explicit Tokenizer(std::unique_ptr<Parts> parts);

  TokenSequence tokenize(std::string_view text) const;
  std::vector<Encoding> rows(std::string_view text, const std::string_view* pair, const EncodeOptions& options,
                             bool all_windows) const;
  void pad_rows(std::vector<Encoding>& rows, const std::optional<Padding>& wanted) const;

  std::unique_ptr<Parts> parts_;
};

}  // namespace neural_engine
