#include "models/tokenizer/vocabulary.h"

#include "base/error.h"

namespace neural_engine {

void Vocabulary::add(std::string_view token, int64_t id) {
  if (id < 0 || id > kMaxId) {
    fail(Code::kInvalidData, "token \"", token, "\" has the id ", id, ", expected 0 to ", kMaxId);
  }
  const auto index = static_cast<size_t>(id);
  if (index < tokens_.size() && tokens_[index] != nullptr) {
    fail(Code::kInvalidData, "tokens \"", *tokens_[index], "\" and \"", token, "\" have the same id ", id);
  }
  const auto [it, added] = ids_.emplace(token, static_cast<int32_t>(id));
  if (!added) {
    tokens_[static_cast<size_t>(it->second)] = nullptr;
    it->second = static_cast<int32_t>(id);
  }
  if (index >= tokens_.size()) tokens_.resize(index + 1, nullptr);
  tokens_[index] = &it->first;
}

int32_t Vocabulary::find(std::string_view token) const {
  const auto it = ids_.find(token);
  return it == ids_.end() ? -1 : it->second;
}

const std::string* Vocabulary::token(int64_t id) const {
  return id >= 0 && id <= max_id() ? tokens_[static_cast<size_t>(id)] : nullptr;
}

}  // namespace neural_engine
