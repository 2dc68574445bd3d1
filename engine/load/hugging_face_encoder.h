// The parts of an encoder that load_hugging_face puts together.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "load/graph_writer.h"
#include "load/json_config.h"
#include "load/safetensors.h"

namespace neural_engine {

// What the kinds of encoders name differently.
struct EncoderNames {
  const char* model_type;
  const char* prefix;  // of the encoder's tensors in a model with a head
  const char* layer;   // "encoder.layer."
  const char *query, *key, *value, *attention_out, *attention_norm, *up, *down, *out_norm;
  // Fields of config.json.
  const char *hidden, *layers, *heads, *inner, *activation, *epsilon;
  bool types;          // token_type_ids
  bool padded_places;  // positions count what is no padding, from the padding's id on
  bool relative;       // a bias by distance, one table for all layers
};
// nullptr: there is none.
const EncoderNames* find_encoder(const std::string& model_type);
std::string encoder_types();

// Tensors by name, as f32; each is asked for with the shape that config.json implies.
class Weights {
 public:
  explicit Weights(NamedTensors tensors) : tensors_(std::move(tensors)) {}

  bool has(const std::string& name) const { return tensors_.count(name) > 0; }
  // With dimensions of -1 that may be anything.
  Tensor take(const std::string& name, const Shape& shape);
  void ignore(const std::string& name) { used_.insert(name); }
  // Refuses what nobody took.
  void check_all_used() const;

 private:
  NamedTensors tensors_;
  std::set<std::string> used_;
};

class EncoderWriter {
 public:
  EncoderWriter(Graph& graph, const EncoderNames& names, const JsonConfig& config, Weights& weights);

  // Makes the graph's inputs and the encoder; [batch,sequence,hidden].
  ValueId write();
  ValueId linear(ValueId x, const std::string& name, int64_t in, int64_t out);
  ValueId activation(const std::string& name, ValueId x);
  // Row `i` of the sequence: [batch,hidden].
  ValueId token(ValueId x, int64_t i);

  GraphWriter& writer() { return writer_; }
  const std::string& prefix() const { return prefix_; }
  int64_t hidden() const { return hidden_; }
  ValueId mask() const { return mask_; }

 private:
  ValueId embed();
  ValueId positions();
  ValueId norm(ValueId x, const std::string& name, int64_t size);
  ValueId layer(ValueId x, const std::string& name);
  ValueId distance_bias();

  GraphWriter writer_;
  const EncoderNames& names_;
  const JsonConfig& config_;
  Weights& weights_;
  std::string prefix_;
  int64_t hidden_, heads_, inner_, layers_;
  float epsilon_;
  std::string activation_;
  ValueId ids_ = kNoValue, mask_ = kNoValue, types_ = kNoValue;
  std::vector<ValueId> masks_;
};

}  // namespace neural_engine
