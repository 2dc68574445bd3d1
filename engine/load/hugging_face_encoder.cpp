#include "load/hugging_face_encoder.h"

#include <cmath>
#include <limits>

#include "base/dtype.h"
#include "base/error.h"

namespace neural_engine {

namespace {

constexpr int64_t kMost = int64_t{1} << 24;  // of any size that a config.json names

constexpr EncoderNames kBert = {"bert",
                                "bert.",
                                "encoder.layer.",
                                "attention.self.query",
                                "attention.self.key",
                                "attention.self.value",
                                "attention.output.dense",
                                "attention.output.LayerNorm",
                                "intermediate.dense",
                                "output.dense",
                                "output.LayerNorm",
                                "hidden_size",
                                "num_hidden_layers",
                                "num_attention_heads",
                                "intermediate_size",
                                "hidden_act",
                                "layer_norm_eps",
                                true,
                                false,
                                false};

constexpr EncoderNames like_bert(const char* type, const char* prefix, bool types, bool padded_places) {
  EncoderNames names = kBert;
  names.model_type = type;
  names.prefix = prefix;
  names.types = types;
  names.padded_places = padded_places;
  return names;
}

constexpr EncoderNames mpnet() {
  EncoderNames names = like_bert("mpnet", "mpnet.", false, true);
  names.query = "attention.attn.q";
  names.key = "attention.attn.k";
  names.value = "attention.attn.v";
  names.attention_out = "attention.attn.o";
  names.attention_norm = "attention.LayerNorm";
  names.relative = true;
  return names;
}

constexpr EncoderNames kEncoders[] = {
    kBert,
    like_bert("roberta", "roberta.", true, true),
    like_bert("xlm-roberta", "roberta.", true, true),
    like_bert("camembert", "roberta.", true, true),
    like_bert("electra", "electra.", true, false),
    mpnet(),
    {"distilbert",
     "distilbert.",
     "transformer.layer.",
     "attention.q_lin",
     "attention.k_lin",
     "attention.v_lin",
     "attention.out_lin",
     "sa_layer_norm",
     "ffn.lin1",
     "ffn.lin2",
     "output_layer_norm",
     "dim",
     "n_layers",
     "n_heads",
     "hidden_dim",
     "activation",
     nullptr,
     false,
     false,
     false},
};

Tensor as_f32(const Tensor& tensor) {
  if (tensor.dtype() == DType::kF32) return tensor;
  if (!is_floating(tensor.dtype()))
    fail(Code::kUnsupported, "dtype ", to_string(tensor.dtype()), " found for a weight");
  Tensor result(DType::kF32, tensor.shape());
  float* to = result.data<float>();
  dispatch_floating(tensor.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = tensor.data<T>();
    for (int64_t i = 0; i < tensor.elems(); ++i) to[i] = static_cast<float>(from[i]);
  });
  return result;
}

// The bucket of the distance key - query: exact for near ones, logarithmic up to 128.
int64_t bucket_of(int64_t distance, int64_t buckets) {
  const int64_t half = buckets / 2, exact = half / 2;
  const int64_t side = distance > 0 ? half : 0;
  const int64_t far = std::abs(distance);
  if (far < exact) return side + far;
  const float ratio = std::log(static_cast<float>(far) / static_cast<float>(exact)) /
                      std::log(128.f / static_cast<float>(exact)) * static_cast<float>(half - exact);
  return side + std::min(exact + static_cast<int64_t>(ratio), half - 1);
}

}  // namespace

const EncoderNames* find_encoder(const std::string& model_type) {
  for (const EncoderNames& names : kEncoders) {
    if (model_type == names.model_type) return &names;
  }
  return nullptr;
}

std::string encoder_types() {
  std::string result;
  for (const EncoderNames& names : kEncoders) result += std::string(result.empty() ? "" : ", ") + names.model_type;
  return result;
}

Tensor Weights::take(const std::string& name, const Shape& shape) {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) fail(Code::kInvalidModel, "tensor \"", name, "\" is missing");
  const Tensor& tensor = it->second;
  bool fits = tensor.shape().size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] == -1 || shape[i] == tensor.shape()[i];
  if (!fits) {
    fail(Code::kInvalidModel, "tensor \"", name, "\" has shape ", to_string(tensor.shape()), ", config.json implies ",
         to_string(shape));
  }
  used_.insert(name);
  return with_context([&] { return "tensor \"" + name + "\""; }, [&] { return as_f32(tensor); });
}

void Weights::check_all_used() const {
  for (const auto& [name, tensor] : tensors_) {
    const bool buffer = name.ends_with(".position_ids") || name.ends_with(".token_type_ids");
    if (used_.count(name) == 0 && !buffer) {
      fail(Code::kUnsupported, "tensor \"", name, "\" belongs to no part that is supported");
    }
  }
}

EncoderWriter::EncoderWriter(Graph& graph, const EncoderNames& names, const JsonConfig& config, Weights& weights)
    : writer_(graph),
      names_(names),
      config_(config),
      weights_(weights),
      hidden_(config.integer(names.hidden, 1, kMost)),
      heads_(config.integer(names.heads, 1, kMost)),
      inner_(config.integer(names.inner, 1, kMost)),
      layers_(config.integer(names.layers, 1, 1024)),
      epsilon_(names.epsilon ? static_cast<float>(config.number(names.epsilon, 1e-12)) : 1e-12f),
      activation_(config.string(names.activation, "gelu")) {
  if (hidden_ % heads_ != 0) fail(Code::kInvalidModel, heads_, " heads do not divide a hidden size of ", hidden_);
  if (weights.has(names.prefix + std::string("embeddings.word_embeddings.weight"))) prefix_ = names.prefix;
}

ValueId EncoderWriter::write() {
  Graph& graph = writer_.graph();
  const SymShape shape = {Dim::symbol("batch"), Dim::symbol("sequence")};
  ids_ = graph.add_input("input_ids", DType::kS64, shape);
  mask_ = graph.add_input("attention_mask", DType::kS64, shape);
  const int64_t types = names_.types ? config_.integer("type_vocab_size", 0, kMost, 2) : 0;
  // A single type needs no input: that of RoBERTa.
  if (types > 1) types_ = graph.add_input("token_type_ids", DType::kS64, shape);

  writer_.set_place("embeddings");
  ValueId x = embed();
  const ValueId counts = writer_.add("Unsqueeze", {writer_.cast(mask_, DType::kBool), writer_.ints({1, 2})});
  masks_.push_back(
      writer_.add("Where", {counts, writer_.number(0.f), writer_.number(std::numeric_limits<float>::lowest())}));
  if (names_.relative) masks_.push_back(distance_bias());
  for (int64_t i = 0; i < layers_; ++i) {
    const std::string name = names_.layer + std::to_string(i);
    writer_.set_place(name);
    x = layer(x, prefix_ + name + ".");
  }
  writer_.set_place("");
  return x;
}

ValueId EncoderWriter::embed() {
  const std::string name = prefix_ + "embeddings.";
  const int64_t width = config_.integer("embedding_size", 1, kMost, hidden_);
  const auto table = [&](const char* part, int64_t rows) {
    return writer_.constant(weights_.take(name + part + ".weight", {rows, width}), name + part + ".weight");
  };
  const auto rows = [&](ValueId from, ValueId indices) {
    return writer_.add("Gather", {from, indices}, {{"axis", int64_t{0}}});
  };
  const ValueId words = rows(table("word_embeddings", config_.integer("vocab_size", 1, int64_t{1} << 31)), ids_);
  const ValueId places = table("position_embeddings", config_.integer("max_position_embeddings", 1, kMost));
  ValueId types = kNoValue;
  if (names_.types) {
    const ValueId all = table("token_type_embeddings", config_.integer("type_vocab_size", 1, kMost, 2));
    types = rows(all, types_ == kNoValue ? writer_.integer(0) : types_);
  }
  // In the order in which torch adds.
  ValueId sum = types == kNoValue ? words : writer_.add("Add", {words, types});
  sum = writer_.add("Add", {sum, rows(places, positions())});
  sum = norm(sum, name + "LayerNorm", width);
  return width == hidden_ ? sum : linear(sum, prefix_ + "embeddings_project", width, hidden_);
}

ValueId EncoderWriter::positions() {
  if (!names_.padded_places) {
    return writer_.add("Range", {writer_.integer(0), writer_.dim(ids_, 1), writer_.integer(1)});
  }
  const int64_t padding = config_.integer("pad_token_id", 0, kMost, 1);
  const ValueId filled = writer_.add("Not", {writer_.add("Equal", {ids_, writer_.integer(padding)})});
  const ValueId ones = writer_.cast(filled, DType::kS64);
  const ValueId counted = writer_.add("Mul", {writer_.add("CumSum", {ones, writer_.integer(1)}), ones});
  return writer_.add("Add", {counted, writer_.integer(padding)});
}

ValueId EncoderWriter::norm(ValueId x, const std::string& name, int64_t size) {
  const ValueId scale = writer_.constant(weights_.take(name + ".weight", {size}), name + ".weight");
  const ValueId bias = writer_.constant(weights_.take(name + ".bias", {size}), name + ".bias");
  return writer_.add("LayerNormalization", {x, scale, bias}, {{"axis", int64_t{-1}}, {"epsilon", epsilon_}});
}

ValueId EncoderWriter::linear(ValueId x, const std::string& name, int64_t in, int64_t out) {
  const ValueId weight = writer_.constant(weights_.take(name + ".weight", {out, in}), name + ".weight");
  const ValueId bias = writer_.constant(weights_.take(name + ".bias", {out}), name + ".bias");
  const ValueId transposed = writer_.add("Transpose", {weight}, {{"perm", std::vector<int64_t>{1, 0}}});
  return writer_.add("Add", {writer_.add("MatMul", {x, transposed}), bias});
}

ValueId EncoderWriter::activation(const std::string& name, ValueId x) {
  if (name == "gelu") return writer_.add("Gelu", {x}, {{"approximate", std::string("none")}});
  if (name == "gelu_new" || name == "gelu_pytorch_tanh") {
    return writer_.add("Gelu", {x}, {{"approximate", std::string("tanh")}});
  }
  if (name == "relu") return writer_.add("Relu", {x});
  if (name == "tanh") return writer_.add("Tanh", {x});
  if (name == "silu" || name == "swish") return writer_.add("Swish", {x}, {{"alpha", 1.f}});
  fail(Code::kUnsupported, "activation \"", name,
       "\" found, supported: gelu, gelu_new, gelu_pytorch_tanh, relu, tanh, silu, swish");
}

ValueId EncoderWriter::token(ValueId x, int64_t i) {
  return writer_.add("Gather", {x, writer_.integer(i)}, {{"axis", int64_t{1}}});
}

ValueId EncoderWriter::layer(ValueId x, const std::string& name) {
  const auto heads = [&](const char* part) {
    return writer_.split_heads(linear(x, name + part, hidden_, hidden_), heads_);
  };
  const ValueId q = heads(names_.query), k = heads(names_.key), v = heads(names_.value);
  const float scale = 1.f / std::sqrt(static_cast<float>(hidden_ / heads_));
  const ValueId seen = writer_.join_heads(writer_.attention(q, k, v, masks_, scale));
  ValueId sum = writer_.add("Add", {linear(seen, name + names_.attention_out, hidden_, hidden_), x});
  const ValueId middle = norm(sum, name + names_.attention_norm, hidden_);
  const ValueId up = activation(activation_, linear(middle, name + names_.up, hidden_, inner_));
  sum = writer_.add("Add", {linear(up, name + names_.down, inner_, hidden_), middle});
  return norm(sum, name + names_.out_norm, hidden_);
}

// [1,heads,s,s]: a learned number for each head and bucket of distances.
ValueId EncoderWriter::distance_bias() {
  const int64_t buckets = config_.integer("relative_attention_num_buckets", 4, 4096, 32);
  const int64_t longest = config_.integer("max_position_embeddings", 1, kMost);
  const std::string name = prefix_ + "encoder.relative_attention_bias.weight";
  const ValueId table = writer_.constant(weights_.take(name, {buckets, heads_}), name);
  std::vector<int64_t> by_distance;
  for (int64_t distance = 1 - longest; distance < longest; ++distance) {
    by_distance.push_back(bucket_of(distance, buckets));
  }
  const ValueId count = writer_.dim(ids_, 1);
  const ValueId places = writer_.add("Range", {writer_.integer(0), count, writer_.integer(1)});
  const ValueId from =
      writer_.add("Unsqueeze", {writer_.add("Sub", {places, writer_.integer(longest - 1)}), writer_.ints({1})});
  const ValueId index = writer_.add("Sub", {places, from});
  const Attrs rows = {{"axis", int64_t{0}}};
  const ValueId bias =
      writer_.add("Gather", {table, writer_.add("Gather", {writer_.ints(by_distance), index}, rows)}, rows);
  const ValueId by_head = writer_.add("Transpose", {bias}, {{"perm", std::vector<int64_t>{2, 0, 1}}});
  return writer_.add("Unsqueeze", {by_head, writer_.ints({0})});
}

}  // namespace neural_engine
