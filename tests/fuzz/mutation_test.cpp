// Inputs of the corpora with some bytes changed, by a generator of random numbers with a fixed seed: what libFuzzer
// does for longer, with any compiler. NE_MUTATIONS sets how many of each input (30).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "fuzz/targets.h"

namespace neural_engine {
namespace {

namespace fs = std::filesystem;

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  // One to four changes: a bit, a byte that is an edge of a range, a part left out, doubled or taken from elsewhere.
  std::string change(std::string bytes) {
    const size_t changes = 1 + below(4);
    for (size_t i = 0; i < changes && !bytes.empty(); ++i) change_once(bytes);
    return bytes;
  }

 private:
  size_t below(size_t bound) { return static_cast<size_t>(random_() % bound); }

  void change_once(std::string& bytes) {
    static constexpr unsigned char kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    const size_t at = below(bytes.size()), length = 1 + below(std::min<size_t>(16, bytes.size() - at));
    switch (below(5)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 1: bytes[at] = static_cast<char>(kEdges[below(std::size(kEdges))]); break;
      case 2: bytes.erase(at, length); break;
      case 3: bytes.insert(at, bytes.substr(at, length)); break;
      default: bytes.replace(at, length, bytes.substr(below(bytes.size()), length)); break;
    }
  }

  std::mt19937_64 random_;
};

class Mutations : public ::testing::TestWithParam<std::string> {};

TEST_P(Mutations, GiveAnAnswerOrAnError) {
  const char* wanted = std::getenv("NE_MUTATIONS");
  const int count = wanted != nullptr ? std::atoi(wanted) : 30;
  const FuzzTarget* target = find_fuzz_target(GetParam());
  ASSERT_NE(target, nullptr);
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(NE_SOURCE_DIR) / "tests/fuzz/corpus" / GetParam())) {
    paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    const std::string bytes = read_file(path.string(), size_t{1} << 20);
    for (int seed = 0; seed < count; ++seed) {
      const std::string changed = Mutator(static_cast<uint64_t>(seed)).change(bytes);
      EXPECT_NO_THROW(target->run(std::as_bytes(std::span(changed)))) << path << ", seed " << seed;
    }
  }
}

std::vector<std::string> target_names() {
  std::vector<std::string> names;
  for (const FuzzTarget& target : fuzz_targets()) names.emplace_back(target.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Targets, Mutations, ::testing::ValuesIn(target_names()),
                         [](const auto& each) { return each.param; });

}  // namespace
}  // namespace neural_engine
