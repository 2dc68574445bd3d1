#include "ir/attrs.h"

#include <algorithm>
#include <cstring>

namespace neural_engine {

namespace {

auto lower_bound(auto& items, std::string_view name) {
  return std::lower_bound(items.begin(), items.end(), name,
                          [](const auto& item, std::string_view key) { return item.first < key; });
}

}  // namespace

const char* to_string(AttrType type) noexcept {
  static constexpr const char* kNames[] = {"int", "float", "string", "ints", "floats", "strings", "tensor", "graph"};
  return kNames[static_cast<size_t>(type)];
}

const AttrValue* Attrs::find(std::string_view name) const {
  const auto it = lower_bound(items_, name);
  return it != items_.end() && it->first == name ? &it->second : nullptr;
}

void Attrs::set(std::string_view name, AttrValue value) {
  const auto it = lower_bound(items_, name);
  if (it != items_.end() && it->first == name) {
    it->second = std::move(value);
  } else {
    items_.insert(it, {std::string(name), std::move(value)});
  }
}

void Attrs::erase(std::string_view name) {
  const auto it = lower_bound(items_, name);
  if (it != items_.end() && it->first == name) items_.erase(it);
}

bool operator==(const Attrs& a, const Attrs& b) {
  return std::equal(a.items_.begin(), a.items_.end(), b.items_.begin(), b.items_.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && equal(x.second, y.second); });
}

bool equal(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        const T& other = std::get<T>(b);
        if constexpr (std::is_same_v<T, Tensor>) {
          return equal_bytes(value, other);
        } else {
          return value == other;
        }
      },
      a);
}

bool equal_bytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         (a.raw() == b.raw() || a.bytes() == 0 || std::memcmp(a.raw(), b.raw(), a.bytes()) == 0);
}

}  // namespace neural_engine
