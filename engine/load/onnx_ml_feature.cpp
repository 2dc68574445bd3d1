// ai.onnx.ml's operators that prepare features.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/onnx_dtype.h"
#include "load/onnx_ml.h"

namespace neural_engine {

namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

// One number for all columns, or one for each.
void check_columns(Rewrite& r, const char* name, size_t count, ValueId x) {
  const std::optional<int64_t> columns = r.dim(x, -1);
  if (count == 0) r.invalid("attribute \"", name, "\" is missing");
  if (count != 1 && columns && *columns != static_cast<int64_t>(count)) {
    r.invalid("attribute \"", name, "\" has ", count, " numbers for ", *columns, " columns");
  }
}

void scaler(Rewrite& r) {
  const ValueId x = ml_f32(r, r.input(0));
  const Floats offset = r.take_or<Floats>("offset", {0.f}), scale = r.take_or<Floats>("scale", {1.f});
  check_columns(r, "offset", offset.size(), x);
  check_columns(r, "scale", scale.size(), x);
  r.finish("Mul", {r.add("Sub", {x, ml_floats(r, offset)}), ml_floats(r, scale)});
}

// Rows of zeros stay.
void normalizer(Rewrite& r) {
  const ValueId x = ml_f32(r, r.input(0));
  const std::string norm = r.take_or<std::string>("norm", "MAX");
  const char* reduce = norm == "L1" ? "ReduceL1" : norm == "L2" ? "ReduceL2" : "ReduceMax";
  if (norm != "L1" && norm != "L2" && norm != "MAX") r.unsupported("norm \"", norm, "\" found, supported: MAX, L1, L2");
  const ValueId size = r.add(reduce, {x, r.ints({-1})}, {{"keepdims", int64_t{1}}});
  const ValueId none = r.add("Equal", {size, r.scalar_like(0.f, size)});
  r.finish("Div", {x, r.add("Where", {none, r.scalar_like(1.f, size), size})});
}

void binarizer(Rewrite& r) {
  const ValueId x = r.input(0);
  const float threshold = r.take_or<float>("threshold", 0.f);
  const ValueId above = r.add("Greater", {x, r.scalar_like(threshold, x)});
  r.finish("Cast", {above}, {{"to", onnx_code(r.facts(x).dtype)}});
}

void imputer(Rewrite& r) {
  const ValueId x = r.input(0);
  const bool whole = r.facts(x).dtype == DType::kS64;
  const Floats floats = r.take_or<Floats>("imputed_value_floats", {});
  const Ints ints = r.take_or<Ints>("imputed_value_int64s", {});
  const float replaced = r.take_or<float>("replaced_value_float", 0.f);
  const int64_t replaced_int = r.take_or<int64_t>("replaced_value_int64", 0);
  if (!whole && r.facts(x).dtype != DType::kF32) r.unsupported("an input of another dtype than f32 and s64 found");
  check_columns(r, whole ? "imputed_value_int64s" : "imputed_value_floats", whole ? ints.size() : floats.size(), x);
  if (whole) return r.finish("Where", {r.add("Equal", {x, r.scalar_int(replaced_int)}), r.ints(ints), x});
  const ValueId missing = std::isnan(replaced) ? r.add("IsNaN", {x}) : r.add("Equal", {x, r.scalar_like(replaced, x)});
  r.finish("Where", {missing, ml_floats(r, floats), x});
}

void feature_vectorizer(Rewrite& r) {
  const Ints sizes = r.take_or<Ints>("inputdimensions", {});
  if (!sizes.empty() && sizes.size() != r.num_inputs()) {
    r.invalid("attribute \"inputdimensions\" has ", sizes.size(), " numbers for ", r.num_inputs(), " inputs");
  }
  std::vector<ValueId> parts;
  for (size_t i = 0; i < r.num_inputs(); ++i) {
    const ValueId x = ml_f32(r, r.input(i));
    if (r.rank(x) != 2) r.unsupported("input ", i, " is no matrix");
    const std::optional<int64_t> columns = r.dim(x, 1);
    if (!sizes.empty() && columns && *columns != sizes[i]) {
      r.unsupported("input ", i, " has ", *columns, " columns, \"inputdimensions\" says ", sizes[i]);
    }
    parts.push_back(x);
  }
  r.finish("Concat", parts, {{"axis", int64_t{1}}});
}

// Elements along the last axis; a vector counts as a row.
void array_feature_extractor(Rewrite& r) {
  const ValueId x = r.input(0);
  if (!r.rank(x) || *r.rank(x) == 0) r.unsupported("an operand whose rank is not known or 0 found");
  const ValueId rows = r.rank(x) == 1 ? r.add("Unsqueeze", {x, r.ints({0})}) : x;
  r.finish("Gather", {rows, r.add("Reshape", {r.input(1), r.ints({-1})})}, {{"axis", int64_t{-1}}});
}

void one_hot_encoder(Rewrite& r) {
  if (r.take<std::vector<std::string>>("cats_strings")) r.unsupported("categories that are strings found");
  const Ints categories = r.take_required<Ints>("cats_int64s");
  const int64_t strict = r.take_or<int64_t>("zeros", 1) == 0 ? 1 : 0;
  ValueId x = r.input(0);
  if (r.facts(x).dtype != DType::kS64) x = r.add("Cast", {x}, {{"to", onnx_code(DType::kS64)}});
  r.finish("CategoryOneHot", {x}, {{"categories", categories}, {"strict", strict}});
}

// Keys or values, from the attribute of their type; undefined when there is none.
Tensor take_list(Rewrite& r, const std::string& what) {
  if (r.take<std::vector<std::string>>(what + "_strings")) r.unsupported(what, " that are strings found");
  const std::optional<Ints> ints = r.take<Ints>(what + "_int64s");
  const std::optional<Floats> floats = r.take<Floats>(what + "_floats");
  const std::optional<Tensor> tensor = r.take<Tensor>(what + "_tensor");
  if (int{ints.has_value()} + int{floats.has_value()} + int{tensor.has_value()} != 1) {
    r.unsupported(what, " of one kind are expected: int64s, floats or a tensor");
  }
  if (ints) return Tensor::of<int64_t>({static_cast<int64_t>(ints->size())}, *ints);
  if (floats) return Tensor::of<float>({static_cast<int64_t>(floats->size())}, *floats);
  return tensor->reshaped({tensor->elems()});
}

Tensor picked(const Tensor& list, const Ints& places) {
  const size_t bytes = static_cast<size_t>(bits_of(list.dtype())) / 8;
  Tensor result(list.dtype(), {static_cast<int64_t>(places.size())});
  for (size_t i = 0; i < places.size(); ++i) {
    const auto* from = static_cast<const std::byte*>(list.raw()) + static_cast<size_t>(places[i]) * bytes;
    std::memcpy(static_cast<std::byte*>(result.raw()) + i * bytes, from, bytes);
  }
  return result;
}

// Before version 4 NaN equals no key, itself included.
bool is_lost_key(Rewrite& r, const Tensor& keys, int64_t i) {
  return r.opset() < 4 && keys.dtype() == DType::kF32 && std::isnan(keys.data<float>()[i]);
}

void label_encoder(Rewrite& r) {
  const Tensor all_keys = take_list(r, "keys").clone(), all_values = take_list(r, "values").clone();
  Ints kept;
  for (int64_t i = 0; i < all_keys.elems(); ++i) {
    if (!is_lost_key(r, all_keys, i)) kept.push_back(i);
  }
  if (all_values.elems() != all_keys.elems()) {
    r.invalid(all_keys.elems(), " keys and ", all_values.elems(), " values found");
  }
  const Tensor keys = picked(all_keys, kept), values = picked(all_values, kept);
  const std::optional<int64_t> default_int = r.take<int64_t>("default_int64");
  const std::optional<float> default_float = r.take<float>("default_float");
  // Exporters write the default of every type.
  r.take<std::string>("default_string");
  std::optional<Tensor> otherwise = r.take<Tensor>("default_tensor");
  if (!otherwise && values.dtype() == DType::kS64) otherwise = Tensor::scalar<int64_t>(default_int.value_or(-1));
  if (!otherwise && values.dtype() == DType::kF32) otherwise = Tensor::scalar<float>(default_float.value_or(-0.f));
  if (!otherwise) r.unsupported("values of ", to_string(values.dtype()), " without \"default_tensor\" found");
  r.finish("LabelEncoder", {r.input(0)}, {{"keys", keys}, {"values", values}, {"default", *otherwise}});
}

// The scores by label, as a tensor: column i is that of the i-th label.
void zip_map(Rewrite& r) {
  if (r.take<std::vector<std::string>>("classlabels_strings") && r.take<Ints>("classlabels_int64s")) {
    r.invalid("two kinds of labels found");
  }
  r.take<Ints>("classlabels_int64s");
  r.finish("Identity", {r.input(0)});
}

}  // namespace

std::span<const LegacyRule> ml_feature_rules() {
  static constexpr LegacyRule kRules[] = {
      {"Scaler", 1, kMaxMlOpset, scaler, kOnnxMl},
      {"Normalizer", 1, kMaxMlOpset, normalizer, kOnnxMl},
      {"Binarizer", 1, kMaxMlOpset, binarizer, kOnnxMl},
      {"Imputer", 1, kMaxMlOpset, imputer, kOnnxMl},
      {"FeatureVectorizer", 1, kMaxMlOpset, feature_vectorizer, kOnnxMl},
      {"ArrayFeatureExtractor", 1, kMaxMlOpset, array_feature_extractor, kOnnxMl},
      {"OneHotEncoder", 1, kMaxMlOpset, one_hot_encoder, kOnnxMl},
      {"LabelEncoder", 2, kMaxMlOpset, label_encoder, kOnnxMl},
      {"ZipMap", 1, kMaxMlOpset, zip_map, kOnnxMl},
  };
  return kRules;
}

}  // namespace neural_engine
