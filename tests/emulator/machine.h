// An x86-64 CPU in software, as far as generated kernels need one: general registers, AVX2, AVX-512 (F, BW, DQ, VL,
// VNNI, BF16, VBMI), AVX-VNNI and AMX. It runs code until the `ret` that leaves it; what it does not know it refuses by
// name.
//
// The arithmetic is written from the instructions' definitions, lane by lane. Memory is the process's own: a wrong
// address faults here as it would in hardware, and an address sanitizer sees what generated code reads and writes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

namespace neural_engine::emulator {

struct Vector {
  alignas(64) std::array<uint8_t, 64> bytes = {};

  template <class T>
  T get(int lane) const {
    T value;
    std::memcpy(&value, bytes.data() + static_cast<size_t>(lane) * sizeof(T), sizeof(T));
    return value;
  }
  template <class T>
  void set(int lane, T value) {
    std::memcpy(bytes.data() + static_cast<size_t>(lane) * sizeof(T), &value, sizeof(T));
  }
  bool operator==(const Vector&) const = default;
};

constexpr int kTiles = 8, kTileRows = 16, kTileBytes = 64;

struct Tile {
  int rows = 0, bytes_per_row = 0;
  std::array<std::array<uint8_t, kTileBytes>, kTileRows> data = {};
};

// Palette 0 is the initial state: no tile may be used.
struct TileState {
  int palette = 0;
  std::array<Tile, kTiles> tiles;
};

// An instruction that is not emulated, or whose execution would raise an exception.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum Register { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi };
enum Flag : uint64_t { kCarry = 1, kParity = 4, kZero = 64, kSign = 128, kOverflow = 2048 };

struct Instruction;
class Decoder;

class Machine {
 public:
  Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  // Runs from rip to the return of that function. Throws Refused, with the instruction and the reason, rip being on it.
  void run();
  // Calls `code` as a function of one argument, on a stack of its own.
  void call(const void* code, void* argument);
  // The vector registers that a caller must not rely on, and the opmasks, hold values that are wrong wherever they are
  // used: NaN as floats.
  void poison();

  std::array<uint64_t, 16> gpr = {};
  uint64_t rip = 0;
  uint64_t flags = 0;
  std::array<Vector, 32> zmm;
  std::array<uint64_t, 8> k = {};
  TileState tile_state;
  bool returned = false;
  // The stack may not grow below: what lies there belongs to others.
  uint64_t stack_limit = 0;
  uint64_t instructions = 0;

 private:
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace neural_engine::emulator
