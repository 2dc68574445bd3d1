// Every input that the fuzzers start from, findings of the past among them, with whatever compiler the tests have.
#include <gtest/gtest.h>

#include <filesystem>
#include <span>
#include <string>

#include "base/mapped_file.h"
#include "fuzz/targets.h"

namespace neural_engine {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(NE_SOURCE_DIR) / "tests/fuzz/corpus";

TEST(Corpus, EveryInputGivesAnAnswerOrAnError) {
  for (const FuzzTarget& target : fuzz_targets()) {
    int inputs = 0;
    for (const auto& entry : fs::directory_iterator(kCorpus / target.name)) {
      const std::string bytes = read_file(entry.path().string(), size_t{1} << 20);
      EXPECT_NO_THROW(target.run(std::as_bytes(std::span(bytes)))) << entry.path();
      ++inputs;
    }
    EXPECT_GT(inputs, 0) << target.name << " has an empty corpus";
  }
}

TEST(Corpus, EveryFolderHasItsTarget) {
  for (const auto& entry : fs::directory_iterator(kCorpus)) {
    EXPECT_NE(find_fuzz_target(entry.path().filename().string()), nullptr) << entry.path();
  }
}

TEST(Corpus, IsSmall) {
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpus))
    bytes += entry.is_regular_file() ? entry.file_size() : 0;
  EXPECT_LT(bytes, uintmax_t{1} << 20);
}

}  // namespace
}  // namespace neural_engine
