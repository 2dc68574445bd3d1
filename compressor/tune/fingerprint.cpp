#include "compressor/tune/fingerprint.h"

#include <cstring>

#include "ir/graph.h"

namespace neural_engine {

namespace {

// FNV-1a over words of eight bytes: it must tell apart, not withstand.
class Hash {
 public:
  void add(const void* data, size_t bytes) {
    const auto* from = static_cast<const unsigned char*>(data);
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
      uint64_t word = 0;
      std::memcpy(&word, from + i, std::min(sizeof word, bytes - i));
      value_ = (value_ ^ word) * 0x100000001b3ULL;
    }
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  void add(const Tensor& tensor) {
    add(to_string(tensor.dtype()) + to_string(tensor.shape()));
    if (tensor.bytes() > 0) add(tensor.raw(), static_cast<size_t>(tensor.bytes()));
  }
  uint64_t value() const { return value_; }

 private:
  uint64_t value_ = 0xcbf29ce484222325ULL;
};

}  // namespace

std::string fingerprint(const Model& model, const Tuning& tuning, std::span<const std::vector<Tensor>> samples) {
  Hash hash;
  hash.add(model.text());
  for (ValueId id = 0; id < model.graph().num_values(); ++id) {
    const Tensor& constant = model.graph().value(id).facts.constant;
    if (constant.defined()) hash.add(constant);
  }
  for (const std::vector<Tensor>& sample : samples) {
    for (const Tensor& tensor : sample) hash.add(tensor);
  }
  const Objective& objective = tuning.objective;
  hash.add(text(tuning.recipe.yaml(), tuning.strategy, " ", tuning.seed, " ", tuning.max_loss, tuning.relative, " ",
                tuning.target.value_or(-1), " ", objective.latency, " ", objective.size, " ", objective.memory, " ",
                tuning.data_name));
  return text(hash.value());
}

}  // namespace neural_engine
