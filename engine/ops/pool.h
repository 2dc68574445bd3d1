#pragma once

#include "ir/infer.h"

namespace neural_engine {

void infer_pool(InferContext& context);
void infer_max_pool(InferContext& context);
void infer_global_pool(InferContext& context);

}  // namespace neural_engine
