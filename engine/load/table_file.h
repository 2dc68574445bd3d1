// LevelDB's table files: sorted keys and values. TensorFlow's index of variables is one.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace neural_engine {

// All entries. Checksums, the order of keys and all sizes are checked (Error kInvalidModel); the entries of a file of n
// bytes take at most some 20 n, and `limit` bytes in all (kUnsupported).
std::map<std::string, std::string> read_table_file(std::span<const std::byte> bytes, size_t limit);

}  // namespace neural_engine
