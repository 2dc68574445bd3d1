#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.h"
#include "base/mapped_file.h"
#include "models/text_inputs.h"
#include "models/tokenizer/tokenizer.h"
#include "neural_engine/text.h"

namespace neural_engine {

namespace {

constexpr const char* kOutput = "sentence_embedding";
constexpr size_t kMaxConfig = size_t{1} << 20;

// What sentence-transformers truncates to, which may be less than the tokenizer allows.
std::optional<int64_t> max_sequence_length(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / "sentence_bert_config.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const nlohmann::json config = nlohmann::json::parse(read_file(path.string(), kMaxConfig), nullptr, false);
  require(config.is_object(), Code::kInvalidData, path.string(), ": is not a JSON object");
  const auto length = config.find("max_seq_length");
  if (length == config.end() || length->is_null()) return std::nullopt;
  require(length->is_number_integer() && *length >= 1 && *length <= 1 << 24, Code::kInvalidData, path.string(),
          ": max_seq_length is ", length->dump(), ", expected a number of tokens");
  return length->get<int64_t>();
}

}  // namespace

struct TextEmbedder::Impl {
  Impl(const Model& model, const std::string& path, const TextOptions& text_options,
       const SessionOptions& session_options)
      : options(text_options), tokenizer(Tokenizer::load(text_folder(path))), session(model, session_options) {
    check_text_options(options);
    if (options.max_length == 0) {
      options.max_length =
          max_sequence_length(text_folder(path)).value_or(tokenizer->model_max_length().value_or(kDefaultMaxLength));
    }
    const std::vector<TensorInfo>& outputs = session.model().outputs();
    const auto found =
        std::find_if(outputs.begin(), outputs.end(), [](const TensorInfo& info) { return info.name == kOutput; });
    require(found != outputs.end(), Code::kUnsupported, path, ": has no output \"", kOutput,
            "\", which a model of embeddings has");
    output = static_cast<size_t>(found - outputs.begin());
  }

  void run(std::span<const std::string> texts, std::span<const size_t> rows, std::vector<std::vector<float>>& results) {
    std::vector<std::string> batch_texts;
    for (size_t row : rows) batch_texts.push_back(texts[row]);
    EncodeOptions encode;
    encode.truncation = Truncation{.max_length = options.max_length};
    encode.padding = Padding{};  // to the longest row, whatever the tokenizer's file asks for
    const Batch batch = tokenizer->encode_batch(batch_texts, {}, encode);
    const Tensor vectors = session.run(text_inputs(batch, session.model().inputs())).at(output);
    if (vectors.dtype() != DType::kF32 || vectors.rank() != 2 || vectors.dim(0) != batch.rows) {
      fail(Code::kUnsupported, "the output \"", kOutput, "\" is ", to_string(vectors.dtype()),
           to_string(vectors.shape()), ", expected f32[rows,size]");
    }
    const float* data = vectors.data<float>();
    for (size_t i = 0; i < rows.size(); ++i, data += vectors.dim(1)) {
      results[rows[i]].assign(data, data + vectors.dim(1));
    }
  }

  TextOptions options;
  std::unique_ptr<Tokenizer> tokenizer;
  Session session;
  size_t output = 0;
};

TextEmbedder::TextEmbedder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TextEmbedder::TextEmbedder(TextEmbedder&&) noexcept = default;
TextEmbedder::~TextEmbedder() = default;

TextEmbedder TextEmbedder::load(const std::string& model_path, const TextOptions& options,
                                const SessionOptions& session) {
  return load(Model::load(model_path), model_path, options, session);
}

TextEmbedder TextEmbedder::load(const Model& model, const std::string& model_path, const TextOptions& options,
                                const SessionOptions& session) {
  return TextEmbedder(std::make_unique<Impl>(model, model_path, options, session));
}

bool TextEmbedder::fits(const Model& model) {
  const std::vector<TensorInfo>& outputs = model.outputs();
  return std::any_of(outputs.begin(), outputs.end(), [](const TensorInfo& info) { return info.name == kOutput; });
}

std::vector<std::vector<float>> TextEmbedder::embed(std::span<const std::string> texts) {
  const std::vector<size_t> order = by_length(texts, {}, impl_->options.batch_size);
  std::vector<std::vector<float>> results(texts.size());
  const auto step = static_cast<size_t>(impl_->options.batch_size);
  for (size_t begin = 0; begin < order.size(); begin += step) {
    impl_->run(texts, std::span(order).subspan(begin, std::min(step, order.size() - begin)), results);
  }
  return results;
}

std::vector<float> TextEmbedder::embed(const std::string& text) { return embed(std::span(&text, 1)).front(); }

Session& TextEmbedder::session() { return impl_->session; }

}  // namespace neural_engine
