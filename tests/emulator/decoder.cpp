#include <algorithm>

#include "emulator/instruction.h"

namespace neural_engine::emulator {
namespace {

constexpr uint64_t kPage = 4096;

// Byte by byte and unseen by sanitizers: code is not data that anybody declared.
__attribute__((no_sanitize("address", "undefined"))) bool same_code(uint64_t address, const Instruction& instruction) {
  const volatile uint8_t* code = reinterpret_cast<const volatile uint8_t*>(address);
  for (size_t i = 0; i < instruction.length; ++i)
    if (code[i] != instruction.code[i]) return false;
  return true;
}

__attribute__((no_sanitize("address", "undefined"))) void copy_code(uint64_t address, size_t count, uint8_t* out) {
  const volatile uint8_t* code = reinterpret_cast<const volatile uint8_t*>(address);
  for (size_t i = 0; i < count; ++i) out[i] = code[i];
}

int8_t general_register(ZydisRegister reg) {
  if (reg == ZYDIS_REGISTER_NONE) return Operand::kNoRegister;
  if (reg == ZYDIS_REGISTER_RIP) return Operand::kRip;
  return static_cast<int8_t>(ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg)));
}

Operand from_register(const ZydisDecodedOperand& in) {
  const ZydisRegister reg = in.reg.value;
  Operand out;
  out.bytes = in.size / 8;
  out.reg = ZydisRegisterGetId(reg);
  switch (ZydisRegisterGetClass(reg)) {
    case ZYDIS_REGCLASS_GPR8:
      // ah to bh have no place in a register number; generators do not use them.
      if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) return {};
      out.kind = Operand::Kind::kGeneral;
      out.reg = general_register(reg);
      break;
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: out.kind = Operand::Kind::kGeneral; break;
    case ZYDIS_REGCLASS_XMM:
    case ZYDIS_REGCLASS_YMM:
    case ZYDIS_REGCLASS_ZMM: out.kind = Operand::Kind::kVector; break;
    case ZYDIS_REGCLASS_MASK: out.kind = Operand::Kind::kMask; break;
    case ZYDIS_REGCLASS_TMM: out.kind = Operand::Kind::kTile; break;
    default: break;
  }
  return out;
}

Operand from(const ZydisDecodedOperand& in) {
  Operand out;
  out.bytes = in.size / 8;
  switch (in.type) {
    case ZYDIS_OPERAND_TYPE_REGISTER: return from_register(in);
    case ZYDIS_OPERAND_TYPE_IMMEDIATE:
      out.kind = Operand::Kind::kImmediate;
      out.value = in.imm.value.s;
      break;
    case ZYDIS_OPERAND_TYPE_MEMORY:
      if (in.mem.segment == ZYDIS_REGISTER_FS || in.mem.segment == ZYDIS_REGISTER_GS) break;
      out.kind = Operand::Kind::kMemory;
      out.base = general_register(in.mem.base);
      out.index = general_register(in.mem.index);
      out.scale = in.mem.scale;
      out.value = in.mem.disp.has_displacement ? in.mem.disp.value : 0;
      break;
    default: break;
  }
  return out;
}

}  // namespace

std::string to_string(const Instruction& instruction) {
  std::string out = ZydisMnemonicGetString(instruction.mnemonic);
  out += " (";
  for (size_t i = 0; i < instruction.length; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    out += {i > 0 ? " " : "", 1};
    if (i == 0) out.pop_back();
    out += kDigits[instruction.code[i] >> 4];
    out += kDigits[instruction.code[i] & 15];
  }
  return out + ")";
}

void refuse(const Instruction& instruction, const std::string& reason) {
  throw Refused(to_string(instruction) + ": " + reason);
}

Decoder::Decoder() : entries_(std::make_unique<std::array<Entry, kEntries>>()) {
  ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
}

const Instruction& Decoder::at(uint64_t address) {
  Entry& entry = (*entries_)[(address ^ (address >> 11)) % kEntries];
  if (entry.address != address || !same_code(address, entry.instruction)) {
    entry.address = 0;
    decode(address, &entry.instruction);
    entry.address = address;
  }
  return entry.instruction;
}

void Decoder::decode(uint64_t address, Instruction* out) const {
  *out = {};
  ZydisDecodedInstruction in;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  // The next page is looked at only when the instruction goes on there.
  const size_t in_page = std::min<size_t>(out->code.size(), kPage - address % kPage);
  copy_code(address, in_page, out->code.data());
  ZyanStatus status = ZydisDecoderDecodeFull(&decoder_, out->code.data(), in_page, &in, operands);
  if (status == ZYDIS_STATUS_NO_MORE_DATA) {
    copy_code(address, out->code.size(), out->code.data());
    status = ZydisDecoderDecodeFull(&decoder_, out->code.data(), out->code.size(), &in, operands);
  }
  if (!ZYAN_SUCCESS(status)) throw Refused("code that is no instruction");

  out->mnemonic = in.mnemonic;
  out->length = in.length;
  for (int i = 0; i < in.operand_count_visible; ++i) {
    if (operands[i].encoding == ZYDIS_OPERAND_ENCODING_MASK) continue;
    if (out->operand_count == static_cast<int>(out->operands.size())) refuse(*out, "has too many operands");
    const Operand operand = from(operands[i]);
    if (operand.kind == Operand::Kind::kNone) refuse(*out, "has an operand of a kind that is not emulated");
    out->operands[static_cast<size_t>(out->operand_count++)] = operand;
  }
  out->vector_bytes = in.avx.vector_length / 8;
  if (in.avx.mask.reg != ZYDIS_REGISTER_NONE) out->write_mask = ZydisRegisterGetId(in.avx.mask.reg);
  out->zeroing = in.avx.mask.mode == ZYDIS_MASK_MODE_ZEROING;
  out->broadcast = in.avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID && !in.avx.broadcast.is_static;
  if (in.encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX && in.avx.rounding.mode != ZYDIS_ROUNDING_MODE_INVALID)
    refuse(*out, "embedded rounding is not emulated");

  out->run = find_scalar(in.mnemonic);
  if (out->run == nullptr) out->run = find_opmask(in.mnemonic);
  if (out->run == nullptr) out->run = find_tile(in.mnemonic);
  if (out->run == nullptr && !find_vector(*out)) refuse(*out, "is not emulated");
}

}  // namespace neural_engine::emulator
