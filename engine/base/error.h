// The internal side of errors: checks that throw Error with a formatted message.
#pragma once

#include <cassert>
#include <sstream>
#include <string>
#include <utility>

#include "neural_engine/error.h"

namespace neural_engine {

// "a" + 1 + "b" without std::format, which g++ 12 lacks.
template <class... Args>
std::string text(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

template <class... Args>
[[noreturn]] void fail(Code code, const Args&... args) {
  throw Error(code, text(args...));
}

// Cold paths only: the message's parts are evaluated before the check, so keep them cheap, or write
// `if (!condition) fail(...)`.
template <class... Args>
void require(bool condition, Code code, const Args&... args) {
  if (!condition) [[unlikely]]
    fail(code, args...);
}

// Runs `body` and puts `context` in front of the text of an Error that leaves it; bad_alloc becomes kOutOfMemory.
template <class Context, class Body>
decltype(auto) with_context(const Context& context, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    throw error.within(context());
  } catch (const std::bad_alloc&) {
    throw Error(Code::kOutOfMemory, "out of memory").within(context());
  }
}

}  // namespace neural_engine

// Invariants of hot paths: checked in debug builds only.
#define NE_DCHECK(condition) assert(condition)
