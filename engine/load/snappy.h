// Snappy's raw format, in which the blocks of a table file may be compressed.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace neural_engine {

// What the bytes stand for. Error(kInvalidModel) for a malformed stream, and for one that claims more than `limit`
// bytes or more than so few bytes can make: nothing is allocated on a claim alone.
std::string snappy_uncompressed(std::span<const std::byte> bytes, size_t limit);

}  // namespace neural_engine
