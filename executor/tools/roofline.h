// `neural_engine benchmark --roofline`: each step of a plan beside the bound that this machine sets.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "neural_engine/session.h"

namespace neural_engine::tools {

// Measures the machine's peaks for one thread and for the session's, profiles some runs, and gives
//   machine  peaks: {threads, f32, bf16, int8 (operations per second), l2, l3, dram (bytes per second)}
//   steps    name, op, kernel, time_us (median), operations, bytes, bound_us, bound_by, fraction of the bound reached
//   kernels  the same, summed by operator and kernel
//   time_us, bound_us, fraction of the whole
nlohmann::ordered_json roofline(Session& session, const std::vector<Tensor>& inputs);

void print_roofline(const nlohmann::ordered_json& report);

}  // namespace neural_engine::tools
