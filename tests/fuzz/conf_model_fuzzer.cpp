// Any bytes as conf.yaml and, behind the first zero byte, model.bin: a graph or an Error.
#include <algorithm>

#include "base/error.h"
#include "fuzz/targets.h"
#include "load/conf_model.h"

namespace neural_engine {

void fuzz_conf_model(std::span<const std::byte> bytes) {
  const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
  const auto size = static_cast<size_t>(end - bytes.begin());
  try {
    load_conf_model(std::string_view(reinterpret_cast<const char*>(bytes.data()), size),
                    bytes.subspan(std::min(size + 1, bytes.size())), nullptr);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal) throw Finding(error.what());
  }
}

}  // namespace neural_engine
