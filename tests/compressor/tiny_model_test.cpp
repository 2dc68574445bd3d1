// The repository's real model: 8 bits keep its answers, and padding in the calibration rows does not matter.
#include <gtest/gtest.h>

#include "ir/graph.h"
#include "models/labelled_text.h"
#include "models/metrics.h"
#include "models/text_encoder.h"
#include "neural_engine/compress.h"
#include "neural_engine/text.h"

namespace neural_engine {
namespace {

const std::string kFolder = NE_SOURCE_DIR "/models/tiny_a";

class TinyModel : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    model_ = new Model(Model::load(kFolder + "/model.onnx"));
    data_ = new LabelledText(read_labelled_text(kFolder + "/test.tsv"));
  }
  static void TearDownTestSuite() {
    delete model_;
    delete data_;
  }

  static Model quantized(const Recipe& recipe, int64_t padded_to) {
    const TextEncoder encoder(kFolder, 64);
    PreparedModel prepared = prepare(*model_, recipe);
    for (size_t row = 0; row < 24; row += 4) {
      const auto texts = std::span(data_->texts).subspan(row, 4);
      if (padded_to > 0) {
        prepared.run(encoder.encode(texts, {}, model_->inputs(), padded_to));
      } else {
        for (const std::string& each : texts) prepared.run(encoder.encode(std::span(&each, 1), {}, model_->inputs()));
      }
    }
    return convert(prepared);
  }

  static std::vector<int64_t> answers(const Model& model, size_t rows) {
    TextClassifier classifier = TextClassifier::load(model, kFolder, {.max_length = 64, .batch_size = 8});
    std::vector<int64_t> labels;
    for (const Classification& each : classifier.classify(std::span(data_->texts).subspan(0, rows))) {
      labels.push_back(each.label);
    }
    return labels;
  }

  static Model* model_;
  static LabelledText* data_;
};
Model* TinyModel::model_ = nullptr;
LabelledText* TinyModel::data_ = nullptr;

TEST_F(TinyModel, KeepsItsAnswersInEightBits) {
  constexpr size_t kRows = 120;
  const Model result = quantized(Recipe(), 0);
  EXPECT_LT(result.weight_bytes(), model_->weight_bytes() * 27 / 100);
  EXPECT_GT(accuracy(answers(result, kRows), answers(*model_, kRows)), 0.95);
}

// Sums are taken in another order where rows are padded, so ranges agree to the last bits only.
TEST_F(TinyModel, PaddingIsNotObserved) {
  const Model plain = quantized(Recipe(), 0), padded = quantized(Recipe(), 64);
  int scales = 0;
  for (ValueId id = 0; id < plain.graph().num_values(); ++id) {
    const Value& value = plain.graph().value(id);
    if (!value.is_constant() || value.facts.dtype != DType::kF32 || value.facts.constant.rank() != 0) continue;
    if (value.name.find("/scale") == std::string::npos) continue;
    for (ValueId other = 0; other < padded.graph().num_values(); ++other) {
      if (padded.graph().value(other).name != value.name) continue;
      const Tensor& twin = padded.graph().value(other).facts.constant;
      const float expected = value.facts.constant.data<float>()[0];
      EXPECT_NEAR(twin.data<float>()[0], expected, 1e-3 * expected) << value.name;
      ++scales;
    }
  }
  EXPECT_GT(scales, 15);
}

}  // namespace
}  // namespace neural_engine
