// Hugging Face folders: the answers of tests/data/hugging_face are compared by tests/run_zoo.py; here what is refused.
#include "load/hugging_face.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"
#include "load/safetensors.h"
#include "onnx_model.h"

namespace neural_engine {
namespace {

namespace fs = std::filesystem;

const std::string kFolders = std::string(NE_SOURCE_DIR) + "/tests/data/hugging_face/";

// A copy of a folder in which one piece of one file is another.
std::string error_with(const std::string& folder, const std::string& file, const std::string& from,
                       const std::string& to) {
  const testing::TemporaryFolder copy;
  for (const auto& entry : fs::recursive_directory_iterator(kFolders + folder)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".pb") continue;
    const std::string name = fs::relative(entry.path(), kFolders + folder).string();
    std::string contents = read_file(entry.path().string());
    if (name == file) {
      const size_t at = contents.find(from);
      EXPECT_NE(at, std::string::npos) << file << " has no " << from;
      if (at != std::string::npos) contents.replace(at, from.size(), to);
    }
    copy.write(name, contents);
  }
  try {
    load_hugging_face(copy.path());
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

void expect(const std::string& found, const std::string& expected) {
  EXPECT_NE(found.find(expected), std::string::npos) << "found: " << found << "\nexpected: " << expected;
}

TEST(HuggingFace, InputsAndOutputs) {
  const Graph graph = load_hugging_face(kFolders + "bert_mean");
  ASSERT_EQ(graph.inputs().size(), 3u);
  EXPECT_EQ(graph.value(graph.inputs()[2]).name, "token_type_ids");
  ASSERT_EQ(graph.outputs().size(), 2u);
  EXPECT_EQ(graph.outputs()[0].name, "sentence_embedding");
  EXPECT_EQ(to_string(*graph.value(graph.outputs()[0].value).facts.shape), "[batch,16]");
  EXPECT_EQ(load_hugging_face(kFolders + "roberta_classify").inputs().size(), 2u);
}

TEST(HuggingFace, RefusesSettings) {
  const auto config = [](const std::string& from, const std::string& to) {
    return error_with("bert", "config.json", from, to);
  };
  expect(config("\"model_type\": \"bert\"", "\"model_type\": \"t5\""),
         "model_type \"t5\" found, supported: bert, roberta");
  expect(config("\"model_type\": \"bert\"", "\"model_type\": 3"), "field \"model_type\" is number, expected a string");
  expect(config("\"is_decoder\": false", "\"is_decoder\": true"), "is_decoder is true");
  expect(config("\"num_attention_heads\": 2", "\"num_attention_heads\": 3"), "3 heads do not divide");
  expect(config("\"num_attention_heads\": 2", "\"num_attention_heads\": 0"), "is 0, expected 1 to");
  expect(config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3"), "\"encoder.layer.2.");
  expect(config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1"), "belongs to no part that is supported");
  expect(config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 99999999"), "expected 1 to 1024");
  expect(config("\"vocab_size\": 40", "\"vocab_size\": 41"), "has shape [40,16], config.json implies [41,16]");
  expect(config("\"hidden_act\": \"gelu\"", "\"hidden_act\": \"gelu_fast\""), "activation \"gelu_fast\" found");
  expect(config("\"BertModel\"", "\"BertForMaskedLM\""), "architecture \"BertForMaskedLM\" found");
  expect(config("\"model_type\"", "\"position_embedding_type\": \"relative_key\", \"model_type\""),
         "position_embedding_type \"relative_key\" found");
  expect(config("{", "{{"), "config.json: a JSON object is expected");
}

TEST(HuggingFace, RefusesModules) {
  expect(error_with("bert_mean", "modules.json", "models.Normalize", "models.Dense"),
         "module \"Dense\" after \"Pooling\" found");
  expect(error_with("bert_mean", "modules.json", "\"1_Pooling\"", "\"../1_Pooling\""), "..");
  expect(error_with("bert_mean", "modules.json", "[", "{"), "modules.json is no list");
  expect(error_with("bert_mean", "1_Pooling/config.json", "\"pooling_mode_cls_token\": false",
                    "\"pooling_mode_cls_token\": true"),
         "two modes of pooling found");
  expect(error_with("bert_mean", "1_Pooling/config.json", "pooling_mode_mean_tokens", "pooling_mode_weighted"),
         "pooling mode \"weighted\" found, supported: cls, mean, max");
}

// A safetensors file of zeros as f32, one after the other.
std::string zeros(const std::vector<std::pair<std::string, int64_t>>& tensors) {
  std::string header;
  int64_t place = 0;
  for (const auto& [name, count] : tensors) {
    header += (header.empty() ? "{\"" : ",\"") + name + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(count) +
              "],\"data_offsets\":[" + std::to_string(place) + "," + std::to_string(place + 4 * count) + "]}";
    place += 4 * count;
  }
  header += "}";
  std::string size(8, '\0');
  size[0] = static_cast<char>(header.size());
  return size + header + std::string(static_cast<size_t>(place), '\0');
}

TEST(Safetensors, ReadsWhatAnIndexLists) {
  const auto error_of = [](const std::string& index) -> std::string {
    const testing::TemporaryFolder folder;
    folder.write("model.safetensors.index.json", index);
    folder.write("1.safetensors", zeros({{"a", 2}, {"b", 1}}));
    folder.write("2.safetensors", zeros({{"c", 3}}));
    try {
      const NamedTensors tensors = read_safetensors_folder(folder.path());
      return std::to_string(tensors.size()) + " tensors, c has " + std::to_string(tensors.at("c").elems());
    } catch (const Error& error) {
      return error.what();
    }
  };
  const std::string one = R"("a":"1.safetensors","b":"1.safetensors")";
  expect(error_of("{\"metadata\":{},\"weight_map\":{" + one + R"(,"c":"2.safetensors"}})"), "3 tensors, c has 3");
  expect(error_of("{\"weight_map\":{" + one + R"(,"c":"1.safetensors"}})"), "1.safetensors has no tensor \"c\"");
  expect(error_of(R"({"weight_map":{"a":"1.safetensors","c":"2.safetensors"}})"), "1.safetensors has a tensor \"b\"");
  expect(error_of("{\"weight_map\":{" + one + R"(,"c":"3.safetensors"}})"), "3.safetensors");
  expect(error_of("{\"weight_map\":{" + one + R"(,"c":"../2.safetensors"}})"), "file \"../2.safetensors\" found");
  expect(error_of("{\"weight_map\":{" + one + R"(,"c":"/etc/passwd"}})"), "file \"/etc/passwd\" found");
  expect(error_of("{\"weight_map\":{" + one + R"(,"c":7}})"), "tensor \"c\": its file is no string");
  expect(error_of("{}"), "weight_map is no object");
  expect(error_of("[]"), "a JSON object is expected");
}

TEST(HuggingFace, NamesTheMissingFile) {
  const testing::TemporaryFolder folder;
  EXPECT_THROW(load_hugging_face(folder.path()), Error);
}

}  // namespace
}  // namespace neural_engine
