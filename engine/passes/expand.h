// The way back from the engine's own ops to standard ONNX operators: for export, and for looking into a fused op.
#pragma once

#include "ir/graph.h"

namespace neural_engine {

// Replaces the node by operators of ONNX, whose facts are inferred; false when it is one of ONNX's already.
// Error(kUnsupported) for what ONNX cannot say.
bool expand_node(Graph& graph, NodeId node);

// Every node, bodies of If, Loop and Scan included.
void expand_graph(Graph& graph);

}  // namespace neural_engine
