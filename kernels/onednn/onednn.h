// oneDNN as a provider of kernel rows, one thread at a time: we split the work, its OpenMP never owns a core.
#pragma once

#include <memory>
#include <string>

#include "kernels/isa.h"
#include "kernels/matmul.h"

namespace neural_engine::onednn {

std::string supports(const MatmulDesc& desc);
double cost(const MatmulDesc& desc, const CpuInfo& cpu);
std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc);

}  // namespace neural_engine::onednn
