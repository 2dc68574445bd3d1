#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef* const> all_ops() {
  // Listed here and not by static initialisers, which an archive's linker drops.
  static const auto* const kAll = [] {
    auto* all = new std::vector<const OpDef*>;
    for (std::span<const OpDef> family : {elementwise_ops(), reduce_ops(), quantize_ops(), random_ops(), shape_ops(),
                                          gather_ops(), image_ops(), control_ops(), matmul_ops(), conv_ops(),
                                          norm_ops(), recurrent_ops(), attention_ops(), signal_ops(), ml_ops()}) {
      for (const OpDef& def : family) all->push_back(&def);
    }
    return all;
  }();
  return *kAll;
}

}  // namespace neural_engine
