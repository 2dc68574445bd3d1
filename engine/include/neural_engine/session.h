// Sessions: a model made ready to run on this machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "neural_engine/export.h"
#include "neural_engine/model.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

// The arithmetic of products with constant weights.
enum class Precision {
  kAuto,         // the model's own
  kFp32,         // the same: nothing is made less precise than the model has it
  kBf16,         // a hint: without bf16 kernels for this CPU it is f32, and notes() says so
  kInt8Dynamic,  // s8 weights, one scale per column; activations quantized per row as they come; no calibration
};
// "auto", "fp32", "bf16", "int8_dynamic".
NEURAL_ENGINE_EXPORT const char* to_string(Precision precision) noexcept;
// Throws Error(kInvalidArgument) for another word.
NEURAL_ENGINE_EXPORT Precision parse_precision(const std::string& word);

struct SessionOptions {
  // Threads that run one request, the calling thread included. 0: as many as the process's CPU mask and its cgroup's
  // quota allow. More than that are refused down to it, unless `cpus` is given.
  int threads = 0;
  // CPUs for the session's workers. Empty: wherever the process may run. With as many entries as threads, worker i is
  // pinned to cpus[i] (the calling thread, 0, is the caller's to pin).
  std::vector<int> cpus = {};
  // Plans kept for distinct sets of input shapes; the least recently used makes room.
  int max_plans = 16;
  Precision precision = Precision::kAuto;
  // The bytes that weights, packed weights and the plans' activations and constants may take together; 0: no limit.
  // What would exceed them is refused with kOutOfMemory before activations are allocated, after plans of other shapes
  // were given up. Not counted: the caller's inputs and outputs, operators whose output size only the data decides, and
  // the program itself.
  size_t max_memory = 0;
};

// What one step of a plan does: for `explain`.
struct StepInfo {
  std::string name;  // of the node
  std::string op;
  std::vector<std::string> inputs;  // "f32[1,128,384]"
  std::vector<std::string> outputs;
  std::string kernel;                 // the row that runs
  std::vector<std::string> rejected;  // rows that do not: "name: reason"
  std::string place;                  // of output 0: "arena+4096", "output 0", "dynamic"
  size_t scratch_bytes = 0;
  double operations = 0;        // multiplications and additions of a product; 0 for other operators
  double weight_bytes = 0;      // constants that the step reads (packed weights as the model has them)
  double activation_bytes = 0;  // other operands and results, each once
  double begin_us = 0;          // since the start of the run, when profiled
  double time_us = 0;
};

struct MemoryStats {
  size_t weight_bytes = 0;    // the model's constants
  size_t packed_bytes = 0;    // weights packed for this CPU
  size_t released_bytes = 0;  // of weight_bytes: packed, and given back to the file that they are mapped from
  size_t arena_bytes = 0;     // activations of one run of the largest plan
  size_t constant_bytes = 0;  // constants that input shapes decided, of all plans
  size_t predicted_peak_bytes =
      0;  // what of all that is resident, for one run at a time; the program itself comes on top
};

// Thread-safe: run() may be called from many threads at once; one of the running calls uses the session's workers, the
// others the calling thread alone. The bits of a result do not depend on that, nor on the number of threads.
class NEURAL_ENGINE_EXPORT Session {
 public:
  explicit Session(const Model& model, const SessionOptions& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  const Model& model() const;
  int threads() const;

  // Inputs in the order of model().inputs(); outputs in the order of model().outputs(). Throws Error(kInvalidArgument)
  // for a wrong count, dtype or shape.
  std::vector<Tensor> run(std::span<const Tensor> inputs);
  // The same with given outputs: a defined tensor of the right dtype and shape receives the result in its memory, an
  // undefined one becomes a new tensor. Outputs must not overlap inputs. When all are defined and a plan for the shapes
  // exists, nothing is allocated (but by operators whose output size only the data decides).
  void run(std::span<const Tensor> inputs, std::span<Tensor> outputs);
  // By name.
  std::map<std::string, Tensor> run(const std::map<std::string, Tensor>& inputs);

  // Compiles the plan for these input shapes ahead of the first run.
  void prepare(const std::vector<Shape>& input_shapes);
  // The steps of the plan for these shapes, without times.
  std::vector<StepInfo> explain(const std::vector<Shape>& input_shapes);
  // Runs once and gives the steps with their times.
  std::vector<StepInfo> profile(std::span<const Tensor> inputs, std::vector<Tensor>* outputs = nullptr);

  MemoryStats memory() const;

  // What became of the precision that was asked for: one line each; empty when nothing was.
  const std::vector<std::string>& notes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace neural_engine
