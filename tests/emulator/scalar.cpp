// General registers: moves, arithmetic with flags, jumps.
#include <bit>

#include "emulator/instruction.h"

namespace neural_engine::emulator {
namespace {

using Handler = Instruction::Handler;

void set_flag(Machine& m, Flag flag, bool on) { m.flags = on ? m.flags | flag : m.flags & ~uint64_t{flag}; }
bool flag(const Machine& m, Flag f) { return (m.flags & f) != 0; }
bool sign_of(uint64_t value, int bytes) { return (value >> (8 * bytes - 1)) & 1; }
int64_t sign_extend(uint64_t value, int bytes) {
  const int shift = 64 - 8 * bytes;
  return static_cast<int64_t>(value << shift) >> shift;
}

void set_result_flags(Machine& m, uint64_t result, int bytes) {
  set_flag(m, kZero, result == 0);
  set_flag(m, kSign, sign_of(result, bytes));
  set_flag(m, kParity, std::popcount(result & 0xff) % 2 == 0);
}

// The operands of a two-operand instruction, the immediate sign-extended to the first one's size.
struct Pair {
  Pair(const Machine& m, const Instruction& in)
      : bytes(in.operands[0].bytes),
        a(read(m, in.operands[0])),
        b(in.operands[1].kind == Operand::Kind::kImmediate
              ? low_bytes(static_cast<uint64_t>(in.operands[1].value), bytes)
              : read(m, in.operands[1])) {}
  int bytes;
  uint64_t a, b;
};

uint64_t add(Machine& m, const Pair& p, bool carry_in) {
  const uint64_t r = low_bytes(p.a + p.b + carry_in, p.bytes);
  set_result_flags(m, r, p.bytes);
  set_flag(m, kCarry, carry_in ? r <= p.a : r < p.a);
  set_flag(m, kOverflow, sign_of(~(p.a ^ p.b) & (p.a ^ r), p.bytes));
  return r;
}

uint64_t subtract(Machine& m, const Pair& p) {
  const uint64_t r = low_bytes(p.a - p.b, p.bytes);
  set_result_flags(m, r, p.bytes);
  set_flag(m, kCarry, p.a < p.b);
  set_flag(m, kOverflow, sign_of((p.a ^ p.b) & (p.a ^ r), p.bytes));
  return r;
}

uint64_t logical(Machine& m, uint64_t r, int bytes) {
  set_result_flags(m, r, bytes);
  set_flag(m, kCarry, false);
  set_flag(m, kOverflow, false);
  return r;
}

void do_mov(Machine& m, const Instruction& in) {
  const Operand& from = in.operands[1];
  write(m, in.operands[0], from.kind == Operand::Kind::kImmediate ? static_cast<uint64_t>(from.value) : read(m, from));
}
void do_movsx(Machine& m, const Instruction& in) {
  write(m, in.operands[0], static_cast<uint64_t>(sign_extend(read(m, in.operands[1]), in.operands[1].bytes)));
}
void do_lea(Machine& m, const Instruction& in) { write(m, in.operands[0], address_of(m, in.operands[1])); }

void do_add(Machine& m, const Instruction& in) { write(m, in.operands[0], add(m, Pair(m, in), false)); }
void do_adc(Machine& m, const Instruction& in) { write(m, in.operands[0], add(m, Pair(m, in), flag(m, kCarry))); }
void do_cmp(Machine& m, const Instruction& in) { subtract(m, Pair(m, in)); }
void do_test(Machine& m, const Instruction& in) {
  const Pair p(m, in);
  logical(m, p.a & p.b, p.bytes);
}
void do_sub(Machine& m, const Instruction& in) {
  write(m, in.operands[0], subtract(m, Pair(m, in)));
  if (in.operands[0].reg == kRsp && m.gpr[kRsp] < m.stack_limit)
    refuse(in, "a stack frame this large must be made before the first vector instruction");
}
void do_and(Machine& m, const Instruction& in) {
  const Pair p(m, in);
  write(m, in.operands[0], logical(m, p.a & p.b, p.bytes));
}
void do_or(Machine& m, const Instruction& in) {
  const Pair p(m, in);
  write(m, in.operands[0], logical(m, p.a | p.b, p.bytes));
}
void do_xor(Machine& m, const Instruction& in) {
  const Pair p(m, in);
  write(m, in.operands[0], logical(m, p.a ^ p.b, p.bytes));
}

// inc and dec leave the carry.
void step(Machine& m, const Instruction& in, uint64_t by) {
  const int bytes = in.operands[0].bytes;
  const uint64_t a = read(m, in.operands[0]), r = low_bytes(a + by, bytes);
  set_result_flags(m, r, bytes);
  set_flag(m, kOverflow, by == 1 ? sign_of(~a & r, bytes) : sign_of(a & ~r, bytes));
  write(m, in.operands[0], r);
}
void do_inc(Machine& m, const Instruction& in) { step(m, in, 1); }
void do_dec(Machine& m, const Instruction& in) { step(m, in, ~uint64_t{0}); }
void do_neg(Machine& m, const Instruction& in) {
  const int bytes = in.operands[0].bytes;
  const uint64_t a = read(m, in.operands[0]), r = low_bytes(0 - a, bytes);
  set_result_flags(m, r, bytes);
  set_flag(m, kCarry, a != 0);
  set_flag(m, kOverflow, sign_of(a & r, bytes));
  write(m, in.operands[0], r);
}
void do_not(Machine& m, const Instruction& in) { write(m, in.operands[0], ~read(m, in.operands[0])); }

void do_imul(Machine& m, const Instruction& in) {
  if (in.operand_count < 2) refuse(in, "the form with one operand is not emulated");
  const int bytes = in.operands[0].bytes;
  const auto& a = in.operands[in.operand_count == 3 ? 1 : 0];
  const auto& b = in.operands[in.operand_count == 3 ? 2 : 1];
  const auto value = [&](const Operand& operand) {
    return operand.kind == Operand::Kind::kImmediate ? operand.value : sign_extend(read(m, operand), bytes);
  };
  const __int128 product = static_cast<__int128>(value(a)) * value(b);
  const uint64_t r = low_bytes(static_cast<uint64_t>(product), bytes);
  set_flag(m, kCarry, product != sign_extend(r, bytes));
  set_flag(m, kOverflow, product != sign_extend(r, bytes));
  write(m, in.operands[0], r);
}

enum class Shift { kLeft, kRight, kArithmetic };

uint64_t shifted(Shift kind, uint64_t value, int count, int bytes) {
  if (kind == Shift::kLeft) return low_bytes(value << count, bytes);
  if (kind == Shift::kRight) return value >> count;
  return low_bytes(static_cast<uint64_t>(sign_extend(value, bytes) >> count), bytes);
}

// The overflow flag of shifts is not kept: nothing asks for it.
void shift(Machine& m, const Instruction& in, Shift kind) {
  const int bytes = in.operands[0].bytes;
  const int count = static_cast<int>(read(m, in.operands[1]) & (bytes == 8 ? 63 : 31));
  const uint64_t a = read(m, in.operands[0]);
  // Nothing but the upper half of a 32-bit register changes.
  if (count == 0) return write(m, in.operands[0], a);
  const uint64_t r = shifted(kind, a, count, bytes);
  const int out = kind == Shift::kLeft ? 8 * bytes - count : count - 1;
  set_result_flags(m, r, bytes);
  set_flag(m, kCarry, out >= 0 && ((a >> out) & 1));
  write(m, in.operands[0], r);
}
void do_shl(Machine& m, const Instruction& in) { shift(m, in, Shift::kLeft); }
void do_shr(Machine& m, const Instruction& in) { shift(m, in, Shift::kRight); }
void do_sar(Machine& m, const Instruction& in) { shift(m, in, Shift::kArithmetic); }

// BMI2: no flags, the count in a register.
void shift_by_register(Machine& m, const Instruction& in, Shift kind) {
  const int bytes = in.operands[0].bytes;
  const int count = static_cast<int>(read(m, in.operands[2]) & (bytes == 8 ? 63 : 31));
  write(m, in.operands[0], shifted(kind, read(m, in.operands[1]), count, bytes));
}
void do_shlx(Machine& m, const Instruction& in) { shift_by_register(m, in, Shift::kLeft); }
void do_shrx(Machine& m, const Instruction& in) { shift_by_register(m, in, Shift::kRight); }
void do_sarx(Machine& m, const Instruction& in) { shift_by_register(m, in, Shift::kArithmetic); }

void do_bzhi(Machine& m, const Instruction& in) {
  const int bytes = in.operands[0].bytes;
  const uint64_t count = read(m, in.operands[2]) & 0xff, a = read(m, in.operands[1]);
  const bool all = count >= static_cast<uint64_t>(8 * bytes);
  const uint64_t r = all ? a : a & ((uint64_t{1} << count) - 1);
  write(m, in.operands[0], logical(m, r, bytes));
  set_flag(m, kCarry, all);
}

void do_push(Machine& m, const Instruction& in) {
  const uint64_t value = in.operands[0].kind == Operand::Kind::kImmediate ? static_cast<uint64_t>(in.operands[0].value)
                                                                          : read(m, in.operands[0]);
  m.gpr[kRsp] -= 8;
  if (m.gpr[kRsp] < m.stack_limit) refuse(in, "the stack may not grow here: push before the first vector instruction");
  std::memcpy(reinterpret_cast<void*>(m.gpr[kRsp]), &value, sizeof(value));
}
uint64_t popped(Machine& m) {
  uint64_t value;
  std::memcpy(&value, reinterpret_cast<const void*>(m.gpr[kRsp]), sizeof(value));
  m.gpr[kRsp] += 8;
  return value;
}
void do_pop(Machine& m, const Instruction& in) { write(m, in.operands[0], popped(m)); }
void do_ret(Machine& m, const Instruction& in) {
  if (in.operand_count > 0) refuse(in, "the form that pops arguments is not emulated");
  m.rip = popped(m);
  m.returned = true;
}
void do_nothing(Machine&, const Instruction&) {}

void jump(Machine& m, const Instruction& in) {
  if (in.operands[0].kind != Operand::Kind::kImmediate) refuse(in, "an indirect jump is not emulated");
  m.rip += static_cast<uint64_t>(in.operands[0].value);
}

// The conditions by their numbers in the encoding.
template <int kCondition>
bool holds(const Machine& m) {
  bool value = false;
  switch (kCondition / 2) {
    case 0: value = flag(m, kOverflow); break;
    case 1: value = flag(m, kCarry); break;
    case 2: value = flag(m, kZero); break;
    case 3: value = flag(m, kCarry) || flag(m, kZero); break;
    case 4: value = flag(m, kSign); break;
    case 5: value = flag(m, kParity); break;
    case 6: value = flag(m, kSign) != flag(m, kOverflow); break;
    case 7: value = flag(m, kZero) || flag(m, kSign) != flag(m, kOverflow); break;
  }
  return value != (kCondition % 2 == 1);
}

template <int kCondition>
void do_jcc(Machine& m, const Instruction& in) {
  if (holds<kCondition>(m)) jump(m, in);
}
template <int kCondition>
void do_cmov(Machine& m, const Instruction& in) {
  // The upper half of a 32-bit destination is cleared either way.
  write(m, in.operands[0], read(m, in.operands[holds<kCondition>(m) ? 1 : 0]));
}
template <int kCondition>
void do_set(Machine& m, const Instruction& in) {
  write(m, in.operands[0], holds<kCondition>(m));
}

template <int kCondition>
Handler condition_of(ZydisMnemonic jcc, ZydisMnemonic cmov, ZydisMnemonic set, ZydisMnemonic mnemonic) {
  if (mnemonic == jcc) return do_jcc<kCondition>;
  if (mnemonic == cmov) return do_cmov<kCondition>;
  return mnemonic == set ? do_set<kCondition> : nullptr;
}

Handler find_condition(ZydisMnemonic mnemonic) {
  Handler found = nullptr;
#define NE_CONDITION(number, name) \
  if (found == nullptr)            \
    found = condition_of<number>(ZYDIS_MNEMONIC_J##name, ZYDIS_MNEMONIC_CMOV##name, ZYDIS_MNEMONIC_SET##name, mnemonic);
  NE_CONDITION(0, O)
  NE_CONDITION(1, NO)
  NE_CONDITION(2, B)
  NE_CONDITION(3, NB)
  NE_CONDITION(4, Z)
  NE_CONDITION(5, NZ)
  NE_CONDITION(6, BE)
  NE_CONDITION(7, NBE)
  NE_CONDITION(8, S)
  NE_CONDITION(9, NS)
  NE_CONDITION(10, P)
  NE_CONDITION(11, NP)
  NE_CONDITION(12, L)
  NE_CONDITION(13, NL)
  NE_CONDITION(14, LE)
  NE_CONDITION(15, NLE)
#undef NE_CONDITION
  return found;
}

}  // namespace

Handler find_scalar(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVZX: return do_mov;
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD: return do_movsx;
    case ZYDIS_MNEMONIC_LEA: return do_lea;
    case ZYDIS_MNEMONIC_ADD: return do_add;
    case ZYDIS_MNEMONIC_ADC: return do_adc;
    case ZYDIS_MNEMONIC_SUB: return do_sub;
    case ZYDIS_MNEMONIC_CMP: return do_cmp;
    case ZYDIS_MNEMONIC_TEST: return do_test;
    case ZYDIS_MNEMONIC_AND: return do_and;
    case ZYDIS_MNEMONIC_OR: return do_or;
    case ZYDIS_MNEMONIC_XOR: return do_xor;
    case ZYDIS_MNEMONIC_INC: return do_inc;
    case ZYDIS_MNEMONIC_DEC: return do_dec;
    case ZYDIS_MNEMONIC_NEG: return do_neg;
    case ZYDIS_MNEMONIC_NOT: return do_not;
    case ZYDIS_MNEMONIC_IMUL: return do_imul;
    case ZYDIS_MNEMONIC_SHL: return do_shl;
    case ZYDIS_MNEMONIC_SHR: return do_shr;
    case ZYDIS_MNEMONIC_SAR: return do_sar;
    case ZYDIS_MNEMONIC_SHLX: return do_shlx;
    case ZYDIS_MNEMONIC_SHRX: return do_shrx;
    case ZYDIS_MNEMONIC_SARX: return do_sarx;
    case ZYDIS_MNEMONIC_BZHI: return do_bzhi;
    case ZYDIS_MNEMONIC_PUSH: return do_push;
    case ZYDIS_MNEMONIC_POP: return do_pop;
    case ZYDIS_MNEMONIC_RET: return do_ret;
    case ZYDIS_MNEMONIC_JMP: return jump;
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_ENDBR64:
    case ZYDIS_MNEMONIC_PREFETCHT0:
    case ZYDIS_MNEMONIC_PREFETCHT1:
    case ZYDIS_MNEMONIC_PREFETCHT2:
    case ZYDIS_MNEMONIC_PREFETCHNTA:
    case ZYDIS_MNEMONIC_PREFETCHW:
    case ZYDIS_MNEMONIC_SFENCE: return do_nothing;
    default: return find_condition(mnemonic);
  }
}

}  // namespace neural_engine::emulator
