// The checksum CRC-32C (Castagnoli), and the masked form that LevelDB's and TensorFlow's files store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace neural_engine {

// `seed` is the checksum of what comes before, so that parts give the same as the whole.
uint32_t crc32c(std::span<const std::byte> bytes, uint32_t seed = 0) noexcept;

// A checksum that is itself within checksummed bytes is stored rotated and shifted.
inline uint32_t masked_crc32c(uint32_t crc) noexcept { return ((crc >> 15) | (crc << 17)) + 0xa282ead8u; }

}  // namespace neural_engine
