// Table files made in code, for tests: one data block, nothing compressed.
#pragma once

#include <map>
#include <span>
#include <string>

#include "load/crc32c.h"

namespace neural_engine::testing {

class TableWriter {
 public:
  // Keys share nothing with the one before: no reader may mind.
  void add(const std::string& key, const std::string& value) { put_entry(data_, key, value); }

  std::string finish() const {
    std::string file;
    const std::string data = put_block(file, data_), information = put_block(file, "");
    std::string index;
    put_entry(index, "zzz", data);
    std::string footer = information + put_block(file, index);
    footer.resize(40, '\0');
    put_number(footer, 0xdb4775248b80fb57, 8);
    return file + footer;
  }

 private:
  static void put_number(std::string& out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  }
  static void put_varint(std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
  }
  static void put_entry(std::string& out, const std::string& key, const std::string& value) {
    put_varint(out, 0), put_varint(out, key.size()), put_varint(out, value.size());
    out += key + value;
  }
  // Appends the block with no restarts; its handle.
  static std::string put_block(std::string& file, const std::string& entries) {
    std::string handle, block = entries;
    put_number(block, 0, 4);
    put_varint(handle, file.size()), put_varint(handle, block.size());
    block.push_back('\0');  // not compressed
    const uint32_t crc = masked_crc32c(crc32c(std::as_bytes(std::span(block))));
    put_number(block, crc, 4);
    file += block;
    return handle;
  }

  std::string data_;
};

inline std::string table_of(const std::map<std::string, std::string>& entries) {
  TableWriter writer;
  for (const auto& [key, value] : entries) writer.add(key, value);
  return writer.finish();
}

}  // namespace neural_engine::testing
