// Models of the engine that this project succeeds: conf.yaml and model.bin.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace neural_engine {

// Reads a folder with conf.yaml and model.bin, or a .yaml file with model.bin beside it. Weights are views of the
// mapped file. Operators become ONNX's: products of bytes DequantizeLinear, MatMul, QuantizeLinear. Strict: an operator
// type, attribute, dtype or number of operands that is not honoured is refused; errors name the operator.
Graph load_conf_model(const std::string& path);

// The same from memory; `owner` keeps the weights alive.
Graph load_conf_model(std::string_view conf, std::span<const std::byte> weights, std::shared_ptr<const void> owner);

// Whether the path is such a folder or file.
bool is_conf_model(const std::string& path);

}  // namespace neural_engine
