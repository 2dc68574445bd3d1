// Instructions on general registers and opmasks: results and flags are the host's.
#include <gtest/gtest.h>
#include <xbyak/xbyak.h>

#include <functional>
#include <random>

#include "emulator/emulation.h"
#include "emulator/machine.h"

namespace neural_engine::emulator {
namespace {

struct Values {
  uint64_t a, b, conditions, scratch;
};

using Emit = void (*)(Xbyak::CodeGenerator&);

// Runs `emit` on rax and rdx, then writes down which conditions hold; shifts leave the overflow flag undefined.
class Probe : public Xbyak::CodeGenerator {
 public:
  Probe(Emit emit, bool overflow) : Xbyak::CodeGenerator(4096, Xbyak::DontSetProtectRWE) {
    mov(rax, ptr[rdi + offsetof(Values, a)]);
    mov(rdx, ptr[rdi + offsetof(Values, b)]);
    emit(*this);
    mov(ptr[rdi + offsetof(Values, a)], rax);
    mov(ptr[rdi + offsetof(Values, b)], rdx);
    int index = 0;
    const auto note = [&](void (Xbyak::CodeGenerator::*set)(const Xbyak::Operand&)) {
      (this->*set)(byte[rdi + static_cast<int>(offsetof(Values, conditions)) + index++]);
    };
    note(&Xbyak::CodeGenerator::setb);
    note(&Xbyak::CodeGenerator::setz);
    note(&Xbyak::CodeGenerator::setbe);
    note(&Xbyak::CodeGenerator::sets);
    note(&Xbyak::CodeGenerator::setp);
    if (overflow) {
      note(&Xbyak::CodeGenerator::seto);
      note(&Xbyak::CodeGenerator::setl);
      note(&Xbyak::CodeGenerator::setle);
    }
    ret();
    setProtectModeRE();
  }
};

struct Case {
  const char* name;
  Emit emit;
  bool overflow = true;
};

#define NE_CODE(...) \
#__VA_ARGS__, [](Xbyak::CodeGenerator& c) { using namespace Xbyak::util; __VA_ARGS__; }

const Case kCases[] = {
    {NE_CODE(c.add(rax, rdx))},
    {NE_CODE(c.add(eax, edx))},
    {NE_CODE(c.add(ax, 0x7fff))},
    {NE_CODE(c.add(al, dl))},
    {NE_CODE(c.add(rax, -1))},
    {NE_CODE(c.add(rax, rdx); c.adc(rdx, rax))},
    {NE_CODE(c.sub(rax, rdx))},
    {NE_CODE(c.sub(eax, 0x12345678))},
    {NE_CODE(c.cmp(rax, rdx))},
    {NE_CODE(c.cmp(al, dl))},
    {NE_CODE(c.cmp(rax, -5))},
    {NE_CODE(c.and_(rax, rdx))},
    {NE_CODE(c.or_(eax, edx))},
    {NE_CODE(c.xor_(rax, rax))},
    {NE_CODE(c.test(rax, rdx))},
    {NE_CODE(c.cmp(rax, rdx); c.inc(rax))},
    {NE_CODE(c.cmp(rax, rdx); c.dec(edx))},
    {NE_CODE(c.neg(rax))},
    {NE_CODE(c.cmp(rax, rdx); c.not_(rax))},
    {NE_CODE(c.cmp(rax, rdx); c.lea(rax, ptr[rdx + rax * 4 + 17]))},
    {NE_CODE(c.cmp(rax, rdx); c.lea(eax, ptr[rdx + rax * 8 - 3]))},
    {NE_CODE(c.cmp(rax, rdx); c.movzx(eax, dl))},
    {NE_CODE(c.cmp(rax, rdx); c.movsx(rax, dx))},
    {NE_CODE(c.cmp(rax, rdx); c.movsxd(rax, edx))},
    {NE_CODE(c.cmp(rax, rdx); c.cmovl(rax, rdx))},
    {NE_CODE(c.cmp(eax, edx); c.cmova(eax, edx))},
    {NE_CODE(c.shl(rax, 3)), false},
    {NE_CODE(c.shr(rax, 40)), false},
    {NE_CODE(c.sar(eax, 7)), false},
    {NE_CODE(c.mov(ecx, edx); c.cmp(rax, rdx); c.shl(eax, cl)), false},
    {NE_CODE(c.cmp(rax, rdx); c.shlx(rax, rax, rdx))},
    {NE_CODE(c.cmp(rax, rdx); c.sarx(eax, eax, edx))},
    {NE_CODE(c.cmp(rax, rdx); c.mov(dword[rsp - 8], eax); c.add(dword[rsp - 8], 77); c.mov(eax, dword[rsp - 8]))},
    {NE_CODE(c.push(rax); c.push(rdx); c.pop(rax); c.pop(rdx); c.cmp(rax, rdx))},
    {NE_CODE(c.imul(rax, rax, 1000); c.cmp(rax, rdx))},
    {NE_CODE(c.imul(eax, edx); c.cmp(eax, edx))},
};

// Loops and jumps: a sum counted down.
void emit_loop(Xbyak::CodeGenerator& c) {
  using namespace Xbyak::util;
  Xbyak::Label again, out;
  c.and_(edx, 31);
  c.xor_(eax, eax);
  c.L(again);
  c.cmp(edx, 3);
  c.jl(out, Xbyak::CodeGenerator::T_NEAR);
  c.lea(eax, ptr[rax + rdx * 2]);
  c.dec(edx);
  c.jmp(again);
  c.L(out);
  c.cmp(eax, 100);
}

void compare_with_host(const char* name, Emit emit, bool overflow) {
  const Probe probe(emit, overflow);
  std::mt19937_64 random(5);
  constexpr uint64_t kEdges[] = {0, 1, 0x7f, 0x80, 0x7fffffff, 0x80000000, 0xffffffff, ~uint64_t{0}, uint64_t{1} << 63};
  for (int round = 0; round < 200; ++round) {
    const auto value = [&] { return random() % 3 == 0 ? kEdges[random() % std::size(kEdges)] : random(); };
    Values native = {value(), value(), 0, 0}, emulated = native;
    probe.getCode<void (*)(Values*)>()(&native);
    Machine machine;
    machine.call(probe.getCode(), &emulated);
    ASSERT_EQ(emulated.a, native.a) << name;
    ASSERT_EQ(emulated.b, native.b) << name;
    ASSERT_EQ(emulated.conditions, native.conditions) << name;
  }
}

TEST(EmulatedScalars, ResultsAndFlagsAreTheHosts) {
  if (!is_native(Isa::kAvx2)) GTEST_SKIP() << "this CPU has no BMI2";
  for (const Case& c : kCases) {
    compare_with_host(c.name, c.emit, c.overflow);
    if (HasFatalFailure()) return;
  }
  compare_with_host("a loop", emit_loop, true);
}

TEST(EmulatedScalars, Opmasks) {
  struct Code : Xbyak::CodeGenerator {
    Code() {
      kmovd(k1, ptr[rdi]);
      kmovd(k2, ptr[rdi + 8]);
      kandw(k3, k1, k2);
      kmovq(ptr[rdi], k3);
      knotb(k3, k1);
      kmovq(ptr[rdi + 8], k3);
      kshiftld(k3, k1, 4);
      kmovq(ptr[rdi + 16], k3);
      kxnorw(k3, k3, k3);
      kortestw(k3, k3);
      setc(byte[rdi + 24]);
      ret();
    }
  } code;
  Values values = {0x12345678, 0xf0f0ff00, 0, 0};
  Machine machine;
  machine.call(code.getCode(), &values);
  EXPECT_EQ(values.a, 0x5600u);
  EXPECT_EQ(values.b, 0x87u);
  EXPECT_EQ(values.conditions, 0x23456780u);
  EXPECT_EQ(values.scratch, 1u);
}

}  // namespace
}  // namespace neural_engine::emulator
