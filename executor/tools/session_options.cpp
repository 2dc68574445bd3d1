#include <charconv>
#include <cstdint>
#include <iostream>

#include "base/error.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"

namespace neural_engine::tools {

size_t parse_bytes(const std::string& flag, const std::string& text) {
  if (text.empty()) return 0;
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string suffix(end, text.data() + text.size());
  const size_t unit = suffix.empty() ? 0 : std::string_view("KMGT").find(suffix[0]);
  const bool valid = error == std::errc() && suffix.size() <= 1 && unit != std::string_view::npos;
  const size_t power = valid && !suffix.empty() ? unit + 1 : 0;
  if (!valid || number == 0 || number > SIZE_MAX >> (10 * power)) {
    throw UsageError{"--" + flag + " is \"" + text + "\", expected a number of bytes such as 500M or 4G"};
  }
  return number << (10 * power);
}

LoadOptions load_options() {
  return {.optimize = FLAGS_optimize,
          .max_memory = parse_bytes("max_memory", FLAGS_max_memory),
          .signature = FLAGS_signature};
}

SessionOptions session_options() {
  try {
    return {.threads = FLAGS_threads,
            .precision = parse_precision(FLAGS_precision),
            .max_memory = parse_bytes("max_memory", FLAGS_max_memory)};
  } catch (const Error& error) {
    throw UsageError{std::string("--precision: ") + error.what()};
  }
}

void print_notes(const Session& session) {
  for (const std::string& note : session.notes()) std::cerr << note << "\n";
}

}  // namespace neural_engine::tools
