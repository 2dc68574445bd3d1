// What of a model is resident: weights that were packed go back to their file, and the predicted peak holds.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/tensor_memory.h"
#include "executor/slabs.h"
#include "executor/weight_store.h"
#include "neural_engine/session.h"
#include "sanitized.h"

namespace neural_engine {
namespace {

const std::string kModel = std::string(NE_SOURCE_DIR) + "/models/tiny_a/model.onnx";

std::vector<Tensor> ones(const Model& model) {
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < model.inputs().size(); ++i)
    inputs.push_back(Tensor::of<int64_t>({1, 16}, std::vector<int64_t>(16, 1)));
  return inputs;
}

// Resident bytes of the mappings of a file.
int64_t resident_bytes(const std::string& path) {
  std::ifstream maps("/proc/self/smaps");
  int64_t total = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) inside = line.ends_with(path);  // the first line of a mapping
    if (inside && line.starts_with("Rss:")) total += std::stoll(line.substr(4)) * 1024;
  }
  return total;
}

int64_t status_bytes(const char* key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stoll(line.substr(line.find(':') + 1)) * 1024;
  return 0;
}

TEST(Memory, PackedWeightsLeaveIt) {
  const Model model = Model::load(kModel);
  EXPECT_LT(resident_bytes(kModel), int64_t{4} << 20) << "loading reads the structure, not the weights";
  Session session(model, {.threads = 2});
  session.run(ones(model));
  const MemoryStats stats = session.memory();
  EXPECT_GT(stats.released_bytes, stats.weight_bytes / 4);
  EXPECT_LT(resident_bytes(kModel), static_cast<int64_t>(stats.weight_bytes - stats.released_bytes) + (1 << 20));
}

TEST(Memory, ReleasedWeightsAreReadAgain) {
  const Model model = Model::load(kModel);
  Session first(model, {.threads = 1}), second(model, {.threads = 2});
  const std::vector<Tensor> a = first.run(ones(model)), b = second.run(ones(model));
  for (size_t i = 0; i < a.size(); ++i) EXPECT_EQ(std::memcmp(a[i].raw(), b[i].raw(), a[i].bytes()), 0);
}

TEST(Memory, AModelFileLeavesItWhenChecked) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("neural_engine_" + std::to_string(getpid()) + ".ne");
  Model::load(kModel).save(path);
  {
    const Model model = Model::load(path);
    EXPECT_LT(resident_bytes(path), int64_t{4} << 20);
  }
  std::filesystem::remove(path);
}

// In a process of its own, whose peak is this model's alone.
void check_prediction() {
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak starts from here
  const int64_t before = status_bytes("VmRSS");
  Session session(Model::load(kModel), {.threads = 2});
  session.run(ones(session.model()));
  const int64_t peak = status_bytes("VmHWM") - before;
  const auto predicted = static_cast<int64_t>(session.memory().predicted_peak_bytes);
  // The program's own pages, generated code and tables; and the last large page of the packed weights.
  constexpr int64_t kProgram = 24 << 20;
  std::cerr << "peak " << peak << " predicted " << predicted << "\n";
  _exit(peak <= predicted + kProgram && peak >= static_cast<int64_t>(session.memory().packed_bytes) ? 0 : 1);
}

TEST(Memory, ThePeakIsAsPredicted) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer's own memory counts";
  const pid_t child = fork();
  if (child == 0) check_prediction();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(WeightStore, PacksOnceAndCounts) {
  WeightStore store;
  const Tensor weight = Tensor::of<float>({2}, {1, 2});
  int packed = 0;
  const auto pack = [&] {
    ++packed;
    return store.allocate(100);
  };
  const Tensor a = store.get(weight, "x", pack), b = store.get(weight, "x", pack), c = store.get(weight, "y", pack);
  EXPECT_EQ(a.raw(), b.raw());
  EXPECT_NE(a.raw(), c.raw());
  EXPECT_EQ(packed, 2);
  EXPECT_EQ(store.bytes(), 200u);
  EXPECT_EQ(store.released_bytes(), 0u) << "memory of ours stays";
}

TEST(WeightStore, AlignsOnDemand) {
  WeightStore store;
  const auto bytes = std::make_shared<std::vector<float>>(9);
  const Tensor odd = Tensor::share(DType::kF32, {8}, reinterpret_cast<std::byte*>(bytes->data()) + 1, bytes);
  EXPECT_FALSE(is_aligned(odd));
  const Tensor even = store.aligned(odd);
  EXPECT_TRUE(is_aligned(even));
  EXPECT_EQ(std::memcmp(even.raw(), odd.raw(), odd.bytes()), 0);
  EXPECT_EQ(store.aligned(odd).raw(), even.raw());
  EXPECT_EQ(store.aligned(even).raw(), even.raw()) << "nothing to do";
}

TEST(Slabs, PiecesAreAlignedAndApart) {
  std::vector<Tensor> pieces;
  {
    Slabs slabs;
    for (const int64_t bytes : {int64_t{0}, int64_t{1}, int64_t{63}, int64_t{64}, int64_t{5} << 20, int64_t{80} << 20})
      pieces.push_back(slabs.allocate(bytes));
  }
  for (size_t i = 0; i < pieces.size(); ++i) {  // they outlive what gave them
    const auto at = reinterpret_cast<uintptr_t>(pieces[i].raw());
    EXPECT_EQ(at % 64, 0u);
    for (size_t j = 0; j < i; ++j) {
      const auto other = reinterpret_cast<uintptr_t>(pieces[j].raw());
      EXPECT_TRUE(at + pieces[i].bytes() <= other || other + pieces[j].bytes() <= at);
    }
    if (pieces[i].bytes() > 0) static_cast<char*>(pieces[i].raw())[pieces[i].bytes() - 1] = 1;
  }
}

}  // namespace
}  // namespace neural_engine
