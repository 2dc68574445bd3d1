// Windows that move over a tensor, as convolutions of several kinds take them.
#pragma once

#include "load/tensorflow_node.h"

namespace neural_engine {

struct TfWindow {
  bool channels_last = true;
  size_t dims = 2;   // spatial ones
  Attrs attrs = {};  // strides and padding, as ONNX names them
};

// Takes data_format, strides, padding and explicit_paddings.
TfWindow take_window(TfNode& n, const char* default_format);
// Takes dilations; channels stay where the operand has them.
ValueId convolution(TfNode& n, TfWindow window, ValueId x, ValueId filter);

}  // namespace neural_engine
