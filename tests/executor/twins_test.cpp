// One network from two exporters: the same operators in the end, and the same answers.
#include <gtest/gtest.h>

#include <cmath>

#include "neural_engine/session.h"

namespace neural_engine {
namespace {

const std::string kData = std::string(NE_SOURCE_DIR) + "/tests/data/tensorflow/";

std::vector<Tensor> ids(const Model& model, int64_t batch, int64_t length) {
  std::vector<Tensor> result;
  for (const TensorInfo& input : model.inputs()) {
    Tensor tensor(DType::kS32, {batch, length});
    const int64_t range = input.name == "input_ids" ? 60 : 2;
    for (int64_t i = 0; i < tensor.elems(); ++i) {
      tensor.data<int32_t>()[i] = static_cast<int32_t>((i * 7 + i / 3) % range);
    }
    if (input.name == "input_mask") {
      for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<int32_t>()[i] = i % length < length - i / length;
    }
    result.push_back(tensor);
  }
  return result;
}

std::map<std::string, Tensor> answers(const Model& model, int64_t batch, int64_t length) {
  Session session(model, {.threads = 1});
  const std::vector<Tensor> found = session.run(ids(model, batch, length));
  // A frozen graph's outputs are named after nodes; their shapes tell them apart.
  std::map<std::string, Tensor> result;
  for (const Tensor& each : found) result[each.rank() == 2 ? "logits" : "states"] = each;
  return result;
}

TEST(Twins, BertOfTensorFlowIsBertOfOnnx) {
  for (const auto& [model_path, twin_path] :
       {std::pair(kData + "bert_frozen/model.pb", kData + "bert_frozen/twin.onnx"),
        std::pair(kData + "bert_saved_model", kData + "bert_saved_model/twin.onnx")}) {
    SCOPED_TRACE(model_path);
    const Model model = Model::load(model_path), twin = Model::load(twin_path);
    EXPECT_EQ(model.op_counts(), twin.op_counts());
    EXPECT_EQ(model.op_counts().at("FusedAttention"), 2);
    for (const auto& [batch, length] : {std::pair(1, 5), std::pair(3, 16), std::pair(2, 24)}) {
      const std::map<std::string, Tensor> a = answers(model, batch, length), b = answers(twin, batch, length);
      ASSERT_EQ(a.size(), 2u);
      for (const auto& [name, tensor] : a) {
        const Tensor& other = b.at(name);
        ASSERT_EQ(tensor.shape(), other.shape());
        for (int64_t i = 0; i < tensor.elems(); ++i) {
          ASSERT_NEAR(tensor.data<float>()[i], other.data<float>()[i], 1e-5) << name << " at " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace neural_engine
