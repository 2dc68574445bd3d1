// The fuzz targets: one function per file NAME_fuzzer.cpp, listed by the build.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>

namespace neural_engine {

// A broken promise of the engine. Not an Error, which targets catch: it reaches libFuzzer, or the test that replays.
struct Finding : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Whatever the bytes: returns, or throws a Finding; any other exception and any crash is a finding, too.
struct FuzzTarget {
  std::string_view name;
  void (*run)(std::span<const std::byte> bytes);
};

std::span<const FuzzTarget> fuzz_targets();
const FuzzTarget* find_fuzz_target(std::string_view name);  // nullptr: there is none

}  // namespace neural_engine
