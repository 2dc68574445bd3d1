// The rows of generated kernels, for the table.
#pragma once

#include <memory>
#include <string>

#include "kernels/attention.h"
#include "kernels/eltwise.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/norm.h"

namespace neural_engine::jit {

std::string supports(const MatmulDesc& desc);
double cost(const MatmulDesc& desc, Isa isa);
std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc, Isa isa);

}  // namespace neural_engine::jit
