// The commands of the `neural_engine` binary.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

namespace neural_engine::tools {

// The binary's exit status.
enum ExitStatus {
  kDone = 0,
  kGoalMissed = 1,  // done, but a stated goal or comparison failed
  kUsage = 2,
  kRefused = 3,  // model or data
};

struct Command {
  const char* name;
  const char* summary;
  std::vector<const char*> flags;  // those that it reads; any other that is given is refused
  int (*run)();
};

int run_model();     // run
int run_evaluate();  // evaluate
int run_benchmark();
int run_inspect();
int run_convert();
int run_quantize();
int run_tune();
int run_compare();

// Wrong usage: printed with a pointer to --help, exit status kUsage.
struct UsageError {
  std::string message;
};

}  // namespace neural_engine::tools
