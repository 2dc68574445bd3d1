// The memory of generated code, and its traces for profilers and disassemblers.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "kernel_testing.h"

namespace neural_engine {
namespace {

using namespace testing;

// Sets a variable of the environment for a scope.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  ~ScopedEnv() { unsetenv(name_); }

 private:
  const char* name_;
};

std::unique_ptr<EltwiseKernel> generated_kernel() {
  const EltwiseDesc desc = {.ops = {unary(UnaryOp::kTanh)}};
  const auto rows = rows_for(desc);
  return rows.empty() ? nullptr : make_kernel(*rows.front(), desc);
}

TEST(Jit, MemoryIsNeverWritableAndExecutable) {
  const auto kernel = generated_kernel();
  if (!kernel) GTEST_SKIP() << "this CPU has no generated kernel";
  std::ifstream maps("/proc/self/maps");
  std::string line;
  int lines = 0;
  for (; std::getline(maps, line); ++lines) EXPECT_EQ(line.find(" rwx"), std::string::npos) << line;
  EXPECT_GT(lines, 0);
}

TEST(Jit, DumpsCodeOnRequest) {
  const std::filesystem::path dir =
      std::filesystem::path(::testing::TempDir()) / ("ne_jit_" + std::to_string(getpid()));
  std::filesystem::create_directory(dir);
  {
    const ScopedEnv env("NE_JIT_DUMP", dir.string());
    if (!generated_kernel()) GTEST_SKIP() << "this CPU has no generated kernel";
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    EXPECT_TRUE(entry.path().filename().string().starts_with("eltwise.")) << entry.path();
    EXPECT_GT(entry.file_size(), 100u);
    ++files;
  }
  EXPECT_EQ(files, 1);
  std::filesystem::remove_all(dir);
}

TEST(Jit, NamesItsCodeForPerf) {
  const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  std::filesystem::remove(path);
  {
    const ScopedEnv env("NE_JIT_PERF", "1");
    if (!generated_kernel()) GTEST_SKIP() << "this CPU has no generated kernel";
  }
  std::ifstream map(path);
  std::string address, bytes, name;
  map >> address >> bytes >> name;
  EXPECT_EQ(name, "eltwise");
  EXPECT_GT(std::stoul(address, nullptr, 16), 0u);
  EXPECT_GT(std::stoul(bytes, nullptr, 16), 100u);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace neural_engine
