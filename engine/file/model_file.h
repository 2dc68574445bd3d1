// Our own model file, `.ne`: a graph and its weights, ready to be mapped.
//
// Layout (little-endian; docs/FORMATS.md):
//   0   8   magic: 0x89 'N' 'E' 'M' '\r' '\n' 0x1a '\n' (a text-mode transfer breaks it, and is noticed)
//   8   4   version of the format
//   12  4   0
//   16  8   size of the file
//   24  8   offset of the graph section (a message of model_file.proto)
//   32  8   its size
//   40  8   checksum of everything from offset 64 on
//   48  16  0
//   64      weights, each at a multiple of 64; then the graph section
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "ir/graph.h"

namespace neural_engine {

class MappedFile;

inline constexpr uint32_t kModelFileVersion = 1;
inline constexpr unsigned char kModelFileMagic[8] = {0x89, 'N', 'E', 'M', '\r', '\n', 0x1a, '\n'};

// Writes the file whole or not at all. The same graph gives the same bytes; equal weights are stored once.
void save_model_file(const Graph& graph, const std::string& path);

// Maps the file; weights are views of it. Everything is checked: the header, the checksum, every index, offset and
// size, the ops and their attributes, shapes. Error kIo, kInvalidModel, kUnsupported (another version, an unknown op).
Graph load_model_file(const std::string& path);

// True when the bytes start like a .ne file.
bool is_model_file(std::span<const std::byte> bytes);

// The checksum of the format: eight interleaved lanes of 64-bit words, each multiplied and rotated, then mixed; the
// tail is padded with zeros and the length is mixed in. It finds damage, not forgery. Where the bytes are part of a
// file, its pages are released on the way.
uint64_t checksum64(std::span<const std::byte> bytes, const MappedFile* file = nullptr);

// For fuzzing: the same from memory, which `owner` keeps alive.
Graph parse_model_file(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

}  // namespace neural_engine
