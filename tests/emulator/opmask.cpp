// The opmask registers k0 to k7.
#include "emulator/instruction.h"

namespace neural_engine::emulator {
namespace {

constexpr uint64_t bits_of(int bits) { return bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }

template <int kBits>
void do_kmov(Machine& m, const Instruction& in) {
  write(m, in.operands[0], read(m, in.operands[1]) & bits_of(kBits));
}

uint64_t op_and(uint64_t a, uint64_t b) { return a & b; }
uint64_t op_andn(uint64_t a, uint64_t b) { return ~a & b; }
uint64_t op_or(uint64_t a, uint64_t b) { return a | b; }
uint64_t op_xor(uint64_t a, uint64_t b) { return a ^ b; }
uint64_t op_xnor(uint64_t a, uint64_t b) { return ~(a ^ b); }
uint64_t op_add(uint64_t a, uint64_t b) { return a + b; }

template <int kBits, uint64_t (*kOp)(uint64_t, uint64_t)>
void do_binary(Machine& m, const Instruction& in) {
  write(m, in.operands[0], kOp(read(m, in.operands[1]), read(m, in.operands[2])) & bits_of(kBits));
}
template <int kBits>
void do_knot(Machine& m, const Instruction& in) {
  write(m, in.operands[0], ~read(m, in.operands[1]) & bits_of(kBits));
}
template <int kBits, bool kLeft>
void do_shift(Machine& m, const Instruction& in) {
  const uint64_t count = read(m, in.operands[2]) & 0xff, a = read(m, in.operands[1]) & bits_of(kBits);
  const uint64_t r = count >= kBits ? 0 : kLeft ? a << count : a >> count;
  write(m, in.operands[0], r & bits_of(kBits));
}
template <int kBits>
void do_kunpck(Machine& m, const Instruction& in) {
  write(m, in.operands[0],
        (read(m, in.operands[1]) & bits_of(kBits)) << kBits | (read(m, in.operands[2]) & bits_of(kBits)));
}
template <int kBits>
void do_kortest(Machine& m, const Instruction& in) {
  const uint64_t r = (read(m, in.operands[0]) | read(m, in.operands[1])) & bits_of(kBits);
  m.flags &= ~uint64_t{kCarry | kZero | kSign | kOverflow | kParity};
  if (r == 0) m.flags |= kZero;
  if (r == bits_of(kBits)) m.flags |= kCarry;
}

}  // namespace

Instruction::Handler find_opmask(ZydisMnemonic mnemonic) {
#define NE_MASK_SIZE(letter, bits)                                    \
  case ZYDIS_MNEMONIC_KMOV##letter: return do_kmov<bits>;             \
  case ZYDIS_MNEMONIC_KAND##letter: return do_binary<bits, op_and>;   \
  case ZYDIS_MNEMONIC_KANDN##letter: return do_binary<bits, op_andn>; \
  case ZYDIS_MNEMONIC_KOR##letter: return do_binary<bits, op_or>;     \
  case ZYDIS_MNEMONIC_KXOR##letter: return do_binary<bits, op_xor>;   \
  case ZYDIS_MNEMONIC_KXNOR##letter: return do_binary<bits, op_xnor>; \
  case ZYDIS_MNEMONIC_KADD##letter: return do_binary<bits, op_add>;   \
  case ZYDIS_MNEMONIC_KNOT##letter: return do_knot<bits>;             \
  case ZYDIS_MNEMONIC_KSHIFTL##letter: return do_shift<bits, true>;   \
  case ZYDIS_MNEMONIC_KSHIFTR##letter: return do_shift<bits, false>;  \
  case ZYDIS_MNEMONIC_KORTEST##letter: return do_kortest<bits>;
  switch (mnemonic) {
    NE_MASK_SIZE(B, 8)
    NE_MASK_SIZE(W, 16)
    NE_MASK_SIZE(D, 32)
    NE_MASK_SIZE(Q, 64)
    case ZYDIS_MNEMONIC_KUNPCKBW: return do_kunpck<8>;
    case ZYDIS_MNEMONIC_KUNPCKWD: return do_kunpck<16>;
    case ZYDIS_MNEMONIC_KUNPCKDQ: return do_kunpck<32>;
    default: return nullptr;
  }
#undef NE_MASK_SIZE
}

}  // namespace neural_engine::emulator
