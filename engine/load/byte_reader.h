// Numbers and bytes from the front of a buffer that is not to be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.h"

namespace neural_engine {

// Error(kInvalidModel) for what would lie beyond the end.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  size_t left() const { return rest_.size(); }

  std::span<const std::byte> take(size_t count) {
    if (count > rest_.size()) {
      fail(Code::kInvalidModel, "the file is truncated or malformed: ", count, " bytes expected, ", rest_.size(),
           " are left");
    }
    const std::span<const std::byte> result = rest_.first(count);
    rest_ = rest_.subspan(count);
    return result;
  }

  // Of 0 to 8 bytes.
  uint64_t little_endian(size_t count) {
    uint64_t result = 0;
    const std::span<const std::byte> bytes = take(count);
    for (size_t i = 0; i < count; ++i) result |= std::to_integer<uint64_t>(bytes[i]) << (8 * i);
    return result;
  }

  // 7 bits a byte, low first, the top bit set on all bytes but the last.
  uint64_t varint() {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint64_t byte = little_endian(1);
      if (shift == 63 && byte > 1) break;
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    fail(Code::kInvalidModel, "the file is malformed: a number has more than 64 bits");
  }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace neural_engine
