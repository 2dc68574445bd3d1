// The gather family: taking and putting by index (inference in gather_index.cpp), and the ops whose results have a size
// that only their elements tell.
#include "ops/all.h"
#include "ops/gather_infer.h"
#include "ops/shape_rules.h"

namespace neural_engine {

void infer_nonzero(InferContext& context) {
  require_whole_bytes(context, 0);
  const std::optional<int64_t> rank = rank_of(context, 0);
  context.set(0, DType::kS64, SymShape{rank ? Dim(*rank) : Dim(), Dim()});
}

void infer_compress(InferContext& context) {
  require_whole_bytes(context, 0);
  context.require_dtype(1, {DType::kBool});
  context.require_rank(1, 1);
  const SymShape* data = context.shape(0);
  if (!context.node().attrs.has("axis")) return context.set(0, context.dtype(0), SymShape(1));
  if (data == nullptr) return context.set_unknown(0, context.dtype(0));
  SymShape shape = *data;
  shape[static_cast<size_t>(context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(data->size())))] =
      Dim();
  context.set(0, context.dtype(0), std::move(shape));
}

void infer_unique(InferContext& context) {
  require_in(context, 0, kWholeByteTypes);
  const SymShape* data = context.shape(0);
  std::optional<SymShape> values = SymShape(1);
  Dim elems = data ? product(*data) : Dim();
  if (context.node().attrs.has("axis")) {
    values.reset();
    elems = Dim();
    if (data) {
      const int64_t axis = context.normalize_axis(context.int_attr("axis"), static_cast<int64_t>(data->size()));
      values = *data;
      elems = (*data)[static_cast<size_t>(axis)];
      (*values)[static_cast<size_t>(axis)] = Dim();
    }
  }
  context.set(0, context.dtype(0), std::move(values));
  context.set(1, DType::kS64, SymShape(1));
  context.set(2, DType::kS64, SymShape{elems});
  context.set(3, DType::kS64, SymShape(1));
}

void infer_non_max_suppression(InferContext& context) {
  context.require_dtype(0, {DType::kF32});
  context.require_dtype(1, {DType::kF32});
  if (context.has_input(2)) context.require_dtype(2, {DType::kS64});
  for (int i = 3; i < context.num_inputs(); ++i) {
    if (context.has_input(i)) context.require_dtype(i, {DType::kF32});
  }
  context.require_rank(0, 3);
  context.require_rank(1, 3);
  const SymShape *boxes = context.shape(0), *scores = context.shape(1);
  if (boxes && (*boxes)[2].known() && (*boxes)[2].value() != 4) {
    context.invalid("boxes have shape ", to_string(*boxes), ", expected [batch,boxes,4]");
  }
  if (boxes && scores) {
    same_dim(context, (*boxes)[0], (*scores)[0], "batch sizes of boxes and scores");
    same_dim(context, (*boxes)[1], (*scores)[2], "numbers of boxes and scores");
  }
  const int64_t center = context.int_attr("center_point_box");
  if (center != 0 && center != 1) context.invalid("center_point_box ", center, " found, expected 0 or 1");
  context.set(0, DType::kS64, SymShape{Dim(), 3});
}

// Attribute from_end of Gather, GatherND and ScatterND is ours: 1 is ONNX's meaning, that negative indices count from
// the end; 0 is TensorFlow's, that they are out of bounds.
std::span<const OpDef> gather_ops() {
  static const std::vector<OpDef> kOps = {
      {.name = "Gather",
       .attrs = {{"axis", 0}, {"from_end", 1}},
       .inputs = {2, 2},
       .infer = infer_gather,
       .onnx = {{"Gather", 1}}},
      {.name = "GatherElements",
       .attrs = {{"axis", 0}},
       .inputs = {2, 2},
       .infer = infer_gather_elements,
       .onnx = {{"GatherElements", 11}}},
      {.name = "GatherND",
       .attrs = {{"batch_dims", 0}, {"from_end", 1}},
       .inputs = {2, 2},
       .infer = infer_gather_nd,
       .onnx = {{"GatherND", 11}}},
      {.name = "ScatterElements",
       .attrs = {{"axis", 0}, {"reduction", "none"}},
       .inputs = {3, 3},
       .infer = infer_scatter_elements,
       .onnx = {{"ScatterElements", 11}, {"Scatter", 9, 10}}},
      {.name = "ScatterND",
       .attrs = {{"reduction", "none"}, {"from_end", 1}},
       .inputs = {3, 3},
       .infer = infer_scatter_nd,
       .onnx = {{"ScatterND", 11}}},
      {.name = "OneHot", .attrs = {{"axis", -1}}, .inputs = {3, 3}, .infer = infer_one_hot, .onnx = {{"OneHot", 11}}},
      {.name = "NonZero", .infer = infer_nonzero, .onnx = {{"NonZero", 9}}},
      {.name = "Compress",
       .attrs = {optional_attr("axis", AttrType::kInt)},
       .inputs = {2, 2},
       .infer = infer_compress,
       .onnx = {{"Compress", 9}}},
      {.name = "Unique",
       .attrs = {optional_attr("axis", AttrType::kInt), {"sorted", 1}},
       .outputs = {1, 4},
       .infer = infer_unique,
       .onnx = {{"Unique", 11}}},
      {.name = "NonMaxSuppression",
       .attrs = {{"center_point_box", 0}},
       .inputs = {2, 5},
       .infer = infer_non_max_suppression,
       .onnx = {{"NonMaxSuppression", 10}}},
  };
  return kOps;
}

}  // namespace neural_engine
