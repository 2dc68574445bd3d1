#include "kernels/jit/peak_loops.h"

#include <utility>

#include "kernels/jit/generator.h"
#include "kernels/jit/vec.h"

namespace neural_engine::jit {
namespace {

// Twelve chains hide the latency of four or five cycles of two multiply-adds a cycle.
constexpr int kChains = 12;
// Pairs of a tile product: registers 0 to 3 are sums, 4 and 5 are A, 6 and 7 are B.
constexpr int kTileSums = 4;
constexpr int kTileRows = 16, kTileRowBytes = 64;

enum class Registers { kSse, kVector, kTiles };

// void(int64_t steps, const void* memory)
class LoopGenerator final : public Generator, public PeakLoop {
 public:
  template <class Body>
  LoopGenerator(std::string name, double per_step, Registers registers, Body body)
      : Generator(16 << 10), name_(std::move(name)), per_step_(per_step) {
    Xbyak::Label round, config;
    // Zeros, for the time of a multiply-add may depend on its numbers.
    if (registers == Registers::kSse)
      for (int i = 0; i < 16; ++i) xorps(Xbyak::Xmm(i), Xbyak::Xmm(i));
    if (registers == Registers::kVector) vzeroall();
    if (registers == Registers::kTiles) ldtilecfg(ptr[rip + config]);
    L(round);
    body(*this);
    dec(steps_);
    jnz(round, T_NEAR);
    if (registers == Registers::kTiles) tilerelease();
    if (registers != Registers::kSse) vzeroupper();
    ret();
    align(64);
    L(config);
    if (registers == Registers::kTiles) emit_tile_config();
    seal("peak");
  }

  void run(int64_t steps, const void* memory) const override { entry<void(int64_t, const void*)>()(steps, memory); }
  double per_step() const override { return per_step_; }
  std::string name() const override { return name_; }

  const Xbyak::Reg64 steps_ = rdi, memory_ = rsi;

 private:
  // Palette 1: eight tiles of 16 rows of 64 bytes.
  void emit_tile_config() {
    db(1);
    for (int i = 1; i < 16; ++i) db(0);
    for (int i = 0; i < 16; ++i) dw(i < 8 ? kTileRowBytes : 0);
    for (int i = 0; i < 16; ++i) db(i < 8 ? kTileRows : 0);
  }

  const std::string name_;
  const double per_step_;
};

template <class Body>
std::unique_ptr<PeakLoop> loop(const std::string& name, double per_step, Registers registers, Body body) {
  return generate(name, [&] { return std::make_unique<LoopGenerator>(name, per_step, registers, body); });
}

Vec vec(bool wide, int index) { return wide ? Vec(Xbyak::Zmm(index)) : Vec(Xbyak::Ymm(index)); }

// kChains times emit(code, sum, a, b); `products` in each.
template <class Emit>
std::unique_ptr<PeakLoop> vector_loop(const std::string& name, bool wide, int products, Emit emit) {
  return loop(name + (wide ? " zmm" : " ymm"), kChains * products * 2.0, Registers::kVector, [&](LoopGenerator& code) {
    for (int i = 0; i < kChains; ++i) emit(code, vec(wide, i), vec(wide, kChains), vec(wide, kChains + 1));
  });
}

template <class Emit>
std::unique_ptr<PeakLoop> tile_loop(const std::string& name, int products_per_element, Emit emit) {
  const double products = kTileSums * 16.0 * 16.0 * products_per_element;
  return loop(name, products * 2, Registers::kTiles, [&](LoopGenerator& code) {
    for (int i = 0; i < kTileSums; ++i) emit(code, Xbyak::Tmm(i), Xbyak::Tmm(4 + i % 2), Xbyak::Tmm(6 + i / 2));
  });
}

}  // namespace

std::unique_ptr<PeakLoop> f32_loop(const CpuInfo& cpu) {
  const bool wide = cpu.has(Isa::kAvx512);
  if (!wide && !cpu.has(Isa::kAvx2)) {
    return loop("mulps, addps xmm", kChains / 2 * 4 * 2.0, Registers::kSse, [](LoopGenerator& code) {
      for (int i = 0; i < kChains / 2; ++i) {
        code.mulps(Xbyak::Xmm(i), Xbyak::Xmm(kChains));
        code.addps(Xbyak::Xmm(kChains / 2 + i), Xbyak::Xmm(kChains));
      }
    });
  }
  return vector_loop(
      "vfmadd231ps", wide, wide ? 16 : 8,
      [](LoopGenerator& code, const Vec& sum, const Vec& a, const Vec& b) { code.vfmadd231ps(sum, a, b); });
}

std::unique_ptr<PeakLoop> bf16_loop(const CpuInfo& cpu) {
  if (cpu.has(Isa::kAmxBf16)) {
    return tile_loop("tdpbf16ps", 32,
                     [](LoopGenerator& code, const Xbyak::Tmm& sum, const Xbyak::Tmm& a, const Xbyak::Tmm& b) {
                       code.tdpbf16ps(sum, a, b);
                     });
  }
  if (!cpu.has(Isa::kAvx512Bf16)) return nullptr;
  return vector_loop("vdpbf16ps", true, 32, [](LoopGenerator& code, const Vec& sum, const Vec& a, const Vec& b) {
    code.vdpbf16ps(sum, a, b);
  });
}

std::unique_ptr<PeakLoop> int8_loop(const CpuInfo& cpu) {
  if (cpu.has(Isa::kAmxInt8)) {
    return tile_loop("tdpbusd", 64,
                     [](LoopGenerator& code, const Xbyak::Tmm& sum, const Xbyak::Tmm& a, const Xbyak::Tmm& b) {
                       code.tdpbusd(sum, a, b);
                     });
  }
  const bool wide = cpu.has(Isa::kAvx512Vnni);
  if (wide || cpu.has(Isa::kAvxVnni)) {
    const Xbyak::PreferredEncoding encoding = wide ? Xbyak::EvexEncoding : Xbyak::VexEncoding;
    return vector_loop("vpdpbusd", wide, wide ? 64 : 32,
                       [encoding](LoopGenerator& code, const Vec& sum, const Vec& a, const Vec& b) {
                         code.vpdpbusd(sum, a, b, encoding);
                       });
  }
  if (cpu.has(Isa::kAvx2)) {
    // Sums of pairs, then of pairs of those, then onto the sum: three instructions for 32 products.
    return vector_loop("vpmaddubsw, vpmaddwd, vpaddd", false, 32,
                       [](LoopGenerator& code, const Vec& sum, const Vec& a, const Vec& b) {
                         const Xbyak::Ymm pairs(kChains + 2 + sum.getIdx() % 2);
                         code.vpmaddubsw(pairs, a, b);
                         code.vpmaddwd(pairs, pairs, b);
                         code.vpaddd(sum, sum, pairs);
                       });
  }
  return loop("pmaddwd, paddd xmm", kChains / 2 * 8 * 2.0, Registers::kSse, [](LoopGenerator& code) {
    for (int i = 0; i < kChains / 2; ++i) {
      code.pmaddwd(Xbyak::Xmm(i), Xbyak::Xmm(kChains));
      code.paddd(Xbyak::Xmm(kChains / 2 + i), Xbyak::Xmm(i));
    }
  });
}

std::unique_ptr<PeakLoop> read_loop(const CpuInfo& cpu) {
  const bool wide = cpu.has(Isa::kAvx512), vex = wide || cpu.has(Isa::kAvx2);
  const int bytes = wide ? 64 : vex ? 32 : 16;
  return loop(wide  ? "vmovups zmm"
              : vex ? "vmovups ymm"
                    : "movups xmm",
              static_cast<double>(PeakLoop::kReadBytes), vex ? Registers::kVector : Registers::kSse,
              [&](LoopGenerator& code) {
                for (int at = 0; at < PeakLoop::kReadBytes; at += bytes) {
                  const Xbyak::Address address = code.ptr[code.memory_ + at];
                  const int target = at / bytes % 8;
                  vex ? code.vmovups(vec(wide, target), address) : code.movups(Xbyak::Xmm(target), address);
                }
                code.add(code.memory_, static_cast<int>(PeakLoop::kReadBytes));
              });
}

}  // namespace neural_engine::jit
