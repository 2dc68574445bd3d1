#include "base/error.h"

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

Error::Error(Code code, std::string message) : code_(code), text_(std::move(message)) {}

Error Error::within(const std::string& context) const { return Error(code_, context + ": " + text_); }

}  // namespace neural_engine
