// What the rewriters of ai.onnx.ml share. Its operators become ONNX's own and the few of ops/ml.cpp; what the standard
// leaves open is as ONNX Runtime has it, which is what exporters were tested with.
#pragma once

#include <string>
#include <vector>

#include "load/onnx_legacy.h"

namespace neural_engine {

inline constexpr const char* kOnnxMl = "ai.onnx.ml";
inline constexpr int kMaxMlOpset = 5;

// Numbers of any kind as f32.
ValueId ml_f32(Rewrite& r, ValueId x);
ValueId ml_floats(Rewrite& r, const std::vector<float>& values);
// A matrix from an attribute, transposed: rows of `columns` elements become columns.
ValueId ml_transposed(Rewrite& r, const std::vector<float>& values, int64_t columns);

// Scores of several classes or targets after "post_transform".
ValueId ml_transformed(Rewrite& r, ValueId scores, const std::string& post);
// Both scores of two classes from that of the second [rows,1]. `mixed`: scores have both signs, the first class's is
// the negative one; else it is what is missing to 1.
ValueId ml_two_scores(Rewrite& r, ValueId score, const std::string& post, bool mixed);

// The labels of the classes, from `ints`; refused where they are strings.
std::vector<int64_t> take_labels(Rewrite& r, const char* ints);
// Output 0: the labels at indices [rows]; output 1: the scores. All attributes have been taken.
void finish_classifier(Rewrite& r, const std::vector<int64_t>& labels, ValueId index, ValueId scores);
// The index of the greatest in each row.
ValueId ml_greatest(Rewrite& r, ValueId scores);
// 1 where a column [rows,1] is above the threshold, else 0, as indices [rows].
ValueId ml_above(Rewrite& r, ValueId column, float threshold);

}  // namespace neural_engine
