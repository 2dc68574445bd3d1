// NonMaxSuppression: of overlapping boxes of one class, those with the highest scores.
#include <algorithm>
#include <numeric>

#include "executor/ops/gather_run.h"
#include "executor/ops/run_helpers.h"

namespace neural_engine {

namespace {

struct Box {
  float y1, x1, y2, x2;  // y1 <= y2, x1 <= x2
  float area() const { return (y2 - y1) * (x2 - x1); }
};

Box read_box(const float* values, bool center) {
  if (center) {  // x, y, width, height
    const float half_width = values[2] / 2, half_height = values[3] / 2;
    return {values[1] - half_height, values[0] - half_width, values[1] + half_height, values[0] + half_width};
  }
  // Any two opposite corners.
  return {std::min(values[0], values[2]), std::min(values[1], values[3]), std::max(values[0], values[2]),
          std::max(values[1], values[3])};
}

bool overlaps(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1), width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  if (!(height > 0 && width > 0)) return false;
  const float shared = height * width, total = a.area() + b.area() - shared;
  return a.area() > 0 && b.area() > 0 && total > 0 && shared / total > threshold;
}

struct Limits {
  int64_t max_boxes = 0;
  float iou = 0;
  bool has_score = false;
  float score = 0;
};

float scalar(const OpContext& op, int input) {
  require(op.input(input).elems() == 1, Code::kInvalidData, "input ", input, " has ", op.input(input).elems(),
          " elements, expected 1");
  return op.input(input).data<float>()[0];
}

Limits read_limits(const OpContext& op) {
  Limits limits;
  if (op.has_input(2)) {
    require(op.input(2).elems() == 1, Code::kInvalidData, "input 2 has ", op.input(2).elems(), " elements, expected 1");
    limits.max_boxes = std::max<int64_t>(0, op.input(2).data<int64_t>()[0]);
  }
  if (op.has_input(3)) limits.iou = scalar(op, 3);
  limits.has_score = op.has_input(4);
  if (limits.has_score) limits.score = scalar(op, 4);
  return limits;
}

// Boxes kept for one class of one image, best first.
std::vector<int64_t> select(const std::vector<Box>& boxes, const float* scores, const Limits& limits) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (!limits.has_score || scores[i] > limits.score) order.push_back(static_cast<int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    const bool a_nan = scores[a] != scores[a], b_nan = scores[b] != scores[b];
    return a_nan || b_nan ? b_nan && !a_nan : scores[a] > scores[b];
  });
  std::vector<int64_t> kept;
  for (int64_t candidate : order) {
    if (static_cast<int64_t>(kept.size()) >= limits.max_boxes) break;
    const Box& box = boxes[static_cast<size_t>(candidate)];
    if (std::none_of(kept.begin(), kept.end(),
                     [&](int64_t other) { return overlaps(box, boxes[static_cast<size_t>(other)], limits.iou); })) {
      kept.push_back(candidate);
    }
  }
  return kept;
}

}  // namespace

void run_non_max_suppression(const Node& node, OpContext& op) {
  const Tensor &boxes = op.input(0), &scores = op.input(1);
  const int64_t batches = boxes.dim(0), count = boxes.dim(1), classes = scores.dim(1);
  const bool center = node.attr<int64_t>("center_point_box") == 1;
  const Limits limits = read_limits(op);
  std::vector<int64_t> selected;
  for (int64_t batch = 0; batch < batches; ++batch) {
    std::vector<Box> candidates;
    for (int64_t i = 0; i < count; ++i) {
      candidates.push_back(read_box(boxes.data<float>() + (batch * count + i) * 4, center));
    }
    for (int64_t c = 0; c < classes; ++c) {
      for (int64_t box : select(candidates, scores.data<float>() + (batch * classes + c) * count, limits)) {
        selected.insert(selected.end(), {batch, c, box});
      }
    }
  }
  deliver(op, 0, Tensor::of<int64_t>({static_cast<int64_t>(selected.size()) / 3, 3}, selected));
}

}  // namespace neural_engine
