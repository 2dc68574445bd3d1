// conf.yaml, the first half of the model format of the engine that this project succeeds: operators in the order in
// which they run, tensors by name. The second half, model.bin, is the bytes of the constants, one after the other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neural_engine {

struct ConfTensor {
  std::string name;
  std::string dtype;                          // empty: not said
  std::optional<std::vector<int64_t>> shape;  // -1: decided by the input
  std::optional<std::vector<int64_t>> place;  // offset and size in model.bin: a constant
  std::optional<std::vector<int64_t>> strides;
};

struct ConfOperator {
  std::string name;
  std::string type;
  std::vector<std::string> inputs;
  std::vector<ConfTensor> outputs;
  std::vector<std::pair<std::string, std::string>> attrs;
};

// Parses the file. Error(kInvalidModel) for anything but this structure, an unknown field or a name given twice.
std::vector<ConfOperator> parse_conf(std::string_view text);

// "1,-2,3" as numbers, and one number; Error(kInvalidModel) for anything else.
std::vector<int64_t> parse_integers(std::string_view text);
double parse_number(const std::string& text);

}  // namespace neural_engine
