// One node of a TensorFlow graph, as the builders of operators see it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "load/tensorflow_value.h"
#include "tensorflow.pb.h"

namespace neural_engine {

class TfScope;
struct TfOp;

// `node "encoder/MatMul" (MatMul)`
std::string describe(const tf::NodeDef& proto);

// Operands and attributes are taken; those that no builder takes are refused at the end (check_all_taken). Names of
// attributes that start with "_" are notes of TensorFlow's own passes and are left alone.
class TfNode {
 public:
  TfNode(TfScope& scope, const tf::NodeDef& proto, std::vector<TfValue> inputs)
      : scope_(scope), proto_(proto), inputs_(std::move(inputs)), input_taken_(inputs_.size()) {}

  TfScope& scope() { return scope_; }
  Graph& graph();
  const tf::NodeDef& proto() const { return proto_; }
  const std::string& op() const { return proto_.op(); }
  std::string name() const;  // with the names of the calls around

  // ---- operands
  size_t num_inputs() const { return inputs_.size(); }
  const TfValue& value(size_t i);  // kInvalidModel when absent
  ValueId input(size_t i);         // a tensor; what is none is refused
  std::vector<ValueId> all_inputs();
  std::vector<ValueId> inputs_from(size_t begin, size_t end);
  const Facts& facts(ValueId value);
  DType dtype(ValueId value) { return facts(value).dtype; }
  std::optional<int64_t> rank(ValueId value);
  int64_t required_rank(ValueId value);  // kUnsupported when not known
  // Axis in [0, rank); negative ones count from the end.
  int64_t normalized_axis(int64_t axis, int64_t rank) const;

  // Elements of an integer operand, when they are known while loading.
  std::optional<std::vector<int64_t>> known_ints(ValueId value);
  // Refuses (kUnsupported) an operand that is computed when the model runs. `what` names it.
  std::vector<int64_t> constant_ints(size_t i, const char* what);
  int64_t constant_int(size_t i, const char* what);
  float constant_float(size_t i, const char* what);
  std::vector<float> constant_floats(size_t i, const char* what);
  // The operand as ONNX's operators take shapes, axes and sizes: s64, one dimension.
  ValueId as_vector(size_t i);
  ValueId as_s64(ValueId value);  // any shape

  // ---- attributes, by their type on the wire
  bool has_attr(const char* name) const { return proto_.attr().count(name) > 0; }
  bool take_bool(const char* name, std::optional<bool> otherwise = std::nullopt);
  int64_t take_int(const char* name, std::optional<int64_t> otherwise = std::nullopt);
  float take_float(const char* name, std::optional<float> otherwise = std::nullopt);
  std::string take_string(const char* name, std::optional<std::string> otherwise = std::nullopt);
  DType take_dtype(const char* name, DType otherwise = DType::kUndefined);
  std::optional<SymShape> take_shape(const char* name);
  std::vector<int64_t> take_ints(const char* name, std::optional<std::vector<int64_t>> otherwise = std::nullopt);
  std::vector<std::string> take_strings(const char* name);
  const tf::NameAttrList& take_function(const char* name);
  // What does not change an inference: accepted, whatever it says.
  void ignore(std::initializer_list<const char*> names);
  void ignore_input(size_t i) { value(i); }

  // ---- what the node becomes
  // A node with one output.
  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  std::vector<ValueId> add_many(std::string_view op, std::vector<ValueId> inputs, size_t outputs, Attrs attrs = {});
  ValueId constant(Tensor tensor);
  ValueId ints(const std::vector<int64_t>& values);  // s64, one dimension
  ValueId scalar_int(int64_t value);                 // s64
  ValueId scalar(double value, DType dtype);
  ValueId scalar_like(double value, ValueId like) { return scalar(value, dtype(like)); }
  ValueId cast(ValueId value, DType to);  // the value itself when it has the dtype
  ValueId transpose(ValueId value, std::vector<int64_t> perm);
  ValueId unsqueeze(ValueId value, std::vector<int64_t> axes) { return add("Unsqueeze", {value, ints(axes)}); }
  ValueId squeeze(ValueId value, std::vector<int64_t> axes) { return add("Squeeze", {value, ints(axes)}); }
  ValueId reshape(ValueId value, std::vector<int64_t> shape) { return add("Reshape", {value, ints(shape)}); }

  void set_output(size_t i, TfValue value);
  void set_output(size_t i, ValueId value) { set_output(i, TfValue::tensor(value)); }
  // Output 0 is `op` of these; its name is the node's.
  void finish(std::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});

  // Attributes of the form "T=0,1;Tidx=2" (of the operator's table) say the dtypes of operands; "*" is all of them.
  void check_types(const char* spec);
  void check_all_taken() const;
  std::vector<TfValue> take_outputs() { return std::move(outputs_); }

  template <class... Args>
  [[noreturn]] void invalid(const Args&... args) const {
    fail(Code::kInvalidModel, args...);
  }
  template <class... Args>
  [[noreturn]] void unsupported(const Args&... args) const {
    fail(Code::kUnsupported, args...);
  }

 private:
  // nullptr when absent; kInvalidModel when it has another type.
  const tf::AttrValue* find_attr(const char* name, tf::AttrValue::ValueCase type);
  const tf::AttrValue& required_attr(const char* name, tf::AttrValue::ValueCase type);
  void check_type(const std::string& attr, size_t input);

  TfScope& scope_;
  const tf::NodeDef& proto_;
  std::vector<TfValue> inputs_;
  std::vector<bool> input_taken_;
  std::set<std::string, std::less<>> attrs_taken_;
  std::vector<TfValue> outputs_;
};

}  // namespace neural_engine
