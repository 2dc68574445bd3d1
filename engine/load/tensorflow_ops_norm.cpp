// Softmax and norms.
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

void fused_batch_norm(TfNode& n) {
  n.ignore({"exponential_avg_factor"});
  if (n.take_bool("is_training", true)) n.unsupported("attribute \"is_training\" is true, false is supported");
  const std::string format = n.take_string("data_format", "NHWC");
  if (format != "NHWC" && format != "NCHW")
    n.unsupported("data_format ", format, " found, supported are NHWC and NCHW");
  const float epsilon = n.take_float("epsilon", 1e-4f);
  ValueId x = n.input(0);
  const bool last = format == "NHWC";
  if (last) x = n.transpose(x, {0, 3, 1, 2});
  std::vector<ValueId> operands = n.inputs_from(1, 5);
  operands.insert(operands.begin(), x);
  const ValueId y = n.add("BatchNormalization", operands, {{"epsilon", epsilon}});
  n.set_output(0, last ? n.transpose(y, {0, 2, 3, 1}) : y);
}

}  // namespace

std::span<const TfOp> tf_norm_ops() {
  static constexpr const char* kOutputs = "y,batch_mean,batch_variance,reserve_space_1,reserve_space_2,reserve_space_3";
  static constexpr TfOp kOps[] = {
      {"Softmax", direct<"Softmax">},
      {"LogSoftmax", direct<"LogSoftmax">},
      {"FusedBatchNorm", fused_batch_norm, "T=0", kOutputs},
      {"FusedBatchNormV2", fused_batch_norm, "T=0;U=1,2,3,4", kOutputs},
      {"FusedBatchNormV3", fused_batch_norm, "T=0;U=1,2,3,4", kOutputs},
  };
  return kOps;
}

}  // namespace neural_engine
