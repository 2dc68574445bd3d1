// Symbolic shapes through the chains that exported transformers compute them with.
#include <gtest/gtest.h>

#include "ir/infer.h"

namespace neural_engine {
namespace {

Dim sym(const char* text) { return Dim::symbol(text); }

// A graph under construction: inputs with symbolic shapes, nodes added one by one.
class Chain {
 public:
  ValueId input(SymShape shape, DType dtype = DType::kF32) { return graph_.add_input("", dtype, std::move(shape)); }
  ValueId ints(const std::vector<int64_t>& values) {
    return graph_.add_constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId scalar(int64_t value) { return graph_.add_constant(Tensor::scalar<int64_t>(value)); }
  ValueId op(const char* name, std::vector<ValueId> inputs, Attrs attrs = {}) {
    const NodeId id = graph_.add_node(op_def(name), std::move(inputs), std::move(attrs));
    infer_graph(graph_);
    return graph_.node(id).outputs[0];
  }
  std::vector<ValueId> ops(const char* name, std::vector<ValueId> inputs, Attrs attrs, int outputs) {
    const NodeId id = graph_.add_node(op_def(name), std::move(inputs), std::move(attrs), outputs);
    infer_graph(graph_);
    return graph_.node(id).outputs;
  }
  // [dim i] of a value's shape, as exporters write it.
  ValueId dim(ValueId value, int64_t axis) {
    return op("Unsqueeze", {op("Gather", {op("Shape", {value}), scalar(axis)}), ints({0})});
  }

  std::string shape(ValueId value) const {
    const Facts& facts = graph_.value(value).facts;
    return facts.shape ? to_string(*facts.shape) : "none";
  }
  std::string elements(ValueId value) const {
    const Facts& facts = graph_.value(value).facts;
    return facts.ints ? to_string(*facts.ints) : "none";
  }

 private:
  Graph graph_;
};

TEST(ShapeFacts, HeadSplitKeepsSymbols) {
  Chain c;
  const ValueId x = c.input({sym("batch"), sym("seq"), 768});
  const ValueId target = c.op("Concat", {c.dim(x, 0), c.dim(x, 1), c.ints({12}), c.ints({64})}, {{"axis", int64_t{0}}});
  EXPECT_EQ(c.elements(target), "[batch,seq,12,64]");
  const ValueId heads = c.op("Reshape", {x, target});
  EXPECT_EQ(c.shape(heads), "[batch,seq,12,64]");
  const ValueId turned = c.op("Transpose",
                              {
                                  heads,
                              },
                              {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  EXPECT_EQ(c.shape(turned), "[batch,12,seq,64]");
  EXPECT_EQ(c.shape(c.op("Reshape", {turned, c.ints({0, 0, -1})})), "[batch,12,64*seq]");
}

TEST(ShapeFacts, ReshapeComputesMinusOneBySymbols) {
  Chain c;
  const ValueId x = c.input({sym("batch"), sym("seq"), 768});
  EXPECT_EQ(c.shape(c.op("Reshape", {x, c.ints({0, -1, 12, 64})})), "[batch,seq,12,64]");
  EXPECT_EQ(c.shape(c.op("Reshape", {x, c.ints({-1, 768})})), "[batch*seq,768]");
  EXPECT_EQ(c.shape(c.op("Reshape", {x, c.ints({0, 0, -1})})), "[batch,seq,768]");
  const ValueId flat = c.op("Reshape", {x, c.ints({-1, 768})});
  const ValueId target = c.op("Concat", {c.dim(x, 0), c.ints({-1}), c.ints({768})}, {{"axis", int64_t{0}}});
  EXPECT_EQ(c.shape(c.op("Reshape", {flat, target})), "[batch,seq,768]");
  EXPECT_EQ(c.shape(c.op("Reshape", {x, c.ints({0, 3, -1})})), "[batch,3,256*seq]");
}

TEST(ShapeFacts, UnknownIsNoError) {
  Chain c;
  const ValueId x = c.input({Dim(), Dim(), 768});
  EXPECT_EQ(c.shape(c.op("Reshape", {x, c.ints({0, 0, 12, 64})})), "[?,?,12,64]");
  EXPECT_EQ(c.shape(c.op("Reshape", {x, c.ints({0, -1, 12, 64})})), "[?,?,12,64]");
  const ValueId target = c.input({Dim(3)}, DType::kS64);
  EXPECT_EQ(c.shape(c.op("Reshape", {x, target})), "[?,?,?]");
  EXPECT_EQ(c.shape(c.op("Expand", {x, target})), "[?,?,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, target, target})), "[?,?,?]");
  const ValueId any = c.input({Dim()}, DType::kS64);
  EXPECT_EQ(c.shape(c.op("Reshape", {x, any})), "none");
  EXPECT_EQ(c.shape(c.op("ConstantOfShape", {any})), "none");
  EXPECT_EQ(c.shape(c.op("Squeeze", {x})), "none");
}

TEST(ShapeFacts, SliceCancelsSymbols) {
  Chain c;
  const ValueId mask = c.input({1, 1, 1024, 1024});
  const ValueId x = c.input({sym("batch"), sym("seq"), 768}), k = c.input({sym("batch"), sym("total"), 768});
  const ValueId total = c.dim(k, 1), from = c.input({1}, DType::kS64);
  EXPECT_EQ(c.shape(c.op("Slice", {mask, c.ints({0}), total, c.ints({3})})), "[1,1,1024,total]");
  EXPECT_EQ(c.shape(c.op("Slice", {mask, from, total, c.ints({3})})), "[1,1,1024,?]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({0}), c.ints({INT64_MAX}), c.ints({1})})), "[batch,seq,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({0}), c.ints({INT32_MAX}), c.ints({1})})), "[batch,seq,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({0, 0}), c.ints({1, INT64_MAX})})), "[?,seq,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({-1}), c.ints({INT64_MAX}), c.ints({1})})), "[batch,1,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({0}), c.ints({-1}), c.ints({1})})), "[batch,seq-1,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({1}), c.ints({INT64_MAX}), c.ints({1})})), "[batch,?,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({-1}), c.ints({-INT64_MAX}), c.ints({1}), c.ints({-1})})),
            "[batch,seq,768]");
  EXPECT_EQ(c.shape(c.op("Slice", {x, c.ints({0}), c.ints({INT64_MAX}), c.ints({2}), c.ints({2})})), "[batch,seq,384]");
}

TEST(ShapeFacts, SplitAndConcatAndTile) {
  Chain c;
  const ValueId x = c.input({sym("batch"), sym("seq"), 2304});
  for (ValueId part : c.ops("Split", {x}, {{"axis", int64_t{2}}, {"num_outputs", int64_t{3}}}, 3)) {
    EXPECT_EQ(c.shape(part), "[batch,seq,768]");
  }
  const ValueId past = c.input({sym("batch"), sym("past"), 2304});
  EXPECT_EQ(c.shape(c.op("Concat", {past, x}, {{"axis", int64_t{1}}})), "[batch,past+seq,2304]");
  EXPECT_EQ(c.shape(c.op("Tile", {x, c.ints({1, 2, 1})})), "[batch,2*seq,2304]");
  const std::vector<ValueId> halves = c.ops("Split", {c.op("Shape", {x}), c.ints({1, 2})}, {{"axis", int64_t{0}}}, 2);
  EXPECT_EQ(c.elements(halves[1]), "[seq,2304]");
}

TEST(ShapeFacts, ExpandRangeAndFill) {
  Chain c;
  const ValueId x = c.input({sym("batch"), sym("seq")}, DType::kS64);
  const ValueId shape = c.op("Shape", {x});
  EXPECT_EQ(c.shape(c.op("ConstantOfShape", {shape})), "[batch,seq]");
  const ValueId seq = c.op("Gather", {shape, c.scalar(1)});
  EXPECT_EQ(c.elements(seq), "[seq]");
  EXPECT_EQ(c.shape(seq), "[]");
  const ValueId positions = c.op("Range", {c.scalar(0), seq, c.scalar(1)});
  EXPECT_EQ(c.shape(positions), "[seq]");
  EXPECT_EQ(c.shape(c.op("Expand", {c.op("Unsqueeze", {positions, c.ints({0})}), shape})), "[batch,seq]");
  EXPECT_EQ(c.elements(c.op("ConstantOfShape", {c.ints({3})}, {{"value", Tensor::of<int64_t>({1}, {7})}})), "[7,7,7]");
  EXPECT_EQ(c.elements(c.op("Range", {c.scalar(2), c.scalar(9), c.scalar(3)})), "[2,5,8]");
}

TEST(ShapeFacts, SlicedAndGatheredShapes) {
  Chain c;
  const ValueId x = c.input({sym("batch"), 8, sym("seq"), 64});
  const ValueId shape = c.op("Shape", {x});
  EXPECT_EQ(c.elements(shape), "[batch,8,seq,64]");
  EXPECT_EQ(c.elements(c.op("Shape", {x}, {{"start", int64_t{1}}, {"end", int64_t{-1}}})), "[8,seq]");
  EXPECT_EQ(c.elements(c.op("Slice", {shape, c.ints({-2}), c.ints({INT64_MAX})})), "[seq,64]");
  EXPECT_EQ(c.elements(c.op("Slice", {shape, c.ints({3}), c.ints({-5}), c.ints({0}), c.ints({-2})})), "[64,8]");
  EXPECT_EQ(c.elements(c.op("Gather", {shape, c.ints({-1, 0})})), "[64,batch]");
  EXPECT_EQ(c.elements(c.op("Size", {x})), "[512*batch*seq]");
  EXPECT_EQ(c.elements(c.op("Squeeze", {c.op("Slice", {shape, c.ints({2}), c.ints({3})}), c.ints({0})})), "[seq]");
  EXPECT_THROW(c.op("Gather", {shape, c.scalar(4)}), Error);
}

TEST(ShapeFacts, GatherAndOneHotShapes) {
  Chain c;
  const ValueId table = c.input({30522, 384}), ids = c.input({sym("batch"), sym("seq")}, DType::kS64);
  EXPECT_EQ(c.shape(c.op("Gather", {table, ids})), "[batch,seq,384]");
  EXPECT_EQ(c.shape(c.op("OneHot", {ids, c.scalar(5), c.input({2})})), "[batch,seq,5]");
  EXPECT_EQ(c.shape(c.op("NonZero", {ids})), "[2,?]");
  const ValueId tuples = c.input({sym("n"), 2}, DType::kS64);
  EXPECT_EQ(c.shape(c.op("GatherND", {table, tuples})), "[n]");
}

TEST(ShapeFacts, ResizeBySymbols) {
  Chain c;
  const ValueId x = c.input({sym("batch"), 3, sym("h"), sym("w")});
  const ValueId scales = [&] { return c.op("Identity", {c.input({4})}); }();
  EXPECT_EQ(c.shape(c.op("Resize", {x, kNoValue, scales})), "[?,?,?,?]");
  const ValueId sizes =
      c.op("Concat", {c.dim(x, 0), c.dim(x, 1), c.ints({224}), c.ints({224})}, {{"axis", int64_t{0}}});
  EXPECT_EQ(c.shape(c.op("Resize", {x, kNoValue, kNoValue, sizes})), "[batch,3,224,224]");
}

}  // namespace
}  // namespace neural_engine
