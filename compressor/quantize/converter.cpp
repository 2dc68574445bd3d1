#include "compressor/quantize/converter.h"

#include <algorithm>

#include "base/error.h"
#include "base/tensor_memory.h"
#include "compressor/names.h"
#include "compressor/quantize/fold.h"
#include "executor/evaluate.h"
#include "passes/pipeline.h"
#include "passes/queries.h"

namespace neural_engine {

namespace {

void worst(OpReport& report, double sqnr_db) {
  report.sqnr_db = report.sqnr_db == 0 ? sqnr_db : std::min(report.sqnr_db, sqnr_db);
}

// The weights of a mean: to clip the few that are large, as all observers but min_max would, is to attend to something
// else.
bool are_probabilities(const Graph& graph, ValueId value) {
  const NodeId producer = graph.value(value).producer;
  return producer != kNoNode && graph.node(producer).is("Softmax");
}

void note(OpReport& report, const std::string& what) { report.detail += (report.detail.empty() ? "" : "; ") + what; }

}  // namespace

Converter::Converter(const PreparedModel::Impl& prepared, ConvertRequest request, WeightCache* cache)
    : prepared_(prepared), request_(std::move(request)), graph_(prepared.graph), writer_(graph_), cache_(cache) {}

const Statistics& Converter::statistics_of(ValueId value) const {
  const Statistics* found = prepared_.collector->find(value);
  require(found != nullptr, Code::kInternal, "value \"", prepared_.graph.value(value).name, "\" was not observed");
  return *found;
}

Graph Converter::run(std::vector<OpReport>* report) {
  const bool needs_ranges = std::any_of(request_.settings.begin(), request_.settings.end(), [](const Settings& each) {
    return each.precision == OpPrecision::kInt8 && each.approach == Approach::kStatic;
  });
  require(!needs_ranges || prepared_.collector->runs() > 0, Code::kInvalidArgument,
          "static ranges are asked for, but the prepared model was not run on any input");
  if (request_.smooth.enabled) smooth();
  for (size_t i = 0; i < prepared_.operations.size(); ++i) {
    const Operation& operation = prepared_.operations[i];
    OpReport line{.name = operation.target.name,
                  .type = to_string(operation.target.kind),
                  .precision = name_of(kPrecisions, request_.settings[i].precision),
                  .detail = {},
                  .sqnr_db = 0};
    with_context([&] { return "operation \"" + operation.target.name + "\""; }, [&] { convert(i, line); });
    if (report != nullptr) report->push_back(std::move(line));
  }
  graph_.erase_dead();
  PassReport passes(-1);
  simplify(
      graph_, [](const Node& node, std::span<const Tensor> inputs) { return evaluate_node(node, inputs); }, passes);
  return std::move(graph_);
}

// ---- smoothing

void Converter::smooth() {
  std::map<ValueId, std::vector<size_t>> groups;
  for (size_t i = 0; i < prepared_.operations.size(); ++i) {
    const Operation& operation = prepared_.operations[i];
    if (operation.target.kind == TargetKind::kLinear && is_int8(i)) groups[operation.operands[0].value].push_back(i);
  }
  for (const auto& [value, operations] : groups) smooth_group(value, operations);
}

void Converter::smooth_group(ValueId value, const std::vector<size_t>& operations) {
  const Statistics& statistics = statistics_of(value);
  if (statistics.channels() < 2 || statistics.count() == 0) return;
  std::vector<SmoothedWeight> weights;
  for (size_t i : operations) {
    const Node& node = graph_.node(prepared_.operations[i].nodes[0]);
    weights.push_back({&graph_.value(node.inputs[1]).facts.constant, weight_is_transposed(node)});
  }
  Smoothed smoothed{.smoothing = find_smoothing(statistics, weights, request_.smooth)};
  if (smoothed.smoothing.divisors.empty()) return;
  const std::vector<float>& divisors = smoothed.smoothing.divisors;
  // Others that read the value want it as it was.
  const bool alone = !graph_.is_output(value) && graph_.value(value).users.size() == operations.size();
  smoothed.folded = alone && fold_division(graph_, value, divisors);
  for (size_t i : operations) {
    const NodeId id = prepared_.operations[i].nodes[0];
    const ValueId matrix = graph_.node(id).inputs[1];
    Tensor scaled = scale_inputs(graph_.value(matrix).facts.constant, weight_is_transposed(graph_.node(id)), divisors);
    graph_.set_input(id, 1, graph_.add_constant(std::move(scaled), graph_.value(matrix).name));
  }
  smoothed_.emplace(value, std::move(smoothed));
}

// ---- operations

void Converter::convert(size_t index, OpReport& report) {
  const Operation& operation = prepared_.operations[index];
  const Settings& settings = request_.settings[index];
  if (settings.precision == OpPrecision::kF32) return;
  if (settings.precision == OpPrecision::kBF16) return convert_to_bf16(index);
  if (operation.target.kind == TargetKind::kLinear) return convert_linear(index, report);
  if (operation.target.kind == TargetKind::kEmbedding) return convert_embedding(index, report);
  for (const Operand& operand : operation.operands) {
    graph_.set_input(operand.node, operand.input, quantized(operand, settings, report, /*is_linear=*/false));
  }
}

void Converter::convert_linear(size_t index, OpReport& report) {
  const Operation& operation = prepared_.operations[index];
  const Settings& settings = request_.settings[index];
  const Operand& operand = operation.operands[0];
  const NodeId id = operation.nodes[0];
  const bool transposed = weight_is_transposed(graph_.node(id));
  const ValueId matrix_value = graph_.node(id).inputs[1];
  const Tensor matrix = aligned(graph_.value(matrix_value).facts.constant);
  const int64_t axis = !settings.weight_per_channel ? -1 : transposed ? 0 : 1;
  const QuantizedWeight weight = quantized_weight(operation, 1, axis, settings.weight);
  worst(report, weight.noise.sqnr_db());
  if (const auto found = smoothed_.find(operand.value); found != smoothed_.end()) {
    note(report, text("smoothed with alpha ", found->second.smoothing.alpha, found->second.folded ? ", folded" : ""));
  }
  const ValueId activation = quantized(operand, settings, report, /*is_linear=*/true);
  const std::string name =
      graph_.value(matrix_value).name.empty() ? operation.target.name + "/weight" : graph_.value(matrix_value).name;
  graph_.set_input(id, 0, activation);
  graph_.set_input(id, 1, writer_.weight(weight, name));
  if (request_.bias_correction) correct_bias(id, operand.value, matrix, weight);
}

// Of the matrix that the operation has now, which smoothing may have scaled.
QuantizedWeight Converter::quantized_weight(const Operation& operation, size_t input, int64_t axis,
                                            const QuantSpec& spec) {
  const NodeId id = operation.nodes[0];
  const Tensor& matrix = graph_.value(graph_.node(id).inputs[input]).facts.constant;
  if (cache_ == nullptr) return quantize_weight(matrix, axis, spec);
  // Divisors that were folded into this weight as the product before another one are of another value.
  const bool folded =
      std::any_of(smoothed_.begin(), smoothed_.end(), [](const auto& each) { return each.second.folded; });
  if (folded) return quantize_weight(matrix, axis, spec);
  std::vector<float> divisors;
  if (!operation.operands.empty()) {
    const auto found = smoothed_.find(operation.operands[0].value);
    if (found != smoothed_.end()) divisors = found->second.smoothing.divisors;
  }
  const ValueId original = prepared_.graph.node(id).inputs[input];
  WeightCache::Key key(original, axis, static_cast<int>(spec.scheme), spec.reduce_range, std::move(divisors));
  auto found = cache_->weights.find(key);
  if (found == cache_->weights.end()) {
    found = cache_->weights.emplace(std::move(key), quantize_weight(matrix, axis, spec)).first;
  }
  return found->second;
}

void Converter::convert_embedding(size_t index, OpReport& report) {
  const Operation& operation = prepared_.operations[index];
  const Settings& settings = request_.settings[index];
  const Node gather = graph_.node(operation.nodes[0]);
  const Value& table = graph_.value(gather.inputs[0]);
  const std::string name = table.name.empty() ? operation.target.name + "/table" : table.name;
  // A scale for each column, so that what is gathered has them along its last axis.
  const QuantizedWeight weight = quantized_weight(operation, 0, settings.weight_per_channel ? 1 : -1, settings.weight);
  worst(report, weight.noise.sqnr_db());
  graph_.replace_uses(gather.outputs[0], writer_.gathered(gather, weight, name));
}

void Converter::convert_to_bf16(size_t index) {
  const Operation& operation = prepared_.operations[index];
  if (operation.target.kind == TargetKind::kEmbedding || operation.target.kind == TargetKind::kLinear) {
    const size_t constant = operation.target.kind == TargetKind::kLinear ? 1 : 0;
    const NodeId id = operation.nodes[0];
    graph_.set_input(id, constant, writer_.rounded_to_bf16(graph_.node(id).inputs[constant]));
  }
  for (const Operand& operand : operation.operands) {
    const PairKey key(operand.value, Approach::kStatic, -1, 0, 0, false);
    auto found = pairs_.find(key);
    if (found == pairs_.end()) found = pairs_.emplace(key, writer_.rounded_to_bf16(operand.value)).first;
    graph_.set_input(operand.node, operand.input, found->second);
  }
}

// ---- activations

ValueId Converter::quantized(const Operand& operand, const Settings& settings, OpReport& report, bool is_linear) {
  QuantSpec spec = settings.activation;
  if (operand.role == Operand::Role::kSecond) spec = {.scheme = spec.scheme, .dtype = DType::kS8, .symmetric = true};
  if (settings.approach == Approach::kStatic) return static_pair(operand.value, spec, settings, is_linear, report);

  const auto smoothed = is_linear ? smoothed_.find(operand.value) : smoothed_.end();
  const bool divides = smoothed != smoothed_.end() && !smoothed->second.folded;
  const int64_t channels = channels_of(graph_, operand.value);
  const bool per_token =
      settings.approach == Approach::kDynamicPerToken && channels > 0 && operand.role != Operand::Role::kSecond;
  const PairKey key(operand.value, per_token ? Approach::kDynamicPerToken : Approach::kDynamic, 0, 0, 0, divides);
  if (const auto found = pairs_.find(key); found != pairs_.end()) return found->second;
  ValueId value = operand.value;
  if (divides) {
    const std::vector<float>& divisors = smoothed->second.smoothing.divisors;
    Tensor reciprocals(DType::kF32, {static_cast<int64_t>(divisors.size())});
    for (size_t c = 0; c < divisors.size(); ++c) reciprocals.data<float>()[c] = 1 / divisors[c];
    value = writer_.add("Mul", {value, graph_.add_constant(std::move(reciprocals))}, {}, report.name + "/smooth");
  }
  const ValueId pair = per_token ? writer_.per_token(value, channels) : writer_.dynamic(value);
  pairs_.emplace(key, pair);
  return pair;
}

ValueId Converter::static_pair(ValueId value, const QuantSpec& spec, const Settings& settings, bool is_linear,
                               OpReport& report) {
  const auto smoothed = is_linear ? smoothed_.find(value) : smoothed_.end();
  std::vector<float> divisors;
  if (smoothed != smoothed_.end()) divisors = smoothed->second.smoothing.divisors;
  const Statistics& statistics = statistics_of(value);
  const Distribution distribution = statistics.distribution(divisors);
  const Observer observer = are_probabilities(graph_, value) ? Observer::kMinMax : settings.observer;
  const Range range =
      observed_range(distribution, {.observer = observer, .percentile = settings.percentile, .spec = spec});
  const QuantParams params = quant_params(spec, range);
  const Noise noise = quantization_noise(distribution, params, limits_of(params.dtype, spec.reduce_range));
  worst(report, noise.sqnr_db());
  note(report, text("\"", graph_.value(value).name, "\" ", to_string(params.dtype), " [", range.min, ", ", range.max,
                    "] of [", distribution.min, ", ", distribution.max, "]"));
  if (statistics.non_finite() > 0) note(report, text(statistics.non_finite(), " infinities or NaN left out"));
  if (smoothed != smoothed_.end() && smoothed->second.folded) divisors.clear();
  const PairKey key(value, Approach::kStatic, static_cast<int>(params.dtype), params.scale, params.zero_point,
                    !divisors.empty());
  if (const auto found = pairs_.find(key); found != pairs_.end()) return found->second;
  const ValueId pair = writer_.activation(value, params, divisors);
  pairs_.emplace(key, pair);
  return pair;
}

// The bias takes up sum over k of mean(x_k) (w_kn - q_kn): what the rounding of the weight shifts the result by on
// average.
void Converter::correct_bias(NodeId product, ValueId value, const Tensor& matrix, const QuantizedWeight& weight) {
  const Node node = graph_.node(product);
  const Statistics* statistics = prepared_.collector->find(value);
  if (statistics == nullptr || statistics->count() == 0 || statistics->channels() < 2) return;
  if (!node.has_input(2) || !graph_.value(node.inputs[2]).is_constant() || node.is("MatMul")) return;
  const Tensor old_bias = graph_.value(node.inputs[2]).facts.constant;
  const bool transposed = weight_is_transposed(node);
  const int64_t k = matrix.dim(transposed ? 1 : 0), n = matrix.dim(transposed ? 0 : 1);
  if (old_bias.rank() != 1 || old_bias.elems() != n || (node.is("Gemm") && node.attr<float>("beta") != 1.0f)) return;
  const Tensor rounded = dequantize_weight(weight);
  const auto smoothed = smoothed_.find(value);
  std::vector<double> shift(static_cast<size_t>(n), 0);
  for (int64_t i = 0; i < k; ++i) {
    double mean = statistics->channel_mean(i);
    if (smoothed != smoothed_.end()) mean /= smoothed->second.smoothing.divisors[static_cast<size_t>(i)];
    for (int64_t j = 0; j < n; ++j) {
      const int64_t at = transposed ? j * k + i : i * n + j;
      shift[static_cast<size_t>(j)] += mean * static_cast<double>(matrix.data<float>()[at] - rounded.data<float>()[at]);
    }
  }
  const double alpha = static_cast<double>(node.attr<float>("alpha"));
  Tensor bias(DType::kF32, {n});
  for (int64_t j = 0; j < n; ++j) {
    bias.data<float>()[j] =
        static_cast<float>(static_cast<double>(old_bias.data<float>()[j]) + alpha * shift[static_cast<size_t>(j)]);
  }
  const std::string name = graph_.value(node.inputs[2]).name;
  graph_.set_input(product, 2, graph_.add_constant(std::move(bias), name));
}

}  // namespace neural_engine
