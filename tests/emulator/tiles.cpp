// AMX: tile configuration, loads and stores, products of bytes and of bf16.
#include <array>

#include "emulator/instruction.h"
#include "emulator/low_precision.h"

namespace neural_engine::emulator {
namespace {

// The 64 bytes of a configuration.
struct Config {
  uint8_t palette, start_row, reserved[14];
  uint16_t bytes_per_row[16];
  uint8_t rows[16];
};
static_assert(sizeof(Config) == 64);

void do_ldtilecfg(Machine& m, const Instruction& in) {
  Config config;
  std::memcpy(&config, reinterpret_cast<const void*>(address_of(m, in.operands[0])), sizeof(config));
  if (config.palette > 1) refuse(in, "palette " + std::to_string(config.palette));
  m.tile_state = {};
  if (config.palette == 0) return;
  // A row to go on with after a fault is never seen by code that does not fault.
  if (config.start_row != 0) refuse(in, "start_row is not 0");
  for (const uint8_t byte : config.reserved)
    if (byte != 0) refuse(in, "reserved bytes are not 0");
  for (size_t i = 0; i < 16; ++i) {
    const int rows = config.rows[i], bytes = config.bytes_per_row[i];
    if (rows == 0 && bytes == 0) continue;
    if (i >= kTiles || rows == 0 || bytes == 0 || rows > kTileRows || bytes > kTileBytes)
      refuse(in, "tile " + std::to_string(i) + " has " + std::to_string(rows) + " rows of " + std::to_string(bytes) +
                     " bytes");
    m.tile_state.tiles[i].rows = rows;
    m.tile_state.tiles[i].bytes_per_row = bytes;
  }
  m.tile_state.palette = 1;
}

void do_sttilecfg(Machine& m, const Instruction& in) {
  Config config = {};
  if (m.tile_state.palette == 1) {
    config.palette = 1;
    for (size_t i = 0; i < kTiles; ++i) {
      config.rows[i] = static_cast<uint8_t>(m.tile_state.tiles[i].rows);
      config.bytes_per_row[i] = static_cast<uint16_t>(m.tile_state.tiles[i].bytes_per_row);
    }
  }
  std::memcpy(reinterpret_cast<void*>(address_of(m, in.operands[0])), &config, sizeof(config));
}

void do_tilerelease(Machine& m, const Instruction&) { m.tile_state = {}; }

// The tile of an operand, which must be configured.
Tile& tile_of(Machine& m, const Instruction& in, size_t operand) {
  const int index = in.operands[operand].reg;
  Tile& tile = m.tile_state.tiles[static_cast<size_t>(index)];
  if (m.tile_state.palette == 0 || tile.rows == 0) refuse(in, "tile " + std::to_string(index) + " is not configured");
  return tile;
}

void do_tilezero(Machine& m, const Instruction& in) { tile_of(m, in, 0).data = {}; }

// Address of a row: the index register is the stride.
template <class Pointer>
Pointer row_address(const Machine& m, const Instruction& in, const Operand& memory, int row) {
  if (memory.index == Operand::kNoRegister) refuse(in, "the address has no stride");
  Operand base = memory;
  base.index = Operand::kNoRegister;
  const uint64_t stride = m.gpr[static_cast<size_t>(memory.index)] * memory.scale;
  return reinterpret_cast<Pointer>(address_of(m, base) + stride * static_cast<uint64_t>(row));
}

void do_tileload(Machine& m, const Instruction& in) {
  Tile& tile = tile_of(m, in, 0);
  tile.data = {};
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(tile.data[static_cast<size_t>(row)].data(), row_address<const void*>(m, in, in.operands[1], row),
                static_cast<size_t>(tile.bytes_per_row));
}

void do_tilestore(Machine& m, const Instruction& in) {
  const Tile& tile = tile_of(m, in, 1);
  for (int row = 0; row < tile.rows; ++row)
    std::memcpy(row_address<void*>(m, in, in.operands[0], row), tile.data[static_cast<size_t>(row)].data(),
                static_cast<size_t>(tile.bytes_per_row));
}

struct Product {
  Tile& c;
  const Tile &a, &b;
  int m, n, k;  // n and k in 32-bit groups
};

template <class T>
T element(const Tile& tile, int row, int index) {
  T value;
  std::memcpy(&value, tile.data[static_cast<size_t>(row)].data() + static_cast<size_t>(index) * sizeof(T), sizeof(T));
  return value;
}
template <class T>
void set_element(Tile& tile, int row, int index, T value) {
  std::memcpy(tile.data[static_cast<size_t>(row)].data() + static_cast<size_t>(index) * sizeof(T), &value, sizeof(T));
}

Product product_of(Machine& m, const Instruction& in) {
  const int c = in.operands[0].reg, a = in.operands[1].reg, b = in.operands[2].reg;
  if (c == a || c == b || a == b) refuse(in, "its three tiles are not different ones");
  Product p = {tile_of(m, in, 0), tile_of(m, in, 1), tile_of(m, in, 2), 0, 0, 0};
  for (const Tile* tile : std::array<const Tile*, 3>{&p.c, &p.a, &p.b})
    if (tile->bytes_per_row % 4 != 0) refuse(in, "a row is no multiple of 4 bytes");
  if (p.c.bytes_per_row != p.b.bytes_per_row || p.c.rows != p.a.rows || p.a.bytes_per_row / 4 != p.b.rows)
    refuse(in, "the sizes of its tiles do not fit");
  p.m = p.c.rows;
  p.n = p.c.bytes_per_row / 4;
  p.k = p.b.rows;
  return p;
}

// What a product leaves beyond the sizes is zero; loads and TILEZERO have seen to that for sizes that did not change.
template <class A, class B>
void do_tdpb(Machine& m, const Instruction& in) {
  const Product p = product_of(m, in);
  for (int i = 0; i < p.m; ++i)
    for (int j = 0; j < p.n; ++j) {
      uint32_t sum = element<uint32_t>(p.c, i, j);
      for (int k = 0; k < p.k; ++k)
        sum += static_cast<uint32_t>(dot4<A, B>(element<uint32_t>(p.a, i, k), element<uint32_t>(p.b, k, j)));
      set_element(p.c, i, j, sum);
    }
}

// Even and odd products are summed apart, then added to each other, then to the tile.
void do_tdpbf16ps(Machine& m, const Instruction& in) {
  const Product p = product_of(m, in);
  for (int i = 0; i < p.m; ++i)
    for (int j = 0; j < p.n; ++j) {
      float even = 0, odd = 0;
      for (int k = 0; k < p.k; ++k) {
        even = fused_step(widen_bf16(element<uint16_t>(p.a, i, 2 * k)), widen_bf16(element<uint16_t>(p.b, k, 2 * j)),
                          even);
        odd = fused_step(widen_bf16(element<uint16_t>(p.a, i, 2 * k + 1)),
                         widen_bf16(element<uint16_t>(p.b, k, 2 * j + 1)), odd);
      }
      set_element(p.c, i, j, flushed_sum(element<float>(p.c, i, j), flushed_sum(even, odd)));
    }
}

}  // namespace

Instruction::Handler find_tile(ZydisMnemonic mnemonic) {
  switch (mnemonic) {
    case ZYDIS_MNEMONIC_LDTILECFG: return do_ldtilecfg;
    case ZYDIS_MNEMONIC_STTILECFG: return do_sttilecfg;
    case ZYDIS_MNEMONIC_TILERELEASE: return do_tilerelease;
    case ZYDIS_MNEMONIC_TILEZERO: return do_tilezero;
    case ZYDIS_MNEMONIC_TILELOADD:
    case ZYDIS_MNEMONIC_TILELOADDT1: return do_tileload;
    case ZYDIS_MNEMONIC_TILESTORED: return do_tilestore;
    case ZYDIS_MNEMONIC_TDPBSSD: return do_tdpb<int8_t, int8_t>;
    case ZYDIS_MNEMONIC_TDPBSUD: return do_tdpb<int8_t, uint8_t>;
    case ZYDIS_MNEMONIC_TDPBUSD: return do_tdpb<uint8_t, int8_t>;
    case ZYDIS_MNEMONIC_TDPBUUD: return do_tdpb<uint8_t, uint8_t>;
    case ZYDIS_MNEMONIC_TDPBF16PS: return do_tdpbf16ps;
    default: return nullptr;
  }
}

}  // namespace neural_engine::emulator
