// NumPy's .npy files, versions 1 to 3.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "neural_engine/tensor.h"

namespace neural_engine {

// An owned tensor. Booleans, integers of 8 to 64 bits and floats of 16 to 64 bits, little-endian (or one byte), in C
// order; Fortran order is converted. Everything else (big-endian, complex, strings, structures, objects) is refused
// with Error(kUnsupported), a malformed file with Error(kInvalidData). bf16, 8-bit floats and 4-bit integers have no
// .npy form.
Tensor parse_npy(std::span<const std::byte> bytes);
Tensor read_npy(const std::string& path);

// Version 1, C order.
std::string serialize_npy(const Tensor& tensor);
void write_npy(const std::string& path, const Tensor& tensor);

}  // namespace neural_engine
