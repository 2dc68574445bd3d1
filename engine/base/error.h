// The internal side of errors: checks that throw Error with a formatted message.
#pragma once

#include <cassert>
#include <concepts>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "neural_engine/error.h"

namespace neural_engine {

// The parts of a message. Not streams: messages stand on hundreds of cold paths, and each would instantiate them.
void append_text(std::string& out, std::string_view part);
void append_text(std::string& out, char part);
void append_text(std::string& out, bool part);
void append_text(std::string& out, double part);  // %g
void append_integer(std::string& out, long long part);
void append_unsigned(std::string& out, unsigned long long part);

template <class T>
void append_part(std::string& out, const T& part) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_text(out, std::string_view(part));
  } else if constexpr (std::same_as<T, char> || std::same_as<T, bool>) {
    append_text(out, part);
  } else if constexpr (std::signed_integral<T>) {
    append_integer(out, part);
  } else if constexpr (std::unsigned_integral<T>) {
    append_unsigned(out, part);
  } else {
    append_text(out, static_cast<double>(part));
  }
}

// "a" + 1 + "b" without std::format, which g++ 12 lacks.
template <class... Args>
std::string text(const Args&... args) {
  std::string out;
  (append_part(out, args), ...);
  return out;
}

template <class... Args>
[[noreturn, gnu::cold]] void fail(Code code, const Args&... args) {
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
