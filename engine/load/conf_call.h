// One operator of a conf.yaml while it becomes nodes: its operands by position, its attributes with their types.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "load/conf_file.h"
#include "load/graph_writer.h"

namespace neural_engine {

// How a tensor was quantized that is quantized as it comes: x = q * scale + offset (no offset: symmetric).
struct ConfDynamic {
  ValueId scale = kNoValue;
  ValueId offset = kNoValue;
};

struct ConfScope {
  explicit ConfScope(Graph& graph) : writer(graph) {}

  GraphWriter writer;
  std::map<std::string, ValueId> values;
  // By the value that stands for the tensor's minimum, which is how consumers name it.
  std::map<ValueId, ConfDynamic> dynamic;
  // What an expanded mask was made from: operators that broadcast take that.
  std::map<ValueId, ValueId> unexpanded;
};

class ConfCall {
 public:
  ConfCall(const ConfOperator& op, ConfScope& scope);

  GraphWriter& w() const { return scope_.writer; }
  ConfScope& scope() const { return scope_; }
  const std::string& type() const { return op_.type; }

  size_t num_inputs() const { return inputs_.size(); }
  size_t num_outputs() const { return op_.outputs.size(); }
  // Refuses another number of operands.
  void expect_inputs(size_t low, size_t high) const;
  void expect_outputs(std::initializer_list<size_t> counts) const;
  ValueId input(size_t i) const { return inputs_[i]; }
  DType dtype(ValueId value) const { return w().facts(value).dtype; }
  // The rank; refused when it is not known.
  int64_t rank(ValueId value) const;

  // Attributes: text that is read as what is asked for. A missing one without a default is refused.
  bool has(const char* name) const { return find(name) != nullptr; }
  std::string text(const char* name, std::optional<std::string> otherwise = std::nullopt);
  int64_t integer(const char* name, std::optional<int64_t> otherwise = std::nullopt);
  float number(const char* name, std::optional<float> otherwise = std::nullopt);
  std::vector<int64_t> integers(const char* name);  // empty when it is missing
  bool flag(const char* name, bool otherwise);
  DType dtype_attr(const char* name, DType otherwise);
  // An attribute that says how to compute and not what.
  void ignore(const char* name) { read_.insert(name); }

  void set_output(size_t i, ValueId value);
  // Refuses attributes that nobody read, and outputs that nobody set.
  void finish() const;

  // `value` as shape "template_shape" says: each -1 is, from left to right, the dimension of `like` that `dims` names
  // next; one that is left is what remains.
  ValueId reshaped(ValueId value, const std::vector<int64_t>& template_shape, ValueId like,
                   const std::vector<int64_t>& dims) const;
  // Dimension `axis` of a value as a vector of one element.
  ValueId extent(ValueId value, int64_t axis) const;

 private:
  const std::string* find(const char* name) const;

  const ConfOperator& op_;
  ConfScope& scope_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::set<std::string> read_;
};

// "fp32" ...; kUndefined for another name.
DType conf_dtype(const std::string& name);

struct ConfRow {
  const char* type;
  void (*translate)(ConfCall&);
};

// Families of operator types.
std::span<const ConfRow> conf_product_rows();
std::span<const ConfRow> conf_elementwise_rows();
std::span<const ConfRow> conf_shape_rows();
std::span<const ConfRow> conf_text_rows();

}  // namespace neural_engine
