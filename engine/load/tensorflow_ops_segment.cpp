// Sums of rows by segment: the bags of embeddings in recommenders. Rows are added into a tensor of zeros at the number
// of their segment, which is what ScatterND does; a segment without rows stays zero.
#include "base/onnx_dtype.h"
#include "load/tensorflow_ops.h"

namespace neural_engine {

namespace {

enum class Mean { kSum, kMean, kSqrt };

// [count, rest of `like`'s shape] of zeros.
ValueId zeros(TfNode& n, ValueId count, ValueId like) {
  const ValueId rest = n.add("Shape", {like}, {{"start", int64_t{1}}});
  const ValueId shape = n.add("Concat", {count, rest}, {{"axis", int64_t{0}}});
  const Tensor zero = n.facts(n.scalar_like(0, like)).constant;
  return n.add("ConstantOfShape", {shape}, {{"value", zero.reshaped({1})}});
}

// Segment numbers are sorted, so the last one is the greatest.
ValueId count_of_sorted(TfNode& n, ValueId ids) {
  return n.add("Add", {n.add("Gather", {ids, n.ints({-1})}, {{"axis", int64_t{0}}}), n.ints({1})});
}

ValueId sum_rows(TfNode& n, ValueId rows, ValueId ids, ValueId count) {
  return n.add("ScatterND", {zeros(n, count, rows), n.unsqueeze(ids, {-1}), rows},
               {{"reduction", std::string("add")}, {"from_end", int64_t{0}}});
}

ValueId segment(TfNode& n, ValueId rows, ValueId ids, ValueId count, Mean mean) {
  const ValueId sums = sum_rows(n, rows, ids, count);
  if (mean == Mean::kSum) return sums;
  // The number of rows of each segment, as a column of rank as the rows.
  const Tensor one = n.facts(n.scalar_like(1, rows)).constant;
  const ValueId ones = n.add("ConstantOfShape", {n.add("Shape", {ids})}, {{"value", one.reshaped({1})}});
  ValueId counts = n.add("Max", {sum_rows(n, ones, ids, count), n.scalar_like(1, rows)});
  if (mean == Mean::kSqrt) counts = n.add("Sqrt", {counts});
  std::vector<int64_t> axes;
  for (int64_t i = 1; i < n.required_rank(rows); ++i) axes.push_back(i);
  if (!axes.empty()) counts = n.unsqueeze(counts, axes);
  return n.add("Div", {sums, counts});
}

template <Mean kMean>
void segment_sorted(TfNode& n) {
  const ValueId ids = n.as_vector(1);
  n.set_output(0, segment(n, n.input(0), ids, count_of_sorted(n, ids), kMean));
}

// The rows are taken out of a table by index first.
template <Mean kMean, bool kCounted>
void sparse_segment(TfNode& n) {
  if (n.take_bool("sparse_gradient", false)) n.unsupported("attribute \"sparse_gradient\" is true");
  const ValueId rows = n.add("Gather", {n.input(0), n.input(1)}, {{"axis", int64_t{0}}, {"from_end", int64_t{0}}});
  const ValueId ids = n.as_vector(2);
  n.set_output(0, segment(n, rows, ids, kCounted ? n.as_vector(3) : count_of_sorted(n, ids), kMean));
}

// Numbers in any order, of any rank; negative ones, which TensorFlow drops, are refused when they are constants and go
// to a row beyond the last otherwise, which is cut off.
void unsorted_segment_sum(TfNode& n) {
  const ValueId data = n.input(0);
  ValueId ids = n.as_s64(n.input(1));
  const ValueId count = n.as_vector(2);
  if (n.required_rank(ids) != 1) n.unsupported("segment_ids have rank ", n.required_rank(ids), ", 1 is supported");
  ids = n.add("Where", {n.add("Less", {ids, n.scalar_int(0)}), count, ids});
  const ValueId more = n.add("Add", {count, n.ints({1})});
  const ValueId sums = sum_rows(n, data, ids, more);
  n.finish("Slice", {sums, n.ints({0}), count, n.ints({0})});
}

}  // namespace

std::span<const TfOp> tf_segment_ops() {
  static constexpr const char* kSorted = "T=0;Tindices=1";
  static constexpr const char* kSparse = "T=0;Tidx=1;Tsegmentids=2;Tnumsegments=3";
  static constexpr TfOp kOps[] = {
      {"SegmentSum", segment_sorted<Mean::kSum>, kSorted},
      {"SegmentMean", segment_sorted<Mean::kMean>, kSorted},
      {"SparseSegmentSum", sparse_segment<Mean::kSum, false>, kSparse},
      {"SparseSegmentMean", sparse_segment<Mean::kMean, false>, kSparse},
      {"SparseSegmentSqrtN", sparse_segment<Mean::kSqrt, false>, kSparse},
      {"SparseSegmentSumWithNumSegments", sparse_segment<Mean::kSum, true>, kSparse},
      {"SparseSegmentMeanWithNumSegments", sparse_segment<Mean::kMean, true>, kSparse},
      {"SparseSegmentSqrtNWithNumSegments", sparse_segment<Mean::kSqrt, true>, kSparse},
      {"UnsortedSegmentSum", unsorted_segment_sum, "T=0;Tindices=1;Tnumsegments=2"},
  };
  return kOps;
}

}  // namespace neural_engine
