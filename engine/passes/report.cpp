#include "passes/report.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>

#include "base/error.h"

namespace neural_engine {

namespace {

int64_t limit_from_environment() {
  const char* text = std::getenv("NE_MAX_PATCHES");
  if (text == nullptr || *text == '\0') return -1;
  char* end = nullptr;
  const long long value = std::strtoll(text, &end, 10);
  if (*end != '\0' || value < 0) {
    fail(Code::kInvalidArgument, "NE_MAX_PATCHES is \"", text, "\", expected a number of patches");
  }
  return value;
}

bool log_from_environment() {
  const char* text = std::getenv("NE_LOG");
  return text != nullptr && std::string_view(text).find("passes") != std::string_view::npos;
}

// What masks, tables and shape arithmetic of real models come to, several times over. On top of it the weights may be
// there a second time: tied embeddings are transposed for one of their two uses.
constexpr int64_t kMaxGrowth = int64_t{64} << 20;

std::string line(const PassReport::Entry& entry) {
  return (entry.applied() ? "applied " : "refused ") + entry.rule + " at " + entry.where +
         (entry.applied() ? "" : ": " + entry.reason);
}

}  // namespace

PassReport::PassReport() : PassReport(limit_from_environment()) {}

PassReport::PassReport(int64_t max_patches) : max_patches_(max_patches), log_(log_from_environment()) {}

bool PassReport::may_grow(int64_t bytes, int64_t original) {
  if (max_growth_ < 0) max_growth_ = kMaxGrowth + original;
  if (bytes > max_growth_ - growth_) return false;
  growth_ += bytes;
  return true;
}

void PassReport::applied(std::string_view rule, std::string_view where) {
  ++applied_;
  add({.rule = std::string(rule), .where = std::string(where), .reason = {}});
}

void PassReport::refused(std::string_view rule, std::string_view where, std::string_view reason) {
  Entry entry{.rule = std::string(rule), .where = std::string(where), .reason = std::string(reason)};
  if (refusals_.insert(line(entry)).second) add(std::move(entry));
}

void PassReport::add(Entry entry) {
  if (log_) std::clog << line(entry) << '\n';
  entries_.push_back(std::move(entry));
}

int64_t PassReport::count(std::string_view rule) const {
  return std::count_if(entries_.begin(), entries_.end(),
                       [&](const Entry& entry) { return entry.applied() && entry.rule == rule; });
}

std::string PassReport::to_string() const {
  std::string text;
  for (const Entry& entry : entries_) text += line(entry) + "\n";
  return text;
}

std::string PassReport::summary() const {
  std::map<std::string, int64_t> counts;
  for (const Entry& entry : entries_) counts[entry.rule] += entry.applied() ? 1 : 0;
  std::string text;
  for (const auto& [rule, times] : counts) {
    if (times > 0) text += (text.empty() ? "" : ", ") + rule + " " + std::to_string(times);
  }
  return text;
}

}  // namespace neural_engine
