// Inference of the gather family, by file.
#pragma once

#include "ir/infer.h"

namespace neural_engine {

// gather_index.cpp: elements taken and put by index
void infer_gather(InferContext& context);
void infer_gather_elements(InferContext& context);
void infer_gather_nd(InferContext& context);
void infer_scatter_elements(InferContext& context);
void infer_scatter_nd(InferContext& context);
void infer_one_hot(InferContext& context);

// gather.cpp: results whose size depends on the elements
void infer_nonzero(InferContext& context);
void infer_compress(InferContext& context);
void infer_unique(InferContext& context);
void infer_non_max_suppression(InferContext& context);

}  // namespace neural_engine
