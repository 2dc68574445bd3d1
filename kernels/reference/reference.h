// The reference rows: plain loops in double precision, rounded once (quantized products: float by float).
// The definition of right, for any x86-64.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "kernels/attention.h"
#include "kernels/eltwise.h"
#include "kernels/int_matmul.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"

namespace neural_engine::reference {

// One element through the list; `batch` picks the operands' matrix.
double apply(const Epilogue& ops, std::span<const EpilogueOperand> operands, double x, int64_t batch, int64_t m,
             int64_t n);
double apply(const EpilogueOp& op, double x);                  // a unary op
double apply(const EpilogueOp& op, double x, double operand);  // a binary op
// Empty, or why the list cannot be done: an operand's dtype.
std::string supports(const Epilogue& ops);

std::string supports(const MatmulDesc& desc);
double cost(const MatmulDesc& desc, const CpuInfo& cpu);
std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc);

std::string supports(const IntMatmulDesc& desc);
double cost(const IntMatmulDesc& desc, const CpuInfo& cpu);
std::unique_ptr<IntMatmulKernel> make(const IntMatmulDesc& desc);

std::string supports(const AttentionDesc& desc);
double cost(const AttentionDesc& desc, const CpuInfo& cpu);
std::unique_ptr<AttentionKernel> make(const AttentionDesc& desc);

std::string supports(const NormDesc& desc);
double cost(const NormDesc& desc, const CpuInfo& cpu);
std::unique_ptr<NormKernel> make(const NormDesc& desc);

std::string supports(const SoftmaxDesc& desc);
double cost(const SoftmaxDesc& desc, const CpuInfo& cpu);
std::unique_ptr<SoftmaxKernel> make(const SoftmaxDesc& desc);

std::string supports(const EltwiseDesc& desc);
double cost(const EltwiseDesc& desc, const CpuInfo& cpu);
std::unique_ptr<EltwiseKernel> make(const EltwiseDesc& desc);

}  // namespace neural_engine::reference
