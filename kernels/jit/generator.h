// The base of all run-time generated code: memory that is never writable and executable at once, names for profilers.
#pragma once

#include <xbyak/xbyak.h>

#include <cstddef>
#include <string>

#include "base/error.h"

namespace neural_engine::jit {

// A generator emits in its constructor and calls seal() last; from then on it is a piece of read-only code.
//
// NE_JIT_DUMP=dir writes each sealed piece to dir/NAME.N.bin (raw code: objdump -D -b binary -m i386:x86-64);
// NE_JIT_PERF=1 appends it to /tmp/perf-PID.map, where `perf report` looks names up.
class Generator : public Xbyak::CodeGenerator {
 public:
  // Address space, not memory, is what `max_bytes` costs: pages come with use.
  explicit Generator(size_t max_bytes = 512 << 10) : Xbyak::CodeGenerator(max_bytes, Xbyak::DontSetProtectRWE) {}

  template <class Function>
  Function* entry(size_t offset = 0) const {
    return reinterpret_cast<Function*>(reinterpret_cast<size_t>(getCode() + offset));
  }

 protected:
  // Callee-saved registers of the System V ABI, so that bodies may use all but rsp.
  void preamble();
  void postamble();  // with vzeroupper and ret

  // Makes the code executable and no longer writable.
  void seal(const std::string& name);
};

// Runs `body`, in which Xbyak may throw, and translates its errors.
template <class Body>
decltype(auto) generate(const std::string& name, Body&& body) {
  try {
    return body();
  } catch (const Xbyak::Error& error) {
    fail(Code::kInternal, "generating ", name, ": ", error.what());
  }
}

}  // namespace neural_engine::jit
