// Errors of the public API.
#pragma once

#include <exception>
#include <string>

#include "neural_engine/export.h"

namespace neural_engine {

// Why a call was refused. `kUnsupported` means that the input is (or may be) valid and this engine does not honour it;
// `kInvalid*` means that no engine should.
enum class Code {
  kInvalidArgument,  // the caller's arguments: a wrong name, shape, dtype or option
  kInvalidModel,     // a malformed model file, or a graph that breaks its operators' rules
  kInvalidData,      // a malformed tensor, text, tokenizer or label file
  kUnsupported,      // an operator, attribute, dtype, opset or format version that the engine does not honour
  kIo,               // the operating system refused: open, read, write, map
  kOutOfMemory,
  kInternal,  // a broken invariant of the engine: please report it
};

NEURAL_ENGINE_EXPORT const char* to_string(Code code) noexcept;

// The one exception type that the library throws. what() is the whole text: the trail (outermost first, for example
// `model.onnx: node "/l0/Add" (Add): `) and then the message, which says what was found and what was expected.
class NEURAL_ENGINE_EXPORT Error : public std::exception {
 public:
  Error(Code code, std::string message);

  Code code() const noexcept { return code_; }
  const char* what() const noexcept override { return text_.c_str(); }

  // The same error with `context` in front of its text.
  Error within(const std::string& context) const;

 private:
  Code code_;
  std::string text_;
};

}  // namespace neural_engine
