// Inference of the image family.
#pragma once

#include "ir/infer.h"

namespace neural_engine {

void infer_resize(InferContext& context);  // image_resize.cpp

}  // namespace neural_engine
