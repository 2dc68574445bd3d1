#include "executor/tools/roofline.h"

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <map>

#include "executor/thread_pool.h"
#include "kernels/machine_peaks.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;
using Rate = MachinePeaks::Rate;

constexpr int kRuns = 11;

Json json_of(const Rate& rate) {
  if (rate.per_second == 0) return nullptr;
  return {{"per_second", rate.per_second}, {"loop", rate.loop}};
}

Json json_of(const MachinePeaks& peaks) {
  return {{"threads", peaks.threads},    {"f32", json_of(peaks.f32)}, {"bf16", json_of(peaks.bf16)},
          {"int8", json_of(peaks.int8)}, {"l2", json_of(peaks.l2)},   {"l3", json_of(peaks.l3)},
          {"dram", json_of(peaks.dram)}};
}

// Median over runs of the same plan.
std::vector<StepInfo> profile(Session& session, const std::vector<Tensor>& inputs) {
  std::vector<StepInfo> steps = session.profile(inputs);  // plans and packs; its times do not count
  std::vector<std::vector<double>> times(steps.size());
  for (int run = 0; run < kRuns; ++run) {
    const std::vector<StepInfo> once = session.profile(inputs);
    for (size_t i = 0; i < once.size(); ++i) times[i].push_back(once[i].time_us);
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    std::nth_element(times[i].begin(), times[i].begin() + kRuns / 2, times[i].end());
    steps[i].time_us = times[i][kRuns / 2];
  }
  return steps;
}

// Rows of the kernel table tell their arithmetic in their names; what is not a row computes in f32 or moves bytes.
const Rate& compute_rate(const MachinePeaks& peaks, const std::string& kernel) {
  if (kernel.starts_with("int_")) return peaks.int8;
  const bool bf16 = kernel.find(".bf16") != std::string::npos && peaks.bf16.per_second > 0;
  return bf16 ? peaks.bf16 : peaks.f32;
}

struct Memory {
  const char* name;
  double per_second;
};

// Where so many bytes lie that were touched all at once before.
Memory memory_of(const MachinePeaks& peaks, double bytes) {
  if (bytes <= peaks.l2_bytes) return {"L2", peaks.l2.per_second};
  if (bytes <= peaks.l3_bytes) return {"L3", peaks.l3.per_second};
  return {"DRAM", peaks.dram.per_second};
}

// The least time of a step: arithmetic at its peak, or its operands at the rate of where they lie, whichever is longer.
// Weights lie where all weights of the model together find room, activations where the step's own do.
Json describe(const StepInfo& step, const MachinePeaks& peaks, const Memory& weights) {
  const Memory activations = memory_of(peaks, step.activation_bytes);
  const double compute_us = step.operations / compute_rate(peaks, step.kernel).per_second * 1e6;
  const double weight_us = step.weight_bytes / weights.per_second * 1e6;
  const double activation_us = step.activation_bytes / activations.per_second * 1e6;
  const double bound_us = std::max(compute_us, weight_us + activation_us);
  const char* memory = weight_us > activation_us ? weights.name : activations.name;
  return {{"name", step.name},
          {"op", step.op},
          {"kernel", step.kernel},
          {"time_us", step.time_us},
          {"operations", step.operations},
          {"bytes", step.weight_bytes + step.activation_bytes},
          {"bound_us", bound_us},
          {"bound_by", compute_us >= bound_us ? "compute" : memory},
          {"fraction", step.time_us > 0 ? bound_us / step.time_us : 0}};
}

// Adds a step to the line of its operator and kernel, or to that of all.
void add(const Json& step, Json& sum) {
  for (const char* key : {"time_us", "operations", "bytes", "bound_us"})
    sum[key] = sum.value(key, 0.0) + step[key].get<double>();
  sum["fraction"] = sum["time_us"] > 0 ? sum["bound_us"].get<double>() / sum["time_us"].get<double>() : 0;
}

Json sums_by_kernel(const Json& steps) {
  std::map<std::string, Json> sums;
  for (const Json& step : steps) {
    Json& sum = sums[step["op"].get<std::string>() + " " + step["kernel"].get<std::string>()];
    sum["op"] = step["op"];
    sum["kernel"] = step["kernel"];
    add(step, sum);
  }
  std::vector<Json> sorted;
  for (auto& [name, sum] : sums) sorted.push_back(std::move(sum));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Json& a, const Json& b) { return a["time_us"] > b["time_us"]; });
  return sorted;
}

void print_rate(const char* name, const Json& rate, const char* unit) {
  if (rate.is_null()) return;
  std::cout << "  " << name << " " << rate["per_second"].get<double>() / 1e9 << " " << unit;
}

void print_machine(const Json& peaks) {
  std::cout << "machine, " << peaks["threads"] << " thread(s):";
  print_rate("f32", peaks["f32"], "GFLOP/s");
  print_rate("bf16", peaks["bf16"], "GFLOP/s");
  print_rate("int8", peaks["int8"], "GOP/s");
  print_rate("L2", peaks["l2"], "GB/s");
  print_rate("L3", peaks["l3"], "GB/s");
  print_rate("DRAM", peaks["dram"], "GB/s");
  std::cout << "\n";
}

void print_line(const Json& line) {
  std::cout << std::setw(10) << line["time_us"].get<double>() << std::setw(10) << line["bound_us"].get<double>()
            << std::setw(8) << 100 * line["fraction"].get<double>() << "%" << std::setw(9)
            << line["operations"].get<double>() / 1e6 << std::setw(9) << line["bytes"].get<double>() / 1e6 << "  "
            << std::setw(7) << line.value("bound_by", "") << "  " << line.value("op", "sum of the steps") << " "
            << line.value("kernel", "");
  if (line.contains("name")) std::cout << " \"" << line["name"].get<std::string>() << "\"";
  std::cout << "\n";
}

}  // namespace

Json roofline(Session& session, const std::vector<Tensor>& inputs) {
  const std::vector<StepInfo> steps = profile(session, inputs);
  SerialParallel serial;
  Json report;
  report["machine"].push_back(json_of(measure_peaks(cpu(), serial)));
  ThreadPool pool(session.threads());
  const MachinePeaks peaks = measure_peaks(cpu(), pool);
  if (session.threads() > 1) report["machine"].push_back(json_of(peaks));
  double weight_bytes = 0;
  for (const StepInfo& step : steps) weight_bytes += step.weight_bytes;
  report["steps"] = Json::array();
  Json sum = Json::object();
  for (const StepInfo& step : steps) {
    report["steps"].push_back(describe(step, peaks, memory_of(peaks, weight_bytes)));
    add(report["steps"].back(), sum);
  }
  report["kernels"] = sums_by_kernel(report["steps"]);
  report["sum"] = sum;
  return report;
}

void print_roofline(const Json& report) {
  std::cout << std::fixed << std::setprecision(1);
  for (const Json& peaks : report["machine"]) print_machine(peaks);
  const char* head = "        us  bound us  reached    M ops       MB  bound by\n";
  std::cout << "\n" << head;
  for (const Json& step : report["steps"]) print_line(step);
  std::cout << "\n" << head;
  for (const Json& kernel : report["kernels"]) print_line(kernel);
  print_line(report["sum"]);
  if (report.contains("wall_us"))
    std::cout << std::setw(10) << report["wall_us"].get<double>() << "  wall time of a run\n";
}

}  // namespace neural_engine::tools
