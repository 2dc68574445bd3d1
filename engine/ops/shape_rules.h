// Checks and small computations that the inference of data-moving ops shares.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "ir/infer.h"
#include "ops/dtype_set.h"

namespace neural_engine {

// nullopt when the operand's rank is not known.
std::optional<int64_t> rank_of(const InferContext& context, int input);
// The number of elements of a 1-D operand (of a tensor that holds axes, a shape ...); refuses another rank.
std::optional<int64_t> vector_length(const InferContext& context, int input);
// Moving elements needs whole bytes: s4 and u4 are refused.
void require_whole_bytes(const InferContext& context, int input);
void require_index(const InferContext& context, int input);  // s32 or s64
// A string attribute has one of the values.
void require_choice(const InferContext& context, const char* attr, std::initializer_list<const char*> choices);

// Each in [0, rank); refuses others and repetitions.
std::vector<int64_t> normalized_axes(const InferContext& context, std::span<const int64_t> axes, int64_t rank);
// The attribute `axes`, or 0..rank-1 when absent.
std::vector<int64_t> axes_or_all(const InferContext& context, const char* attr, int64_t rank);
// The same for an operand: nullopt when it is there and its elements are not known.
std::optional<std::vector<int64_t>> axes_or_all(const InferContext& context, int input, int64_t rank);

// The more informative of two dimensions that must be equal; refuses different numbers.
Dim same_dim(const InferContext& context, const Dim& a, const Dim& b, const char* what);

}  // namespace neural_engine
