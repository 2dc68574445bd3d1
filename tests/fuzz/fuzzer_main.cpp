// libFuzzer's entry points. The name by which the binary is called says which target runs: onnx_fuzzer runs "onnx".
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "fuzz/targets.h"

namespace {

const neural_engine::FuzzTarget* target = nullptr;

const neural_engine::FuzzTarget* target_called(const std::string& program) {
  const std::string base = program.substr(program.rfind('/') + 1);
  return neural_engine::find_fuzz_target(base.substr(0, base.rfind("_fuzzer")));
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char*** argv) {
  target = target_called((*argv)[0]);
  if (target != nullptr) return 0;
  std::fprintf(stderr, "%s names no fuzz target; call it through one of the links beside it:\n", (*argv)[0]);
  for (const auto& each : neural_engine::fuzz_targets()) std::fprintf(stderr, "  %s_fuzzer\n", each.name.data());
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    target->run({reinterpret_cast<const std::byte*>(data), size});
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "finding: %s\n", exception.what());
    std::abort();
  }
  return 0;
}
