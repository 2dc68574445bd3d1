#include "executor/tools/run_text.h"

#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "neural_engine/text.h"

namespace neural_engine::tools {

namespace {

std::vector<std::string> read_texts() {
  if (!FLAGS_text.empty() && !FLAGS_text_file.empty()) throw UsageError{"--text and --text_file exclude each other"};
  if (!FLAGS_text.empty()) return {FLAGS_text};
  std::ifstream file;
  if (FLAGS_text_file != "-") file.open(FLAGS_text_file);
  std::istream& in = FLAGS_text_file == "-" ? std::cin : file;
  std::vector<std::string> texts;
  for (std::string line; std::getline(in, line);) texts.push_back(line);
  if (in.bad() || (FLAGS_text_file != "-" && !file.is_open())) fail(Code::kIo, FLAGS_text_file, ": cannot be read");
  return texts;
}

void print(const nlohmann::ordered_json& line) {
  std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void classify(TextClassifier classifier, const std::vector<std::string>& texts) {
  print_notes(classifier.session());
  const std::vector<Classification> answers = classifier.classify(texts);
  std::cout << std::fixed << std::setprecision(4);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (FLAGS_json) {
      print({{"label", answers[i].label},
             {"name", answers[i].name},
             {"score", answers[i].score},
             {"scores", answers[i].scores},
             {"text", texts[i]}});
    } else {
      std::cout << answers[i].name << "\t" << answers[i].score << "\t" << texts[i] << "\n";
    }
  }
}

// Nine digits: as many as a float has.
void embed(TextEmbedder embedder, const std::vector<std::string>& texts) {
  print_notes(embedder.session());
  const std::vector<std::vector<float>> vectors = embedder.embed(texts);
  std::cout << std::setprecision(9);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (FLAGS_json) {
      print({{"embedding", vectors[i]}, {"text", texts[i]}});
      continue;
    }
    for (size_t k = 0; k < vectors[i].size(); ++k) std::cout << (k == 0 ? "" : " ") << vectors[i][k];
    std::cout << "\t" << texts[i] << "\n";
  }
}

}  // namespace

int run_text() {
  const std::vector<std::string> texts = read_texts();
  const Model model = Model::load(FLAGS_model, load_options());
  const TextOptions options = {.max_length = FLAGS_max_length, .batch_size = FLAGS_batch_size};
  const SessionOptions session = session_options();
  if (TextEmbedder::fits(model)) {
    embed(TextEmbedder::load(model, FLAGS_model, options, session), texts);
  } else {
    classify(TextClassifier::load(model, FLAGS_model, options, session), texts);
  }
  return kDone;
}

}  // namespace neural_engine::tools
