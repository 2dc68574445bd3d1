// Where the elements of a constant lie: in memory of ours, or in a mapped file, there at any address. ONNX does not
// align weights, so three of four f32 weights of a file begin between elements; copying them would double the memory.
#pragma once

#include <cstddef>

#include "neural_engine/tensor.h"

namespace neural_engine {

// Weights from this size on stay in the mapped file whatever their address; smaller ones are copied when they are not
// aligned, so that code which looks at scalars, shapes and scales need not care.
inline constexpr size_t kMinUnalignedBytes = 64 << 10;

// Whether the address suits the element type, as data<T>() is read.
bool is_aligned(const Tensor& tensor) noexcept;

// The tensor itself where it is aligned, else an owned copy.
Tensor aligned(const Tensor& tensor);

// Takes a constant that is not read for now out of the resident memory, where a mapped file gives it back on the next
// access; true when so.
bool release_pages(const Tensor& tensor) noexcept;

}  // namespace neural_engine
