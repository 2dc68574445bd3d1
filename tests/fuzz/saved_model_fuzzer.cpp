// Any bytes as a SavedModel: the size of saved_model.pb (32 bits, little-endian), that file, and the index of its
// variables. Their bytes lie in a shard of zeros: inputs that get there have checksums of zeros.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "fuzz/targets.h"
#include "load/byte_reader.h"
#include "load/tensorflow.h"

namespace neural_engine {

namespace {

namespace fs = std::filesystem;

class Shard {
 public:
  Shard() : folder_(fs::temp_directory_path() / ("ne_fuzz_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_ / "variables");
    std::ofstream(folder_ / "variables" / "variables.data-00000-of-00001", std::ios::binary) << std::string(4096, '\0');
  }
  ~Shard() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string folder() const { return folder_.string(); }

 private:
  fs::path folder_;
};

}  // namespace

void fuzz_saved_model(std::span<const std::byte> bytes) {
  static const Shard kShard;
  if (bytes.size() < 4) return;
  const size_t size = static_cast<size_t>(ByteReader(bytes).little_endian(4));
  const std::span<const std::byte> rest = bytes.subspan(4), model = rest.first(std::min(size, rest.size()));
  try {
    load_saved_model(model, rest.subspan(model.size()), kShard.folder());
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
