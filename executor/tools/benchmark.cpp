// `neural_engine benchmark`.

#include <atomic>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <latch>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "executor/cpu_set.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/memory_report.h"
#include "executor/tools/progress.h"
#include "executor/tools/random_inputs.h"
#include "executor/tools/roofline.h"
#include "executor/tools/statistics.h"
#include "executor/tools/tensor_files.h"
#include "neural_engine/session.h"

namespace neural_engine::tools {

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// CPUs of each instance; empty lists for a single instance that is not asked to keep to some.
std::vector<std::vector<int>> share_cpus(int instances, int cores) {
  if (instances == 1 && cores == 0) return {{}};
  const std::vector<int> all = allowed_cpus();
  const int each = cores != 0 ? cores : static_cast<int>(all.size()) / instances;
  if (each < 1 || each * instances > static_cast<int>(all.size())) {
    throw UsageError{text(instances, " instances of ", std::max(each, 1), " CPUs need more than the ", all.size(),
                          " that this process may use")};
  }
  std::vector<std::vector<int>> result;
  for (int i = 0; i < instances; ++i) result.emplace_back(all.begin() + i * each, all.begin() + (i + 1) * each);
  return result;
}

struct Measured {
  std::vector<double> ms;
  double seconds = 0;
  double load_ms = 0, first_ms = 0;
  MemoryStats memory;
  int threads = 0;
};

// One session: all instances start their timed runs together.
void measure(const Model& model, const std::vector<Tensor>& inputs, const std::vector<int>& cpus, std::latch& start,
             Progress* progress, Measured& result) {
  if (!cpus.empty()) pin_thread({cpus.front()});
  const Clock::time_point created = Clock::now();
  SessionOptions options = session_options();
  options.cpus = cpus;
  Session session(model, options);
  if (progress != nullptr) print_notes(session);
  std::vector<Tensor> outputs = session.run(inputs);
  result.first_ms = ms_since(created);
  for (int i = 1; i < FLAGS_warmup; ++i) session.run(inputs, outputs);
  start.arrive_and_wait();
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < FLAGS_iterations; ++i) {
    const Clock::time_point once = Clock::now();
    session.run(inputs, outputs);
    result.ms.push_back(ms_since(once));
    if (progress != nullptr) progress->advance(1);
  }
  result.seconds = ms_since(begin) / 1e3;
  result.memory = session.memory();
  result.threads = session.threads();
}

void check_flags() {
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  session_options();  // refused before a thread is started
  if (FLAGS_iterations < 1) throw UsageError{"--iterations must be at least 1"};
  if (FLAGS_warmup < 0) throw UsageError{"--warmup must not be negative"};
  if (FLAGS_instances < 1) throw UsageError{"--instances must be at least 1"};
  if (FLAGS_roofline && FLAGS_instances > 1) throw UsageError{"--roofline draws one instance"};
  if (FLAGS_batch_size < 1 || FLAGS_seq_len < 1) throw UsageError{"--batch_size and --seq_len must be at least 1"};
}

std::vector<Measured> measure_all(const Model& model, const std::vector<Tensor>& inputs) {
  const std::vector<std::vector<int>> cpus = share_cpus(FLAGS_instances, FLAGS_cores_per_instance);
  std::vector<Measured> results(cpus.size());
  std::vector<std::string> errors(cpus.size());
  Progress progress("benchmark", FLAGS_iterations);
  std::latch start(static_cast<std::ptrdiff_t>(cpus.size()));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < cpus.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        measure(model, inputs, cpus[i], start, i == 0 ? &progress : nullptr, results[i]);
      } catch (const std::exception& error) {
        errors[i] = error.what();
        start.count_down();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) {
    if (!error.empty()) fail(Code::kInvalidArgument, error);
  }
  return results;
}

Json report_of(const std::vector<Measured>& results, const std::vector<Shape>& shapes, const Model& model,
               double load_ms) {
  std::vector<double> all;
  double rows_per_second = 0;
  MemoryStats memory;
  for (const Measured& each : results) {
    all.insert(all.end(), each.ms.begin(), each.ms.end());
    rows_per_second += static_cast<double>(each.ms.size()) * FLAGS_batch_size / each.seconds;
    memory = each.memory;
  }
  const Latency latency = summarize(std::move(all));
  Json report = {{"model", FLAGS_model}, {"threads", results[0].threads}, {"instances", results.size()}};
  for (size_t i = 0; i < shapes.size(); ++i) report["inputs"][model.inputs()[i].name] = shapes[i];
  report["iterations"] = FLAGS_iterations;
  report["latency_ms"] = {{"mean", latency.mean}, {"min", latency.min}, {"median", latency.median},
                          {"p90", latency.p90},   {"p99", latency.p99}, {"max", latency.max}};
  report["throughput_rows_per_s"] = rows_per_second;
  report["load_ms"] = load_ms;
  report["first_run_ms"] = results[0].first_ms;
  report["memory_bytes"] = memory_json(memory, true);
  return report;
}

void print(const Json& report) {
  const Json& latency = report["latency_ms"];
  std::cout << std::fixed << std::setprecision(3);
  std::cout << "latency ms   mean " << latency["mean"].get<double>() << "  median " << latency["median"].get<double>()
            << "  p90 " << latency["p90"].get<double>() << "  p99 " << latency["p99"].get<double>() << "  min "
            << latency["min"].get<double>() << "\n";
  std::cout << "throughput   " << report["throughput_rows_per_s"].get<double>() << " rows/s, " << report["instances"]
            << " instance(s) of " << report["threads"] << " thread(s)\n";
  std::cout << "load         " << report["load_ms"].get<double>() << " ms, first run "
            << report["first_run_ms"].get<double>() << " ms (plan and packing included)\n"
            << memory_line(report["memory_bytes"]) << "\n";
}

}  // namespace

int run_benchmark() {
  check_flags();
  const Clock::time_point start = Clock::now();
  const Model model = Model::load(FLAGS_model, load_options());
  const double load_ms = ms_since(start);
  std::vector<Shape> shapes;
  std::vector<Tensor> inputs;
  if (FLAGS_inputs.empty()) {
    shapes = input_shapes(model, {FLAGS_batch_size, FLAGS_seq_len, FLAGS_shapes});
    inputs = random_inputs(model, shapes, static_cast<uint64_t>(FLAGS_seed));
  } else {
    inputs = read_inputs(FLAGS_inputs, model.inputs());
    for (const Tensor& input : inputs) shapes.push_back(input.shape());
  }
  Json report = report_of(measure_all(model, inputs), shapes, model, load_ms);
  if (FLAGS_roofline) {
    Session session(model, session_options());
    report["roofline"] = roofline(session, inputs);
    report["roofline"]["wall_us"] = report["latency_ms"]["median"].get<double>() * 1e3;
  }
  if (FLAGS_json) {
    std::cout << report.dump() << "\n";
  } else {
    print(report);
    if (FLAGS_roofline) print_roofline(report["roofline"]);
  }
  return kDone;
}

}  // namespace neural_engine::tools
