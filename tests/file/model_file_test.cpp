#include "file/model_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "executor/evaluate.h"
#include "ir/infer.h"
#include "ir/print.h"

namespace neural_engine {
namespace {

std::string scratch_path(const char* name) {
  return (std::filesystem::temp_directory_path() / (std::to_string(getpid()) + name)).string();
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Graph body() {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::kF32, SymShape{Dim::symbol("n"), Dim(), 2});
  graph.add_output("y", graph.node(graph.add_node(op_def("Relu"), {x})).outputs[0]);
  return graph;
}

// Each kind of attribute, a body, equal constants, an absent operand.
Graph sample() {
  Graph graph;
  graph.name = "sample";
  const ValueId condition = graph.add_input("condition", DType::kBool, SymShape{});
  const ValueId x = graph.add_input("x", DType::kF32, std::nullopt);
  const GraphPtr branch = std::make_shared<const Graph>(body());
  const NodeId select =
      graph.add_node(op_def("If"), {condition, x},
                     {{"then_branch", branch}, {"else_branch", branch}, {"num_captures", int64_t{1}}}, 1, "if");
  const ValueId one = graph.add_constant(Tensor::of<float>({2}, {1, 2}), "one");
  const ValueId two = graph.add_constant(Tensor::of<float>({2}, {1, 2}), "two");
  const ValueId sum =
      graph.node(graph.add_node(op_def("Add"), {graph.node(select).outputs[0], one}, {}, 1, "sum")).outputs[0];
  graph.add_output("z", graph.node(graph.add_node(op_def("Add"), {sum, two}, {}, 1, "z")).outputs[0]);
  return graph;
}

TEST(ModelFile, ReloadsTheSameGraphAndBits) {
  const std::string first = scratch_path("first.ne"), second = scratch_path("second.ne");
  save_model_file(sample(), first);
  const Graph loaded = load_model_file(first);
  EXPECT_EQ(print(loaded), print([] {
              Graph graph = sample().compacted();
              infer_graph(graph);
              return graph;
            }()));
  save_model_file(loaded, second);
  EXPECT_EQ(read_all(first), read_all(second));

  const std::vector<Tensor> inputs = {Tensor::scalar<bool>(true), Tensor::of<float>({1, 1, 2}, {-1, 5})};
  EXPECT_TRUE(equal_bytes(evaluate_graph(loaded, inputs)[0], evaluate_graph(sample(), inputs)[0]));
  std::filesystem::remove(first);
  std::filesystem::remove(second);
}

TEST(ModelFile, AlignsWeightsAndStoresEqualOnesOnce) {
  const std::string path = scratch_path("weights.ne");
  save_model_file(sample(), path);
  const Graph graph = load_model_file(path);
  std::vector<const void*> places;
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (!graph.value(id).is_constant()) continue;
    places.push_back(graph.value(id).facts.constant.raw());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(places.back()) % 64, 0u);
  }
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0], places[1]);
  std::filesystem::remove(path);
}

class Damaged : public ::testing::Test {
 protected:
  void SetUp() override {
    save_model_file(sample(), path_);
    bytes_ = read_all(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string message(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    try {
      load_model_file(path_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  template <class T>
  std::string with(size_t offset, T value) const {
    std::string changed = bytes_;
    std::memcpy(changed.data() + offset, &value, sizeof(value));
    return changed;
  }

  const std::string path_ = scratch_path("damaged.ne");
  std::string bytes_;
};

TEST_F(Damaged, IsRefusedWithItsReason) {
  EXPECT_NE(message("").find("not a .ne file"), std::string::npos);
  EXPECT_NE(message(bytes_.substr(0, 63)).find("not a .ne file"), std::string::npos);
  EXPECT_NE(message(bytes_.substr(0, bytes_.size() - 1)).find("its header says"), std::string::npos);
  EXPECT_NE(message(with<uint32_t>(8, 2)).find("format version 2 found, 1 is supported"), std::string::npos);
  EXPECT_NE(message(with<uint64_t>(24, 8)).find("outside of the file"), std::string::npos);
  EXPECT_NE(message(with<uint64_t>(24, UINT64_MAX)).find("outside of the file"), std::string::npos);
}

TEST_F(Damaged, EveryFlippedByteBehindTheHeaderIsNoticed) {
  for (size_t at = 64; at < bytes_.size(); at += 7) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    EXPECT_NE(message(changed).find("checksum"), std::string::npos) << at;
  }
}

TEST(Checksum, DependsOnEveryByteAndOnTheLength) {
  std::vector<std::byte> bytes(200);
  const uint64_t base = checksum64(bytes);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = std::byte{1};
    EXPECT_NE(checksum64(bytes), base);
    bytes[i] = std::byte{0};
  }
  EXPECT_NE(checksum64(std::span(bytes).first(199)), base);
}

}  // namespace
}  // namespace neural_engine
