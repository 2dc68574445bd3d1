#include "base/tensor_memory.h"

#include <algorithm>
#include <cstdint>

#include "base/mapped_file.h"

namespace neural_engine {

bool is_aligned(const Tensor& tensor) noexcept {
  const int bytes = std::max(bits_of(tensor.dtype()) / 8, 1);
  return reinterpret_cast<uintptr_t>(tensor.raw()) % static_cast<uintptr_t>(bytes) == 0;
}

Tensor aligned(const Tensor& tensor) { return is_aligned(tensor) ? tensor : tensor.clone(); }

bool release_pages(const Tensor& tensor) noexcept {
  const MappedFile* file = MappedFile::of(tensor.owner());
  if (file == nullptr) return false;
  file->release({static_cast<const std::byte*>(tensor.raw()), tensor.bytes()});
  return true;
}

}  // namespace neural_engine
