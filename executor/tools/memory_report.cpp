#include "executor/tools/memory_report.h"

#include <iomanip>
#include <sstream>

#include "executor/tools/statistics.h"

namespace neural_engine::tools {

nlohmann::ordered_json memory_json(const MemoryStats& memory, bool measured) {
  nlohmann::ordered_json json = {
      {"weights", memory.weight_bytes},          {"packed", memory.packed_bytes},
      {"released", memory.released_bytes},       {"arena", memory.arena_bytes},
      {"plan_constants", memory.constant_bytes}, {"predicted_peak", memory.predicted_peak_bytes}};
  if (measured) json["peak_resident"] = peak_resident_bytes();
  return json;
}

std::string memory_line(const nlohmann::ordered_json& memory) {
  std::ostringstream line;
  line << std::fixed << std::setprecision(1);
  const auto mib = [&](const char* label, const char* key) {
    if (memory.contains(key)) line << "  " << label << " " << memory[key].get<double>() / (1 << 20);
  };
  line << "memory MiB ";
  mib("weights", "weights");
  mib("packed", "packed");
  mib("of the weights released", "released");
  mib("arena", "arena");
  mib("predicted peak", "predicted_peak");
  mib("peak resident", "peak_resident");
  return line.str();
}

}  // namespace neural_engine::tools
