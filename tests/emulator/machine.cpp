#include "emulator/machine.h"

#include <vector>

#include "emulator/instruction.h"

namespace neural_engine::emulator {

Machine::Machine() : decoder_(std::make_unique<Decoder>()) {}
Machine::~Machine() = default;

void Machine::run() {
  returned = false;
  while (!returned) {
    const uint64_t at = rip;
    const Instruction& instruction = decoder_->at(at);
    rip = at + instruction.length;
    try {
      instruction.run(*this, instruction);
    } catch (const Refused&) {
      rip = at;
      throw;
    }
    ++instructions;
  }
}

void Machine::call(const void* code, void* argument) {
  std::vector<uint64_t> stack(8 << 10);
  gpr[kRsp] = reinterpret_cast<uint64_t>(&stack.back()) & ~uint64_t{15};
  gpr[kRsp] -= 8;  // the return address, after which a function finds its stack 16 n + 8
  stack_limit = reinterpret_cast<uint64_t>(stack.data());
  gpr[kRdi] = reinterpret_cast<uint64_t>(argument);
  rip = reinterpret_cast<uint64_t>(code);
  run();
}

void Machine::poison() {
  for (size_t reg = 16; reg < zmm.size(); ++reg)
    for (int lane = 0; lane < 16; ++lane) zmm[reg].set<uint32_t>(lane, 0x7fc0dead);
  k.fill(0x5a5a5a5a5a5a5a5a);
}

uint64_t address_of(const Machine& machine, const Operand& operand) {
  uint64_t address = static_cast<uint64_t>(operand.value);
  if (operand.base == Operand::kRip)
    address += machine.rip;
  else if (operand.base != Operand::kNoRegister)
    address += machine.gpr[static_cast<size_t>(operand.base)];
  if (operand.index != Operand::kNoRegister) address += machine.gpr[static_cast<size_t>(operand.index)] * operand.scale;
  return address;
}

uint64_t read(const Machine& machine, const Operand& operand) {
  uint64_t value = 0;
  switch (operand.kind) {
    case Operand::Kind::kGeneral: value = machine.gpr[static_cast<size_t>(operand.reg)]; break;
    case Operand::Kind::kImmediate: value = static_cast<uint64_t>(operand.value); break;
    case Operand::Kind::kMask: value = machine.k[static_cast<size_t>(operand.reg)]; break;
    case Operand::Kind::kMemory:
      std::memcpy(&value, reinterpret_cast<const void*>(address_of(machine, operand)),
                  static_cast<size_t>(operand.bytes));
      break;
    default: throw Refused("an operand that is no number");
  }
  return low_bytes(value, operand.bytes);
}

void write(Machine& machine, const Operand& operand, uint64_t value) {
  switch (operand.kind) {
    case Operand::Kind::kGeneral: {
      uint64_t& reg = machine.gpr[static_cast<size_t>(operand.reg)];
      // 32-bit results clear the upper half; shorter ones leave the rest.
      const uint64_t kept = operand.bytes >= 4 ? 0 : reg & ~low_bytes(~uint64_t{0}, operand.bytes);
      reg = kept | low_bytes(value, operand.bytes);
      return;
    }
    case Operand::Kind::kMask: machine.k[static_cast<size_t>(operand.reg)] = value; return;
    case Operand::Kind::kMemory:
      std::memcpy(reinterpret_cast<void*>(address_of(machine, operand)), &value, static_cast<size_t>(operand.bytes));
      return;
    default: throw Refused("an operand that cannot be written");
  }
}

}  // namespace neural_engine::emulator
