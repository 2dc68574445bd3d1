#include "base/error.h"

#include <cstdio>

namespace neural_engine {

const char* to_string(Code code) noexcept {
  switch (code) {
    case Code::kInvalidArgument: return "invalid argument";
    case Code::kInvalidModel: return "invalid model";
    case Code::kInvalidData: return "invalid data";
    case Code::kUnsupported: return "unsupported";
    case Code::kIo: return "input/output";
    case Code::kOutOfMemory: return "out of memory";
    case Code::kInternal: return "internal";
  }
  return "unknown";
}

void append_text(std::string& out, std::string_view part) { out += part; }
void append_text(std::string& out, char part) { out += part; }
void append_text(std::string& out, bool part) { out += part ? '1' : '0'; }
void append_integer(std::string& out, long long part) { out += std::to_string(part); }
void append_unsigned(std::string& out, unsigned long long part) { out += std::to_string(part); }

void append_text(std::string& out, double part) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%g", part);
  out += digits;
}

Error::Error(Code code, std::string message) : code_(code), text_(std::move(message)) {}

Error Error::within(const std::string& context) const { return Error(code_, context + ": " + text_); }

}  // namespace neural_engine
