// The .ne reader on arbitrary bytes. The checksum is made right first: behind it is where the reader decides. A graph
// that it accepts can be walked and printed.
#include <cstring>
#include <memory>
#include <string>

#include "base/error.h"
#include "file/model_file.h"
#include "fuzz/targets.h"
#include "ir/print.h"

namespace neural_engine {

void fuzz_model_file(std::span<const std::byte> input) {
  const auto bytes = std::make_shared<std::string>(reinterpret_cast<const char*>(input.data()), input.size());
  if (input.size() >= 64) {
    const uint64_t length = input.size();
    std::memcpy(bytes->data(), kModelFileMagic, sizeof(kModelFileMagic));
    std::memcpy(bytes->data() + 16, &length, sizeof(length));
    const uint64_t sum = checksum64(std::as_bytes(std::span(*bytes)).subspan(64));
    std::memcpy(bytes->data() + 40, &sum, sizeof(sum));
  }
  try {
    print(parse_model_file(std::as_bytes(std::span(*bytes)), bytes));
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
