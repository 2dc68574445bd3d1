// Attributes of a node: a small sorted map of names to values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "neural_engine/tensor.h"

namespace neural_engine {

class Graph;
using GraphPtr = std::shared_ptr<const Graph>;

using AttrValue = std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                               std::vector<std::string>, Tensor, GraphPtr>;

// In the order of AttrValue's alternatives.
enum class AttrType { kInt, kFloat, kString, kInts, kFloats, kStrings, kTensor, kGraph };
const char* to_string(AttrType type) noexcept;
inline AttrType type_of(const AttrValue& value) { return static_cast<AttrType>(value.index()); }

class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<std::pair<std::string, AttrValue>> items) {
    for (const auto& [name, value] : items) set(name, value);
  }

  const AttrValue* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  void set(std::string_view name, AttrValue value);
  void erase(std::string_view name);
  const std::vector<std::pair<std::string, AttrValue>>& items() const { return items_; }

  // The value; a missing one or one of another type is a defect of the engine (the loader has checked types).
  template <class T>
  const T& get(std::string_view name) const {
    const AttrValue* value = find(name);
    if (value == nullptr) fail(Code::kInternal, "attribute \"", name, "\" is missing");
    const T* typed = std::get_if<T>(value);
    if (typed == nullptr) fail(Code::kInternal, "attribute \"", name, "\" has another type");
    return *typed;
  }
  template <class T>
  T get_or(std::string_view name, T otherwise) const {
    return has(name) ? get<T>(name) : otherwise;
  }

  // Equal by value: tensors by dtype, shape and bytes, graphs by identity.
  friend bool operator==(const Attrs& a, const Attrs& b);

 private:
  std::vector<std::pair<std::string, AttrValue>> items_;  // sorted by name
};

bool equal(const AttrValue& a, const AttrValue& b);
bool equal_bytes(const Tensor& a, const Tensor& b);  // dtype, shape and bits

}  // namespace neural_engine
