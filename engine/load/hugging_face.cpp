#include "load/hugging_face.h"

#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"
#include "load/hugging_face_encoder.h"

namespace neural_engine {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// The names that sentence-transformers gives to its modules end the same, wherever the class lies.
std::string class_name(const std::string& type) {
  const size_t dot = type.rfind('.');
  return dot == std::string::npos ? type : type.substr(dot + 1);
}

class FolderReader {
 public:
  FolderReader(const std::string& folder, const Json& config)
      : folder_(folder), config_(config), names_(encoder()), weights_(read_safetensors_folder(folder)) {}

  Graph read() {
    check_settings();
    EncoderWriter encoder(graph_, names_, config_, weights_);
    const ValueId states = encoder.write();
    add_head(encoder, states);
    if (fs::exists(path("modules.json"))) {
      if (!head_.empty()) fail(Code::kUnsupported, "modules.json beside a ", architecture(), " found");
      add_sentence_embedding(encoder, states);
    }
    if (head_.empty()) graph_.add_output("last_hidden_state", states);
    weights_.check_all_used();
    return std::move(graph_);
  }

 private:
  std::string path(const std::string& name) const { return (fs::path(folder_) / name).string(); }

  const EncoderNames& encoder() const {
    const std::string type = config_.string("model_type");
    const EncoderNames* names = find_encoder(type);
    if (names == nullptr) fail(Code::kUnsupported, "model_type \"", type, "\" found, supported: ", encoder_types());
    return *names;
  }

  void check_settings() const {
    for (const char* name : {"is_decoder", "add_cross_attention", "is_encoder_decoder"}) {
      if (config_.boolean(name, false)) {
        fail(Code::kUnsupported, "config.json: ", name, " is true, supported are encoders");
      }
    }
    const std::string positions = config_.string("position_embedding_type", "absolute");
    if (positions != "absolute") {
      fail(Code::kUnsupported, "config.json: position_embedding_type \"", positions, "\" found, supported: absolute");
    }
    if (config_.has("quantization_config")) fail(Code::kUnsupported, "config.json: quantization_config found");
  }

  std::string architecture() const {
    const Json* list = config_.find("architectures");
    if (list == nullptr) return {};
    if (!list->is_array() || list->size() != 1 || !list->front().is_string()) {
      fail(Code::kInvalidModel, "config.json: architectures is not a list of one name");
    }
    return list->front().get<std::string>();
  }

  int64_t num_labels() const {
    const Json* labels = config_.find("id2label");
    if (labels != nullptr && labels->is_object() && !labels->empty()) return static_cast<int64_t>(labels->size());
    return config_.integer("num_labels", 1, 1 << 20, 2);
  }

  void add_head(EncoderWriter& encoder, ValueId states) {
    const std::string name = architecture();
    const size_t at = name.find("For");
    head_ = at == std::string::npos ? "" : name.substr(at);
    encoder.writer().set_place("head");
    if (head_.empty()) return ignore_pooler(encoder);
    if (head_ == "ForSequenceClassification") {
      graph_.add_output("logits", sequence_logits(encoder, states));
    } else if (head_ == "ForTokenClassification") {
      graph_.add_output("logits", encoder.linear(states, "classifier", encoder.hidden(), num_labels()));
    } else if (head_ == "ForQuestionAnswering") {
      const ValueId both = encoder.linear(states, "qa_outputs", encoder.hidden(), 2);
      for (int64_t i = 0; i < 2; ++i) {
        const ValueId logits =
            encoder.writer().add("Gather", {both, encoder.writer().integer(i)}, {{"axis", int64_t{2}}});
        graph_.add_output(i == 0 ? "start_logits" : "end_logits", logits);
      }
    } else {
      fail(Code::kUnsupported, "architecture \"", name,
           "\" found, supported: a model without a head, ForSequenceClassification, ForTokenClassification, "
           "ForQuestionAnswering");
    }
    ignore_pooler(encoder);
  }

  // Files of an encoder may hold a pooler that the head has no use for.
  void ignore_pooler(const EncoderWriter& encoder) {
    for (const char* part : {"weight", "bias"}) weights_.ignore(encoder.prefix() + "pooler.dense." + part);
  }

  ValueId sequence_logits(EncoderWriter& encoder, ValueId states) {
    const int64_t hidden = encoder.hidden();
    const std::string type = names_.model_type;
    const ValueId first = encoder.token(states, 0);
    if (type == "bert") {
      const ValueId pooled = encoder.activation("tanh", encoder.linear(first, "bert.pooler.dense", hidden, hidden));
      return encoder.linear(pooled, "classifier", hidden, num_labels());
    }
    if (type == "distilbert") {
      const ValueId dense = encoder.activation("relu", encoder.linear(first, "pre_classifier", hidden, hidden));
      return encoder.linear(dense, "classifier", hidden, num_labels());
    }
    const ValueId dense = encoder.linear(first, "classifier.dense", hidden, hidden);
    return encoder.linear(encoder.activation(type == "electra" ? "gelu" : "tanh", dense), "classifier.out_proj", hidden,
                          num_labels());
  }

  // ---- sentence-transformers

  void add_sentence_embedding(EncoderWriter& encoder, ValueId states) {
    const Json modules = Json::parse(read_file(path("modules.json"), size_t{1} << 20), nullptr, false);
    if (!modules.is_array() || modules.size() > 8) fail(Code::kInvalidModel, "modules.json is no list of modules");
    ValueId x = states;
    std::string before;
    for (const Json& module : modules) {
      if (!module.is_object()) fail(Code::kInvalidModel, "modules.json: an entry is no object");
      const JsonConfig fields(module);
      const std::string name = class_name(fields.string("type"));
      encoder.writer().set_place(name);
      if (name == "Transformer" && before.empty()) {
        check_whole_folder(fields.string("path", ""));
      } else if (name == "Pooling" && before == "Transformer") {
        x = pooled(encoder, x, fields.string("path"));
      } else if (name == "Normalize" && before == "Pooling") {
        x = normalized(encoder, x);
      } else {
        fail(Code::kUnsupported, "modules.json: module \"", name, "\" after \"", before,
             "\" found, supported: Transformer, Pooling, Normalize");
      }
      before = name;
    }
    if (before != "Pooling" && before != "Normalize") fail(Code::kUnsupported, "modules.json has no Pooling");
    graph_.add_output("sentence_embedding", x);
  }

  static void check_whole_folder(const std::string& module_path) {
    if (!module_path.empty()) fail(Code::kUnsupported, "modules.json: a Transformer in \"", module_path, "\" found");
  }

  // The one mode of pooling that is on.
  std::string pooling_mode(const std::string& module_path) const {
    const std::shared_ptr<const MappedFile> file = MappedFile::open_below(folder_, module_path + "/config.json");
    const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->size());
    const Json json = parse_json_object(text);
    const JsonConfig config(json);
    std::string mode = config.string("pooling_mode", "");
    for (const auto& [name, value] : json.items()) {
      if (!name.starts_with("pooling_mode_") || !config.boolean(name.c_str(), false)) continue;
      if (!mode.empty()) fail(Code::kUnsupported, module_path, ": two modes of pooling found, supported is one");
      mode = name.substr(std::string_view("pooling_mode_").size());
    }
    if (!config.boolean("include_prompt", true)) fail(Code::kUnsupported, module_path, ": include_prompt false found");
    return mode;
  }

  ValueId pooled(EncoderWriter& encoder, ValueId states, const std::string& module_path) {
    const std::string mode = pooling_mode(module_path);
    GraphWriter& w = encoder.writer();
    if (mode == "cls" || mode == "cls_token") return encoder.token(states, 0);
    const ValueId counts = w.add("Unsqueeze", {encoder.mask(), w.ints({2})});
    if (mode == "mean" || mode == "mean_tokens") {
      const ValueId weight = w.cast(counts, DType::kF32);
      const Attrs attrs = {{"keepdims", int64_t{0}}};
      const ValueId sum = w.add("ReduceSum", {w.add("Mul", {states, weight}), w.ints({1})}, attrs);
      const ValueId count = w.add("Max", {w.add("ReduceSum", {weight, w.ints({1})}, attrs), w.number(1e-9f)});
      return w.add("Div", {sum, count});
    }
    if (mode == "max" || mode == "max_tokens") {
      const ValueId kept = w.add("Where", {w.cast(counts, DType::kBool), states, w.number(-1e9f)});
      return w.add("ReduceMax", {kept, w.ints({1})}, {{"keepdims", int64_t{0}}});
    }
    fail(Code::kUnsupported, module_path, ": pooling mode \"", mode, "\" found, supported: cls, mean, max");
  }

  static ValueId normalized(EncoderWriter& encoder, ValueId x) {
    GraphWriter& w = encoder.writer();
    const ValueId length = w.add("ReduceL2", {x, w.ints({-1})}, {{"keepdims", int64_t{1}}});
    return w.add("Div", {x, w.add("Max", {length, w.number(1e-12f)})});
  }

  const std::string folder_;
  const JsonConfig config_;
  const EncoderNames& names_;
  Weights weights_;
  Graph graph_;
  std::string head_;  // "ForSequenceClassification" ...
};

}  // namespace

Graph load_hugging_face(const std::string& folder) {
  return with_context([&] { return folder; },
                      [&] {
                        const Json config = read_json_object((fs::path(folder) / "config.json").string());
                        return FolderReader(folder, config).read();
                      });
}

}  // namespace neural_engine
