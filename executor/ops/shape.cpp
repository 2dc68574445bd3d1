// Bindings of the shape family; its run functions are in shape_{move,fill}.cpp.
#include "executor/ops/shape_run.h"

namespace neural_engine {

std::span<const OpBinding> shape_bindings() {
  static const OpBinding kBindings[] = {
      {"Identity", bind_simple<run_view>},
      {"Reshape", bind_simple<run_view>},
      {"Flatten", bind_simple<run_view>},
      {"Squeeze", bind_simple<run_view>},
      {"Unsqueeze", bind_simple<run_view>},
      {"Shape", bind_simple<run_shape>},
      {"Size", bind_simple<run_size>},
      {"Transpose", bind_simple<run_transpose>},
      {"Concat", bind_simple<run_concat>},
      {"Split", bind_simple<run_split>},
      {"Slice", bind_simple<run_slice>},
      {"Expand", bind_simple<run_expand>},
      {"Tile", bind_simple<run_tile>},
      {"DepthToSpace", bind_simple<run_depth_to_space>},
      {"SpaceToDepth", bind_simple<run_space_to_depth>},
      {"ReverseSequence", bind_simple<run_reverse_sequence>},
      {"ConstantOfShape", bind_simple<run_constant_of_shape>},
      {"Range", bind_simple<run_range>},
      {"Pad", bind_simple<run_pad>},
      {"CenterCropPad", bind_simple<run_center_crop_pad>},
      {"Col2Im", bind_simple<run_col2im>},
  };
  return kBindings;
}

}  // namespace neural_engine
