// What TensorFlow's own optimizer writes: a product or convolution with what follows it, spelled out again. Our passes
// fuse for themselves.
#include "load/tensorflow_ops.h"
#include "load/tensorflow_products.h"
#include "load/tensorflow_window.h"

namespace neural_engine {

namespace {

// gamma * (x - mean) / sqrt(variance + epsilon) + beta over the last dimension.
ValueId batch_norm(TfNode& n, ValueId x, size_t first, float epsilon) {
  const ValueId scale = n.input(first), offset = n.input(first + 1), mean = n.input(first + 2);
  const ValueId variance = n.add("Add", {n.input(first + 3), n.scalar_like(epsilon, scale)});
  const ValueId factor = n.add("Mul", {n.add("Reciprocal", {n.add("Sqrt", {variance})}), scale});
  return n.add("Add", {n.add("Mul", {n.add("Sub", {x, mean}), factor}), offset});
}

ValueId activation(TfNode& n, const std::string& name, ValueId x, float alpha) {
  if (name == "Relu" || name == "Elu" || name == "Tanh" || name == "Sigmoid") return n.add(name, {x});
  if (name == "Relu6") return n.add("Clip", {x, n.scalar_like(0, x), n.scalar_like(6, x)});
  if (name == "LeakyRelu") return n.add("LeakyRelu", {x}, {{"alpha", alpha}});
  if (name == "GeluExact") return n.add("Gelu", {x}, {{"approximate", std::string("none")}});
  if (name == "GeluApproximate") return n.add("Gelu", {x}, {{"approximate", std::string("tanh")}});
  n.unsupported("fused operator ", name,
                " found, supported are BiasAdd, Add, Mul, FusedBatchNorm, Relu, Relu6, LeakyRelu, Elu, Tanh, Sigmoid, "
                "GeluExact and GeluApproximate");
}

// The bias of a convolution whose channels are at dimension 1.
ValueId as_channels(TfNode& n, ValueId bias, const TfWindow* window) {
  if (window == nullptr || window->channels_last) return bias;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < window->dims; ++i) axes.push_back(static_cast<int64_t>(i) + 1);
  return n.unsqueeze(bias, axes);
}

}  // namespace

ValueId fused_tail(TfNode& n, ValueId x, size_t next, size_t end, const TfWindow* window) {
  const float epsilon = n.take_float("epsilon", 1e-4f), alpha = n.take_float("leakyrelu_alpha", 0.2f);
  for (const std::string& op : n.take_strings("fused_ops")) {
    if (op == "BiasAdd") {
      x = n.add("Add", {x, as_channels(n, n.input(next++), window)});
    } else if (op == "Add" || op == "Mul") {
      x = n.add(op, {x, n.input(next++)});
    } else if (op == "FusedBatchNorm") {
      if (window != nullptr && !window->channels_last) n.unsupported("a fused norm with data_format NCHW");
      x = batch_norm(n, x, next, epsilon);
      next += 4;
    } else {
      x = activation(n, op, x, alpha);
    }
  }
  if (next != end) n.invalid("fused_ops take ", next, " operands, ", end, " found");
  return x;
}

namespace {

void fused_matmul(TfNode& n) {
  n.ignore({"num_args", "grad_a", "grad_b"});
  const ValueId y =
      product(n, n.input(0), n.input(1), n.take_bool("transpose_a", false), n.take_bool("transpose_b", false));
  n.set_output(0, fused_tail(n, y, 2, n.num_inputs(), nullptr));
}

void fused_batch_matmul(TfNode& n) {
  n.ignore({"num_args", "grad_x", "grad_y"});
  const ValueId y = product(n, n.input(0), n.input(1), n.take_bool("adj_x", false), n.take_bool("adj_y", false));
  n.set_output(0, fused_tail(n, y, 2, n.num_inputs(), nullptr));
}

void fused_conv(TfNode& n) {
  n.ignore({"num_args", "TArgs", "use_cudnn_on_gpu"});
  if (n.take_int("num_host_args", 0) != 0) n.unsupported("host arguments found");
  if (const std::string format = n.take_string("filter_format", "HWIO"); format != "HWIO") {
    n.unsupported("filter_format ", format, " found, HWIO is supported");
  }
  const TfWindow window = take_window(n, "NHWC");
  const ValueId y = convolution(n, window, n.input(0), n.input(1));
  n.set_output(0, fused_tail(n, y, 2, n.num_inputs(), &window));
}

void fused_batch_norm_ex(TfNode& n) {
  n.ignore({"exponential_avg_factor", "num_side_inputs"});
  if (n.take_bool("is_training", true)) n.unsupported("attribute \"is_training\" is true, false is supported");
  if (const std::string format = n.take_string("data_format", "NHWC"); format != "NHWC") {
    n.unsupported("data_format ", format, " found, NHWC is supported");
  }
  ValueId y = batch_norm(n, n.input(0), 1, n.take_float("epsilon", 1e-4f));
  for (size_t i = 5; i < n.num_inputs(); ++i) y = n.add("Add", {y, n.input(i)});
  const std::string mode = n.take_string("activation_mode", "Identity");
  n.set_output(0, mode == "Identity" ? y : activation(n, mode, y, 0.2f));
}

void layer_norm(TfNode& n) {
  n.finish("LayerNormalization", n.all_inputs(), {{"axis", int64_t{-1}}, {"epsilon", n.take_float("epsilon", 1e-3f)}});
}

}  // namespace

std::span<const TfOp> tf_fused_ops() {
  static constexpr TfOp kOps[] = {
      {"_FusedMatMul", fused_matmul},
      {"_MklNativeFusedMatMul", fused_matmul},
      {"_FusedBatchMatMulV2", fused_batch_matmul},
      {"_MklFusedBatchMatMulV2", fused_batch_matmul},
      {"_FusedConv2D", fused_conv, "T=0,1"},
      {"_FusedBatchNormEx", fused_batch_norm_ex, "T=0;U=1,2,3,4",
       "y,batch_mean,batch_variance,reserve_space_1,reserve_space_2,reserve_space_3"},
      {"_MklLayerNorm", layer_norm},
  };
  return kOps;
}

}  // namespace neural_engine
