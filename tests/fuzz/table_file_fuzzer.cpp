// Any bytes as a table file, and as Snappy's, whose blocks a checksum would else keep from being reached.
#include "base/error.h"
#include "fuzz/targets.h"
#include "load/snappy.h"
#include "load/table_file.h"

namespace neural_engine {

void fuzz_table_file(std::span<const std::byte> bytes) {
  constexpr size_t kLimit = size_t{16} << 20;
  const auto check = [](auto&& read) {
    try {
      read();
    } catch (const Error& error) {
      if (error.code() == Code::kInternal) throw Finding(error.what());
    }
  };
  check([&] { read_table_file(bytes, kLimit); });
  check([&] {
    if (snappy_uncompressed(bytes, kLimit).size() > kLimit) throw Finding("more bytes than the limit");
  });
}

}  // namespace neural_engine
