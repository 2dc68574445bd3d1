// How a vector instruction works on its operands: what its function computes, and what the frame around it does.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <span>

#include "emulator/machine.h"

namespace neural_engine::emulator {

// What the function of a rule works on. `dst` holds the old destination, then the whole result, every lane of it.
struct Lanes {
  Vector dst;
  std::array<Vector, 3> src;  // the operands after the destination, broadcast where the instruction says so
  int bytes = 0;              // of a whole vector
  int lanes = 0;              // that the write mask counts
  int sources = 0;            // how many of src the instruction has
  uint8_t immediate = 0;
  uint64_t selected = ~uint64_t{0};  // the write mask, or all
  uint64_t bits = 0;                 // a result that goes to an opmask
};

struct VectorRule {
  enum class Kind : uint8_t {
    kLanes,   // lane by lane: masked lanes of memory are not touched
    kAcross,  // lanes move: memory is read whole
    kWhole,   // kAcross whose lanes are the destination's own, whatever the vector length (extracts)
    kScalar,  // the lowest lane; the rest of 128 bits come from the second operand
    kSelect,  // the write mask chooses between the two sources, it does not protect
  };

  ZydisMnemonic mnemonic;
  int dst_bytes;  // of one lane in the destination
  int src_bytes;  // of one lane in the sources
  void (*function)(Lanes&);
  Kind kind = Kind::kLanes;
};

std::span<const VectorRule> float_rules();
std::span<const VectorRule> integer_rules();
std::span<const VectorRule> move_rules();
std::span<const VectorRule> dot_rules();

// Building blocks of functions.
template <class T, class R, R (*kOp)(T)>
void map1(Lanes& l) {
  const Vector a = l.src[0];
  const int count = l.bytes / static_cast<int>(std::max(sizeof(T), sizeof(R)));
  for (int i = 0; i < count; ++i) l.dst.set<R>(i, kOp(a.get<T>(i)));
}
template <class T, T (*kOp)(T, T)>
void map2(Lanes& l) {
  const int count = l.bytes / static_cast<int>(sizeof(T));
  for (int i = 0; i < count; ++i) l.dst.set<T>(i, kOp(l.src[0].get<T>(i), l.src[1].get<T>(i)));
}
// The destination is the first argument.
template <class T, class S, T (*kOp)(T, S, S)>
void map3(Lanes& l) {
  const int count = l.bytes / static_cast<int>(sizeof(T));
  for (int i = 0; i < count; ++i) l.dst.set<T>(i, kOp(l.dst.get<T>(i), l.src[0].get<S>(i), l.src[1].get<S>(i)));
}
// Comparisons: into an opmask, or all ones and zeros in a vector.
template <class T, bool (*kOp)(T, T, int)>
void compare(Lanes& l) {
  const int count = l.bytes / static_cast<int>(sizeof(T));
  for (int i = 0; i < count; ++i) {
    const bool yes = kOp(l.src[0].get<T>(i), l.src[1].get<T>(i), l.immediate);
    l.bits |= uint64_t{yes} << i;
    for (int byte = 0; byte < static_cast<int>(sizeof(T)); ++byte)
      l.dst.set<uint8_t>(i * static_cast<int>(sizeof(T)) + byte, yes ? 0xff : 0);
  }
}

}  // namespace neural_engine::emulator
