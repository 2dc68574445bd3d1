#include "neural_engine/session.h"

#include <gtest/gtest.h>

#include <thread>

#include "executor/evaluate.h"
#include "executor/memory.h"
#include "ir/graph.h"
#include "ir/infer.h"

namespace neural_engine {
namespace {

// y = relu(relu(x + b) + x), z = x + b, w = b (a constant), v = x (an input)
Graph sample() {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::kF32, SymShape{Dim::symbol("batch"), 4});
  const ValueId b = graph.add_constant(Tensor::of<float>({4}, {1, -2, 3, -4}), "b");
  const ValueId z = graph.node(graph.add_node(op_def("Add"), {x, b}, {}, 1, "z")).outputs[0];
  const ValueId r = graph.node(graph.add_node(op_def("Relu"), {z}, {}, 1, "r")).outputs[0];
  const ValueId s = graph.node(graph.add_node(op_def("Add"), {r, x}, {}, 1, "s")).outputs[0];
  const ValueId y = graph.node(graph.add_node(op_def("Relu"), {s}, {}, 1, "y")).outputs[0];
  graph.add_output("y", y);
  graph.add_output("z", z);
  graph.add_output("w", b);
  graph.add_output("v", x);
  infer_graph(graph);
  return graph;
}

Tensor iota(Shape shape) {
  Tensor result(DType::kF32, std::move(shape));
  for (int64_t i = 0; i < result.elems(); ++i) result.data<float>()[i] = static_cast<float>(i) - 5;
  return result;
}

TEST(Session, GivesWhatTheInterpreterGives) {
  const Graph graph = sample();
  Session session(Model(graph), {});
  for (int64_t batch : {1, 3, 0, 7, 3}) {
    const std::vector<Tensor> inputs = {iota({batch, 4})};
    const std::vector<Tensor> expected = evaluate_graph(graph, inputs);
    const std::vector<Tensor> found = session.run(inputs);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(equal_bytes(found[i], expected[i])) << i;
  }
}

TEST(Session, WritesIntoGivenOutputs) {
  Session session(Model(sample()), {});
  const std::vector<Tensor> inputs = {iota({2, 4})};
  std::vector<Tensor> outputs = session.run(inputs);
  const void* memory = outputs[0].raw();
  const std::vector<Tensor> expected = session.run(inputs);
  session.run(inputs, outputs);
  EXPECT_EQ(outputs[0].raw(), memory);
  for (size_t i = 0; i < outputs.size(); ++i) EXPECT_TRUE(equal_bytes(outputs[i], expected[i]));
}

TEST(Session, RunsByName) {
  Session session(Model(sample()), {});
  const auto outputs = session.run({{"x", iota({1, 4})}});
  EXPECT_EQ(outputs.size(), 4u);
  EXPECT_THROW(session.run(std::map<std::string, Tensor>{{"y", iota({1, 4})}}), Error);
}

TEST(Session, RefusesWrongInputs) {
  Session session(Model(sample()), {});
  const auto message = [&](const std::vector<Tensor>& inputs) {
    try {
      session.run(inputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({}), "0 inputs given, the model has 1");
  EXPECT_EQ(message({Tensor(DType::kF64, {1, 4})}), "input \"x\" has dtype f64, expected f32");
  EXPECT_EQ(message({iota({1, 5})}), "input \"x\" has shape [1,5], expected [batch,4]");
  EXPECT_EQ(message({iota({4})}), "input \"x\" has shape [4], expected [batch,4]");
}

TEST(Session, RunsFromManyThreadsAtOnce) {
  Session session(Model(sample()), {.threads = 2});
  const std::vector<Tensor> inputs = {iota({64, 4})};
  const std::vector<Tensor> expected = session.run(inputs);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const std::vector<Tensor> found = session.run(inputs);
        for (size_t k = 0; k < found.size(); ++k) ASSERT_TRUE(equal_bytes(found[k], expected[k]));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

TEST(Session, KeepsABoundedNumberOfPlans) {
  Session session(Model(sample()), {.max_plans = 2});
  for (int64_t batch = 1; batch < 20; ++batch) session.run(std::vector<Tensor>{iota({batch, 4})});
  EXPECT_EQ(session.explain({{5, 4}}).size(), 4u);
}

TEST(Memory, BuffersThatLiveAtOnceDoNotOverlap) {
  std::vector<BufferRequest> requests;
  uint32_t seed = 1;
  const auto random = [&](uint32_t bound) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % bound;
  };
  for (int i = 0; i < 200; ++i) {
    const int first = static_cast<int>(random(100));
    requests.push_back({random(5000), first, first + static_cast<int>(random(10))});
  }
  const ArenaLayout layout = plan_arena(requests);
  size_t most = 0;
  for (int step = 0; step < 110; ++step) {
    size_t live = 0;
    for (const BufferRequest& request : requests)
      live += request.first <= step && step <= request.last ? request.bytes : 0;
    most = std::max(most, live);
  }
  EXPECT_GE(layout.bytes, most);
  EXPECT_LE(layout.bytes, 2 * most);
  for (size_t a = 0; a < requests.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      const bool together = requests[a].first <= requests[b].last && requests[b].first <= requests[a].last;
      const bool overlap = layout.offsets[a] < layout.offsets[b] + requests[b].bytes &&
                           layout.offsets[b] < layout.offsets[a] + requests[a].bytes;
      EXPECT_FALSE(together && overlap && requests[a].bytes && requests[b].bytes);
    }
  }
}

}  // namespace
}  // namespace neural_engine
