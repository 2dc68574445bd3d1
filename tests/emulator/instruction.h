// A decoded instruction in the form that the handlers read, and what finds the handlers.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <cstdint>
#include <string>

#include "emulator/machine.h"

namespace neural_engine::emulator {

struct Operand {
  enum class Kind : uint8_t { kNone, kGeneral, kVector, kMask, kTile, kMemory, kImmediate };
  static constexpr int8_t kNoRegister = -1, kRip = 16;

  Kind kind = Kind::kNone;
  int8_t reg = kNoRegister;  // of kGeneral, kVector, kMask, kTile
  int8_t base = kNoRegister, index = kNoRegister;
  uint8_t scale = 1;
  int bytes = 0;
  int64_t value = 0;  // the immediate, or the displacement

  bool is_memory() const { return kind == Kind::kMemory; }
};

struct VectorRule;

struct Instruction {
  using Handler = void (*)(Machine&, const Instruction&);

  Handler run = nullptr;
  const VectorRule* rule = nullptr;  // of vector instructions
  ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
  uint8_t length = 0;
  std::array<uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> code = {};
  int operand_count = 0;  // the explicit ones, without the write mask
  std::array<Operand, 5> operands;

  int vector_bytes = 0;
  int8_t write_mask = 0;  // 0: none
  bool zeroing = false;
  bool broadcast = false;  // one element of memory for all lanes
};

std::string to_string(const Instruction& instruction);
[[noreturn]] void refuse(const Instruction& instruction, const std::string& reason);

// The families; nullptr when the mnemonic is of another one.
Instruction::Handler find_scalar(ZydisMnemonic mnemonic);
Instruction::Handler find_opmask(ZydisMnemonic mnemonic);
Instruction::Handler find_tile(ZydisMnemonic mnemonic);
// Sets handler and rule.
bool find_vector(Instruction& instruction);

// Operands as numbers. The address of a memory operand; rip must already be behind the instruction.
uint64_t address_of(const Machine& machine, const Operand& operand);
uint64_t read(const Machine& machine, const Operand& operand);
void write(Machine& machine, const Operand& operand, uint64_t value);

inline uint64_t low_bytes(uint64_t value, int bytes) {
  return bytes >= 8 ? value : value & ((uint64_t{1} << (8 * bytes)) - 1);
}

// Decodes what lies at an address, once as long as its bytes stay the same: code memory is used again for other code.
class Decoder {
 public:
  Decoder();
  const Instruction& at(uint64_t address);

 private:
  static constexpr size_t kEntries = 2048;
  struct Entry {
    uint64_t address = 0;
    Instruction instruction;
  };
  void decode(uint64_t address, Instruction* out) const;

  ZydisDecoder decoder_;
  std::unique_ptr<std::array<Entry, kEntries>> entries_;
};

}  // namespace neural_engine::emulator
