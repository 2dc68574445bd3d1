// The .ne reader on arbitrary bytes. The checksum is made right first: behind it is where the reader decides.
#include <cstring>
#include <memory>
#include <string>

#include "base/error.h"
#include "file/model_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace neural_engine;
  const auto bytes = std::make_shared<std::string>(reinterpret_cast<const char*>(data), size);
  if (size >= 64) {
    const uint64_t length = size;
    std::memcpy(bytes->data(), kModelFileMagic, sizeof(kModelFileMagic));
    std::memcpy(bytes->data() + 16, &length, sizeof(length));
    const uint64_t sum = checksum64(std::as_bytes(std::span(*bytes)).subspan(64));
    std::memcpy(bytes->data() + 40, &sum, sizeof(sum));
  }
  try {
    parse_model_file(std::as_bytes(std::span(*bytes)), bytes);
  } catch (const Error&) {
  }
  return 0;
}
