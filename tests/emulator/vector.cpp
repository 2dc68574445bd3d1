// The frame of vector instructions: operands are fetched, the rule computes every lane, the mask decides what is kept.
#include <algorithm>
#include <map>

#include "emulator/instruction.h"
#include "emulator/vector_rule.h"

namespace neural_engine::emulator {
namespace {

using Kind = VectorRule::Kind;

struct Frame {
  Frame(const Machine& m, const Instruction& in) : rule(*in.rule) {
    const Operand& dst = in.operands[0];
    const int widest = std::max(rule.dst_bytes, rule.src_bytes);
    lanes.bytes = in.vector_bytes;
    if (rule.kind == Kind::kScalar)
      lanes.lanes = 1;
    else if (rule.kind == Kind::kWhole)
      lanes.lanes = dst.bytes / rule.dst_bytes;
    else
      lanes.lanes = in.vector_bytes / widest;
    all = lanes.lanes == 64 ? ~uint64_t{0} : (uint64_t{1} << lanes.lanes) - 1;
    lanes.selected = in.write_mask == 0 ? all : m.k[static_cast<size_t>(in.write_mask)] & all;
  }

  const VectorRule& rule;
  Lanes lanes;
  uint64_t all;  // one bit per lane
};

bool bit(uint64_t word, int index) { return (word >> index) & 1; }

void fetch_memory(const Machine& m, const Instruction& in, const Operand& operand, const Frame& frame, Vector* out) {
  const auto* from = reinterpret_cast<const uint8_t*>(address_of(m, operand));
  uint8_t* to = out->bytes.data();
  const size_t bytes = static_cast<size_t>(operand.bytes);
  if (in.broadcast) {
    if (frame.lanes.selected == 0) return;
    for (size_t at = 0; at < static_cast<size_t>(in.vector_bytes); at += bytes) std::memcpy(to + at, from, bytes);
    return;
  }
  const size_t lane = bytes / static_cast<size_t>(frame.lanes.lanes);
  if (frame.lanes.selected == frame.all || frame.rule.kind == Kind::kAcross || frame.rule.kind == Kind::kWhole) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (int i = 0; i < frame.lanes.lanes; ++i)
    if (bit(frame.lanes.selected, i))
      std::memcpy(to + static_cast<size_t>(i) * lane, from + static_cast<size_t>(i) * lane, lane);
}

void fetch(const Machine& m, const Instruction& in, Frame* frame) {
  const Operand& dst = in.operands[0];
  if (dst.kind == Operand::Kind::kVector) frame->lanes.dst = m.zmm[static_cast<size_t>(dst.reg)];
  size_t next = 0;
  for (int i = 1; i < in.operand_count; ++i) {
    const Operand& operand = in.operands[static_cast<size_t>(i)];
    if (operand.kind == Operand::Kind::kImmediate) {
      frame->lanes.immediate = static_cast<uint8_t>(operand.value);
      continue;
    }
    if (next == frame->lanes.src.size()) refuse(in, "has too many sources");
    Vector& src = frame->lanes.src[next++];
    switch (operand.kind) {
      case Operand::Kind::kVector: src = m.zmm[static_cast<size_t>(operand.reg)]; break;
      case Operand::Kind::kMemory: fetch_memory(m, in, operand, *frame, &src); break;
      // vmovd, vpbroadcast from general registers; vpmovm2* from opmasks.
      case Operand::Kind::kGeneral:
      case Operand::Kind::kMask: src.set<uint64_t>(0, read(m, operand)); break;
      default: refuse(in, "a source is of a kind that is not emulated");
    }
  }
  frame->lanes.sources = static_cast<int>(next);
}

void keep_in_register(Machine& m, const Instruction& in, const Frame& frame) {
  Vector& reg = m.zmm[static_cast<size_t>(in.operands[0].reg)];
  const size_t size = static_cast<size_t>(frame.rule.dst_bytes);
  const Vector before = frame.rule.kind == Kind::kSelect ? frame.lanes.src[0] : reg;
  Vector result;  // what lies behind the last lane becomes zero
  for (int i = 0; i < frame.lanes.lanes; ++i) {
    const size_t at = static_cast<size_t>(i) * size;
    if (bit(frame.lanes.selected, i))
      std::memcpy(result.bytes.data() + at, frame.lanes.dst.bytes.data() + at, size);
    else if (!in.zeroing)
      std::memcpy(result.bytes.data() + at, before.bytes.data() + at, size);
  }
  // A scalar's upper lanes come from its first source; a load of one lane alone clears them.
  if (frame.rule.kind == Kind::kScalar && frame.lanes.sources >= 2)
    std::memcpy(result.bytes.data() + size, frame.lanes.src[0].bytes.data() + size, 16 - size);
  reg = result;
}

void keep_in_memory(const Machine& m, const Instruction& in, const Frame& frame) {
  auto* to = reinterpret_cast<uint8_t*>(address_of(m, in.operands[0]));
  const size_t size = static_cast<size_t>(frame.rule.dst_bytes);
  if (frame.lanes.selected == frame.all) {
    std::memcpy(to, frame.lanes.dst.bytes.data(), size * static_cast<size_t>(frame.lanes.lanes));
    return;
  }
  for (int i = 0; i < frame.lanes.lanes; ++i) {
    const size_t at = static_cast<size_t>(i) * size;
    if (bit(frame.lanes.selected, i)) std::memcpy(to + at, frame.lanes.dst.bytes.data() + at, size);
  }
}

void run_rule(Machine& m, const Instruction& in) {
  Frame frame(m, in);
  fetch(m, in, &frame);
  in.rule->function(frame.lanes);
  switch (in.operands[0].kind) {
    case Operand::Kind::kVector: return keep_in_register(m, in, frame);
    case Operand::Kind::kMemory: return keep_in_memory(m, in, frame);
    case Operand::Kind::kMask:
      m.k[static_cast<size_t>(in.operands[0].reg)] = frame.lanes.bits & frame.lanes.selected;
      return;
    case Operand::Kind::kGeneral: return write(m, in.operands[0], frame.lanes.dst.get<uint64_t>(0));
    default: refuse(in, "a destination is of a kind that is not emulated");
  }
}

// vzeroupper leaves zmm16 and up alone.
void do_vzeroupper(Machine& m, const Instruction&) {
  for (size_t i = 0; i < 16; ++i) std::fill(m.zmm[i].bytes.begin() + 16, m.zmm[i].bytes.end(), 0);
}

// The signs of a vector's 32-bit lanes choose what of memory is touched.
void do_vmaskmovps(Machine& m, const Instruction& in) {
  const bool store = in.operands[0].is_memory();
  const Vector& mask = m.zmm[static_cast<size_t>(in.operands[1].reg)];
  const Operand& memory = in.operands[store ? 0 : 2];
  auto* at = reinterpret_cast<uint8_t*>(address_of(m, memory));
  Vector result;
  for (int i = 0; i < in.vector_bytes / 4; ++i) {
    if (mask.get<int32_t>(i) >= 0) continue;
    uint8_t* lane = at + 4 * i;
    if (store)
      std::memcpy(lane, m.zmm[static_cast<size_t>(in.operands[2].reg)].bytes.data() + 4 * i, 4);
    else
      std::memcpy(result.bytes.data() + 4 * i, lane, 4);
  }
  if (!store) m.zmm[static_cast<size_t>(in.operands[0].reg)] = result;
}

const VectorRule* find_rule(ZydisMnemonic mnemonic) {
  static const std::map<ZydisMnemonic, const VectorRule*> rules = [] {
    std::map<ZydisMnemonic, const VectorRule*> all;
    for (const auto& family : {float_rules(), integer_rules(), move_rules(), dot_rules()})
      for (const VectorRule& rule : family) all.emplace(rule.mnemonic, &rule);
    return all;
  }();
  const auto found = rules.find(mnemonic);
  return found == rules.end() ? nullptr : found->second;
}

}  // namespace

bool find_vector(Instruction& instruction) {
  switch (instruction.mnemonic) {
    case ZYDIS_MNEMONIC_VZEROUPPER: instruction.run = do_vzeroupper; return true;
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VPMASKMOVD: instruction.run = do_vmaskmovps; return true;
    default: break;
  }
  instruction.rule = find_rule(instruction.mnemonic);
  instruction.run = run_rule;
  return instruction.rule != nullptr;
}

}  // namespace neural_engine::emulator
