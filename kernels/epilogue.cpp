#include "kernels/epilogue.h"

#include "base/error.h"

namespace neural_engine {

const char* to_string(UnaryOp op) noexcept {
  switch (op) {
    case UnaryOp::kLinear: return "linear";
    case UnaryOp::kClip: return "clip";
    case UnaryOp::kRelu: return "relu";
    case UnaryOp::kLeakyRelu: return "leaky_relu";
    case UnaryOp::kGeluErf: return "gelu_erf";
    case UnaryOp::kGeluTanh: return "gelu_tanh";
    case UnaryOp::kSilu: return "silu";
    case UnaryOp::kSigmoid: return "sigmoid";
    case UnaryOp::kTanh: return "tanh";
    case UnaryOp::kErf: return "erf";
    case UnaryOp::kExp: return "exp";
    case UnaryOp::kAbs: return "abs";
    case UnaryOp::kNeg: return "neg";
    case UnaryOp::kSquare: return "square";
    case UnaryOp::kSqrt: return "sqrt";
    case UnaryOp::kReciprocal: return "reciprocal";
  }
  return "?";
}

const char* to_string(BinaryOp op) noexcept {
  switch (op) {
    case BinaryOp::kAdd: return "add";
    case BinaryOp::kSub: return "sub";
    case BinaryOp::kMul: return "mul";
    case BinaryOp::kDiv: return "div";
    case BinaryOp::kMax: return "max";
    case BinaryOp::kMin: return "min";
  }
  return "?";
}

const char* to_string(Spread spread) noexcept {
  switch (spread) {
    case Spread::kScalar: return "scalar";
    case Spread::kRow: return "row";
    case Spread::kColumn: return "column";
    case Spread::kFull: return "full";
  }
  return "?";
}

int operand_count(const Epilogue& epilogue) noexcept {
  int count = 0;
  for (const EpilogueOp& op : epilogue) count += takes_operand(op);
  return count;
}

DType result_dtype(const Epilogue& epilogue) noexcept {
  return !epilogue.empty() && epilogue.back().levels ? epilogue.back().operand_dtype : DType::kF32;
}

std::string to_string(const Epilogue& epilogue) {
  std::string out;
  for (const EpilogueOp& op : epilogue) {
    if (!out.empty()) out += " > ";
    if (op.kind == EpilogueOp::Kind::kUnary) {
      out += to_string(op.unary);
      if (op.unary == UnaryOp::kLinear || op.unary == UnaryOp::kClip) out += text("(", op.alpha, ",", op.beta, ")");
    } else if (op.kind == EpilogueOp::Kind::kGrid) {
      out += text(op.levels ? "quantize(" : "round(", to_string(op.operand_dtype), ")");
    } else {
      out += text(op.reversed ? "r" : "", to_string(op.binary), "(", to_string(op.spread));
      out += op.operand_dtype == DType::kF32 ? ")" : text(",", to_string(op.operand_dtype), ")");
    }
  }
  return out;
}

}  // namespace neural_engine
