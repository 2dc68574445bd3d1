#include "load/onnx_scope.h"

#include "base/error.h"

namespace neural_engine {

namespace {

// Names grow by the prefixes of nested function calls; a hostile file must not make gigabytes of them.
constexpr size_t kMaxName = 512;

}  // namespace

std::string UniqueNames::claim(const std::string& name) {
  if (name.empty() || name.size() > kMaxName) return {};
  if (taken_.insert(name).second) return name;
  for (;;) {
    std::string numbered = name + "#" + std::to_string(next_++);
    if (taken_.insert(numbered).second) return numbered;
  }
}

ValueId Scope::find(const std::string& name) const {
  const auto it = values.find(name);
  if (it == values.end()) {
    if (sequences.count(name) > 0) {
      fail(Code::kUnsupported, "value \"", name, "\" is a sequence, which is not supported here");
    }
    fail(Code::kInvalidModel, "value \"", name,
         "\" is not defined before its use (nodes must be in topological order)");
  }
  return it->second;
}

void Scope::define(const std::string& name, ValueId value) {
  if (name.empty()) fail(Code::kInvalidModel, "a value has no name");
  if (sequences.count(name) > 0 || !values.emplace(name, value).second)
    fail(Code::kInvalidModel, "value \"", name, "\" is defined twice");
}

void Scope::define_sequence(const std::string& name, Sequence sequence) {
  if (name.empty()) fail(Code::kInvalidModel, "a sequence has no name");
  if (values.count(name) > 0 || !sequences.emplace(name, std::move(sequence)).second) {
    fail(Code::kInvalidModel, "value \"", name, "\" is defined twice");
  }
}

ValueId Scope::define_new(const std::string& name) {
  const ValueId id = graph.add_value(names.claim(prefix + name));
  define(name, id);
  return id;
}

}  // namespace neural_engine
