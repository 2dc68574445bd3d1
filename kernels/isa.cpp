#include "kernels/isa.h"

#include <cpuid.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.h"

namespace neural_engine {
namespace {

constexpr std::array<const char*, kIsaCount> kNames = {
    "sse2", "avx2", "avx_vnni", "avx512", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16"};

struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) {
  CpuidLeaf r;
  if (!__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx)) return {};
  return r;
}

bool bit(uint32_t word, int index) { return (word >> index) & 1; }

uint64_t xcr0() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

// Linux hands out the 8 KiB tile state only on request.
bool request_amx_permission() {
  constexpr long kArchReqXcompPerm = 0x1023;
  constexpr long kXfeatureXtiledata = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kXfeatureXtiledata) == 0;
}

void run_sse2() { __asm__ volatile("paddd %%xmm0, %%xmm0" ::: "xmm0"); }
void run_avx2() { __asm__ volatile("vfmadd231ps %%ymm0, %%ymm0, %%ymm0\n vzeroupper" ::: "xmm0"); }
// {vex} vpdpbusd ymm0, ymm0, ymm0 in bytes: inline assembly takes the braces for dialects.
void run_avx_vnni() { __asm__ volatile(".byte 0xc4,0xe2,0x7d,0x50,0xc0\n vzeroupper" ::: "xmm0"); }
void run_avx512() { __asm__ volatile("vpaddb %%zmm0, %%zmm0, %%zmm0\n vzeroupper" ::: "xmm0"); }
void run_avx512_vnni() { __asm__ volatile("vpdpbusd %%zmm0, %%zmm0, %%zmm0\n vzeroupper" ::: "xmm0"); }
void run_avx512_bf16() { __asm__ volatile("vdpbf16ps %%zmm0, %%zmm0, %%zmm0\n vzeroupper" ::: "xmm0"); }
// vaddph zmm0, zmm0, zmm0 in bytes: assemblers before 2.38 do not know it.
void run_avx512_fp16() { __asm__ volatile(".byte 0x62,0xf5,0x7c,0x48,0x58,0xc0\n vzeroupper" ::: "xmm0"); }
void run_amx() { __asm__ volatile(".byte 0xc4,0xe2,0x78,0x49,0xc0" :::); }  // tilerelease

using Probe = void (*)();
constexpr std::array<Probe, kIsaCount> kProbes = {
    run_sse2, run_avx2, run_avx_vnni, run_avx512, run_avx512_vnni, run_avx512_bf16, run_avx512_fp16, run_amx, run_amx};

thread_local sigjmp_buf probe_return;
void on_sigill(int) { siglongjmp(probe_return, 1); }

// True when the instruction ran: a hypervisor may show a CPUID bit of something it does not let through.
bool survives(Probe probe) {
  struct sigaction action = {}, before = {};
  action.sa_handler = on_sigill;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGILL, &action, &before) != 0) return false;
  volatile bool ran = false;
  if (sigsetjmp(probe_return, 1) == 0) {
    probe();
    ran = true;
  }
  sigaction(SIGILL, &before, nullptr);
  return ran;
}

// What CPUID and the operating system say, before anything is run.
uint32_t claimed_isa_bits() {
  const CpuidLeaf l1 = cpuid(1, 0), l7 = cpuid(7, 0), l7s1 = cpuid(7, 1);
  const bool osxsave = bit(l1.ecx, 27);
  const uint64_t state = osxsave ? xcr0() : 0;
  const bool ymm_state = (state & 0x6) == 0x6;
  const bool zmm_state = (state & 0xe6) == 0xe6;
  const bool tile_state = (state & 0x60000) == 0x60000;

  const bool avx2 = ymm_state && bit(l1.ecx, 28) && bit(l1.ecx, 12) && bit(l1.ecx, 29) && bit(l7.ebx, 5) &&
                    bit(l7.ebx, 3) && bit(l7.ebx, 8);
  const bool avx512 =
      avx2 && zmm_state && bit(l7.ebx, 16) && bit(l7.ebx, 17) && bit(l7.ebx, 28) && bit(l7.ebx, 30) && bit(l7.ebx, 31);
  const bool amx = avx512 && tile_state && bit(l7.edx, 24) && request_amx_permission();

  uint32_t bits = 1;
  const auto set = [&bits](Isa isa, bool on) { bits |= uint32_t{on} << static_cast<int>(isa); };
  set(Isa::kAvx2, avx2);
  set(Isa::kAvxVnni, avx2 && bit(l7s1.eax, 4));
  set(Isa::kAvx512, avx512);
  set(Isa::kAvx512Vnni, avx512 && bit(l7.ecx, 11));
  set(Isa::kAvx512Bf16, avx512 && bit(l7s1.eax, 5));
  set(Isa::kAvx512Fp16, avx512 && bit(l7.edx, 23));
  set(Isa::kAmxInt8, amx && bit(l7.edx, 25));
  set(Isa::kAmxBf16, amx && bit(l7.edx, 22));
  return bits;
}

// "32K" or "1M", as sysfs writes sizes; 0 when unreadable.
int64_t parse_cache_size(const std::string& word) {
  char* end = nullptr;
  const int64_t value = std::strtoll(word.c_str(), &end, 10);
  if (end == word.c_str() || value <= 0) return 0;
  return *end == 'K' ? value << 10 : *end == 'M' ? value << 20 : value;
}

std::string first_word(const std::string& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

void read_cache_sizes(CpuInfo* info) {
  for (int index = 0; index < 8; ++index) {
    const std::string dir = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
    const std::string level = first_word(dir + "level");
    if (level.empty()) break;
    if (first_word(dir + "type") == "Instruction") continue;
    const int64_t bytes = parse_cache_size(first_word(dir + "size"));
    if (bytes <= 0) continue;
    if (level == "1") info->l1d_bytes = bytes;
    if (level == "2") info->l2_bytes = bytes;
    if (level == "3") info->l3_bytes = bytes;
  }
}

}  // namespace

const char* to_string(Isa isa) noexcept { return kNames[static_cast<size_t>(isa)]; }

std::optional<Isa> parse_isa(std::string_view name) noexcept {
  for (size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<Isa>(i);
  return std::nullopt;
}

CpuInfo detect_cpu() {
  CpuInfo info;
  read_cache_sizes(&info);
  const uint32_t claimed = claimed_isa_bits();
  for (int i = 1; i < kIsaCount; ++i)
    if (((claimed >> i) & 1) && survives(kProbes[static_cast<size_t>(i)])) info.isa_bits |= uint32_t{1} << i;
  // What builds on AVX-512 or AVX2 goes with it.
  if (!info.has(Isa::kAvx512)) info = limited(info, Isa::kAvxVnni);
  if (!info.has(Isa::kAvx2)) info = limited(info, Isa::kSse2);
  return info;
}

CpuInfo limited(CpuInfo info, Isa max) noexcept {
  info.isa_bits &= (uint32_t{2} << static_cast<int>(max)) - 1;
  return info;
}

const CpuInfo& cpu() {
  static const CpuInfo info = [] {
    const CpuInfo found = detect_cpu();
    const char* name = std::getenv("NE_MAX_ISA");
    if (name == nullptr || *name == '\0') return found;
    const std::optional<Isa> max = parse_isa(name);
    if (!max) {
      std::string known;
      for (const char* word : kNames) known += (known.empty() ? "" : ", ") + std::string(word);
      fail(Code::kInvalidArgument, "NE_MAX_ISA is \"", name, "\", expected one of ", known);
    }
    return limited(found, *max);
  }();
  return info;
}

}  // namespace neural_engine
