// Random valid graphs with fixed seeds; the fuzz target "graph" goes on from there.
#include "fuzz/random_graph.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "sanitized.h"

namespace neural_engine {
namespace {

std::vector<std::byte> bytes_of(uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<std::byte> bytes(20 + engine() % 180);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine() & 0xff);
  return bytes;
}

TEST(RandomGraph, SimplifiedAndPlannedGivesTheSame) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    if (left_out()) continue;
    ASSERT_NO_THROW(check_random_graph(bytes_of(seed))) << "seed " << seed;
  }
}

// The generator reaches what it is there for.
TEST(RandomGraph, HasManyOperators) {
  std::set<std::string> ops;
  size_t nodes = 0;
  for (uint32_t seed = 0; seed < 100; ++seed) {
    const RandomGraph random = make_random_graph(bytes_of(seed));
    for (NodeId id : random.graph.order()) {
      ops.insert(std::string(random.graph.node(id).op()));
      ++nodes;
    }
  }
  EXPECT_GT(ops.size(), 30u);
  EXPECT_GT(nodes, 800u);
}

TEST(RandomGraph, TakesAnyBytes) {
  EXPECT_NO_THROW(check_random_graph({}));
  EXPECT_NO_THROW(check_random_graph(std::vector<std::byte>(1000, std::byte{255})));
}

}  // namespace
}  // namespace neural_engine
