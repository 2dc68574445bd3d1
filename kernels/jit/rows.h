// The rows of generated kernels, for the table: each takes the ISA whose vectors it is to use.
#pragma once

#include <memory>
#include <string>

#include "kernels/attention.h"
#include "kernels/eltwise.h"
#include "kernels/int_matmul.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"

namespace neural_engine::jit {

std::string supports(const MatmulDesc& desc);
double cost(const MatmulDesc& desc, Isa isa);
std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc, Isa isa);

std::string supports(const IntMatmulDesc& desc);
double cost(const IntMatmulDesc& desc, Isa isa);
std::unique_ptr<IntMatmulKernel> make(const IntMatmulDesc& desc, Isa isa);

std::string supports(const AttentionDesc& desc);
double cost(const AttentionDesc& desc, Isa isa);
std::unique_ptr<AttentionKernel> make(const AttentionDesc& desc, Isa isa);

std::string supports(const SoftmaxDesc& desc);
double cost(const SoftmaxDesc& desc, Isa isa);
std::unique_ptr<SoftmaxKernel> make(const SoftmaxDesc& desc, Isa isa);

std::string supports(const NormDesc& desc);
double cost(const NormDesc& desc, Isa isa);
std::unique_ptr<NormKernel> make(const NormDesc& desc, Isa isa);

std::string supports(const EltwiseDesc& desc);
double cost(const EltwiseDesc& desc, Isa isa);
std::unique_ptr<EltwiseKernel> make(const EltwiseDesc& desc, Isa isa);

}  // namespace neural_engine::jit
