// What flows along the edges of a TensorFlow graph while it is turned into ours.
#pragma once

#include <memory>
#include <string>

#include "ir/graph.h"

namespace neural_engine {

// A TensorList or TensorArray: a tensor whose dimension 0 enumerates the elements, or one that a loop is about to make.
struct TfList {
  DType dtype = DType::kUndefined;
  ValueId stacked = kNoValue;             // the elements; none yet for a list that was only reserved
  ValueId length = kNoValue;              // of a reserved list: a scalar
  std::optional<SymShape> element_shape;  // as far as the graph says
  // Inside the body of a loop, for a list that each iteration writes one element of: which carried value it is, and
  // what is written where.
  int carried = -1;
  ValueId written = kNoValue;
  ValueId index = kNoValue;
};

// A quantized tensor, in TensorFlow three edges: the integers, and the range for which they stand. `real` is what they
// mean in float; the integers of 32-bit results are never needed.
struct TfValue {
  enum class Kind {
    kNothing,   // not made (yet)
    kTensor,    // id
    kDead,      // on a branch that is not taken
    kList,      // list
    kVariable,  // text: the name of the variable
    kOpaque,    // text: what it is, for a refusal
  };

  Kind kind = Kind::kNothing;
  ValueId id = kNoValue;
  ValueId real = kNoValue;
  std::string text = {};
  std::shared_ptr<const TfList> list = {};

  static TfValue tensor(ValueId value) { return {.kind = Kind::kTensor, .id = value}; }
  static TfValue quantized(ValueId value, ValueId meaning) {
    return {.kind = Kind::kTensor, .id = value, .real = meaning};
  }
  static TfValue dead() { return {.kind = Kind::kDead}; }
  static TfValue of_list(TfList value) {
    return {.kind = Kind::kList, .list = std::make_shared<const TfList>(std::move(value))};
  }
  static TfValue variable(std::string name) { return {.kind = Kind::kVariable, .text = std::move(name)}; }
  static TfValue opaque(std::string what) { return {.kind = Kind::kOpaque, .text = std::move(what)}; }

  bool is(Kind other) const { return kind == other; }
};

}  // namespace neural_engine
