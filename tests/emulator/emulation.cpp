#include "emulator/emulation.h"

#include <cpuid.h>
#include <immintrin.h>
#include <signal.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "emulator/machine.h"

namespace neural_engine::emulator {
namespace {

std::atomic<uint64_t> instructions{0};

// Where the parts of the extended state lie in a signal frame, which has the standard XSAVE form.
constexpr size_t kLegacyBytes = 512, kXmmAt = 160, kMxcsrAt = 24, kSoftwareAt = 464, kStateBits = kLegacyBytes;
constexpr uint32_t kSoftwareMagic = 0x46505853;
enum StateComponent { kSse = 1, kUpperYmm = 2, kOpmasks = 5, kUpperZmm = 6, kHighZmm = 7 };

uint32_t offset_of_component(int component) {
  uint32_t eax, ebx, ecx, edx;
  return __get_cpuid_count(0xd, static_cast<uint32_t>(component), &eax, &ebx, &ecx, &edx) ? ebx : 0;
}

// The vector state of a frame. What the host does not have stays in the machine.
class FrameState {
 public:
  explicit FrameState(ucontext_t* context) : base_(reinterpret_cast<uint8_t*>(context->uc_mcontext.fpregs)) {
    uint32_t magic;
    uint64_t features;
    std::memcpy(&magic, base_ + kSoftwareAt, sizeof(magic));
    std::memcpy(&features, base_ + kSoftwareAt + 8, sizeof(features));
    features_ = magic == kSoftwareMagic ? features : 0;
    std::memcpy(&in_use_, base_ + kStateBits, sizeof(in_use_));
  }

  void load(Machine& m) const {
    m.poison();
    for (size_t i = 0; i < 16; ++i) {
      Vector& v = m.zmm[i];
      copy_in(kSse, kXmmAt + 16 * i, &v.bytes[0], 16);
      copy_in(kUpperYmm, at(kUpperYmm) + 16 * i, &v.bytes[16], 16);
      // Where the host has no zmm, code before the first emulated instruction was VEX-coded and cleared what it wrote.
      if (!has(kUpperZmm)) std::memset(&v.bytes[32], 0, 32);
      copy_in(kUpperZmm, at(kUpperZmm) + 32 * i, &v.bytes[32], 32);
      copy_in(kHighZmm, at(kHighZmm) + 64 * i, &m.zmm[16 + i].bytes[0], 64);
    }
    for (size_t i = 0; i < 8; ++i) copy_in(kOpmasks, at(kOpmasks) + 8 * i, &m.k[i], 8);
  }

  void store(const Machine& m) {
    for (size_t i = 0; i < 16; ++i) {
      const Vector& v = m.zmm[i];
      copy_out(kSse, kXmmAt + 16 * i, &v.bytes[0], 16);
      copy_out(kUpperYmm, at(kUpperYmm) + 16 * i, &v.bytes[16], 16);
      copy_out(kUpperZmm, at(kUpperZmm) + 32 * i, &v.bytes[32], 32);
      copy_out(kHighZmm, at(kHighZmm) + 64 * i, &m.zmm[16 + i].bytes[0], 64);
    }
    for (size_t i = 0; i < 8; ++i) copy_out(kOpmasks, at(kOpmasks) + 8 * i, &m.k[i], 8);
    std::memcpy(base_ + kStateBits, &in_use_, sizeof(in_use_));
  }

  uint32_t mxcsr() const {
    uint32_t value;
    std::memcpy(&value, base_ + kMxcsrAt, sizeof(value));
    return value;
  }

 private:
  bool has(int component) const { return (features_ >> component) & 1; }
  static uint32_t at(int component) {
    static const std::array<uint32_t, 8> offsets = [] {
      std::array<uint32_t, 8> all = {};
      for (size_t i = 2; i < all.size(); ++i) all[i] = offset_of_component(static_cast<int>(i));
      return all;
    }();
    return offsets[static_cast<size_t>(component)];
  }
  // A component that is not in use holds zeros, whatever the frame's bytes are.
  void copy_in(int component, size_t offset, void* to, size_t bytes) const {
    if (!has(component)) return;
    if ((in_use_ >> component) & 1)
      std::memcpy(to, base_ + offset, bytes);
    else
      std::memset(to, 0, bytes);
  }
  void copy_out(int component, size_t offset, const void* from, size_t bytes) {
    if (!has(component)) return;
    std::memcpy(base_ + offset, from, bytes);
    in_use_ |= uint64_t{1} << component;
  }

  uint8_t* base_;
  uint64_t features_ = 0, in_use_ = 0;
};

constexpr std::array<int, 16> kGeneralOrder = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
// Below the stack pointer and these bytes lies the signal frame.
constexpr uint64_t kRedZone = 128;

[[noreturn]] void give_up(const char* reason) {
  for (const char* part : {"emulator: ", reason, "\n"}) {
    const ssize_t written = write(STDERR_FILENO, part, std::strlen(part));
    static_cast<void>(written);
  }
  std::abort();
}

// The signal is synchronous: it comes from an instruction of generated code, never from inside an allocation.
void on_sigill(int, siginfo_t*, void* raw) {
  // Tiles and their configuration outlast a function; they are the thread's.
  thread_local Machine machine;
  auto* context = static_cast<ucontext_t*>(raw);
  auto& registers = context->uc_mcontext.gregs;
  FrameState frame(context);
  frame.load(machine);
  for (size_t i = 0; i < kGeneralOrder.size(); ++i) machine.gpr[i] = static_cast<uint64_t>(registers[kGeneralOrder[i]]);
  machine.rip = static_cast<uint64_t>(registers[REG_RIP]);
  machine.flags = static_cast<uint64_t>(registers[REG_EFL]);
  machine.stack_limit = machine.gpr[kRsp] - kRedZone;
  const uint64_t before = machine.instructions;

  const unsigned own_mxcsr = _mm_getcsr();
  _mm_setcsr(frame.mxcsr());
  try {
    machine.run();
  } catch (const std::exception& refused) {
    give_up(refused.what());
  }
  _mm_setcsr(own_mxcsr);

  instructions.fetch_add(machine.instructions - before, std::memory_order_relaxed);
  for (size_t i = 0; i < kGeneralOrder.size(); ++i) registers[kGeneralOrder[i]] = static_cast<greg_t>(machine.gpr[i]);
  registers[REG_RIP] = static_cast<greg_t>(machine.rip);
  registers[REG_EFL] = static_cast<greg_t>(machine.flags);
  frame.store(machine);
}

}  // namespace

bool install() {
  static const bool installed = [] {
    if (!detect_cpu().has(Isa::kAvx2)) return false;
    struct sigaction action = {};
    action.sa_sigaction = on_sigill;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGILL, &action, nullptr) == 0;
  }();
  return installed;
}

uint32_t emulated_isa_bits() {
  uint32_t bits = 0;
  for (const Isa isa : {Isa::kAvxVnni, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16, Isa::kAmxInt8, Isa::kAmxBf16})
    bits |= uint32_t{1} << static_cast<int>(isa);
  return bits;
}

const CpuInfo& test_cpu() {
  static const CpuInfo info = [] {
    CpuInfo all = cpu();
    if (install()) all.isa_bits |= emulated_isa_bits();
    const char* name = std::getenv("NE_MAX_ISA");
    const auto max = name == nullptr ? std::nullopt : parse_isa(name);
    return max ? limited(all, *max) : all;
  }();
  return info;
}

bool is_native(Isa isa) {
  static const CpuInfo host = detect_cpu();
  return host.has(isa);
}

uint64_t emulated_instructions() { return instructions.load(std::memory_order_relaxed); }

}  // namespace neural_engine::emulator
