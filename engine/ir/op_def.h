// What an operator means: its attributes, its operands, its shape inference and the foreign operators that map to it.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ir/attrs.h"

namespace neural_engine {

class InferContext;

// One attribute. Node construction fills defaults in, so that an attribute with a default can always be read.
struct AttrDef {
  AttrDef(const char* attr_name, AttrValue value)
      : name(attr_name), type(type_of(value)), default_value(std::move(value)) {}
  AttrDef(const char* attr_name, int value) : AttrDef(attr_name, AttrValue(int64_t{value})) {}
  AttrDef(const char* attr_name, float value) : AttrDef(attr_name, AttrValue(value)) {}
  AttrDef(const char* attr_name, const char* value) : AttrDef(attr_name, AttrValue(std::string(value))) {}
  // Without a default: absent unless given, or required.
  AttrDef(const char* attr_name, AttrType attr_type, bool is_required = false)
      : name(attr_name), type(attr_type), required(is_required) {}

  const char* name;
  AttrType type;
  std::optional<AttrValue> default_value;
  bool required = false;
};
inline AttrDef optional_attr(const char* name, AttrType type) { return AttrDef(name, type, false); }
inline AttrDef required_attr(const char* name, AttrType type) { return AttrDef(name, type, true); }

// The number of operands: at least min, at most max. Optional operands in between may be absent (kNoValue).
struct Arity {
  int min;
  int max;
};
inline constexpr int kVariadic = 1 << 30;
inline constexpr int kMaxOnnxOpset = 23;

// An ONNX operator that maps to this op directly (same operands in the same order, attributes of the same names) for
// the opset versions since..until. Versions of another form are adapted by load/onnx_legacy.cpp.
struct OnnxOp {
  const char* op_type;
  int since;
  int until = kMaxOnnxOpset;
  const char* domain = "";
};

enum OpFlags : uint32_t {
  kElementwise = 1 << 0,       // output element i depends on the (broadcast) input elements i only: may run in place
  kView = 1 << 1,              // output 0 has the bytes of input 0 under another shape
  kCommutative = 1 << 2,       // of its two inputs
  kNondeterministic = 1 << 3,  // random: never folded, never merged
};

struct OpDef {
  const char* name;  // the IR's name; ONNX's own wherever ONNX has the op
  std::vector<AttrDef> attrs = {};
  Arity inputs = {1, 1};
  Arity outputs = {1, 1};
  uint32_t flags = 0;
  // Sets dtype and shape of every output from what is known of the inputs; refuses operands that break the op's rules
  // (Error kInvalidModel) or that the engine does not honour (kUnsupported). Nothing known is not an error.
  void (*infer)(InferContext&) = nullptr;
  std::vector<OnnxOp> onnx = {};

  const AttrDef* find_attr(std::string_view attr) const;
};

// Families: one function per file of engine/ops, listed in ops/all.cpp.
std::span<const OpDef* const> all_ops();
const OpDef* find_op(std::string_view name);  // nullptr when there is none
const OpDef& op_def(std::string_view name);   // kInternal when there is none
// The op that honours ONNX's `domain::op_type` at this opset version directly, or nullptr.
const OpDef* find_onnx_op(std::string_view domain, std::string_view op_type, int64_t opset);

}  // namespace neural_engine
