// Sets of dtypes: what each operand of an op may be.
#pragma once

#include <cstdint>

#include "ir/infer.h"

namespace neural_engine {

using DTypeSet = uint32_t;

template <class... DTypes>
constexpr DTypeSet dtype_set(DTypes... dtypes) {
  return ((DTypeSet{1} << static_cast<int>(dtypes)) | ... | DTypeSet{0});
}
constexpr bool contains(DTypeSet set, DType dtype) { return (set & dtype_set(dtype)) != 0; }

inline constexpr DTypeSet kFloatTypes = dtype_set(DType::kF64, DType::kF32, DType::kF16, DType::kBF16);
inline constexpr DTypeSet kSignedTypes = dtype_set(DType::kS64, DType::kS32, DType::kS16, DType::kS8);
inline constexpr DTypeSet kUnsignedTypes = dtype_set(DType::kU64, DType::kU32, DType::kU16, DType::kU8);
inline constexpr DTypeSet kIntegerTypes = kSignedTypes | kUnsignedTypes;
inline constexpr DTypeSet kNumberTypes = kFloatTypes | kIntegerTypes;
inline constexpr DTypeSet kBoolType = dtype_set(DType::kBool);
inline constexpr DTypeSet kFloat8Types =
    dtype_set(DType::kF8E4M3FN, DType::kF8E4M3FNUZ, DType::kF8E5M2, DType::kF8E5M2FNUZ);
inline constexpr DTypeSet kInt4Types = dtype_set(DType::kS4, DType::kU4);
inline constexpr DTypeSet kAllTypes = kNumberTypes | kBoolType | kFloat8Types | kInt4Types;
// Those with a C++ type of their own.
inline constexpr DTypeSet kWholeByteTypes = kNumberTypes | kBoolType;

// The operand, if present and its dtype known, is of the set; else unsupported, with the list.
void require_in(const InferContext& context, int input, DTypeSet set);
// The operands, where known, are of one dtype.
void require_same_dtype(const InferContext& context, int input, int other);
// The dtype that an attribute names by ONNX's code, which must be in the set.
DType dtype_attr(const InferContext& context, const char* name, DTypeSet set);

}  // namespace neural_engine
