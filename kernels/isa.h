// What this CPU can do: instruction sets believed only after one of their instructions ran, and cache sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace neural_engine {

// What a kernel row needs, in the order in which NE_MAX_ISA cuts: a value above the cut is not used.
enum class Isa : uint8_t {
  kSse2,        // any x86-64
  kAvx2,        // with FMA, F16C, BMI1 and BMI2
  kAvxVnni,     // VEX-coded vpdpbusd
  kAvx512,      // F, CD, BW, DQ, VL
  kAvx512Vnni,  // with kAvx512
  kAvx512Bf16,  // with kAvx512
  kAvx512Fp16,  // with kAvx512
  kAmxInt8,     // tiles and tdpbusd
  kAmxBf16,     // tiles and tdpbf16ps
};
inline constexpr int kIsaCount = 9;

// "sse2", "avx2", "avx_vnni", "avx512", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16": the words
// of NE_MAX_ISA and of row names.
const char* to_string(Isa isa) noexcept;
std::optional<Isa> parse_isa(std::string_view name) noexcept;

struct CpuInfo {
  uint32_t isa_bits = 1;  // bit i is Isa(i)
  int64_t l1d_bytes = 32 << 10;
  int64_t l2_bytes = 512 << 10;  // of one core
  int64_t l3_bytes = 8 << 20;    // of the group of cores that share it

  bool has(Isa isa) const noexcept { return (isa_bits >> static_cast<int>(isa)) & 1; }
};

// Asks CPUID, then the operating system (XCR0; for AMX also arch_prctl), then runs one instruction of each set under a
// SIGILL guard. Not for use while other threads may raise SIGILL on purpose.
CpuInfo detect_cpu();
// The same CPU without the sets above `max`.
CpuInfo limited(CpuInfo info, Isa max) noexcept;

// detect_cpu() cut at NE_MAX_ISA, found once per process. Throws Error(kInvalidArgument) for an unknown NE_MAX_ISA.
const CpuInfo& cpu();

}  // namespace neural_engine
