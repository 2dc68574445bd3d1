// Constants and variables.
#include "load/tensorflow_builder.h"
#include "load/tensorflow_ops.h"
#include "load/tensorflow_state.h"
#include "load/tensorflow_variables.h"

namespace neural_engine {

namespace {

void constant(TfNode& n) {
  const int type = [&] {
    const auto it = n.proto().attr().find("dtype");
    return it == n.proto().attr().end() ? 0 : it->second.type();
  }();
  n.ignore({"dtype", "value"});
  const auto value = n.proto().attr().find("value");
  if (value == n.proto().attr().end() || value->second.value_case() != tf::AttrValue::kTensor) {
    n.invalid("attribute \"value\" is missing or no tensor");
  }
  const tf::Tensor& proto = value->second.tensor();
  if (proto.dtype() != type) {
    n.invalid("attribute \"dtype\" says ", tf_type_name(type), ", the value has ", tf_type_name(proto.dtype()));
  }
  if (type == kTfString) return n.set_output(0, TfValue::opaque("a string"));
  Tensor tensor = n.scope().builder().constant_of(n.proto(), proto);
  n.set_output(0, n.graph().add_constant(std::move(tensor), n.scope().names().claim(n.name())));
}

void placeholder(TfNode& n) { n.unsupported("it is fed with a value of its own, which is none of the model's inputs"); }

// What the node declares of its variable holds for the value that was saved.
void check_declared(TfNode& n, const Tensor& value) {
  n.ignore({"dtype", "shape"});
  if (!value.defined()) return;
  const DType dtype = n.take_dtype("dtype");
  const std::optional<SymShape> shape = n.take_shape("shape");
  bool fits = dtype == value.dtype();
  if (shape) {
    fits = fits && shape->size() == value.shape().size();
    for (size_t i = 0; fits && i < shape->size(); ++i) {
      fits = !(*shape)[i].known() || (*shape)[i].value() == value.shape()[i];
    }
  }
  if (!fits) {
    n.invalid("the variable is ", to_string(dtype), shape ? to_string(*shape) : std::string("[...]"),
              ", the value that was saved is ", to_string(value.dtype()), to_string(value.shape()));
  }
}

std::string name_of(TfNode& n) { return variable_name(n.proto(), n.scope().prefix()); }

// A handle; what it stands for is read by others.
void variable_handle(TfNode& n) {
  n.ignore({"container", "shared_name", "allowed_devices", "debug_name"});
  const std::string name = name_of(n);
  check_declared(n, n.scope().builder().variable_value(name));
  n.set_output(0, TfValue::variable(name));
}

ValueId value_of(TfNode& n, const std::string& name) {
  const ValueId* known = n.scope().variable(name);
  if (known != nullptr) return *known;
  const Tensor& saved = n.scope().builder().variable_value(name);
  if (!saved.defined()) {
    n.unsupported("variable \"", name, "\" has no value: freeze the graph, or load the SavedModel that it belongs to");
  }
  const ValueId value = n.graph().add_constant(saved, n.scope().names().claim(name));
  n.scope().keep_variable(name, value);
  return value;
}

void read(TfNode& n) {
  const DType promised = n.take_dtype("dtype");
  const ValueId value = read_variable(n, 0);
  if (n.dtype(value) != promised) {
    n.invalid("attribute \"dtype\" says ", to_string(promised), ", the variable has ", to_string(n.dtype(value)));
  }
  n.set_output(0, value);
}

// TensorFlow 1's variables are tensors by themselves.
void variable(TfNode& n) {
  n.ignore({"container", "shared_name"});
  const std::string name = name_of(n);
  check_declared(n, n.scope().builder().variable_value(name));
  n.set_output(0, value_of(n, name));
}

}  // namespace

ValueId read_variable(TfNode& n, size_t i) {
  const TfValue& handle = n.value(i);
  if (handle.is(TfValue::Kind::kTensor)) return n.input(i);  // a graph that was frozen has constants in their place
  if (!handle.is(TfValue::Kind::kVariable)) n.invalid("input ", i, " is no variable");
  return value_of(n, handle.text);
}

std::span<const TfOp> tf_state_ops() {
  static constexpr TfOp kOps[] = {
      {"Const", constant, ""},      {"Placeholder", placeholder, "dtype"}, {"VarHandleOp", variable_handle, ""},
      {"ReadVariableOp", read, ""}, {"VariableV2", variable, ""},          {"Variable", variable, ""},
  };
  return kOps;
}

}  // namespace neural_engine
