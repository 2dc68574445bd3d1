// Graphs as ONNX files.
#pragma once

#include <string>

#include "ir/graph.h"

namespace neural_engine {

// Writes the graph in standard operators, whole or not at all; the engine's own ops are spelled out. The opset is 21,
// or the first later one that has all operators. Loading the file gives a graph with the same results.
// Error(kUnsupported) for what ONNX cannot say, and for models of 2 GB and more.
void save_onnx(const Graph& graph, const std::string& path);

// The same, as bytes.
std::string serialize_onnx(const Graph& graph);

}  // namespace neural_engine
