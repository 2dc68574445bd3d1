#include "kernels/jit/generator.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace neural_engine::jit {
namespace {

void write_dump(const std::string& dir, const std::string& name, const uint8_t* code, size_t bytes) {
  static std::atomic<int> serial{0};
  std::ofstream out(dir + "/" + name + "." + std::to_string(serial++) + ".bin", std::ios::binary);
  out.write(reinterpret_cast<const char*>(code), static_cast<std::streamsize>(bytes));
}

void append_perf_map(const std::string& name, const uint8_t* code, size_t bytes) {
  const std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  if (std::FILE* map = std::fopen(path.c_str(), "a")) {
    std::fprintf(map, "%zx %zx %s\n", reinterpret_cast<size_t>(code), bytes, name.c_str());
    std::fclose(map);
  }
}

}  // namespace

void Generator::preamble() {
  for (const Xbyak::Reg64& reg : {rbx, rbp, r12, r13, r14, r15}) push(reg);
}

void Generator::postamble() {
  vzeroupper();
  for (const Xbyak::Reg64& reg : {r15, r14, r13, r12, rbp, rbx}) pop(reg);
  ret();
}

void Generator::seal(const std::string& name) {
  setProtectModeRE();
  if (const char* dir = std::getenv("NE_JIT_DUMP"); dir != nullptr && *dir != '\0')
    write_dump(dir, name, getCode(), getSize());
  if (const char* perf = std::getenv("NE_JIT_PERF"); perf != nullptr && *perf == '1')
    append_perf_map(name, getCode(), getSize());
}

}  // namespace neural_engine::jit
