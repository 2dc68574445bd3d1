// What happens to a value between the sum and the store: a list of small structs, applied in order to each element of
// an [M, N] matrix. The same list is the body of the element-wise kernels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "neural_engine/tensor.h"

namespace neural_engine {

// At -inf the GELUs and SiLU are 0 or NaN, as the row's formula has it.
enum class UnaryOp : uint8_t {
  kLinear,     // alpha * x + beta
  kClip,       // min(max(x, alpha), beta); NaN stays NaN
  kRelu,       // max(x, 0); NaN stays NaN
  kLeakyRelu,  // x < 0 ? alpha * x : x
  kGeluErf,    // x / 2 * (1 + erf(x / sqrt(2)))
  kGeluTanh,   // x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  kSilu,       // x * sigmoid(alpha * x): alpha 1 is SiLU, 1.702 is quick GELU
  kSigmoid,
  kTanh,
  kErf,
  kExp,
  kAbs,
  kNeg,
  kSquare,
  kSqrt,
  kReciprocal,
};
inline constexpr int kUnaryOpCount = 16;

enum class BinaryOp : uint8_t { kAdd, kSub, kMul, kDiv, kMax, kMin };
inline constexpr int kBinaryOpCount = 6;

// How an operand spreads over the matrix.
enum class Spread : uint8_t {
  kScalar,  // one value
  kRow,     // [N]: one value per column, such as a bias
  kColumn,  // [M]: one value per row
  kFull,    // [M, N] with a leading dimension, such as a residual
};

const char* to_string(UnaryOp op) noexcept;
const char* to_string(BinaryOp op) noexcept;
const char* to_string(Spread spread) noexcept;

struct EpilogueOp {
  // kGrid: onto the grid of 8-bit levels that the op's operand gives: level = clamp(round(x / scale) + zero), halves to
  // even, NaN to zero. The value becomes scale * (level - zero), or the level itself when `levels` is set: that is the
  // last op of a list, and C has its dtype.
  enum class Kind : uint8_t { kUnary, kBinary, kGrid };

  Kind kind = Kind::kUnary;
  UnaryOp unary = UnaryOp::kLinear;
  float alpha = 1.0f;
  float beta = 0.0f;

  BinaryOp binary = BinaryOp::kAdd;
  Spread spread = Spread::kFull;
  bool reversed = false;  // operand op x, instead of x op operand
  // kS8 and kU8 mean scale * (element - zero) with the operand's numbers; for kGrid the dtype of the levels.
  DType operand_dtype = DType::kF32;
  bool levels = false;

  bool operator==(const EpilogueOp&) const = default;
};

// The i-th op of the list that takes an operand (binary and grid) takes the i-th operand of the call.
using Epilogue = std::vector<EpilogueOp>;

inline EpilogueOp unary(UnaryOp op, float alpha = 1.0f, float beta = 0.0f) {
  return {.kind = EpilogueOp::Kind::kUnary, .unary = op, .alpha = alpha, .beta = beta};
}
inline EpilogueOp scale(float factor) { return unary(UnaryOp::kLinear, factor, 0.0f); }
inline EpilogueOp binary(BinaryOp op, Spread spread, bool reversed = false) {
  return {.kind = EpilogueOp::Kind::kBinary, .binary = op, .spread = spread, .reversed = reversed};
}
inline EpilogueOp bias() { return binary(BinaryOp::kAdd, Spread::kRow); }
inline EpilogueOp residual() { return binary(BinaryOp::kAdd, Spread::kFull); }
// x goes through 8 bits and comes back; x ends as 8 bits.
inline EpilogueOp round_to_grid(DType dtype) {
  return {.kind = EpilogueOp::Kind::kGrid, .operand_dtype = dtype, .levels = false};
}
inline EpilogueOp quantize_to(DType dtype) {
  return {.kind = EpilogueOp::Kind::kGrid, .operand_dtype = dtype, .levels = true};
}

// One operand at run time. Strides in elements; `ld` is read for kFull only.
struct EpilogueOperand {
  const void* data = nullptr;
  int64_t ld = 0;
  int64_t batch_stride = 0;  // from one matrix of a batch to the next, 0 when shared
  // Of a grid or of 8-bit elements. The scale of a grid is not 0.
  float scale = 1.0f;
  int32_t zero = 0;
};
inline bool takes_operand(const EpilogueOp& op) noexcept { return op.kind != EpilogueOp::Kind::kUnary; }

int operand_count(const Epilogue& epilogue) noexcept;
// The dtype of C.
DType result_dtype(const Epilogue& epilogue) noexcept;
// "add(row) > gelu_erf", for explain.
std::string to_string(const Epilogue& epilogue);

}  // namespace neural_engine
