// Names of ONNX values while a graph is built.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ir/graph.h"
#include "load/attribute_reader.h"
#include "load/graph_writer.h"

namespace neural_engine {

// Versions of the operator sets that a model or function imports, by domain ("" stands for ai.onnx too).
using Opsets = std::map<std::string, int64_t>;

// Hands out value names that are unique in one graph.
class UniqueNames {
 public:
  // The name itself where it is free, else with a number; "" for names that are too long to be repeated.
  std::string claim(const std::string& name);

 private:
  std::unordered_set<std::string> taken_;
  int64_t next_ = 1;
};

// An ONNX sequence, as far as the loader resolves it: its elements, or a tensor whose dimension 0 enumerates them.
struct Sequence {
  std::vector<ValueId> elements;
  ValueId stacked = kNoValue;
};

// The names that nodes see: those of one graph, or of one function call that is inlined into a graph. Nothing is seen
// through a scope: bodies get their captures and calls their arguments as definitions.
struct Scope {
  Graph& graph;
  UniqueNames& names;  // the graph's
  const Opsets& opsets;
  const AttrBindings* bindings = nullptr;  // of the function call around, if any
  std::string prefix = {};                 // of value and node names, in function calls
  int depth = 0;                           // of bodies around

  // By ONNX name; kNoValue stands for an optional argument that a function call leaves out.
  std::unordered_map<std::string, ValueId> values = {};
  std::unordered_map<std::string, Sequence> sequences = {};

  // Error(kInvalidModel) when the name is not defined (yet).
  ValueId find(const std::string& name) const;
  // Error(kInvalidModel) when it is defined already.
  void define(const std::string& name, ValueId value);
  void define_sequence(const std::string& name, Sequence sequence);
  // A fresh value under an unused name.
  ValueId define_new(const std::string& name);
  // "" names an absent operand. Trailing absent ones are dropped.
  template <class Names>
  std::vector<ValueId> find_all(const Names& list) const {
    std::vector<ValueId> result;
    for (const std::string& name : list) result.push_back(name.empty() ? kNoValue : find(name));
    while (!result.empty() && result.back() == kNoValue) result.pop_back();
    return result;
  }
};

}  // namespace neural_engine
