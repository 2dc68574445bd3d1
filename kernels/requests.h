// Checks of descriptors that the rows of a kind have in common: each returns why not, or an empty string.
#pragma once

#include <string>

#include "kernels/attention.h"
#include "kernels/eltwise.h"
#include "kernels/epilogue.h"
#include "kernels/int_matmul.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"

namespace neural_engine {

// All dtypes are f32 and the sizes make sense: what the f32 rows of each kind take.
std::string check_f32(const MatmulDesc& desc);
std::string check_f32(const AttentionDesc& desc);
std::string check_f32(const NormDesc& desc);
std::string check_f32(const SoftmaxDesc& desc);
std::string check_f32(const EltwiseDesc& desc);
std::string check_f32(const Epilogue& epilogue);

// Sizes of a hint, or a typical one where the hint is 0: for costs.
inline double or_typical(int64_t hint, int64_t typical) { return static_cast<double>(hint > 0 ? hint : typical); }

// Multiplications and additions of the request.
double flops(const MatmulDesc& desc);
double flops(const IntMatmulDesc& desc);
double flops(const AttentionDesc& desc);
// Elements of the request, each read and written.
double elements(const NormDesc& desc);
double elements(const SoftmaxDesc& desc);
double elements(const EltwiseDesc& desc);

}  // namespace neural_engine
