// TensorFlow's files as graphs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace neural_engine {

// What a model file is, told by its content; kOther may be ONNX or nothing known.
enum class TfFile { kOther, kGraphDef, kSavedModel };
TfFile tensorflow_kind(std::span<const std::byte> bytes);

// Reads a frozen GraphDef: Placeholders that the outputs need are the inputs, nodes that no other reads the outputs.
// Strict as load_onnx: every operator, attribute and operand of the nodes that the outputs need is honoured or refused
// with an Error that names the node. What only orders nodes (control edges) does nothing here, so checks that hang on
// nothing else (Assert) are left out. Functions are inlined, loops become Loop.
Graph load_frozen_graph(const std::string& path);
// The same from memory, whose bytes are not used after the call.
Graph load_frozen_graph(std::span<const std::byte> bytes);

// Reads a SavedModel: saved_model.pb in `folder`, and the values of variables from the tensor bundle below it. The
// graph that is tagged "serve" (or the only one) is taken, and of its signatures the named one; without a name
// "serving_default", or the only one. Inputs and outputs have the signature's names, in alphabetical order.
Graph load_saved_model(const std::string& folder, const std::string& signature = "");
// The same from memory: saved_model.pb, and the index of the bundle (empty: there is none), whose shards are looked for
// in `folder`.
Graph load_saved_model(std::span<const std::byte> model, std::span<const std::byte> index, const std::string& folder,
                       const std::string& signature = "");

// The operators that are honoured, by family.
struct TfOperators {
  std::string family;
  std::vector<std::string> names;
};
std::vector<TfOperators> tensorflow_operators();

}  // namespace neural_engine
