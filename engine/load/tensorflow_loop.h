// What the two forms of TensorFlow's loops share.
#pragma once

#include <vector>

#include "tensorflow.pb.h"

namespace neural_engine {

// Bodies are built again for other shapes, and the bodies within each time: the work is exponential in this.
inline constexpr int kMaxTfBodyDepth = 6;

class DepthGuard {
 public:
  explicit DepthGuard(int& depth) : depth_(depth) { ++depth_; }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

// Whether each argument of a body is what its result of the same number is.
std::vector<bool> invariant_arguments(const tf::FunctionDef& function);

}  // namespace neural_engine
