// What the passes did to a graph and what they left alone, and why: for `explain`, for logs and for bisecting.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace neural_engine {

class PassReport {
 public:
  struct Entry {
    std::string rule;
    std::string where;   // the node's name
    std::string reason;  // empty: applied
    bool applied() const { return reason.empty(); }
  };

  // After `max_patches` changes the passes stop; -1: no limit. The environment's NE_MAX_PATCHES sets the default, and
  // NE_LOG=passes writes each line to stderr as it happens.
  PassReport();
  explicit PassReport(int64_t max_patches);

  // To be asked before a change is made; false once the limit is reached.
  bool may_apply() const { return max_patches_ < 0 || applied_ < max_patches_; }
  void applied(std::string_view rule, std::string_view where);
  // Told once for each rule, place and reason.
  void refused(std::string_view rule, std::string_view where, std::string_view reason);

  // A pass that is about to make constants `bytes` larger in all (negative: smaller) asks here; false once the passes
  // have made them much larger than what they were: 64 MiB more than `original`, the first time that anyone asks.
  bool may_grow(int64_t bytes, int64_t original);

  const std::vector<Entry>& entries() const { return entries_; }
  int64_t num_applied() const { return applied_; }
  int64_t count(std::string_view rule) const;  // of changes by this rule
  // "applied gelu at /layer.3/Mul", "refused gelu at /layer.4/Mul: inner value used by ..."; one line each.
  std::string to_string() const;
  // "gelu 6, layer_norm 13": the changes, by rule.
  std::string summary() const;

 private:
  void add(Entry entry);

  int64_t max_patches_ = -1;
  int64_t applied_ = 0;
  int64_t growth_ = 0;
  int64_t max_growth_ = -1;  // -1: nobody has asked
  bool log_ = false;
  std::vector<Entry> entries_;
  std::unordered_set<std::string> refusals_;
};

}  // namespace neural_engine
