#include "models/tokenizer/char_set.h"

namespace neural_engine {
namespace {

constexpr std::string_view kCategoryNames[] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
                                               "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
                                               "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs"};
static_assert(std::size(kCategoryNames) == unicode::kCategories);

}  // namespace

void CharSet::add_range(char32_t first, char32_t last, bool negated) { items_.push_back({first, last, 0, 0, negated}); }
void CharSet::add_categories(uint32_t mask, bool negated) { items_.push_back({0, 0, mask, 0, negated}); }
void CharSet::add_property(unicode::Property property, bool negated) { items_.push_back({0, 0, 0, property, negated}); }

void CharSet::prepare() {
  ascii_ = {};
  for (char32_t c = 0; c < 128; ++c) {
    if (contains_slow(c)) ascii_[c >> 6] |= uint64_t{1} << (c & 63);
  }
}

bool CharSet::contains_slow(char32_t c) const noexcept {
  const uint16_t properties = unicode::properties(c);
  for (const Item& item : items_) {
    bool found;
    if (item.categories != 0) {
      found = ((item.categories >> (properties & 31)) & 1) != 0;
    } else if (item.property != 0) {
      found = (properties & item.property) != 0;
    } else {
      found = c >= item.first && c <= item.last;
    }
    if (found != item.negated) return !negated_;
  }
  return negated_;
}

uint32_t CharSet::categories(std::string_view name) {
  uint32_t mask = 0;
  if (name.empty() || name.size() > 2) return 0;
  for (uint32_t i = 0; i < unicode::kCategories; ++i) {
    if (kCategoryNames[i] == name || (name.size() == 1 && kCategoryNames[i][0] == name[0])) mask |= uint32_t{1} << i;
  }
  return mask;
}

}  // namespace neural_engine
