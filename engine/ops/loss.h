#pragma once

#include "ir/infer.h"

namespace neural_engine {

void infer_negative_log_likelihood(InferContext& context);
void infer_softmax_cross_entropy(InferContext& context);
void infer_tf_idf(InferContext& context);

}  // namespace neural_engine
