#include "executor/plan.h"

#include <algorithm>
#include <cstring>

#include "executor/evaluate.h"
#include "executor/frame.h"

namespace neural_engine {

Plan::~Plan() = default;

bool Plan::has_dynamic_steps() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.dynamic; });
}

std::unique_ptr<Frame> Plan::make_frame() const {
  auto frame = std::make_unique<Frame>();
  frame->arena = Tensor(DType::kU8, {static_cast<int64_t>(arena_bytes_)});
  std::byte* arena = static_cast<std::byte*>(frame->arena.raw());
  frame->tensors.resize(places_.size());
  for (size_t value = 0; value < places_.size(); ++value) {
    const Place& at = places_[value];
    switch (at.kind) {
      case Place::Kind::kNone:
      case Place::Kind::kDynamic: break;
      case Place::Kind::kConstant: frame->tensors[value] = at.constant; break;
      case Place::Kind::kArena: frame->tensors[value] = Tensor::borrow(at.dtype, at.shape, arena + at.offset); break;
      case Place::Kind::kInput:
      case Place::Kind::kOutput: frame->tensors[value] = Tensor::borrow(at.dtype, at.shape, nullptr); break;
    }
  }
  const auto tensor = [&](ValueId value) {
    return value == kNoValue ? nullptr : &frame->tensors[static_cast<size_t>(value)];
  };
  for (const Step& step : steps_) {
    for (ValueId input : step.node->inputs) frame->inputs.push_back(tensor(input));
    for (ValueId output : step.node->outputs) frame->outputs.push_back(tensor(output));
  }
  return frame;
}

std::unique_ptr<Frame> Plan::acquire_frame() const {
  {
    const std::lock_guard lock(mutex_);
    if (!frames_.empty()) {
      std::unique_ptr<Frame> frame = std::move(frames_.back());
      frames_.pop_back();
      return frame;
    }
  }
  return make_frame();
}

void Plan::bind_memory(Frame& frame, std::span<const Tensor> inputs, std::span<Tensor> outputs) const {
  for (size_t value = 0; value < places_.size(); ++value) {
    const Place& at = places_[value];
    const size_t index = static_cast<size_t>(at.index);
    if (at.kind == Place::Kind::kInput) frame.tensors[value].rebind(const_cast<void*>(inputs[index].raw()));
    if (at.kind == Place::Kind::kOutput) frame.tensors[value].rebind(outputs[index].raw());
  }
}

void Plan::run(std::span<const Tensor> inputs, std::span<Tensor> outputs, Parallel& parallel, Profile* profile) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Place& at = place(graph_.outputs()[i].value);
    if (!outputs[i].defined() && at.kind != Place::Kind::kDynamic) outputs[i] = Tensor(at.dtype, at.shape);
  }
  std::unique_ptr<Frame> frame = acquire_frame();
  bind_memory(*frame, inputs, outputs);
  if (profile != nullptr) profile->steps.clear();

  std::byte* arena = static_cast<std::byte*>(frame->arena.raw());
  const Tensor* const* step_inputs = frame->inputs.data();
  Tensor* const* step_outputs = frame->outputs.data();
  for (const Step& step : steps_) {
    const int64_t begin = profile != nullptr ? profile->now_ns() : 0;
    const size_t num_inputs = step.node->inputs.size(), num_outputs = step.node->outputs.size();
    if (step.dynamic) {
      run_dynamic(step, *frame, parallel);
    } else {
      OpContext context({step_inputs, num_inputs}, {step_outputs, num_outputs}, parallel, arena + step.scratch_offset);
      with_context([&] { return describe(*step.node); }, [&] { step.op.run(context); });
    }
    for (ValueId value : step.release) frame->tensors[static_cast<size_t>(value)] = Tensor();
    step_inputs += num_inputs;
    step_outputs += num_outputs;
    if (profile != nullptr) profile->steps.push_back({begin, profile->now_ns()});
  }

  for (const Copy& copy : copies_) {
    const Tensor& from = frame->tensors[static_cast<size_t>(copy.from)];
    if (from.bytes() != 0) std::memcpy(outputs[static_cast<size_t>(copy.output)].raw(), from.raw(), from.bytes());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const ValueId value = graph_.outputs()[i].value;
    if (place(value).kind != Place::Kind::kDynamic) continue;
    const Tensor& result = frame->tensors[static_cast<size_t>(value)];
    if (!outputs[i].defined()) {
      // Owned, so that the next run of this frame does not write into it.
      outputs[i] = result;
    } else {
      require(outputs[i].dtype() == result.dtype() && outputs[i].shape() == result.shape(), Code::kInvalidArgument,
              "output \"", graph_.outputs()[i].name, "\" has shape ", to_string(result.shape()), ", the given tensor ",
              to_string(outputs[i].shape()));
      if (result.bytes() != 0) std::memcpy(outputs[i].raw(), result.raw(), result.bytes());
    }
  }
  for (size_t value = 0; value < places_.size(); ++value) {
    if (places_[value].kind == Place::Kind::kDynamic) frame->tensors[value] = Tensor();
  }
  const std::lock_guard lock(mutex_);
  frames_.push_back(std::move(frame));
}

void Plan::run_dynamic(const Step& step, Frame& frame, Parallel& parallel) const {
  std::vector<Tensor> operands;
  for (ValueId input : step.node->inputs) {
    operands.push_back(input == kNoValue ? Tensor() : frame.tensors[static_cast<size_t>(input)]);
  }
  std::vector<Tensor> results = evaluate_node(*step.node, operands, parallel, weights_);
  for (size_t i = 0; i < results.size(); ++i) {
    const ValueId value = step.node->outputs[i];
    if (value == kNoValue) continue;
    // Later steps are bound to what inference promised.
    const Place& at = place(value);
    const bool as_promised = (at.dtype == DType::kUndefined || results[i].dtype() == at.dtype) &&
                             (!at.shape_known || results[i].shape() == at.shape);
    require(as_promised, Code::kInternal, describe(*step.node), ": output ", i, " is ", to_string(results[i].dtype()),
            to_string(results[i].shape()), ", inferred was ", to_string(at.dtype), to_string(at.shape));
    frame.tensors[static_cast<size_t>(value)] = std::move(results[i]);
  }
}

}  // namespace neural_engine
