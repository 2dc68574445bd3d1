// Compression: from an f32 model and some inputs to a smaller, faster model. The result is an ordinary Model.
//
//   Recipe recipe;                                       // or Recipe::load("recipe.yaml"): both say the same
//   recipe.set_local("encoder.*output", {.precision = OpPrecision::kF32});
//   PreparedModel prepared = prepare(Model::load("model.onnx"), recipe);
//   for (const std::vector<Tensor>& inputs : samples) prepared.run(inputs);
//   convert(prepared).save("model.ne");
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "neural_engine/export.h"
#include "neural_engine/model.h"
#include "neural_engine/session.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

enum class OpPrecision { kF32, kBF16, kInt8 };

// When the range of an activation is found: from calibration; at run time, one per tensor; at run time, one per row of
// the last axis (per token).
enum class Approach { kStatic, kDynamic, kDynamicPerToken };

// Whose formulas turn a range into a scale and a zero point (docs/COMPRESSION.md has them).
enum class Scheme { kOnnxRuntime, kPyTorch, kTensorFlow, kIpex, kMxnet };

// How the range of an activation follows from what calibration saw.
enum class Observer { kMinMax, kMovingAverage, kPercentile, kEntropy, kMse };

// Settings of one operation. What is not said stays as less specific settings have it.
struct OpSettings {
  std::optional<OpPrecision> precision = {};
  std::optional<Approach> approach = {};
  std::optional<Scheme> scheme = {};
  std::optional<DType> activation_dtype = {};  // kU8 or kS8
  std::optional<bool> activation_symmetric = {};
  std::optional<bool> activation_reduce_range = {};  // 7 bits
  std::optional<Observer> observer = {};
  std::optional<double> percentile = {};        // in (50, 100]
  std::optional<bool> weight_per_channel = {};  // else one scale per tensor; weights are s8 and symmetric
  std::optional<bool> weight_reduce_range = {};

  friend bool operator==(const OpSettings&, const OpSettings&) = default;
};

// Moves what is hard to quantize from activations to weights: channel c of the activation is divided, and row c of the
// weight multiplied, by max|x_c|^alpha / max|w_c|^(1 - alpha).
struct SmoothSettings {
  enum class Alpha { kFixed, kPerLayer };  // kPerLayer: 0 to 1 by 0.1, the one with the least error of that product
  bool enabled = false;
  Alpha alpha = Alpha::kFixed;
  double value = 0.5;

  friend bool operator==(const SmoothSettings&, const SmoothSettings&) = default;
};

// What to do to a model. Settings of an operation are looked up globally, then by type, then by name; of several that
// match, the later one wins.
class NEURAL_ENGINE_EXPORT Recipe {
 public:
  using Rule = std::pair<std::string, OpSettings>;

  void set_global(const OpSettings& settings);
  // `type` is Linear (a product with a constant matrix), MatMul (of two activations), Attention, Embedding or Residual.
  void set_type(const std::string& type, const OpSettings& settings);
  // `pattern` is a node's name, or a regular expression (ECMAScript) that is searched in the names of the node and of
  // its constants. When the recipe is applied, one that matches nothing is an Error.
  void set_local(const std::string& pattern, const OpSettings& settings);

  const OpSettings& global() const { return global_; }
  const std::vector<Rule>& types() const { return types_; }
  const std::vector<Rule>& locals() const { return locals_; }

  SmoothSettings smooth = {};
  // Adds to each product's bias the mean error that quantizing its weight makes.
  bool bias_correction = false;
  // Evens out the channels between two products that only ReLU or nothing separates.
  bool equalization = false;
  // The input whose zeros mark padding, which is not observed; ignored by models without it.
  std::string mask_input = "attention_mask";

  // Throw Error(kInvalidArgument) that names the line and what was expected.
  static Recipe load(const std::string& path);
  static Recipe parse(const std::string& yaml);
  // What parse() reads back as an equal recipe.
  std::string yaml() const;

  friend bool operator==(const Recipe&, const Recipe&) = default;

 private:
  OpSettings global_;
  std::vector<Rule> types_;
  std::vector<Rule> locals_;
};

// What became of one operation.
struct OpReport {
  std::string name;
  std::string type;       // as Recipe::set_type has it
  std::string precision;  // "int8", "bf16", "f32"
  std::string detail;     // scales, smoothing; or why it stays f32
  // Signal to quantization noise of its operands in dB, the worst of them; 0 where nothing was quantized.
  double sqnr_db = 0;
};

// A model with observers. Movable; one thread at a time.
class NEURAL_ENGINE_EXPORT PreparedModel {
 public:
  PreparedModel(PreparedModel&&) noexcept;
  PreparedModel& operator=(PreparedModel&&) noexcept;
  ~PreparedModel();

  // Runs the f32 model and observes. Inputs and result as in Session::run. Activations are not kept: memory is bounded
  // by the model, whatever the number of runs.
  std::vector<Tensor> run(std::span<const Tensor> inputs);
  int64_t runs() const;
  const Recipe& recipe() const;

  struct Impl;
  explicit PreparedModel(std::unique_ptr<Impl> impl);
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Error(kInvalidArgument) for a recipe that does not fit the model.
NEURAL_ENGINE_EXPORT PreparedModel prepare(const Model& model, const Recipe& recipe,
                                           const SessionOptions& session = {});
// May be called again after more runs. Error(kInvalidArgument) when static ranges are asked for and nothing was run.
NEURAL_ENGINE_EXPORT Model convert(const PreparedModel& prepared, std::vector<OpReport>* report = nullptr);

// Writes `.ne`, or by that ending `.onnx`: standard operators (opset 21 or later), whole or not at all.
NEURAL_ENGINE_EXPORT void save(const Model& model, const std::string& path);

}  // namespace neural_engine
