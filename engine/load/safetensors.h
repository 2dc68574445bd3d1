// safetensors: a header in JSON that says where in the file each tensor lies.
//
// Eight bytes with the size of the header (little-endian), the header, then the tensors' bytes without gaps. A file
// that breaks any of this is refused before a tensor of it is used.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "neural_engine/tensor.h"

namespace neural_engine {

using NamedTensors = std::map<std::string, Tensor>;

// Tensors are views of the bytes where those are aligned for the dtype, else copies. Error(kInvalidModel) for a
// malformed file, kUnsupported for a dtype that the engine does not have.
NamedTensors parse_safetensors(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);
// The same from a file, which is mapped; errors name it.
NamedTensors read_safetensors(const std::string& path);
// The tensors of a folder: model.safetensors, or the files that model.safetensors.index.json lists. The list and the
// files must name the same tensors.
NamedTensors read_safetensors_folder(const std::string& folder);

}  // namespace neural_engine
