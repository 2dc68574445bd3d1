#include "ops/shape_rules.h"

#include <algorithm>
#include <numeric>

namespace neural_engine {

namespace {

// A hostile file must not make us allocate facts for a tensor of a billion axes.
constexpr int64_t kMaxLength = 1024;

std::vector<int64_t> all_axes(int64_t rank) {
  std::vector<int64_t> result(static_cast<size_t>(rank));
  std::iota(result.begin(), result.end(), 0);
  return result;
}

}  // namespace

std::optional<int64_t> rank_of(const InferContext& context, int input) {
  const SymShape* shape = context.shape(input);
  return shape ? std::optional(static_cast<int64_t>(shape->size())) : std::nullopt;
}

std::optional<int64_t> vector_length(const InferContext& context, int input) {
  context.require_rank(input, 1);
  const SymShape* shape = context.shape(input);
  if (shape == nullptr || !(*shape)[0].known()) return std::nullopt;
  const int64_t length = (*shape)[0].value();
  if (length > kMaxLength) context.unsupported("input ", input, " has ", length, " elements, supported: ", kMaxLength);
  return length;
}

void require_whole_bytes(const InferContext& context, int input) {
  const DType dtype = context.dtype(input);
  if (bits_of(dtype) % 8 != 0) {
    context.unsupported("input ", input, " has dtype ", to_string(dtype), ", supported: dtypes of whole bytes");
  }
}

void require_index(const InferContext& context, int input) { context.require_dtype(input, {DType::kS64, DType::kS32}); }

void require_choice(const InferContext& context, const char* attr, std::initializer_list<const char*> choices) {
  const std::string& found = context.attr<std::string>(attr);
  std::string list;
  for (const char* choice : choices) {
    if (found == choice) return;
    list += std::string(list.empty() ? "" : ", ") + choice;
  }
  context.unsupported(attr, " \"", found, "\" found, supported: ", list);
}

std::vector<int64_t> normalized_axes(const InferContext& context, std::span<const int64_t> axes, int64_t rank) {
  std::vector<int64_t> result;
  for (int64_t axis : axes) {
    const int64_t normal = context.normalize_axis(axis, rank);
    if (std::find(result.begin(), result.end(), normal) != result.end()) {
      context.invalid("axis ", axis, " is given twice");
    }
    result.push_back(normal);
  }
  return result;
}

std::vector<int64_t> axes_or_all(const InferContext& context, const char* attr, int64_t rank) {
  if (!context.node().attrs.has(attr)) return all_axes(rank);
  return normalized_axes(context, context.attr<std::vector<int64_t>>(attr), rank);
}

std::optional<std::vector<int64_t>> axes_or_all(const InferContext& context, int input, int64_t rank) {
  if (!context.has_input(input)) return all_axes(rank);
  const std::optional<std::vector<int64_t>> axes = context.known_ints(input);
  return axes ? std::optional(normalized_axes(context, *axes, rank)) : std::nullopt;
}

Dim same_dim(const InferContext& context, const Dim& a, const Dim& b, const char* what) {
  if (a.known() && b.known() && a.value() != b.value()) {
    context.invalid(what, " differ: ", a.value(), " and ", b.value());
  }
  if (a.known()) return a;
  return b.known() || !a.is_symbol() ? b : a;
}

}  // namespace neural_engine
