// A stream is the length of what it stands for (a varint) and then elements, told apart by the low two bits of their
// first byte: 0, bytes as they are; 1 to 3, a copy of bytes that were made before, by length and distance. Distances
// may be shorter than lengths, which repeats a pattern.
#include "load/snappy.h"

#include "base/error.h"
#include "load/byte_reader.h"

namespace neural_engine {

namespace {

// A copy of 64 bytes takes 3, the most that an element makes of its own size.
constexpr size_t kMostPerByte = 64 / 3 + 1;

void append_literal(ByteReader& in, unsigned tag, std::string& out, size_t length) {
  size_t count = tag >> 2;
  // From 60 on the count is in the bytes that follow: 1 to 4 of them.
  if (count >= 60) count = static_cast<size_t>(in.little_endian(count - 59));
  ++count;
  if (count > length - out.size()) fail(Code::kInvalidModel, "compressed data is longer than it says");
  const std::span<const std::byte> bytes = in.take(count);
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void append_copy(ByteReader& in, unsigned tag, std::string& out, size_t length) {
  size_t count = (tag >> 2) + 1, distance = 0;
  switch (tag & 3) {
    case 1:
      count = ((tag >> 2) & 7) + 4;
      distance = (static_cast<size_t>(tag >> 5) << 8) | static_cast<size_t>(in.little_endian(1));
      break;
    case 2: distance = static_cast<size_t>(in.little_endian(2)); break;
    default: distance = static_cast<size_t>(in.little_endian(4)); break;
  }
  if (distance == 0 || distance > out.size()) {
    fail(Code::kInvalidModel, "compressed data refers ", distance, " bytes back, ", out.size(), " are there");
  }
  if (count > length - out.size()) fail(Code::kInvalidModel, "compressed data is longer than it says");
  for (size_t i = 0; i < count; ++i) out.push_back(out[out.size() - distance]);
}

}  // namespace

std::string snappy_uncompressed(std::span<const std::byte> bytes, size_t limit) {
  ByteReader in(bytes);
  const uint64_t length = in.varint();
  if (length > limit || length > kMostPerByte * bytes.size()) {
    fail(Code::kInvalidModel, "compressed data of ", bytes.size(), " bytes claims to stand for ", length);
  }
  std::string out;
  out.reserve(static_cast<size_t>(length));
  while (!in.done()) {
    const unsigned tag = static_cast<unsigned>(in.little_endian(1));
    (tag & 3) == 0 ? append_literal(in, tag, out, static_cast<size_t>(length))
                   : append_copy(in, tag, out, static_cast<size_t>(length));
  }
  if (out.size() != length) {
    fail(Code::kInvalidModel, "compressed data stands for ", out.size(), " bytes, it says ", length);
  }
  return out;
}

}  // namespace neural_engine
