#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::reference {
namespace {

double gelu_tanh(double x) {
  const double inner = std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x);
  return 0.5 * x * (1.0 + std::tanh(inner));
}

double load(const EpilogueOperand& operand, Spread spread, int64_t batch, int64_t m, int64_t n) {
  const float* data = static_cast<const float*>(operand.data) + batch * operand.batch_stride;
  switch (spread) {
    case Spread::kScalar: return data[0];
    case Spread::kRow: return data[n];
    case Spread::kColumn: return data[m];
    case Spread::kFull: return data[m * operand.ld + n];
  }
  return 0;
}

}  // namespace

double apply(const EpilogueOp& op, double x) {
  const double alpha = op.alpha, beta = op.beta;
  switch (op.unary) {
    case UnaryOp::kLinear: return alpha * x + beta;
    case UnaryOp::kClip: return std::isnan(x) ? x : std::min(std::max(x, alpha), beta);
    case UnaryOp::kRelu: return x < 0 ? 0 : x;
    case UnaryOp::kLeakyRelu: return x < 0 ? alpha * x : x;
    // erfc keeps the tail of negative x, where 1 + erf cancels.
    case UnaryOp::kGeluErf: return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case UnaryOp::kGeluTanh: return gelu_tanh(x);
    case UnaryOp::kSilu: return x / (1.0 + std::exp(-alpha * x));
    case UnaryOp::kSigmoid: return 1.0 / (1.0 + std::exp(-x));
    case UnaryOp::kTanh: return std::tanh(x);
    case UnaryOp::kErf: return std::erf(x);
    case UnaryOp::kExp: return std::exp(x);
    case UnaryOp::kAbs: return std::fabs(x);
    case UnaryOp::kNeg: return -x;
    case UnaryOp::kSquare: return x * x;
    case UnaryOp::kSqrt: return std::sqrt(x);
    case UnaryOp::kReciprocal: return 1.0 / x;
  }
  return 0;
}

double apply(const EpilogueOp& op, double x, double operand) {
  const double left = op.reversed ? operand : x;
  const double right = op.reversed ? x : operand;
  switch (op.binary) {
    case BinaryOp::kAdd: return left + right;
    case BinaryOp::kSub: return left - right;
    case BinaryOp::kMul: return left * right;
    case BinaryOp::kDiv: return left / right;
    case BinaryOp::kMax: return std::isnan(left) || left > right ? left : right;
    case BinaryOp::kMin: return std::isnan(left) || left < right ? left : right;
  }
  return 0;
}

double apply(const Epilogue& ops, std::span<const EpilogueOperand> operands, double x, int64_t batch, int64_t m,
             int64_t n) {
  size_t next = 0;
  for (const EpilogueOp& op : ops) {
    if (op.kind == EpilogueOp::Kind::kUnary) {
      x = apply(op, x);
    } else {
      x = apply(op, x, load(operands[next++], op.spread, batch, m, n));
    }
  }
  return x;
}

std::string supports(const Epilogue& ops) { return check_f32(ops); }

}  // namespace neural_engine::reference
