#include <iostream>

#include "base/error.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"

namespace neural_engine::tools {

LoadOptions load_options() { return {.optimize = FLAGS_optimize, .signature = FLAGS_signature}; }

SessionOptions session_options() {
  try {
    return {.threads = FLAGS_threads, .precision = parse_precision(FLAGS_precision)};
  } catch (const Error& error) {
    throw UsageError{std::string("--precision: ") + error.what()};
  }
}

void print_notes(const Session& session) {
  for (const std::string& note : session.notes()) std::cerr << note << "\n";
}

}  // namespace neural_engine::tools
