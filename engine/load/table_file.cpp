// A table file is data blocks, blocks of further information (unused here), an index block, and a footer.
//
//   footer   handle of the block of further information, handle of the index block, zeros up to 40 bytes, 8 bytes magic
//   handle   offset and size of a block, varints; the block is followed by a byte (0: as it is, 1: Snappy) and the
//   masked
//            CRC-32C of the stored block and that byte
//   block    entries, then the offsets of those whose keys are whole (32 bits each, for searching), then their number
//   entry    varints: bytes that the key shares with the key before, further bytes of the key, bytes of the value; the
//            further bytes; the value
//
// The values of the index block are the handles of the data blocks, in order.
#include "load/table_file.h"

#include <functional>

#include "base/error.h"
#include "load/byte_reader.h"
#include "load/crc32c.h"
#include "load/snappy.h"

namespace neural_engine {

namespace {

constexpr uint64_t kMagic = 0xdb4775248b80fb57;
constexpr size_t kFooterBytes = 48, kTrailerBytes = 5;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

class TableReader {
 public:
  TableReader(std::span<const std::byte> bytes, size_t limit) : bytes_(bytes), limit_(limit) {}

  std::map<std::string, std::string> read() {
    if (bytes_.size() < kFooterBytes) fail(Code::kInvalidModel, "the file is truncated or no table file");
    ByteReader footer(bytes_.last(kFooterBytes));
    if (ByteReader(bytes_.last(8)).little_endian(8) != kMagic) {
      fail(Code::kInvalidModel, "the file is truncated or no table file");
    }
    footer.varint(), footer.varint();
    const std::string index = block(footer);
    std::map<std::string, std::string> result;
    for_each_entry(index, [&](const std::string&, std::span<const std::byte> handle) {
      ByteReader place(handle);
      const std::string data = block(place);
      for_each_entry(data, [&](const std::string& key, std::span<const std::byte> value) {
        charge(key.size() + value.size() + kEntryBytes);
        // Across blocks, too: with order kept no key is there twice.
        if (!result.empty() && key <= result.rbegin()->first) fail(Code::kInvalidModel, "keys are not in order");
        result.emplace_hint(result.end(), key, std::string(reinterpret_cast<const char*>(value.data()), value.size()));
      });
    });
    return result;
  }

 private:
  using Visit = std::function<void(const std::string& key, std::span<const std::byte> value)>;
  static constexpr size_t kEntryBytes = 96;  // what an entry of the map takes besides its characters

  // Blocks may be named more than once, and keys share their beginnings: what comes of the file is counted.
  void charge(size_t bytes) {
    if (bytes > limit_ - used_) fail(Code::kUnsupported, "the table holds more than ", limit_ >> 20, " MiB");
    used_ += bytes;
  }

  // The block that a handle names.
  std::string block(ByteReader& handle) {
    const uint64_t offset = handle.varint(), size = handle.varint();
    if (offset > bytes_.size() || size > bytes_.size() - offset || bytes_.size() - offset - size < kTrailerBytes) {
      fail(Code::kInvalidModel, "a block of ", size, " bytes at ", offset, " found, the file has ", bytes_.size());
    }
    const std::span<const std::byte> stored = bytes_.subspan(static_cast<size_t>(offset), static_cast<size_t>(size));
    ByteReader trailer(bytes_.subspan(static_cast<size_t>(offset + size), kTrailerBytes));
    const uint64_t compression = trailer.little_endian(1);
    const uint32_t crc = crc32c(bytes_.subspan(static_cast<size_t>(offset), static_cast<size_t>(size) + 1));
    if (trailer.little_endian(4) != masked_crc32c(crc)) {
      fail(Code::kInvalidModel, "the checksum of the block at ", offset, " does not match: the file is damaged");
    }
    charge(stored.size());
    if (compression == 0) return std::string(reinterpret_cast<const char*>(stored.data()), stored.size());
    if (compression != 1) fail(Code::kUnsupported, "compression ", compression, " found, supported are 0 and 1");
    const std::string result = snappy_uncompressed(stored, limit_ - used_);
    charge(result.size());
    return result;
  }

  static void for_each_entry(const std::string& block, const Visit& visit) {
    const std::span<const std::byte> bytes = bytes_of(block);
    if (bytes.size() < 4) fail(Code::kInvalidModel, "a block of ", bytes.size(), " bytes found, expected 4 or more");
    const uint64_t restarts = ByteReader(bytes.last(4)).little_endian(4);
    if (restarts > (bytes.size() - 4) / 4) fail(Code::kInvalidModel, "a block has ", restarts, " restarts");
    ByteReader entries(bytes.first(bytes.size() - 4 - static_cast<size_t>(restarts) * 4));
    std::string key;
    while (!entries.done()) {
      const uint64_t shared = entries.varint(), more = entries.varint(), value = entries.varint();
      if (shared > key.size()) {
        fail(Code::kInvalidModel, "a key shares ", shared, " bytes with one of ", key.size());
      }
      if (more > entries.left() || value > entries.left() - more) fail(Code::kInvalidModel, "an entry has no end");
      key.resize(static_cast<size_t>(shared));
      const std::span<const std::byte> rest = entries.take(static_cast<size_t>(more));
      key.append(reinterpret_cast<const char*>(rest.data()), rest.size());
      visit(key, entries.take(static_cast<size_t>(value)));
    }
  }

  std::span<const std::byte> bytes_;
  size_t limit_;
  size_t used_ = 0;
};

}  // namespace

std::map<std::string, std::string> read_table_file(std::span<const std::byte> bytes, size_t limit) {
  return TableReader(bytes, limit).read();
}

}  // namespace neural_engine
