// The `neural_engine` binary: one command, its flags, an exit status.

#include <gflags/gflags.h>
#include <glog/logging.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>

#include "base/error.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/version.h"

DEFINE_string(model, "",
              "the model: an .onnx, .ne or frozen TensorFlow file, or a folder: SavedModel, Hugging Face or conf.yaml");
DEFINE_string(inputs, "",
              "name=file.npy,name=file.pb,... or a folder with input_0.pb, input_1.npy, ...; random when empty");
DEFINE_string(output, "", "the file to write");
DEFINE_string(output_dir, "", "the folder that receives the outputs, as .npy files named after them");
DEFINE_string(expect, "", "a folder with output_0.pb ...: compare with these answers");
DEFINE_double(rtol, 1e-3, "relative tolerance of --expect");
DEFINE_double(atol, 1e-5, "absolute tolerance of --expect");
DEFINE_string(cases, "", "a folder of ONNX backend cases: run each one and compare");
DEFINE_string(text, "", "a text to classify; its tokenizer and labels lie beside the model");
DEFINE_string(text_file, "", "texts to classify, one per line; - for standard input");
DEFINE_string(data, "", "labelled text: tab-separated, a header line with label and text (or text1, text2)");
DEFINE_string(metric, "accuracy", "accuracy, f1, mcc, pearson or spearman");
DEFINE_double(target, -1, "the metric's goal: exit status 1 below it");
DEFINE_int32(max_length, 0, "tokens of a text at most; 0: what the model takes");
DEFINE_int32(batch_size, 1, "rows of a request");
DEFINE_int32(seq_len, 128, "tokens of a row");
DEFINE_string(shapes, "", "input shapes, overriding the two above: name=1x128,name=1x3x224x224");
DEFINE_int32(seed, 0, "of the random inputs");
DEFINE_int32(iterations, 100, "timed runs");
DEFINE_int32(warmup, 10, "runs before the timed ones");
DEFINE_int32(w, 10, "the same as --warmup");
DEFINE_int32(threads, 0, "threads of a session; 0: all that the process may use");
DEFINE_string(precision, "auto", "of products with weights: auto, fp32, bf16 or int8_dynamic");
DEFINE_string(max_memory, "", "refuse what needs more: bytes, or 500M, 4G; empty: no limit");
DEFINE_int32(instances, 1, "sessions that run at once, each on CPUs of its own");
DEFINE_int32(cores_per_instance, 0, "CPUs of each instance; 0: an equal share");
DEFINE_bool(json, false, "results as JSON on standard output");
DEFINE_bool(optimize, true, "fuse and fold; --nooptimize runs the graph as the file says");
DEFINE_string(signature, "", "of a SavedModel; empty: serving_default, or the only one");
DEFINE_bool(explain, false, "for each step its shapes, kernel, why no other kernel, and time");
DEFINE_bool(roofline, false, "measure this machine's peaks and show how near to its bound each step is");
DEFINE_bool(operators, false, "the ONNX operators that this engine honours (needs no model)");
DEFINE_bool(graph, false, "the graph in text form");
DEFINE_bool(passes, false, "what the passes did, and what they refused and why");
DEFINE_string(calibration, "", "texts to calibrate on: tab-separated, a header line with text (or text1, text2)");
DEFINE_string(config, "", "a recipe (YAML, docs/COMPRESSION.md)");
DEFINE_string(approach, "", "static, dynamic or dynamic_per_token, for all operations that the recipe leaves open");
DEFINE_string(observer, "", "min_max, moving_average, percentile, entropy or mse, likewise");
DEFINE_int32(samples, 100, "rows of --calibration that are used, from the first on");
DEFINE_int32(pad_multiple, 1, "pad the rows of --calibration to a multiple of this many tokens");
DEFINE_string(with, "", "the model that is compared with --model");
DEFINE_int32(rows, 0, "rows of --data that are used, from the first on; 0: all");
DEFINE_double(min_cosine, 0.99, "a layer diverges when the cosine of both models' values is below this");
DEFINE_string(mask_input, "attention_mask", "the input whose zeros mark padding, which is left out");
DEFINE_string(max_loss, "1%", "what may be lost: a part of the fp32 model's metric (1%) or a difference (0.01)");
DEFINE_string(objective, "latency",
              "what is minimized: latency, size, memory, or weights between them (size:2,latency)");
DEFINE_string(strategy, "basic",
              "basic, conservative, mse, mse_v2, random, exhaustive, bayesian, tpe or front (docs/COMPRESSION.md)");
DEFINE_double(timeout, 0, "seconds after which no trial begins; 0: none");
DEFINE_int32(max_trials, 100, "trials at most; 0: no bound");
DEFINE_string(report, "", "a folder for report.html and report.json");
DEFINE_string(journal, "", "what a search that is cut off continues from; empty: OUTPUT.journal");
DEFINE_string(trace, "", "write a Chrome trace of one run to this file");

namespace neural_engine::tools {

namespace {

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"run",
       "run a model on tensors or on text; compare with expected outputs",
       {"model",   "inputs",    "output_dir", "expect",     "rtol",     "atol",     "cases",
        "text",    "text_file", "max_length", "batch_size", "seq_len",  "shapes",   "seed",
        "threads", "precision", "json",       "max_memory", "optimize", "signature"},
       run_model},
      {"evaluate",
       "a metric and the speed on labelled text",
       {"model", "data", "metric", "target", "max_length", "batch_size", "threads", "precision", "json", "max_memory",
        "optimize", "signature"},
       run_evaluate},
      {"benchmark",
       "latency, throughput and memory",
       {"model", "batch_size", "seq_len", "shapes", "inputs", "seed", "iterations", "warmup", "w", "threads",
        "precision", "instances", "cores_per_instance", "roofline", "json", "max_memory", "optimize", "signature"},
       run_benchmark},
      {"inspect",
       "inputs, outputs, operators, memory; --explain, --trace, --graph, --passes, --operators",
       {"model", "explain", "trace", "graph", "passes", "operators", "batch_size", "seq_len", "shapes", "inputs",
        "seed", "threads", "precision", "json", "max_memory", "optimize", "signature"},
       run_inspect},
      {"convert",
       "write a model as .ne: optimised, memory-mapped",
       {"model", "output", "json", "max_memory", "optimize", "signature"},
       run_convert},
      {"quantize",
       "calibrate and write a model in 8 bits, as .ne or ONNX",
       {"model", "calibration", "config", "output", "approach", "observer", "samples", "max_length", "batch_size",
        "pad_multiple", "threads", "json", "signature"},
       run_quantize},
      {"tune",
       "search for the fastest or smallest model in 8 bits that keeps its accuracy",
       {"model",      "data",   "metric",      "max_loss",   "target",     "objective",    "strategy", "timeout",
        "max_trials", "seed",   "calibration", "config",     "approach",   "observer",     "samples",  "rows",
        "output",     "report", "journal",     "max_length", "batch_size", "pad_multiple", "threads",  "json"},
       run_tune},
      {"compare",
       "two models side by side: error of each layer, agreement, accuracy",
       {"model", "with", "data", "rows", "min_cosine", "mask_input", "max_length", "batch_size", "threads", "json"},
       run_compare},
  };
  return kCommands;
}

void print_flag(const char* name) {
  const gflags::CommandLineFlagInfo info = gflags::GetCommandLineFlagInfoOrDie(name);
  std::printf("  --%-20s %s", name, info.description.c_str());
  if (!info.default_value.empty() && info.type != "bool") std::printf(" (%s)", info.default_value.c_str());
  std::printf("\n");
}

int print_help(const Command* command) {
  if (command == nullptr) {
    std::printf("neural_engine COMMAND --flag=value ...\n\n");
    for (const Command& each : commands()) std::printf("  %-10s %s\n", each.name, each.summary);
    std::printf(
        "\n`neural_engine COMMAND --help` lists a command's flags.\n"
        "Exit status: 0 done, 1 a goal or comparison failed, 2 wrong usage, 3 model or data refused.\n");
  } else {
    std::printf("neural_engine %s: %s\n\n", command->name, command->summary);
    for (const char* flag : command->flags) print_flag(flag);
  }
  return kDone;
}

int usage(const std::string& message) {
  std::cerr << "neural_engine: " << message << " (see neural_engine --help)\n";
  return kUsage;
}

const Command* find_command(const std::string& name) {
  for (const Command& command : commands()) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

// Sets one flag from `--name=value`, `--name value`, `--name` or `--noname`; true when the next word was its value.
// gflags converts and checks the value; its own parser is not used because it ends the process with status 1.
bool set_flag(const Command& command, const std::string& word, const char* next) {
  if (word.rfind("--", 0) != 0) throw UsageError{"unexpected argument \"" + word + "\""};
  const size_t equals = word.find('=');
  std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
  std::replace(name.begin(), name.end(), '-', '_');
  const auto reads = [&](const std::string& flag) {
    return std::any_of(command.flags.begin(), command.flags.end(), [&](const char* each) { return flag == each; });
  };
  std::string value = equals == std::string::npos ? "true" : word.substr(equals + 1);
  if (!reads(name) && name.rfind("no", 0) == 0 && reads(name.substr(2)) && equals == std::string::npos) {
    name = name.substr(2);
    value = "false";
  }
  if (!reads(name)) throw UsageError{"command " + std::string(command.name) + " has no flag --" + name};
  const bool is_bool = gflags::GetCommandLineFlagInfoOrDie(name.c_str()).type == "bool";
  const bool takes_next = !is_bool && equals == std::string::npos;
  if (takes_next && next == nullptr) throw UsageError{"flag --" + name + " has no value"};
  if (takes_next) value = next;
  if (gflags::SetCommandLineOption(name.c_str(), value.c_str()).empty()) {
    throw UsageError{"flag --" + name + " cannot be \"" + value + "\""};
  }
  return takes_next;
}

int dispatch(int argc, char** argv) {
  const auto is_help = [](const char* word) {
    return !std::strcmp(word, "--help") || !std::strcmp(word, "-h") || !std::strcmp(word, "help");
  };
  if (argc < 2) {
    print_help(nullptr);
    return kUsage;
  }
  if (is_help(argv[1])) return print_help(argc > 2 ? find_command(argv[2]) : nullptr);
  if (!std::strcmp(argv[1], "--version")) {
    std::printf("neural_engine %s\n", kVersion);
    return kDone;
  }
  const Command* command = find_command(argv[1]);
  if (command == nullptr) return usage("there is no command \"" + std::string(argv[1]) + "\"");
  if (std::any_of(argv + 2, argv + argc, is_help)) return print_help(command);

  for (int i = 2; i < argc; ++i) {
    const bool has_next = i + 1 < argc;
    if (set_flag(*command, argv[i], has_next ? argv[i + 1] : nullptr)) ++i;
  }
  if (!gflags::GetCommandLineFlagInfoOrDie("w").is_default) FLAGS_warmup = FLAGS_w;
  return command->run();
}

int run_main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const UsageError& error) {
    return usage(error.message);
  } catch (const Error& error) {
    LOG(ERROR) << to_string(error.code()) << ": " << error.what();
  } catch (const std::bad_alloc&) {
    LOG(ERROR) << "out of memory";
  } catch (const std::exception& error) {
    LOG(ERROR) << error.what();
  }
  return kRefused;
}

}  // namespace

}  // namespace neural_engine::tools

int main(int argc, char** argv) {
  FLAGS_logtostderr = true;
  google::InitGoogleLogging(argv[0]);
  gflags::SetVersionString(neural_engine::tools::kVersion);
  const int status = neural_engine::tools::run_main(argc, argv);
  // A full disk or a closed pipe must not look like success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    LOG(ERROR) << "cannot write the results to standard output";
    return neural_engine::tools::kRefused;
  }
  return status;
}
