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

}  // namespace

int run_text() {
  const std::vector<std::string> texts = read_texts();
  TextClassifier classifier = TextClassifier::load(
      FLAGS_model, {.max_length = FLAGS_max_length, .batch_size = FLAGS_batch_size}, session_options());
  print_notes(classifier.session());
  const std::vector<Classification> answers = classifier.classify(texts);
  std::cout << std::fixed << std::setprecision(4);
  for (size_t i = 0; i < texts.size(); ++i) {
    if (FLAGS_json) {
      const nlohmann::ordered_json line = {{"label", answers[i].label},
                                           {"name", answers[i].name},
                                           {"score", answers[i].score},
                                           {"scores", answers[i].scores},
                                           {"text", texts[i]}};
      std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
    } else {
      std::cout << answers[i].name << "\t" << answers[i].score << "\t" << texts[i] << "\n";
    }
  }
  return kDone;
}

}  // namespace neural_engine::tools
