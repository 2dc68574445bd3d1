// What a session holds, as `benchmark` and `inspect` tell it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "neural_engine/session.h"

namespace neural_engine::tools {

// Bytes by kind; `peak_resident` (VmHWM, the program included) where `measured`.
nlohmann::ordered_json memory_json(const MemoryStats& memory, bool measured);

// One line of the same, in MiB.
std::string memory_line(const nlohmann::ordered_json& memory);

}  // namespace neural_engine::tools
