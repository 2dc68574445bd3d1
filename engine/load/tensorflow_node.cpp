#include "load/tensorflow_node.h"

#include "base/dtype.h"
#include "base/onnx_dtype.h"
#include "load/onnx_scope.h"
#include "load/tensorflow_scope.h"
#include "load/tensorflow_types.h"

namespace neural_engine {

namespace {

const char* kind_name(tf::AttrValue::ValueCase kind) {
  switch (kind) {
    case tf::AttrValue::kList: return "list";
    case tf::AttrValue::kS: return "string";
    case tf::AttrValue::kI: return "int";
    case tf::AttrValue::kF: return "float";
    case tf::AttrValue::kB: return "bool";
    case tf::AttrValue::kType: return "type";
    case tf::AttrValue::kShape: return "shape";
    case tf::AttrValue::kTensor: return "tensor";
    case tf::AttrValue::kPlaceholder: return "placeholder";
    case tf::AttrValue::kFunc: return "function";
    default: return "nothing";
  }
}

const char* kind_name(TfValue::Kind kind) {
  switch (kind) {
    case TfValue::Kind::kList: return "a list of tensors";
    case TfValue::Kind::kVariable: return "a variable";
    case TfValue::Kind::kDead: return "a branch that is not taken";
    default: return "nothing";
  }
}

}  // namespace

std::string describe(const tf::NodeDef& proto) { return "node \"" + proto.name() + "\" (" + proto.op() + ")"; }

Graph& TfNode::graph() { return scope_.graph(); }
std::string TfNode::name() const { return scope_.prefix() + proto_.name(); }

// ---- operands

const TfValue& TfNode::value(size_t i) {
  if (i >= inputs_.size()) invalid("input ", i, " is missing, ", inputs_.size(), " found");
  input_taken_[i] = true;
  return inputs_[i];
}

ValueId TfNode::input(size_t i) {
  const TfValue& found = value(i);
  if (!found.is(TfValue::Kind::kTensor) || found.id == kNoValue) {
    const std::string what = found.is(TfValue::Kind::kOpaque) ? found.text
                             : found.real != kNoValue         ? "a quantized product of 32 bits"
                                                              : kind_name(found.kind);
    unsupported("input ", i, " is ", what, ", a tensor is supported here");
  }
  return found.id;
}

std::vector<ValueId> TfNode::inputs_from(size_t begin, size_t end) {
  std::vector<ValueId> result;
  for (size_t i = begin; i < end; ++i) result.push_back(input(i));
  return result;
}

std::vector<ValueId> TfNode::all_inputs() { return inputs_from(0, inputs_.size()); }

const Facts& TfNode::facts(ValueId id) { return graph().value(id).facts; }

std::optional<int64_t> TfNode::rank(ValueId id) {
  const Facts& known = facts(id);
  return known.shape ? std::optional(static_cast<int64_t>(known.shape->size())) : std::nullopt;
}

int64_t TfNode::required_rank(ValueId id) {
  const std::optional<int64_t> found = rank(id);
  if (!found) unsupported("the rank of an operand is not known while loading, which is needed here");
  return *found;
}

int64_t TfNode::normalized_axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank) invalid("axis ", axis, " found, expected -", rank, " to ", rank - 1);
  return axis < 0 ? axis + rank : axis;
}

std::optional<std::vector<int64_t>> TfNode::known_ints(ValueId id) {
  const Facts& known = facts(id);
  if (known.constant.defined() && is_integer(known.dtype)) {
    return dispatch_dtype(known.dtype, [&](auto tag) -> std::optional<std::vector<int64_t>> {
      using T = typename decltype(tag)::type;
      std::vector<int64_t> result;
      for (int64_t i = 0; i < known.constant.elems(); ++i) {
        result.push_back(static_cast<int64_t>(known.constant.data<T>()[i]));
      }
      return result;
    });
  }
  if (!known.ints) return std::nullopt;
  std::vector<int64_t> result;
  for (const Dim& dim : *known.ints) {
    if (!dim.known()) return std::nullopt;
    result.push_back(dim.value());
  }
  return result;
}

std::vector<int64_t> TfNode::constant_ints(size_t i, const char* what) {
  const ValueId id = input(i);
  if (!is_integer(dtype(id))) invalid(what, " has dtype ", to_string(dtype(id)), ", expected an integer");
  std::optional<std::vector<int64_t>> found = known_ints(id);
  if (!found) unsupported(what, " is computed when the model runs, a constant is supported");
  return *std::move(found);
}

int64_t TfNode::constant_int(size_t i, const char* what) {
  const std::vector<int64_t> found = constant_ints(i, what);
  if (found.size() != 1) invalid(what, " has ", found.size(), " elements, expected one");
  return found[0];
}

std::vector<float> TfNode::constant_floats(size_t i, const char* what) {
  const Tensor& tensor = facts(input(i)).constant;
  if (!tensor.defined()) unsupported(what, " is computed when the model runs, a constant is supported");
  if (tensor.dtype() != DType::kF32) invalid(what, " has dtype ", to_string(tensor.dtype()), ", expected f32");
  return std::vector<float>(tensor.data<float>(), tensor.data<float>() + tensor.elems());
}

float TfNode::constant_float(size_t i, const char* what) {
  const std::vector<float> found = constant_floats(i, what);
  if (found.size() != 1) invalid(what, " has ", found.size(), " elements, expected one");
  return found[0];
}

ValueId TfNode::as_s64(ValueId id) {
  if (dtype(id) == DType::kS64) return id;
  if (!is_integer(dtype(id))) invalid("an operand has dtype ", to_string(dtype(id)), ", expected an integer");
  if (const Tensor& tensor = facts(id).constant; tensor.defined()) {
    return constant(Tensor::of<int64_t>(tensor.shape(), *known_ints(id)));
  }
  return cast(id, DType::kS64);
}

ValueId TfNode::as_vector(size_t i) {
  const ValueId id = as_s64(input(i));
  const std::optional<int64_t> found = rank(id);
  if (found == 1) return id;
  if (found && *found > 1) invalid("input ", i, " has rank ", *found, ", expected 0 or 1");
  const Tensor tensor = facts(id).constant;
  return tensor.defined() ? constant(tensor.reshaped({tensor.elems()})) : reshape(id, {-1});
}

// ---- attributes

const tf::AttrValue* TfNode::find_attr(const char* attr, tf::AttrValue::ValueCase type) {
  attrs_taken_.insert(attr);
  const auto it = proto_.attr().find(attr);
  if (it == proto_.attr().end()) return nullptr;
  if (it->second.value_case() == tf::AttrValue::kPlaceholder) {
    unsupported("attribute \"", attr, "\" is an argument of the function around, which is not supported");
  }
  if (it->second.value_case() != type) {
    invalid("attribute \"", attr, "\" has type ", kind_name(it->second.value_case()), ", expected ", kind_name(type));
  }
  return &it->second;
}

const tf::AttrValue& TfNode::required_attr(const char* attr, tf::AttrValue::ValueCase type) {
  const tf::AttrValue* found = find_attr(attr, type);
  if (found == nullptr) invalid("attribute \"", attr, "\" is missing");
  return *found;
}

bool TfNode::take_bool(const char* attr, std::optional<bool> otherwise) {
  if (!has_attr(attr) && otherwise) return attrs_taken_.insert(attr), *otherwise;
  return required_attr(attr, tf::AttrValue::kB).b();
}
int64_t TfNode::take_int(const char* attr, std::optional<int64_t> otherwise) {
  if (!has_attr(attr) && otherwise) return attrs_taken_.insert(attr), *otherwise;
  return required_attr(attr, tf::AttrValue::kI).i();
}
float TfNode::take_float(const char* attr, std::optional<float> otherwise) {
  if (!has_attr(attr) && otherwise) return attrs_taken_.insert(attr), *otherwise;
  return required_attr(attr, tf::AttrValue::kF).f();
}
std::string TfNode::take_string(const char* attr, std::optional<std::string> otherwise) {
  if (!has_attr(attr) && otherwise) return attrs_taken_.insert(attr), *otherwise;
  return required_attr(attr, tf::AttrValue::kS).s();
}
DType TfNode::take_dtype(const char* attr, DType otherwise) {
  if (!has_attr(attr) && otherwise != DType::kUndefined) return attrs_taken_.insert(attr), otherwise;
  const int type = required_attr(attr, tf::AttrValue::kType).type();
  return with_context([&] { return text("attribute \"", attr, "\""); }, [&] { return checked_tf_dtype(type); });
}
std::optional<SymShape> TfNode::take_shape(const char* attr) {
  const tf::AttrValue* found = find_attr(attr, tf::AttrValue::kShape);
  return found ? read_tf_shape(found->shape()) : std::nullopt;
}

std::vector<int64_t> TfNode::take_ints(const char* attr, std::optional<std::vector<int64_t>> otherwise) {
  if (!has_attr(attr) && otherwise) return attrs_taken_.insert(attr), *otherwise;
  const tf::AttrValue::List& list = required_attr(attr, tf::AttrValue::kList).list();
  if (list.s_size() + list.f_size() + list.b_size() + list.type_size() + list.shape_size() + list.tensor_size() > 0) {
    invalid("attribute \"", attr, "\" is a list of another type than int");
  }
  return std::vector<int64_t>(list.i().begin(), list.i().end());
}

std::vector<std::string> TfNode::take_strings(const char* attr) {
  const tf::AttrValue* found = find_attr(attr, tf::AttrValue::kList);
  if (found == nullptr) return {};
  const tf::AttrValue::List& list = found->list();
  if (list.i_size() + list.f_size() + list.b_size() + list.type_size() + list.shape_size() + list.tensor_size() > 0) {
    invalid("attribute \"", attr, "\" is a list of another type than string");
  }
  return std::vector<std::string>(list.s().begin(), list.s().end());
}

const tf::NameAttrList& TfNode::take_function(const char* attr) {
  return required_attr(attr, tf::AttrValue::kFunc).func();
}

void TfNode::ignore(std::initializer_list<const char*> names) { attrs_taken_.insert(names.begin(), names.end()); }

// ---- what the node becomes

ValueId TfNode::add(std::string_view op_name, std::vector<ValueId> operands, Attrs attrs) {
  return add_many(op_name, std::move(operands), 1, std::move(attrs))[0];
}

std::vector<ValueId> TfNode::add_many(std::string_view op_name, std::vector<ValueId> operands, size_t outputs,
                                      Attrs attrs) {
  std::vector<ValueId> results;
  for (size_t i = 0; i < outputs; ++i) results.push_back(graph().add_value());
  emit(graph(), op_def(op_name), std::move(operands), results, std::move(attrs), name());
  return results;
}

ValueId TfNode::constant(Tensor tensor) { return graph().add_constant(std::move(tensor)); }
ValueId TfNode::ints(const std::vector<int64_t>& values) {
  return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
}
ValueId TfNode::scalar_int(int64_t number) { return constant(Tensor::scalar<int64_t>(number)); }

ValueId TfNode::scalar(double number, DType type) {
  Tensor tensor(type, Shape{});
  dispatch_dtype(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
      *tensor.data<T>() = T(static_cast<float>(number));
    } else {
      *tensor.data<T>() = static_cast<T>(number);
    }
  });
  return constant(std::move(tensor));
}

ValueId TfNode::cast(ValueId id, DType to) { return dtype(id) == to ? id : add("Cast", {id}, {{"to", onnx_code(to)}}); }

ValueId TfNode::transpose(ValueId id, std::vector<int64_t> perm) {
  for (size_t i = 0;; ++i) {
    if (i == perm.size()) return id;  // nothing moves
    if (perm[i] != static_cast<int64_t>(i)) break;
  }
  return add("Transpose", {id}, {{"perm", std::move(perm)}});
}

void TfNode::set_output(size_t i, TfValue result) {
  if (i >= outputs_.size()) outputs_.resize(i + 1);
  if (result.is(TfValue::Kind::kTensor) && result.id != kNoValue) {
    Value& made = graph().value(result.id);
    if (made.name.empty() && !made.is_constant()) {
      made.name = scope_.names().claim(i == 0 ? name() : name() + ":" + std::to_string(i));
    }
  }
  outputs_[i] = std::move(result);
}

void TfNode::finish(std::string_view op_name, std::vector<ValueId> operands, Attrs attrs) {
  set_output(0, add(op_name, std::move(operands), std::move(attrs)));
}

// ---- checks

void TfNode::check_type(const std::string& attr, size_t i) {
  if (i >= inputs_.size()) return;  // the builder says that it is missing
  const tf::AttrValue* found = find_attr(attr.c_str(), tf::AttrValue::kType);
  const TfValue& operand = inputs_[i];
  if (found == nullptr || !operand.is(TfValue::Kind::kTensor) || operand.id == kNoValue) return;
  const DType stated = dtype_of_tf(found->type()), given = dtype(operand.id);
  if (given != DType::kUndefined && stated != given) {
    invalid("attribute \"", attr, "\" says ", tf_type_name(found->type()), ", input ", i, " has dtype ",
            to_string(given));
  }
}

void TfNode::check_types(const char* spec) {
  const std::string_view all = spec;
  for (size_t begin = 0; begin < all.size();) {
    const size_t end = std::min(all.find(';', begin), all.size());
    const std::string_view part = all.substr(begin, end - begin);
    begin = end + 1;
    const size_t equals = part.find('=');
    const std::string attr(part.substr(0, equals));
    attrs_taken_.insert(attr);
    if (equals == std::string_view::npos) continue;
    for (const char which : part.substr(equals + 1)) {
      if (which == '*') {
        for (size_t i = 0; i < inputs_.size(); ++i) check_type(attr, i);
      } else if (which != ',') {
        check_type(attr, static_cast<size_t>(which - '0'));
      }
    }
  }
}

void TfNode::check_all_taken() const {
  for (const auto& [attr, unused] : proto_.attr()) {
    if (attr.rfind('_', 0) == 0 || attrs_taken_.count(attr) > 0) continue;
    unsupported("attribute \"", attr, "\" is not one of the operator's here");
  }
  for (size_t i = 0; i < input_taken_.size(); ++i) {
    if (!input_taken_[i]) invalid("input ", i, " is one too many");
  }
}

}  // namespace neural_engine
