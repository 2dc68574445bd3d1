// `neural_engine inspect`.

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <set>

#include <nlohmann/json.hpp>

#include "base/atomic_file.h"
#include "executor/op_binding.h"
#include "executor/tools/command.h"
#include "executor/tools/flags.h"
#include "executor/tools/memory_report.h"
#include "executor/tools/random_inputs.h"
#include "executor/tools/tensor_files.h"
#include "ir/op_def.h"
#include "load/onnx_legacy.h"
#include "load/tensorflow.h"
#include "neural_engine/session.h"

namespace neural_engine::tools {

namespace {

using Json = nlohmann::ordered_json;

Json describe_operators() {
  Json list = Json::array();
  for (const OpDef* def : all_ops()) {
    if (find_binding(def->name) == nullptr) continue;
    Json op = {{"name", def->name}, {"onnx", Json::array()}};
    for (const OnnxOp& onnx : def->onnx) {
      op["onnx"].push_back(
          {{"op_type", onnx.op_type}, {"domain", onnx.domain}, {"since", onnx.since}, {"until", onnx.until}});
    }
    list.push_back(std::move(op));
  }
  // Older forms that the loader rewrites.
  for (std::span<const LegacyRule> family : legacy_families()) {
    for (const LegacyRule& rule : family) {
      const Json form = {
          {"op_type", rule.op_type}, {"domain", rule.domain}, {"since", rule.since}, {"until", rule.until}};
      list.push_back({{"name", rule.op_type}, {"onnx", Json::array({form})}});
    }
  }
  for (const TfOperators& family : tensorflow_operators()) {
    for (const std::string& op : family.names) {
      list.push_back({{"name", op}, {"onnx", Json::array()}, {"tensorflow", family.family}});
    }
  }
  return list;
}

int print_operators() {
  const Json list = describe_operators();
  if (FLAGS_json) {
    std::cout << list.dump() << "\n";
    return kDone;
  }
  std::set<std::string> lines;
  for (const Json& op : list) {
    for (const Json& onnx : op["onnx"]) {
      lines.insert(onnx["op_type"].get<std::string>() + "\topset " + std::to_string(onnx["since"].get<int>()) + " to " +
                   std::to_string(onnx["until"].get<int>()));
    }
    if (op.contains("tensorflow")) lines.insert(op["name"].get<std::string>() + "\tTensorFlow");
  }
  for (const std::string& line : lines) std::cout << line << "\n";
  return kDone;
}

Json describe_port(const TensorInfo& port) {
  Json shape = Json::array();
  for (size_t i = 0; i < port.shape.size(); ++i) {
    if (port.shape[i] >= 0) {
      shape.push_back(port.shape[i]);
    } else {
      shape.push_back(port.dim_names[i].empty() ? "?" : port.dim_names[i]);
    }
  }
  return {{"name", port.name}, {"dtype", to_string(port.dtype)}, {"shape", port.has_rank ? shape : Json("any")}};
}

Json describe_model(const Model& model) {
  Json report = {{"model", FLAGS_model}, {"parameters", model.parameters()}, {"weight_bytes", model.weight_bytes()}};
  for (const TensorInfo& input : model.inputs()) report["inputs"].push_back(describe_port(input));
  for (const TensorInfo& output : model.outputs()) report["outputs"].push_back(describe_port(output));
  report["ops"] = model.op_counts();
  return report;
}

Json describe_step(const StepInfo& step, double total_us) {
  return {{"name", step.name},       {"op", step.op},
          {"inputs", step.inputs},   {"outputs", step.outputs},
          {"kernel", step.kernel},   {"rejected", step.rejected},
          {"place", step.place},     {"scratch_bytes", step.scratch_bytes},
          {"time_us", step.time_us}, {"share", total_us > 0 ? step.time_us / total_us : 0}};
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : " ") + word;
  return result;
}

void print_steps(const std::vector<StepInfo>& steps, double total_us) {
  std::cout << std::fixed << std::setprecision(1) << "\n    us   share  step\n";
  for (const StepInfo& step : steps) {
    std::cout << std::setw(8) << step.time_us << std::setw(6) << 100 * step.time_us / std::max(total_us, 1e-9) << "%  "
              << step.op << " \"" << step.name << "\"  " << joined(step.inputs) << " -> " << joined(step.outputs)
              << "  kernel " << step.kernel << "  at " << step.place << "\n";
    for (const std::string& reason : step.rejected) std::cout << "                  not " << reason << "\n";
  }
  std::map<std::string, double> by_op;
  for (const StepInfo& step : steps) by_op[step.op + " " + step.kernel] += step.time_us;
  std::vector<std::pair<double, std::string>> sums;
  for (const auto& [op, us] : by_op) sums.emplace_back(us, op);
  std::sort(sums.rbegin(), sums.rend());
  std::cout << "\n";
  for (const auto& [us, op] : sums)
    std::cout << std::setw(8) << us << std::setw(6) << 100 * us / std::max(total_us, 1e-9) << "%  " << op << "\n";
  std::cout << std::setw(8) << total_us << "  total\n";
}

// The format of chrome://tracing and Perfetto.
void write_trace(const std::vector<StepInfo>& steps) {
  Json events = Json::array();
  for (const StepInfo& step : steps) {
    events.push_back(
        {{"name", step.op},
         {"cat", "op"},
         {"ph", "X"},
         {"ts", step.begin_us},
         {"dur", step.time_us},
         {"pid", 1},
         {"tid", 1},
         {"args", {{"node", step.name}, {"kernel", step.kernel}, {"inputs", step.inputs}, {"outputs", step.outputs}}}});
  }
  write_file_atomically(FLAGS_trace, Json{{"traceEvents", events}, {"displayTimeUnit", "ms"}}.dump());
}

// The median of several runs would need several profiles per step: the last of a few runs is warm.
constexpr int kProfileRuns = 5;

void profile(const Model& model, Json& report) {
  const std::vector<Tensor> inputs =
      FLAGS_inputs.empty() ? random_inputs(model, input_shapes(model, {FLAGS_batch_size, FLAGS_seq_len, FLAGS_shapes}),
                                           static_cast<uint64_t>(FLAGS_seed))
                           : read_inputs(FLAGS_inputs, model.inputs());
  Session session(model, session_options());
  print_notes(session);
  std::vector<StepInfo> steps;
  for (int i = 0; i < kProfileRuns; ++i) steps = session.profile(inputs);
  double total_us = 0;
  for (const StepInfo& step : steps) total_us += step.time_us;
  report["memory_bytes"] = memory_json(session.memory(), true);
  report["total_us"] = total_us;
  for (const StepInfo& step : steps) report["steps"].push_back(describe_step(step, total_us));
  if (!FLAGS_trace.empty()) write_trace(steps);
  if (FLAGS_explain && !FLAGS_json) print_steps(steps, total_us);
}

// Without a run: what the plan for these shapes and its packed weights take.
void predict_memory(const Model& model, Json& report) {
  try {
    Session session(model, {.threads = FLAGS_threads});
    session.prepare(input_shapes(model, {FLAGS_batch_size, FLAGS_seq_len, FLAGS_shapes}));
    report["memory_bytes"] = memory_json(session.memory(), false);
  } catch (const Error& error) {
    report["memory_unknown"] = error.what();  // a model may want shapes that only its user knows
  }
}

void print_summary(const Model& model, const Json& report) {
  std::cout << FLAGS_model << ": " << model.parameters() << " parameters, " << model.weight_bytes() << " bytes\n";
  for (const char* kind : {"inputs", "outputs"}) {
    if (!report.contains(kind)) continue;
    for (const Json& port : report[kind]) {
      std::cout << "  " << std::string(kind).substr(0, std::string(kind).size() - 1) << " "
                << port["name"].get<std::string>() << "  " << port["dtype"].get<std::string>() << port["shape"].dump()
                << "\n";
    }
  }
  std::cout << "  ops";
  for (const auto& [op, count] : model.op_counts()) std::cout << "  " << op << " " << count;
  std::cout << "\n";
  if (report.contains("memory_bytes")) {
    std::cout << "  " << memory_line(report["memory_bytes"]) << "\n";
  } else {
    std::cout << "  memory is not known for these shapes: " << report["memory_unknown"].get<std::string>() << "\n";
  }
}

}  // namespace

int run_inspect() {
  if (FLAGS_operators) return print_operators();
  if (FLAGS_model.empty()) throw UsageError{"--model is missing"};
  const Model model = Model::load(FLAGS_model, load_options());
  Json report = describe_model(model);
  if (FLAGS_graph && !FLAGS_json) std::cout << model.text();
  if (FLAGS_graph) report["graph"] = model.text();
  if (FLAGS_passes) report["passes"] = model.pass_log();
  if (FLAGS_passes && !FLAGS_json) {
    for (const std::string& line : model.pass_log()) std::cout << line << "\n";
  }
  if (FLAGS_explain || !FLAGS_trace.empty()) {
    profile(model, report);
  } else {
    predict_memory(model, report);
  }
  if (FLAGS_json) {
    std::cout << report.dump() << "\n";
  } else {
    print_summary(model, report);
  }
  return kDone;
}

}  // namespace neural_engine::tools
