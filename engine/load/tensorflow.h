// TensorFlow's files as graphs.
#pragma once

#include <cstddef>
#include <span>
#include <string>

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

}  // namespace neural_engine
