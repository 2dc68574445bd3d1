// Single instructions between loads and stores of all registers, run natively or by the emulator on the same state.
#pragma once

#include <xbyak/xbyak.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>

#include "emulator/machine.h"

namespace neural_engine::emulator::testing {

constexpr int kVectors = 5, kMasks = 2, kGenerals = 2;

struct State {
  std::array<Vector, kVectors> v;           // registers 0 to 4
  std::array<Vector, 2> memory;             // at Snippet::memory()
  std::array<uint64_t, kMasks> k;           // k1, k2
  std::array<uint64_t, kGenerals> general;  // rax, rdx
};

class Snippet : public Xbyak::CodeGenerator {
 public:
  // `vector_bytes` of the registers that are loaded and stored; 64 also means opmasks.
  template <class Body>
  Snippet(int vector_bytes, Body body) : Xbyak::CodeGenerator(4096, Xbyak::DontSetProtectRWE), bytes_(vector_bytes) {
    mov(rax, ptr[rdi + static_cast<int>(offsetof(State, general))]);
    mov(rdx, ptr[rdi + static_cast<int>(offsetof(State, general)) + 8]);
    for (int i = 0; i < kVectors; ++i) vmovups(v(i), at(offsetof(State, v) + 64 * static_cast<size_t>(i)));
    if (bytes_ == 64)
      for (int i = 0; i < kMasks; ++i) kmovq(Xbyak::Opmask(i + 1), at(offsetof(State, k) + 8 * static_cast<size_t>(i)));
    body(*this);
    for (int i = 0; i < kVectors; ++i) vmovups(at(offsetof(State, v) + 64 * static_cast<size_t>(i)), v(i));
    if (bytes_ == 64)
      for (int i = 0; i < kMasks; ++i) kmovq(at(offsetof(State, k) + 8 * static_cast<size_t>(i)), Xbyak::Opmask(i + 1));
    mov(ptr[rdi + static_cast<int>(offsetof(State, general))], rax);
    mov(ptr[rdi + static_cast<int>(offsetof(State, general)) + 8], rdx);
    vzeroupper();
    ret();
    setProtectModeRE();
  }

  Xbyak::Xmm v(int i) const { return vector(i, bytes_); }
  static Xbyak::Xmm vector(int i, int bytes) {
    if (bytes == 64) return Xbyak::Zmm(i);
    return bytes == 32 ? Xbyak::Xmm(Xbyak::Ymm(i)) : Xbyak::Xmm(i);
  }
  Xbyak::Address memory() const { return at(offsetof(State, memory)); }

  void run_natively(State* state) const { getCode<void (*)(State*)>()(state); }
  void run_emulated(State* state) const {
    Machine machine;
    machine.call(getCode(), state);
  }

 private:
  Xbyak::Address at(size_t offset) const { return ptr[rdi + static_cast<int>(offset)]; }

  const int bytes_;
};

enum class Data { kBits, kFloats, kBf16 };

class RandomState {
 public:
  explicit RandomState(uint32_t seed) : engine_(seed) {}

  State next(Data data) {
    State state;
    for (Vector& vector : state.v) fill(data, &vector);
    for (Vector& vector : state.memory) fill(data, &vector);
    for (uint64_t& k : state.k) k = engine_();
    for (uint64_t& general : state.general) general = engine_();
    return state;
  }

 private:
  void fill(Data data, Vector* out) {
    for (int i = 0; i < 16; ++i) {
      if (data == Data::kFloats) {
        out->set<float>(i, number());
      } else if (data == Data::kBf16) {
        for (int j = 0; j < 2; ++j) {
          const float value = number();
          uint32_t bits;
          std::memcpy(&bits, &value, sizeof(bits));
          out->set<uint16_t>(2 * i + j, static_cast<uint16_t>(bits >> 16));
        }
      } else {
        out->set<uint32_t>(i, static_cast<uint32_t>(engine_()));
      }
    }
  }

  // Mostly tame ones, whose sums round; now and then the others.
  float number() {
    constexpr float kSpecial[] = {0.0f,  -0.0f,  INFINITY, -INFINITY, NAN,   1e-40f,   -3e-39f, 0x1p-126f,
                                  3e38f, -3e38f, 1e-20f,   2.5f,      -1.5f, 0x1p-63f, 1e9f,    -0x1p31f};
    const uint64_t kind = engine_() % 8;
    if (kind == 0) return kSpecial[engine_() % std::size(kSpecial)];
    if (kind == 1) return static_cast<float>(static_cast<int>(engine_() % 9) - 4);
    return std::uniform_real_distribution<float>(-4, 4)(engine_);
  }

  std::mt19937_64 engine_;
};

// Equal bits, or both NaN: which NaN comes out is not defined for all of them.
inline bool same_number(uint32_t a, uint32_t b) {
  const auto is_nan = [](uint32_t x) { return (x & 0x7fffffffu) > 0x7f800000u; };
  return a == b || (is_nan(a) && is_nan(b));
}

}  // namespace neural_engine::emulator::testing
