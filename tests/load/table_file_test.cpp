// Table files, and the compression and checksum in them.
#include "load/table_file.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "load/crc32c.h"
#include "load/snappy.h"
#include "table_writer.h"

namespace neural_engine {
namespace {

using testing::table_of;

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string error_of(const std::string& file, size_t limit = 1 << 20) {
  try {
    read_table_file(bytes_of(file), limit);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Crc32c, PublishedValues) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8a9136aau);
  EXPECT_EQ(crc32c(bytes_of("")), 0u);
  EXPECT_EQ(crc32c(bytes_of("6789"), crc32c(bytes_of("12345"))), 0xe3069283u);
}

TEST(Snappy, LiteralsAndCopies) {
  const auto plain = [](const std::string& bytes) { return snappy_uncompressed(bytes_of(bytes), 1000); };
  EXPECT_EQ(plain(std::string("\x00", 1)), "");
  EXPECT_EQ(plain("\x03\x08"
                  "abc"),
            "abc");
  // "ab", then 8 bytes from 2 back: the pattern repeats. In both forms of a copy, and with 4 bytes of distance.
  EXPECT_EQ(plain("\x0a\x04"
                  "ab\x11\x02"),
            "ababababab");
  EXPECT_EQ(plain(std::string("\x0a\x04"
                              "ab\x1e\x02\x00",
                              7)),
            "ababababab");
  EXPECT_EQ(plain(std::string("\x0a\x04"
                              "ab\x1f\x02\x00\x00\x00",
                              9)),
            "ababababab");
  // A literal whose length takes a byte of its own.
  EXPECT_EQ(plain("\x64\xf0\x63" + std::string(100, 'x')), std::string(100, 'x'));
}

TEST(Snappy, RefusesWhatIsMalformed) {
  const auto error = [](const std::string& bytes) {
    try {
      snappy_uncompressed(bytes_of(bytes), 1000);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(error("").find("truncated"), std::string::npos);
  EXPECT_NE(error("\x03\x08"
                  "ab")
                .find("truncated"),
            std::string::npos);
  EXPECT_NE(error("\x02\x08"
                  "abc")
                .find("longer than it says"),
            std::string::npos);
  EXPECT_NE(error("\x04\x08"
                  "abc")
                .find("stands for 3 bytes, it says 4"),
            std::string::npos);
  EXPECT_NE(error("\x0a\x04"
                  "ab\x11\x03")
                .find("refers 3 bytes back, 2 are there"),
            std::string::npos);
  EXPECT_NE(error("\xff\xff\x03\x00").find("claims to stand for"), std::string::npos);
}

TEST(TableFile, EntriesComeBack) {
  const std::map<std::string, std::string> entries = {{"", "header"}, {"a/b", "1"}, {"a/bc", ""}, {"z", "last"}};
  EXPECT_EQ(read_table_file(bytes_of(table_of(entries)), 1 << 20), entries);
  EXPECT_EQ(read_table_file(bytes_of(table_of({})), 1 << 20).size(), 0u);
}

TEST(TableFile, RefusesDamage) {
  const std::string good = table_of({{"a", "1"}, {"ab", "2"}});
  ASSERT_EQ(error_of(good), "");
  EXPECT_NE(error_of("").find("truncated or no table file"), std::string::npos);
  EXPECT_NE(error_of(good.substr(0, good.size() - 1)).find("truncated or no table file"), std::string::npos);
  std::string flipped = good;
  flipped[4] ^= 1;
  EXPECT_NE(error_of(flipped).find("checksum of the block at 0 does not match"), std::string::npos);
  // Any byte changed: an answer or an error, never more.
  for (size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 0x55);
    error_of(changed);
  }
}

TEST(TableFile, HoldsItsLimit) {
  EXPECT_NE(error_of(table_of({{"a", std::string(5000, 'x')}}), 1000).find("the table holds more than"),
            std::string::npos);
}

TEST(TableFile, KeysAreInOrder) {
  testing::TableWriter writer;
  writer.add("b", "1");
  writer.add("a", "2");
  EXPECT_EQ(error_of(writer.finish()), "keys are not in order");
}

}  // namespace
}  // namespace neural_engine
