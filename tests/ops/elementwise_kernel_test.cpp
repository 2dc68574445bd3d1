// Which element-wise ops run on the kernel table's rows, and what is said of those that do not.
#include <gtest/gtest.h>

#include "executor/op_binding.h"
#include "executor/weight_store.h"
#include "kernels/isa.h"
#include "op_tester.h"

namespace neural_engine {
namespace {

struct Binding {
  std::string kernel;
  std::vector<std::string> rejected;
};

Binding bind(std::string_view op, DType dtype, const std::vector<Shape>& shapes) {
  Graph graph;
  std::vector<ValueId> operands;
  std::vector<Facts> facts;
  for (const Shape& shape : shapes) {
    operands.push_back(graph.add_input("", dtype, symbolic(shape)));
    facts.push_back(facts_of(dtype, symbolic(shape)));
  }
  std::vector<const Facts*> inputs;
  for (const Facts& each : facts) inputs.push_back(&each);
  const Node& node = graph.node(graph.add_node(op_def(op), operands));
  const std::vector<Facts> outputs = infer_node(node, inputs);
  WeightStore weights;
  const BoundOp bound = find_binding(op)->bind(BindContext(node, inputs, outputs, 1, weights));
  return {bound.kernel, bound.rejected};
}

bool runs_kernel(const Binding& binding) { return binding.kernel.find("eltwise.") == 0; }

TEST(ElementwiseKernel, F32RunsOnARow) {
  if (!cpu().has(Isa::kAvx2)) GTEST_SKIP() << "no row but the reference on this CPU";
  for (const char* op : {"Relu", "LeakyRelu", "Gelu", "Sigmoid", "Tanh", "Exp", "Erf", "Sqrt", "Abs", "Neg"}) {
    EXPECT_TRUE(runs_kernel(bind(op, DType::kF32, {{4, 300}}))) << op;
  }
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) {
    for (const Shape& other : {Shape{4, 300}, Shape{300}, Shape{4, 1}, Shape{}, Shape{1, 1}}) {
      EXPECT_TRUE(runs_kernel(bind(op, DType::kF32, {{4, 300}, other}))) << op << " " << to_string(other);
      EXPECT_TRUE(runs_kernel(bind(op, DType::kF32, {other, {4, 300}}))) << op << " " << to_string(other);
    }
  }
}

TEST(ElementwiseKernel, TheRestSaysWhy) {
  for (const Binding& binding :
       {bind("Add", DType::kF32, {{2, 1, 300}, {1, 3, 300}}), bind("Add", DType::kF32, {{8}, {8}})}) {
    EXPECT_EQ(binding.kernel, "reference");
    EXPECT_FALSE(binding.rejected.empty());
  }
  EXPECT_EQ(bind("Add", DType::kF64, {{300}, {300}}).kernel, "reference");
}

}  // namespace
}  // namespace neural_engine
