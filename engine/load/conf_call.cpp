#include "load/conf_call.h"

#include "base/error.h"

namespace neural_engine {

namespace {

struct NamedType {
  const char* name;
  DType dtype;
};
// Both spellings that writers of the format used.
constexpr NamedType kTypes[] = {
    {"fp32", DType::kF32}, {"s32", DType::kS32},  {"int32", DType::kS32}, {"s8", DType::kS8},     {"int8", DType::kS8},
    {"u8", DType::kU8},    {"uint8", DType::kU8}, {"bf16", DType::kBF16}, {"int64", DType::kS64}, {"s64", DType::kS64},
};

template <class Body>
auto reading(const char* name, const Body& body) {
  return with_context([&] { return std::string("attribute \"") + name + "\""; }, body);
}

}  // namespace

DType conf_dtype(const std::string& name) {
  for (const NamedType& type : kTypes) {
    if (name == type.name) return type.dtype;
  }
  return DType::kUndefined;
}

ConfCall::ConfCall(const ConfOperator& op, ConfScope& scope)
    : op_(op), scope_(scope), outputs_(op.outputs.size(), kNoValue) {
  for (const std::string& input : op.inputs) {
    const auto it = scope.values.find(input);
    if (it == scope.values.end()) fail(Code::kInvalidModel, "input \"", input, "\" is made by no operator before it");
    inputs_.push_back(it->second);
  }
}

void ConfCall::expect_inputs(size_t low, size_t high) const {
  if (inputs_.size() < low || inputs_.size() > high) {
    fail(Code::kInvalidModel, inputs_.size(), " inputs found, expected ", low,
         low == high ? std::string() : " to " + std::to_string(high));
  }
}

void ConfCall::expect_outputs(std::initializer_list<size_t> counts) const {
  for (size_t count : counts) {
    if (count == num_outputs()) return;
  }
  fail(Code::kInvalidModel, num_outputs(), " outputs found, expected ", *counts.begin(),
       counts.size() > 1 ? " or " + std::to_string(*(counts.begin() + 1)) : std::string());
}

int64_t ConfCall::rank(ValueId value) const {
  const Facts& facts = w().facts(value);
  if (!facts.shape) fail(Code::kUnsupported, "an operand whose rank is not known found");
  return static_cast<int64_t>(facts.shape->size());
}

const std::string* ConfCall::find(const char* name) const {
  for (const auto& [attr, value] : op_.attrs) {
    if (attr == name) return &value;
  }
  return nullptr;
}

std::string ConfCall::text(const char* name, std::optional<std::string> otherwise) {
  read_.insert(name);
  if (const std::string* value = find(name)) return *value;
  if (!otherwise) fail(Code::kInvalidModel, "attribute \"", name, "\" is missing");
  return *otherwise;
}

int64_t ConfCall::integer(const char* name, std::optional<int64_t> otherwise) {
  if (!has(name) && otherwise) return *otherwise;
  const std::vector<int64_t> values = reading(name, [&] { return parse_integers(text(name)); });
  if (values.size() != 1)
    fail(Code::kInvalidModel, "attribute \"", name, "\" has ", values.size(), " numbers, expected one");
  return values[0];
}

float ConfCall::number(const char* name, std::optional<float> otherwise) {
  if (!has(name) && otherwise) return *otherwise;
  return reading(name, [&] { return static_cast<float>(parse_number(text(name))); });
}

std::vector<int64_t> ConfCall::integers(const char* name) {
  const std::string value = text(name, "");
  return value.empty() ? std::vector<int64_t>() : reading(name, [&] { return parse_integers(value); });
}

bool ConfCall::flag(const char* name, bool otherwise) {
  const std::string value = text(name, otherwise ? "true" : "false");
  if (value == "true" || value == "True" || value == "1") return true;
  if (value == "false" || value == "False" || value == "0") return false;
  fail(Code::kInvalidModel, "attribute \"", name, "\" is \"", value, "\", expected true or false");
}

DType ConfCall::dtype_attr(const char* name, DType otherwise) {
  if (!has(name)) return otherwise;
  const std::string value = text(name);
  const DType dtype = conf_dtype(value);
  if (dtype == DType::kUndefined) {
    fail(Code::kUnsupported, "attribute \"", name, "\" is \"", value, "\", supported: fp32, bf16, s32, s8, u8, int64");
  }
  return dtype;
}

void ConfCall::set_output(size_t i, ValueId value) {
  outputs_[i] = value;
  // A name is given once, so that what is read later is what was written last.
  if (!scope_.values.emplace(op_.outputs[i].name, value).second) {
    fail(Code::kInvalidModel, "output \"", op_.outputs[i].name, "\" is made twice");
  }
}

void ConfCall::finish() const {
  for (const auto& [name, value] : op_.attrs) {
    if (read_.count(name) == 0) {
      fail(Code::kUnsupported, "attribute \"", name, "\" (\"", value, "\") is not supported here");
    }
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (outputs_[i] == kNoValue) {
      fail(Code::kInvalidModel, "output \"", op_.outputs[i].name, "\" is one more than the operator has");
    }
  }
}

ValueId ConfCall::extent(ValueId value, int64_t axis) const {
  const int64_t count = rank(value);
  if (axis < -count || axis >= count) fail(Code::kInvalidModel, "dimension ", axis, " of a rank of ", count, " found");
  const int64_t at = axis < 0 ? axis + count : axis;
  return w().add("Shape", {value}, {{"start", at}, {"end", at + 1}});
}

ValueId ConfCall::reshaped(ValueId value, const std::vector<int64_t>& template_shape, ValueId like,
                           const std::vector<int64_t>& dims) const {
  std::vector<ValueId> parts;
  size_t next = 0;
  int open = 0;
  for (int64_t dim : template_shape) {
    if (dim < -1 || dim == 0) fail(Code::kInvalidModel, "a shape with a dimension of ", dim, " found");
    if (dim == -1 && like != kNoValue && next < dims.size()) {
      parts.push_back(extent(like, dims[next++]));
      continue;
    }
    open += dim == -1 ? 1 : 0;
    parts.push_back(w().ints({dim}));
  }
  if (open > 1) fail(Code::kInvalidModel, "a shape with ", open, " dimensions of -1 found, expected at most one");
  if (next < dims.size()) fail(Code::kInvalidModel, dims.size(), " dims found, the shape has room for ", next);
  if (next == 0) return w().add("Reshape", {value, w().ints(template_shape)});
  return w().add("Reshape", {value, w().add("Concat", parts, {{"axis", int64_t{0}}})});
}

}  // namespace neural_engine
