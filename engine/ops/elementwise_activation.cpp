// Activations.
#include "ops/elementwise.h"

namespace neural_engine {

namespace {

void infer_celu(InferContext& context) {
  infer_unary<kFloatTypes>(context);
  if (context.attr<float>("alpha") == 0.0f) context.invalid("attribute alpha is 0, the formula divides by it");
}

void infer_gelu(InferContext& context) {
  infer_unary<kFloatTypes>(context);
  const std::string& approximate = context.attr<std::string>("approximate");
  if (approximate != "none" && approximate != "tanh") {
    context.invalid("attribute approximate is \"", approximate, "\", expected \"none\" or \"tanh\"");
  }
}

OpDef activation(const char* name, int since, std::vector<AttrDef> attrs = {}) {
  return {.name = name,
          .attrs = std::move(attrs),
          .flags = kElementwise,
          .infer = infer_unary<kFloatTypes>,
          .onnx = {{name, since}}};
}

}  // namespace

void append_activation_ops(std::vector<OpDef>* ops) {
  ops->push_back(
      {.name = "Relu", .flags = kElementwise, .infer = infer_unary<kFloatTypes | kSignedTypes>, .onnx = {{"Relu", 6}}});
  ops->push_back(activation("LeakyRelu", 6, {{"alpha", 0.01f}}));
  ops->push_back(activation("ThresholdedRelu", 10, {{"alpha", 1.0f}}));
  ops->push_back(activation("Elu", 6, {{"alpha", 1.0f}}));
  ops->push_back(activation("Celu", 12, {{"alpha", 1.0f}}));
  ops->back().infer = infer_celu;
  // The constants that make the fixed point of mean 0 and variance 1, as ONNX rounds them.
  ops->push_back(activation("Selu", 6, {{"alpha", 1.6732631921768188f}, {"gamma", 1.0507010221481323f}}));
  ops->push_back(activation("Sigmoid", 6));
  ops->push_back(activation("HardSigmoid", 6, {{"alpha", 0.2f}, {"beta", 0.5f}}));
  ops->push_back(activation("HardSwish", 14));
  ops->push_back(activation("Mish", 18));
  ops->push_back(activation("Softplus", 1));
  ops->push_back(activation("Softsign", 1));
  ops->push_back(activation("Gelu", 20, {{"approximate", "none"}}));
  ops->back().infer = infer_gelu;
  // Ours until ONNX's opset 24: x * sigmoid(alpha * x); alpha 1 is SiLU, 1.702 is quick GELU.
  ops->push_back(activation("Swish", 0, {{"alpha", 1.0f}}));
  ops->back().onnx.clear();
  ops->push_back(activation("Shrink", 9, {{"bias", 0.0f}, {"lambd", 0.5f}}));
  ops->back().infer = infer_unary<kNumberTypes>;
}

}  // namespace neural_engine
