// Inference of the shape family, by file.
#pragma once

#include "ir/infer.h"

namespace neural_engine {

// shape_view.cpp: the same bytes under another shape, and what asks for shapes
void infer_identity(InferContext& context);
void infer_reshape(InferContext& context);
void infer_flatten(InferContext& context);
void infer_squeeze(InferContext& context);
void infer_unsqueeze(InferContext& context);
void infer_shape(InferContext& context);
void infer_size(InferContext& context);

// shape_move.cpp: elements in another order or number
void infer_transpose(InferContext& context);
void infer_concat(InferContext& context);
void infer_split(InferContext& context);
void infer_expand(InferContext& context);
void infer_tile(InferContext& context);
void infer_depth_to_space(InferContext& context);
void infer_space_to_depth(InferContext& context);
void infer_reverse_sequence(InferContext& context);

// shape_slice.cpp
void infer_slice(InferContext& context);

// shape_fill.cpp: elements that come from no input
void infer_constant_of_shape(InferContext& context);
void infer_range(InferContext& context);
void infer_pad(InferContext& context);
void infer_center_crop_pad(InferContext& context);
void infer_col2im(InferContext& context);

}  // namespace neural_engine
