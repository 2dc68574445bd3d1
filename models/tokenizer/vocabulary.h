// The tokens of a model and their ids.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace neural_engine {

class Vocabulary {
 public:
  // Ids are the rows of an embedding table; what is larger than this is a damaged file.
  static constexpr int64_t kMaxId = (int64_t{1} << 22) - 1;

  // A token may be given again: the last id counts, as for the reference. Two tokens of one id are refused, and ids
  // beyond kMaxId (kInvalidData).
  void add(std::string_view token, int64_t id);

  // -1 when there is no such token.
  int32_t find(std::string_view token) const;

  // nullptr when no token has the id.
  const std::string* token(int64_t id) const;

  size_t size() const { return ids_.size(); }
  int64_t max_id() const { return static_cast<int64_t>(tokens_.size()) - 1; }

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [token, id] : ids_) visit(token, id);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
  std::vector<const std::string*> tokens_;  // by id, into the keys of ids_; nullptr = a hole
};

}  // namespace neural_engine
