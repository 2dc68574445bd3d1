#include "ops/int_facts.h"

#include <algorithm>
#include <limits>
#include <string>

namespace neural_engine {

namespace {

bool holds_ints(DType dtype) { return dtype == DType::kS64 || dtype == DType::kS32 || dtype == DType::kBool; }

// Arithmetic on facts is that of int64; a result that another dtype would wrap is not known.
Dim within(const Dim& element, DType dtype) {
  if (!element.known()) return dtype == DType::kBool ? Dim() : element;
  const int64_t value = element.value();
  if (dtype == DType::kBool) return value == 0 || value == 1 ? element : Dim();
  if (dtype == DType::kS32 && static_cast<int32_t>(value) != value) return {};
  return element;
}

bool not_negative(const Dim& dim) {
  return dim.known() ? dim.value() >= 0 : dim.is_symbol() && dim.symbol().find('-') == std::string::npos;
}

}  // namespace

std::optional<std::vector<Dim>> int_facts(const InferContext& context, int input) {
  const SymShape* shape = context.shape(input);
  if (shape == nullptr || shape->size() > 1) return std::nullopt;
  if (const std::vector<Dim>* ints = context.ints(input)) return *ints;
  const Tensor* constant = context.constant(input);
  if (constant == nullptr || constant->dtype() != DType::kBool || constant->elems() > 64) return std::nullopt;
  std::vector<Dim> result;
  for (int64_t i = 0; i < constant->elems(); ++i) result.emplace_back(int64_t{constant->data<bool>()[i]});
  return result;
}

void set_int_facts(InferContext& context, std::vector<Dim> elements) {
  const DType dtype = context.output_dtype(0);
  if (!holds_ints(dtype)) return;
  bool informative = false;
  for (Dim& element : elements) {
    element = within(element, dtype);
    informative |= element.known() || element.is_symbol();
  }
  if (informative || elements.empty()) context.set_ints(0, std::move(elements));
}

void propagate_ints(InferContext& context, const std::function<Dim(std::span<const Dim>)>& op) {
  if (!holds_ints(context.output_dtype(0))) return;
  std::vector<std::vector<Dim>> operands;
  size_t count = 1;
  bool empty = false;
  for (int i = 0; i < context.num_inputs(); ++i) {
    std::optional<std::vector<Dim>> elements = int_facts(context, i);
    if (!elements) return;
    empty |= elements->empty();
    count = std::max(count, elements->size());
    operands.push_back(*std::move(elements));
  }
  if (empty) count = 0;
  std::vector<Dim> result(count), arguments(operands.size());
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < operands.size(); ++k) {
      if (operands[k].size() != 1 && operands[k].size() != count) return;
      arguments[k] = operands[k][operands[k].size() == 1 ? 0 : i];
    }
    result[i] = op(arguments);
  }
  set_int_facts(context, std::move(result));
}

std::optional<int> compare(const Dim& a, const Dim& b) {
  if (a.known() && b.known()) return a.value() < b.value() ? -1 : a.value() > b.value() ? 1 : 0;
  if (a == b) return 0;
  if (not_negative(a) && b.known() && b.value() < 0) return 1;
  if (not_negative(b) && a.known() && a.value() < 0) return -1;
  return std::nullopt;
}

}  // namespace neural_engine
