#include "fuzz/targets.h"

namespace neural_engine {

#define NE_FUZZ_TARGET(name) void fuzz_##name(std::span<const std::byte> bytes);
#include "fuzz_targets.inc"
#undef NE_FUZZ_TARGET

std::span<const FuzzTarget> fuzz_targets() {
#define NE_FUZZ_TARGET(name) {#name, fuzz_##name},
  static const FuzzTarget kTargets[] = {
#include "fuzz_targets.inc"
  };
#undef NE_FUZZ_TARGET
  return kTargets;
}

const FuzzTarget* find_fuzz_target(std::string_view name) {
  for (const FuzzTarget& target : fuzz_targets()) {
    if (target.name == name) return &target;
  }
  return nullptr;
}

}  // namespace neural_engine
