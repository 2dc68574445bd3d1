// Products of matrices.
#include <algorithm>

#include "load/tensorflow_ops.h"
#include "load/tensorflow_products.h"

namespace neural_engine {

ValueId swap_last_two(TfNode& n, ValueId x) {
  const int64_t rank = n.required_rank(x);
  if (rank < 2) n.invalid("a matrix has rank ", rank, ", expected 2 or more");
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < rank; ++i) perm.push_back(i);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return n.transpose(x, perm);
}

ValueId product(TfNode& n, ValueId a, ValueId b, bool transpose_a, bool transpose_b) {
  if (transpose_a) a = swap_last_two(n, a);
  if (transpose_b) b = swap_last_two(n, b);
  return n.add("MatMul", {a, b});
}

namespace {

void matmul(TfNode& n) {
  n.ignore({"grad_a", "grad_b"});
  n.set_output(
      0, product(n, n.input(0), n.input(1), n.take_bool("transpose_a", false), n.take_bool("transpose_b", false)));
}

void batch_matmul(TfNode& n) {
  n.ignore({"grad_x", "grad_y"});
  n.set_output(0, product(n, n.input(0), n.input(1), n.take_bool("adj_x", false), n.take_bool("adj_y", false)));
}

void einsum(TfNode& n) {
  n.ignore({"N"});
  std::string equation = n.take_string("equation");
  equation.erase(std::remove(equation.begin(), equation.end(), ' '), equation.end());
  n.finish("Einsum", n.all_inputs(), {{"equation", equation}});
}

}  // namespace

std::span<const TfOp> tf_matmul_ops() {
  static constexpr TfOp kOps[] = {
      {"MatMul", matmul},
      {"BatchMatMul", batch_matmul},
      {"BatchMatMulV2", batch_matmul},
      {"BatchMatMulV3", batch_matmul, "Ta=0;Tb=1;Tout"},
      {"Einsum", einsum},
  };
  return kOps;
}

}  // namespace neural_engine
