// The families of ops, each defined in the file of its name and listed in all.cpp.
#pragma once

#include <span>

#include "ir/op_def.h"

namespace neural_engine {

std::span<const OpDef>
elementwise_ops();                    // unary and binary arithmetic, logic, comparison, activations, Cast, Where, Clip
std::span<const OpDef> reduce_ops();  // reductions, ArgMax, CumSum, TopK
std::span<const OpDef> quantize_ops();   // QuantizeLinear, DequantizeLinear, QLinearMatMul ...
std::span<const OpDef> random_ops();     // RandomNormal, Bernoulli, Dropout ...
std::span<const OpDef> shape_ops();      // Reshape, Transpose, Concat, Split, Slice, Expand, Shape ...
std::span<const OpDef> gather_ops();     // Gather*, Scatter*, OneHot, NonZero, Unique ...
std::span<const OpDef> image_ops();      // Resize, GridSample, RoiAlign, DepthToSpace ...
std::span<const OpDef> control_ops();    // If, Loop, Scan
std::span<const OpDef> matmul_ops();     // MatMul, Gemm, Einsum and our FusedMatMul
std::span<const OpDef> conv_ops();       // Conv, ConvTranspose, pooling
std::span<const OpDef> norm_ops();       // LayerNormalization, BatchNormalization, Softmax ...
std::span<const OpDef> recurrent_ops();  // LSTM, GRU, RNN
std::span<const OpDef> attention_ops();  // Attention, RotaryEmbedding and our FusedAttention
std::span<const OpDef> signal_ops();     // DFT, STFT, window functions, losses
std::span<const OpDef> ml_ops();         // decision trees, votes of support vectors, categories

}  // namespace neural_engine
