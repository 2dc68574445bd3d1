// ONNX files as graphs.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "ir/graph.h"

namespace neural_engine {

// Reads an ONNX model: opsets 6 to 23 of ai.onnx, any IR version. The file is mapped, and weights are views of it where
// their alignment allows, so it must not be truncated while the graph (or a tensor of it) lives.
//
// Strict: every operator, attribute, type and field is honoured or refused with an Error whose text starts with the
// path and the node. The facts of all values have been inferred. Initializers are constants, also those that are listed
// as inputs (defaults cannot be overridden). Control-flow bodies are closed and functions are inlined. External data is
// read from files below the model's folder only, never through a symbolic link.
Graph load_onnx(const std::string& path);

// The same from memory, whose bytes are not used after the call. External data is looked for in the folder; refused
// when that is empty.
Graph load_onnx(std::span<const std::byte> bytes, const std::string& folder_for_external_data);

}  // namespace neural_engine
