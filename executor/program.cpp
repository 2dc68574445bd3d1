#include "executor/program.h"

#include <algorithm>
#include <map>

namespace neural_engine {

Program::Program(GraphPtr graph, WeightStore& weights, int threads, size_t max_plans)
    : graph_(std::move(graph)), weights_(weights), threads_(threads), max_plans_(std::max<size_t>(max_plans, 1)) {}

template <class ShapeOf>
std::shared_ptr<const Plan> Program::find(size_t count, const ShapeOf& shape_of) {
  const std::lock_guard lock(mutex_);
  for (auto it = plans_.begin(); it != plans_.end(); ++it) {
    bool equal = true;
    for (size_t i = 0; i < count && equal; ++i) equal = (*it)->input_shapes()[i] == shape_of(i);
    if (!equal) continue;
    std::rotate(plans_.begin(), it, it + 1);
    return plans_.front();
  }
  return nullptr;
}

std::shared_ptr<const Plan> Program::plan_for(std::span<const Tensor> inputs) {
  require(inputs.size() == graph_->inputs().size(), Code::kInvalidArgument, inputs.size(), " inputs given, ",
          graph_->inputs().size(), " expected");
  if (auto plan = find(inputs.size(), [&](size_t i) -> const Shape& { return inputs[i].shape(); })) return plan;
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  return plan_for(shapes);
}

std::shared_ptr<const Plan> Program::plan_for(const std::vector<Shape>& shapes) {
  if (auto plan = find(shapes.size(), [&](size_t i) -> const Shape& { return shapes[i]; })) return plan;
  check_inputs(shapes);
  auto plan = std::make_shared<const Plan>(*graph_, shapes, threads_, weights_);
  const std::lock_guard lock(mutex_);
  make_room_for(*plan);
  plans_.insert(plans_.begin(), plan);
  if (plans_.size() > max_plans_) plans_.pop_back();
  return plan;
}

// A plan keeps the memory of its last run: those that were used least recently go first.
void Program::make_room_for(const Plan& plan) {
  const auto held = [&] {
    size_t bytes = plan.arena_bytes() + plan.constant_bytes();
    for (const auto& other : plans_) bytes += other->arena_bytes() + other->constant_bytes();
    return bytes;
  };
  while (!plans_.empty() && !weights_.has_room(held())) plans_.pop_back();
  if (weights_.has_room(held())) return;
  std::string shapes;
  for (const Shape& shape : plan.input_shapes()) shapes += (shapes.empty() ? "" : ", ") + to_string(shape);
  weights_.require_room(held(), "a run with inputs of shape " + shapes);
}

// Ranks and fixed dimensions as declared; one number for one symbol.
void Program::check_inputs(const std::vector<Shape>& shapes) const {
  std::map<std::string, std::pair<int64_t, std::string>> symbols;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const Value& input = graph_->value(graph_->inputs()[i]);
    if (!input.facts.shape) continue;
    const SymShape& declared = *input.facts.shape;
    const auto refuse = [&](const std::string& why) {
      fail(Code::kInvalidArgument, "input \"", input.name, "\" has shape ", to_string(shapes[i]), ", expected ",
           to_string(declared), why);
    };
    if (declared.size() != shapes[i].size()) refuse("");
    for (size_t axis = 0; axis < declared.size(); ++axis) {
      const int64_t found = shapes[i][axis];
      if (declared[axis].known() && declared[axis].value() != found) refuse("");
      if (!declared[axis].is_symbol()) continue;
      const auto [it, added] = symbols.try_emplace(declared[axis].symbol(), found, input.name);
      if (!added && it->second.first != found) {
        refuse(text(" where ", declared[axis].symbol(), " = ", it->second.first, " as in input \"", it->second.second,
                    "\""));
      }
    }
  }
}

std::vector<std::shared_ptr<const Plan>> Program::plans() const {
  const std::lock_guard lock(mutex_);
  return plans_;
}

}  // namespace neural_engine
