#include "neural_engine/session.h"

#include <algorithm>
#include <set>

#include "executor/cpu_set.h"
#include "executor/precision.h"
#include "executor/program.h"
#include "executor/thread_pool.h"

namespace neural_engine {

namespace {

int choose_threads(const SessionOptions& options) {
  require(options.threads >= 0, Code::kInvalidArgument, options.threads, " threads asked for");
  if (!options.cpus.empty()) {
    const std::vector<int> allowed = allowed_cpus();
    for (int cpu : options.cpus) {
      require(std::binary_search(allowed.begin(), allowed.end(), cpu), Code::kInvalidArgument, "CPU ", cpu,
              " is not one that this process may use");
    }
  }
  const int usable = options.cpus.empty() ? usable_threads() : static_cast<int>(options.cpus.size());
  return options.threads == 0 ? usable : std::min(options.threads, usable);
}

std::string describe_value(const Graph& graph, const Plan& plan, ValueId value) {
  if (value == kNoValue) return "-";
  const Place& place = plan.place(value);
  const Value& declared = graph.value(value);
  if (place.kind == Place::Kind::kNone) return std::string(to_string(declared.facts.dtype)) + "[]";
  return to_string(place.dtype) + (place.shape_known ? to_string(place.shape) : "[?]");
}

double bytes_of(const Place& place) {
  if (!place.shape_known) return 0;
  return static_cast<double>(Tensor::borrow(place.dtype, place.shape, nullptr).bytes());
}

std::string describe_place(const Place& place) {
  switch (place.kind) {
    case Place::Kind::kNone: return "none";
    case Place::Kind::kConstant: return "constant";
    case Place::Kind::kInput: return "input " + std::to_string(place.index);
    case Place::Kind::kOutput: return "output " + std::to_string(place.index);
    case Place::Kind::kArena: return "arena+" + std::to_string(place.offset);
    case Place::Kind::kDynamic: return "dynamic";
  }
  return "";
}

// An operator that looks rows of a table up reads as many bytes as it writes.
bool reads_rows_of(const Step& step) { return step.node->op().starts_with("Gather"); }

void describe_traffic(const Plan& plan, const Step& step, StepInfo* info) {
  std::set<ValueId> inputs(step.node->inputs.begin(), step.node->inputs.end());
  double written = 0;
  for (ValueId output : step.node->outputs)
    if (output != kNoValue) written += bytes_of(plan.place(output));
  info->activation_bytes = written;
  for (ValueId input : inputs) {
    if (input == kNoValue) continue;
    const bool constant = plan.place(input).kind == Place::Kind::kConstant;
    const double bytes = bytes_of(plan.place(input));
    (constant ? info->weight_bytes : info->activation_bytes) += reads_rows_of(step) ? std::min(bytes, written) : bytes;
  }
}

std::vector<StepInfo> describe_steps(const Plan& plan, const Profile* profile) {
  std::vector<StepInfo> result;
  for (size_t i = 0; i < plan.steps().size(); ++i) {
    const Step& step = plan.steps()[i];
    StepInfo info;
    info.name = step.node->name;
    info.op = step.node->op();
    for (ValueId input : step.node->inputs) info.inputs.push_back(describe_value(plan.graph(), plan, input));
    for (ValueId output : step.node->outputs) info.outputs.push_back(describe_value(plan.graph(), plan, output));
    info.kernel = step.dynamic ? "chosen when run" : step.op.kernel;
    info.rejected = step.op.rejected;
    if (!step.node->outputs.empty() && step.node->outputs[0] != kNoValue) {
      info.place = describe_place(plan.place(step.node->outputs[0]));
    }
    info.scratch_bytes = step.op.scratch_bytes;
    info.operations = step.op.operations;
    describe_traffic(plan, step, &info);
    if (profile != nullptr) {
      info.begin_us = static_cast<double>(profile->steps[i].begin_ns) / 1e3;
      info.time_us = static_cast<double>(profile->steps[i].end_ns - profile->steps[i].begin_ns) / 1e3;
    }
    result.push_back(std::move(info));
  }
  return result;
}

}  // namespace

struct Session::Impl {
  Impl(const Model& session_model, const SessionOptions& options)
      : model(session_model),
        pool(choose_threads(options), options.cpus),
        program(with_precision(model.graph_ptr(), options.precision, &notes), weights, pool.threads(),
                static_cast<size_t>(std::max(options.max_plans, 1))) {
    weights.limit(model.weight_bytes(), options.max_memory);
  }

  // Shapes are the plan's to check.
  void check_inputs(std::span<const Tensor> inputs) const {
    const std::vector<TensorInfo>& expected = model.inputs();
    if (inputs.size() != expected.size()) {
      fail(Code::kInvalidArgument, inputs.size(), " inputs given, the model has ", expected.size());
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].dtype() == expected[i].dtype) continue;
      fail(Code::kInvalidArgument, "input \"", expected[i].name, "\" has dtype ", to_string(inputs[i].dtype()),
           ", expected ", to_string(expected[i].dtype));
    }
  }

  static void check_outputs(const Plan& plan, std::span<const Tensor> outputs) {
    const std::vector<Graph::Output>& expected = plan.graph().outputs();
    if (outputs.size() != expected.size()) {
      fail(Code::kInvalidArgument, outputs.size(), " outputs given, the model has ", expected.size());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Place& place = plan.place(expected[i].value);
      if (!outputs[i].defined() || !place.shape_known) continue;
      if (outputs[i].dtype() == place.dtype && outputs[i].shape() == place.shape) continue;
      fail(Code::kInvalidArgument, "output \"", expected[i].name, "\" is ", to_string(place.dtype),
           to_string(place.shape), ", the given tensor ", to_string(outputs[i].dtype()), to_string(outputs[i].shape()));
    }
  }

  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs, Profile* profile = nullptr) {
    check_inputs(inputs);
    const std::shared_ptr<const Plan> plan = program.plan_for(inputs);
    check_outputs(*plan, outputs);
    plan->run(inputs, outputs, pool, profile);
  }

  const Model model;
  std::vector<std::string> notes;
  ThreadPool pool;
  WeightStore weights{&pool};
  Program program;
};

Session::Session(const Model& model, const SessionOptions& options) : impl_(std::make_unique<Impl>(model, options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

const Model& Session::model() const { return impl_->model; }
const std::vector<std::string>& Session::notes() const { return impl_->notes; }
int Session::threads() const { return impl_->pool.threads(); }

std::vector<Tensor> Session::run(std::span<const Tensor> inputs) {
  std::vector<Tensor> outputs(impl_->model.outputs().size());
  impl_->run(inputs, outputs);
  return outputs;
}

void Session::run(std::span<const Tensor> inputs, std::span<Tensor> outputs) { impl_->run(inputs, outputs); }

std::map<std::string, Tensor> Session::run(const std::map<std::string, Tensor>& inputs) {
  std::vector<Tensor> ordered;
  for (const TensorInfo& info : impl_->model.inputs()) {
    const auto it = inputs.find(info.name);
    require(it != inputs.end(), Code::kInvalidArgument, "input \"", info.name, "\" is missing");
    ordered.push_back(it->second);
  }
  for (const auto& [name, tensor] : inputs) {
    const auto is_this = [&input = name](const TensorInfo& info) { return info.name == input; };
    require(std::any_of(impl_->model.inputs().begin(), impl_->model.inputs().end(), is_this), Code::kInvalidArgument,
            "the model has no input \"", name, "\"");
  }
  const std::vector<Tensor> outputs = run(ordered);
  std::map<std::string, Tensor> result;
  for (size_t i = 0; i < outputs.size(); ++i) result[impl_->model.outputs()[i].name] = outputs[i];
  return result;
}

void Session::prepare(const std::vector<Shape>& input_shapes) { explain(input_shapes); }

std::vector<StepInfo> Session::explain(const std::vector<Shape>& input_shapes) {
  require(input_shapes.size() == impl_->model.inputs().size(), Code::kInvalidArgument, input_shapes.size(),
          " input shapes given, the model has ", impl_->model.inputs().size(), " inputs");
  return describe_steps(*impl_->program.plan_for(input_shapes), nullptr);
}

std::vector<StepInfo> Session::profile(std::span<const Tensor> inputs, std::vector<Tensor>* outputs) {
  std::vector<Tensor> results(impl_->model.outputs().size());
  Profile profile;
  impl_->run(inputs, results, &profile);
  std::vector<StepInfo> steps = describe_steps(*impl_->program.plan_for(inputs), &profile);
  if (outputs != nullptr) *outputs = std::move(results);
  return steps;
}

MemoryStats Session::memory() const {
  MemoryStats stats;
  size_t arenas = 0;  // a plan keeps the memory of its last run
  stats.weight_bytes = impl_->model.weight_bytes();
  stats.packed_bytes = impl_->weights.bytes();
  for (const auto& plan : impl_->program.plans()) {
    stats.arena_bytes = std::max(stats.arena_bytes, plan->arena_bytes());
    arenas += plan->arena_bytes();
    stats.constant_bytes += plan->constant_bytes();
  }
  stats.released_bytes = impl_->weights.released_bytes();
  stats.predicted_peak_bytes = stats.weight_bytes - std::min(stats.weight_bytes, stats.released_bytes) +
                               stats.packed_bytes + arenas + stats.constant_bytes;
  return stats;
}

}  // namespace neural_engine
