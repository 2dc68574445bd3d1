// Operators on shapes: views, and tensors made from a shape.
#include "base/onnx_dtype.h"
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

void shape(TfNode& n) {
  const DType type = n.take_dtype("out_type", DType::kS32);
  n.set_output(0, n.cast(n.add("Shape", {n.input(0)}), type));
}
void shape_n(TfNode& n) {
  n.ignore({"N"});
  const DType type = n.take_dtype("out_type", DType::kS32);
  for (size_t i = 0; i < n.num_inputs(); ++i) n.set_output(i, n.cast(n.add("Shape", {n.input(i)}), type));
}
void size(TfNode& n) {
  const DType type = n.take_dtype("out_type", DType::kS32);
  n.set_output(0, n.cast(n.add("Size", {n.input(0)}), type));
}
void rank(TfNode& n) {
  const ValueId x = n.input(0);
  if (const std::optional<int64_t> known = n.rank(x))
    return n.set_output(0, n.scalar(static_cast<double>(*known), DType::kS32));
  n.set_output(0, n.cast(n.add("Size", {n.add("Shape", {x})}), DType::kS32));
}

// A 0 is an empty dimension in TensorFlow, while ONNX's 0 without allowzero takes the operand's: said only where it can
// matter, so that passes see the form that other exporters write.
void reshape(TfNode& n) {
  const ValueId target = n.as_vector(1);
  const std::optional<std::vector<Dim>>& ints = n.facts(target).ints;
  bool may_be_zero = !ints;
  for (size_t i = 0; ints && i < ints->size(); ++i) {
    const Dim& dim = (*ints)[i];
    may_be_zero = may_be_zero || dim.is(0) || (!dim.known() && !dim.is_symbol());
  }
  Attrs attrs;
  if (may_be_zero) attrs.set("allowzero", int64_t{1});
  n.finish("Reshape", {n.input(0), target}, attrs);
}

void expand_dims(TfNode& n) { n.finish("Unsqueeze", {n.input(0), n.as_vector(1)}); }

void squeeze(TfNode& n) {
  const char* name = n.has_attr("axis") ? "axis" : "squeeze_dims";
  const std::vector<int64_t> axes = n.take_ints(name, std::vector<int64_t>());
  std::vector<ValueId> inputs = {n.input(0)};
  if (!axes.empty()) inputs.push_back(n.ints(axes));
  n.finish("Squeeze", inputs);
}

void transpose(TfNode& n) {
  const ValueId x = n.input(0);
  std::vector<int64_t> perm = n.constant_ints(1, "perm");
  const int64_t rank = static_cast<int64_t>(perm.size());
  for (int64_t& axis : perm) axis = n.normalized_axis(axis, rank);
  n.finish("Transpose", {x}, {{"perm", perm}});
}

void fill(TfNode& n) {
  const ValueId value = n.input(1);
  const Tensor& constant = n.facts(value).constant;
  if (!constant.defined()) return n.finish("Expand", {value, n.as_vector(0)});
  n.finish("ConstantOfShape", {n.as_vector(0)}, {{"value", constant.reshaped({1})}});
}
void filled_like(TfNode& n, double number) {
  const ValueId x = n.input(0);
  const Tensor value = n.facts(n.scalar_like(number, x)).constant;
  n.finish("ConstantOfShape", {n.add("Shape", {x})}, {{"value", value.reshaped({1})}});
}
void zeros_like(TfNode& n) { filled_like(n, 0); }
void ones_like(TfNode& n) { filled_like(n, 1); }

void tile(TfNode& n) { n.finish("Tile", {n.input(0), n.as_vector(1)}); }
void broadcast_to(TfNode& n) { n.finish("Expand", {n.input(0), n.as_vector(1)}); }

// The shape that two tensors of these shapes broadcast to.
void broadcast_args(TfNode& n) {
  const DType type = n.dtype(n.input(0));
  ValueId tensors[2];
  const Tensor one = Tensor::of<bool>({1}, {true});
  for (size_t i = 0; i < 2; ++i) tensors[i] = n.add("ConstantOfShape", {n.as_vector(i)}, {{"value", one}});
  n.set_output(0, n.cast(n.add("Shape", {n.add("And", {tensors[0], tensors[1]})}), type));
}

// [n,2] rows of (before, after) become [before..., after...].
ValueId onnx_pads(TfNode& n) {
  const ValueId pads = n.as_s64(n.input(1));
  const Tensor constant = n.facts(pads).constant;
  if (!constant.defined()) return n.add("Reshape", {n.transpose(pads, {1, 0}), n.ints({-1})});
  if (constant.rank() != 2 || constant.dim(1) != 2) {
    n.invalid("paddings have shape ", to_string(constant.shape()), ", expected [rank,2]");
  }
  const std::vector<int64_t> rows = *n.known_ints(pads);
  std::vector<int64_t> result;
  for (const size_t side : {0, 1}) {
    for (size_t i = 0; i < rows.size() / 2; ++i) result.push_back(rows[2 * i + side]);
  }
  return n.ints(result);
}
void pad(TfNode& n) { n.finish("Pad", {n.input(0), onnx_pads(n)}); }
void pad_v2(TfNode& n) { n.finish("Pad", {n.input(0), onnx_pads(n), n.input(2)}); }
void mirror_pad(TfNode& n) {
  const std::string mode = n.take_string("mode");
  if (mode != "REFLECT") n.unsupported("mode ", mode, " found, REFLECT is supported");
  n.finish("Pad", {n.input(0), onnx_pads(n)}, {{"mode", std::string("reflect")}});
}

// Dimensions 1 and 2 against the last.
void depth_space(TfNode& n, const char* op) {
  const int64_t block = n.take_int("block_size");
  const std::string format = n.take_string("data_format", "NHWC");
  if (format != "NHWC" && format != "NCHW")
    n.unsupported("data_format ", format, " found, supported are NHWC and NCHW");
  const bool last = format == "NHWC";
  ValueId x = n.input(0);
  if (last) x = n.transpose(x, {0, 3, 1, 2});
  x = n.add(op, {x}, {{"blocksize", block}});
  n.set_output(0, last ? n.transpose(x, {0, 2, 3, 1}) : x);
}
void depth_to_space(TfNode& n) { depth_space(n, "DepthToSpace"); }
void space_to_depth(TfNode& n) { depth_space(n, "SpaceToDepth"); }

// Keeps `lower` diagonals below the main one and `upper` above it; a negative number keeps all.
void matrix_band_part(TfNode& n) {
  ValueId x = n.input(0);
  const int64_t lower = n.constant_int(1, "num_lower"), upper = n.constant_int(2, "num_upper");
  if (lower >= 0) x = n.add("Trilu", {x, n.scalar_int(-lower)}, {{"upper", int64_t{1}}});
  if (upper >= 0) x = n.add("Trilu", {x, n.scalar_int(upper)}, {{"upper", int64_t{0}}});
  n.set_output(0, x);
}

void invert_permutation(TfNode& n) {
  const DType type = n.dtype(n.input(0));
  const std::vector<int64_t> perm = n.constant_ints(0, "the permutation");
  std::vector<int64_t> result(perm.size(), -1);
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] < 0 || perm[i] >= static_cast<int64_t>(perm.size()) || result[static_cast<size_t>(perm[i])] != -1) {
      n.invalid("element ", i, " is ", perm[i], ", expected a permutation");
    }
    result[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  }
  n.set_output(0, n.cast(n.ints(result), type));
}

}  // namespace

std::span<const TfOp> tf_shape_ops() {
  static constexpr TfOp kOps[] = {
      {"Shape", shape, "T=0"},
      {"ShapeN", shape_n, "T=*"},
      {"Size", size, "T=0"},
      {"Rank", rank, "T=0"},
      {"Reshape", reshape, "T=0;Tshape=1"},
      {"ExpandDims", expand_dims, "T=0;Tdim=1"},
      {"Squeeze", squeeze, "T=0"},
      {"Transpose", transpose, "T=0;Tperm=1"},
      {"Fill", fill, "T=1;index_type=0"},
      {"ZerosLike", zeros_like},
      {"OnesLike", ones_like},
      {"Range", direct<"Range">, "Tidx=*"},
      {"Tile", tile, "T=0;Tmultiples=1"},
      {"BroadcastTo", broadcast_to, "T=0;Tidx=1"},
      {"BroadcastArgs", broadcast_args, "T=*"},
      {"Pad", pad, "T=0;Tpaddings=1"},
      {"PadV2", pad_v2, "T=0,2;Tpaddings=1"},
      {"MirrorPad", mirror_pad, "T=0;Tpaddings=1"},
      {"DepthToSpace", depth_to_space, "T=0"},
      {"SpaceToDepth", space_to_depth, "T=0"},
      {"MatrixBandPart", matrix_band_part, "T=0;Tindex=1,2"},
      {"InvertPermutation", invert_permutation, "T=0"},
  };
  return kOps;
}

}  // namespace neural_engine
