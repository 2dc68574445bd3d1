#include "executor/tools/calibration.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "compressor/names.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "models/labelled_text.h"
#include "models/text_encoder.h"
#include "models/text_inputs.h"

namespace neural_engine::tools {

namespace fs = std::filesystem;

namespace {

// The moving average is over runs: single rows would make it the range of a typical row, and clip the others.
constexpr int kRowsPerRun = 16;

int rows_per_run() {
  return gflags::GetCommandLineFlagInfoOrDie("batch_size").is_default ? kRowsPerRun : FLAGS_batch_size;
}

}  // namespace

std::vector<std::vector<Tensor>> calibration_inputs(const LabelledText& texts, const Model& model) {
  const TextEncoder encoder(FLAGS_model, FLAGS_max_length);
  const size_t rows = texts.texts.size(), step = static_cast<size_t>(rows_per_run());
  std::vector<std::vector<Tensor>> inputs;
  for (size_t begin = 0; begin < rows; begin += step) {
    const size_t count = std::min(step, rows - begin);
    const auto pairs =
        texts.pairs.empty() ? std::span<const std::string>() : std::span(texts.pairs).subspan(begin, count);
    inputs.push_back(
        encoder.encode(std::span(texts.texts).subspan(begin, count), pairs, model.inputs(), FLAGS_pad_multiple));
  }
  return inputs;
}

void copy_text_files(const std::string& model, const std::string& output) {
  const fs::path from = text_folder(model), to = text_folder(output);
  std::error_code ignored;
  if (fs::equivalent(from, to, ignored)) return;
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "vocab.txt", "labels.txt", "config.json",
                           "sentence_bert_config.json"}) {
    if (!fs::exists(from / name) || fs::exists(to / name)) continue;
    std::ifstream file(from / name, std::ios::binary);
    std::ostringstream content;
    content << file.rdbuf();
    require(file.good(), Code::kIo, (from / name).string(), ": cannot be read");
    write_file_atomically((to / name).string(), content.str());
  }
}

Recipe recipe_from_flags() {
  Recipe recipe = FLAGS_config.empty() ? Recipe() : Recipe::load(FLAGS_config);
  OpSettings settings;
  if (!FLAGS_approach.empty()) settings.approach = parse_name(kApproaches, FLAGS_approach, "--approach");
  if (!FLAGS_observer.empty()) settings.observer = parse_name(kObservers, FLAGS_observer, "--observer");
  recipe.set_global(settings);
  return recipe;
}

void check_output() {
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  if (FLAGS_output.empty()) throw UsageError{"--output is missing"};
  const std::string ending = fs::path(FLAGS_output).extension().string();
  if (ending != ".ne" && ending != ".onnx") throw UsageError{"--output is neither a .ne nor an .onnx file"};
  std::error_code ignored;
  if (fs::equivalent(FLAGS_model, FLAGS_output, ignored)) throw UsageError{"--output is the model itself"};
  if (FLAGS_samples < 1) throw UsageError{"--samples is less than 1"};
  if (FLAGS_batch_size < 1) throw UsageError{"--batch_size is less than 1"};
  if (FLAGS_pad_multiple < 1) throw UsageError{"--pad_multiple is less than 1"};
}

}  // namespace neural_engine::tools
