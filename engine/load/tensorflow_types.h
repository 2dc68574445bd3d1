// TensorFlow's element types, shapes and constants as ours.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "ir/dim.h"
#include "load/wire_scanner.h"
#include "neural_engine/tensor.h"
#include "tensorflow.pb.h"

namespace neural_engine {

// TensorFlow's number of a type (DataType) by name: "DT_FLOAT"; "type 77" for what is not known.
std::string tf_type_name(int type);
// The quantized types are the integers that hold them. kUndefined for strings, resources, complex numbers ...
DType dtype_of_tf(int type) noexcept;
// The same; what has no DType is refused (kUnsupported) with its name.
DType checked_tf_dtype(int type);

inline constexpr int kTfString = 7;
inline constexpr int kTfResource = 20;
inline constexpr int kTfVariant = 21;

// nullopt: not even the rank is known. Unknown dimensions are unknown Dims; negative ones but -1 are refused.
std::optional<SymShape> read_tf_shape(const tf::TensorShape& shape);
// The same, which must be known completely.
Shape read_full_tf_shape(const tf::TensorShape& shape);

// Where the bytes of a graph's constants lie: `tensor_content` holds tokens of `stripped` (see wire_scanner.h).
class TfTensorReader {
 public:
  // `stripped` must outlive the reader. Tensors are views of the bytes that `owner` keeps alive, where their alignment
  // allows; without an owner they are copied.
  TfTensorReader(const StrippedModel& stripped, std::shared_ptr<const void> owner)
      : stripped_(&stripped), owner_(std::move(owner)) {}

  // Sizes are checked against what the file holds before anything is allocated. One value that stands for many elements
  // may make kMaxFilled bytes over all calls.
  Tensor read(const tf::Tensor& proto);

  static constexpr int64_t kMaxFilled = int64_t{64} << 20;

 private:
  Tensor read_values(const tf::Tensor& proto, DType dtype, const Shape& shape);

  const StrippedModel* stripped_;
  std::shared_ptr<const void> owner_;
  int64_t filled_bytes_ = 0;
};

// A view of the bytes where the dtype's alignment allows and there is an owner, else a copy. Bool bytes must be 0 or 1.
Tensor tensor_of_bytes(DType dtype, Shape shape, std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

}  // namespace neural_engine
