// Recipes as YAML. Strict: an unknown key, a wrong type or a key given twice is refused with its line.
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "compressor/names.h"
#include "neural_engine/compress.h"

namespace neural_engine {

namespace {

constexpr int64_t kVersion = 1;
constexpr size_t kMaxBytes = 1 << 20;

template <class... Parts>
[[noreturn]] void refuse(const YAML::Node& node, const Parts&... parts) {
  fail(Code::kInvalidArgument, "line ", node.Mark().line + 1, ": ", parts...);
}

template <class T>
T scalar(const YAML::Node& node, const std::string& key, const char* expected) {
  T value{};
  if (!node.IsScalar() || !YAML::convert<T>::decode(node, value)) refuse(node, key, " is not ", expected);
  return value;
}
bool read_bool(const YAML::Node& node, const std::string& key) { return scalar<bool>(node, key, "true or false"); }
double read_number(const YAML::Node& node, const std::string& key) { return scalar<double>(node, key, "a number"); }
std::string read_text(const YAML::Node& node, const std::string& key) {
  return scalar<std::string>(node, key, "a text");
}

template <class T, size_t N>
T read_name(const Named<T> (&table)[N], const YAML::Node& node, const std::string& key) {
  const std::string name = read_text(node, key);
  return with_context([&] { return text("line ", node.Mark().line + 1); },
                      [&] { return parse_name(table, name, key); });
}

using Reader = std::function<void(const YAML::Node&, const std::string&)>;

// Each key of the map to its reader.
void read_map(const YAML::Node& node, const std::string& what, const std::map<std::string, Reader>& readers) {
  if (!node.IsMap()) refuse(node, what, " is not a map");
  std::set<std::string> seen;
  for (const auto& item : node) {
    const std::string key = read_text(item.first, "a key of " + what);
    const auto reader = readers.find(key);
    if (reader == readers.end()) {
      std::string all;
      for (const auto& [name, unused] : readers) all += (all.empty() ? "" : ", ") + name;
      refuse(item.first, "\"", key, "\" is no key of ", what, ", expected one of ", all);
    }
    if (!seen.insert(key).second) refuse(item.first, "key ", key, " is given twice");
    reader->second(item.second, key);
  }
}

void read_activation(const YAML::Node& node, OpSettings& out) {
  read_map(node, "activation",
           {{"dtype", [&](auto& n, auto& key) { out.activation_dtype = read_name(kActivationDtypes, n, key); }},
            {"symmetric", [&](auto& n, auto& key) { out.activation_symmetric = read_bool(n, key); }},
            {"reduce_range", [&](auto& n, auto& key) { out.activation_reduce_range = read_bool(n, key); }},
            {"observer", [&](auto& n, auto& key) { out.observer = read_name(kObservers, n, key); }},
            {"percentile", [&](auto& n, auto& key) { out.percentile = read_number(n, key); }}});
}

void read_weight(const YAML::Node& node, OpSettings& out) {
  read_map(node, "weight",
           {{"granularity", [&](auto& n, auto& key) { out.weight_per_channel = read_name(kGranularities, n, key); }},
            {"reduce_range", [&](auto& n, auto& key) { out.weight_reduce_range = read_bool(n, key); }}});
}

OpSettings read_settings(const YAML::Node& node, const std::string& what,
                         const std::map<std::string, Reader>& more = {}) {
  OpSettings out;
  std::map<std::string, Reader> readers = {
      {"precision", [&](auto& n, auto& key) { out.precision = read_name(kPrecisions, n, key); }},
      {"approach", [&](auto& n, auto& key) { out.approach = read_name(kApproaches, n, key); }},
      {"scheme", [&](auto& n, auto& key) { out.scheme = read_name(kSchemes, n, key); }},
      {"activation", [&](auto& n, auto&) { read_activation(n, out); }},
      {"weight", [&](auto& n, auto&) { read_weight(n, out); }}};
  readers.insert(more.begin(), more.end());
  read_map(node, what, readers);
  return out;
}

// The setter's own refusal, with the line.
template <class Body>
void at_line(const YAML::Node& node, const Body& body) {
  with_context([&] { return text("line ", node.Mark().line + 1); }, body);
}

void read_types(const YAML::Node& node, Recipe& recipe) {
  if (!node.IsMap()) refuse(node, "op_types is not a map");
  for (const auto& item : node) {
    const std::string type = read_text(item.first, "a type");
    const OpSettings settings = read_settings(item.second, type);
    at_line(item.first, [&] { recipe.set_type(type, settings); });
  }
}

void read_ops(const YAML::Node& node, Recipe& recipe) {
  if (!node.IsSequence()) refuse(node, "ops is not a list");
  for (const YAML::Node& item : node) {
    std::string pattern;
    const OpSettings settings =
        read_settings(item, "an entry of ops", {{"name", [&](auto& n, auto& key) { pattern = read_text(n, key); }}});
    if (pattern.empty()) refuse(item, "an entry of ops has no name");
    at_line(item, [&] { recipe.set_local(pattern, settings); });
  }
}

void read_alpha(const YAML::Node& node, SmoothSettings& smooth) {
  double value = 0;
  if (node.IsScalar() && node.Scalar() == "per_layer") {
    smooth.alpha = SmoothSettings::Alpha::kPerLayer;
  } else if (node.IsScalar() && YAML::convert<double>::decode(node, value) && value >= 0 && value <= 1) {
    smooth.alpha = SmoothSettings::Alpha::kFixed;
    smooth.value = value;
  } else {
    refuse(node, "alpha is neither per_layer nor a number from 0 to 1");
  }
}

void read_smooth(const YAML::Node& node, SmoothSettings& smooth) {
  smooth.enabled = true;
  read_map(node, "smooth_quant",
           {{"enabled", [&](auto& n, auto& key) { smooth.enabled = read_bool(n, key); }},
            {"alpha", [&](auto& n, auto&) { read_alpha(n, smooth); }}});
}

void read_version(const YAML::Node& node) {
  const auto found = scalar<int64_t>(node, "version", "a whole number");
  if (found != kVersion) refuse(node, "version ", found, " found, supported is ", kVersion);
}

// ---- writing

void write(YAML::Emitter& out, const OpSettings& s) {
  if (s.precision) out << YAML::Key << "precision" << YAML::Value << name_of(kPrecisions, *s.precision);
  if (s.approach) out << YAML::Key << "approach" << YAML::Value << name_of(kApproaches, *s.approach);
  if (s.scheme) out << YAML::Key << "scheme" << YAML::Value << name_of(kSchemes, *s.scheme);
  if (s.activation_dtype || s.activation_symmetric || s.activation_reduce_range || s.observer || s.percentile) {
    out << YAML::Key << "activation" << YAML::Value << YAML::BeginMap;
    if (s.activation_dtype)
      out << YAML::Key << "dtype" << YAML::Value << name_of(kActivationDtypes, *s.activation_dtype);
    if (s.activation_symmetric) out << YAML::Key << "symmetric" << YAML::Value << *s.activation_symmetric;
    if (s.activation_reduce_range) out << YAML::Key << "reduce_range" << YAML::Value << *s.activation_reduce_range;
    if (s.observer) out << YAML::Key << "observer" << YAML::Value << name_of(kObservers, *s.observer);
    if (s.percentile) out << YAML::Key << "percentile" << YAML::Value << *s.percentile;
    out << YAML::EndMap;
  }
  if (s.weight_per_channel || s.weight_reduce_range) {
    out << YAML::Key << "weight" << YAML::Value << YAML::BeginMap;
    if (s.weight_per_channel)
      out << YAML::Key << "granularity" << YAML::Value << name_of(kGranularities, *s.weight_per_channel);
    if (s.weight_reduce_range) out << YAML::Key << "reduce_range" << YAML::Value << *s.weight_reduce_range;
    out << YAML::EndMap;
  }
}

void write(YAML::Emitter& out, const SmoothSettings& smooth) {
  out << YAML::Key << "smooth_quant" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "enabled" << YAML::Value << smooth.enabled;
  out << YAML::Key << "alpha" << YAML::Value;
  if (smooth.alpha == SmoothSettings::Alpha::kPerLayer) {
    out << "per_layer";
  } else {
    out << smooth.value;
  }
  out << YAML::EndMap;
}

}  // namespace

Recipe Recipe::parse(const std::string& yaml) {
  require(yaml.size() <= kMaxBytes, Code::kInvalidArgument, "the recipe has ", yaml.size(), " bytes, at most ",
          kMaxBytes, " are read");
  try {
    Recipe recipe;
    const YAML::Node root = YAML::Load(yaml);
    if (root.IsNull()) return recipe;
    bool versioned = false;
    read_map(root, "the recipe",
             {{"version",
               [&](auto& n, auto&) {
                 read_version(n);
                 versioned = true;
               }},
              {"global", [&](auto& n, auto& key) { at_line(n, [&] { recipe.set_global(read_settings(n, key)); }); }},
              {"op_types", [&](auto& n, auto&) { read_types(n, recipe); }},
              {"ops", [&](auto& n, auto&) { read_ops(n, recipe); }},
              {"smooth_quant", [&](auto& n, auto&) { read_smooth(n, recipe.smooth); }},
              {"bias_correction", [&](auto& n, auto& key) { recipe.bias_correction = read_bool(n, key); }},
              {"equalization", [&](auto& n, auto& key) { recipe.equalization = read_bool(n, key); }},
              {"mask_input", [&](auto& n, auto& key) { recipe.mask_input = read_text(n, key); }}});
    if (!versioned) refuse(root, "version is missing, expected version: ", kVersion);
    return recipe;
  } catch (const YAML::Exception& error) {
    fail(Code::kInvalidArgument, "line ", error.mark.line + 1, ": ", error.msg);
  }
}

Recipe Recipe::load(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        std::ifstream file(path, std::ios::binary);
                        require(file.good(), Code::kIo, "cannot be opened");
                        std::string yaml(kMaxBytes + 1, '\0');
                        file.read(yaml.data(), static_cast<std::streamsize>(yaml.size()));
                        require(!file.bad(), Code::kIo, "cannot be read");
                        yaml.resize(static_cast<size_t>(file.gcount()));
                        return parse(yaml);
                      });
}

std::string Recipe::yaml() const {
  YAML::Emitter out;
  out.SetDoublePrecision(17);
  out << YAML::BeginMap << YAML::Key << "version" << YAML::Value << kVersion;
  if (global_ != OpSettings{}) {
    out << YAML::Key << "global" << YAML::Value << YAML::BeginMap;
    write(out, global_);
    out << YAML::EndMap;
  }
  if (!types_.empty()) {
    out << YAML::Key << "op_types" << YAML::Value << YAML::BeginMap;
    for (const auto& [type, settings] : types_) {
      out << YAML::Key << type << YAML::Value << YAML::BeginMap;
      write(out, settings);
      out << YAML::EndMap;
    }
    out << YAML::EndMap;
  }
  if (!locals_.empty()) {
    out << YAML::Key << "ops" << YAML::Value << YAML::BeginSeq;
    for (const auto& [pattern, settings] : locals_) {
      out << YAML::BeginMap << YAML::Key << "name" << YAML::Value << YAML::DoubleQuoted << pattern;
      write(out, settings);
      out << YAML::EndMap;
    }
    out << YAML::EndSeq;
  }
  write(out, smooth);
  out << YAML::Key << "bias_correction" << YAML::Value << bias_correction;
  out << YAML::Key << "equalization" << YAML::Value << equalization;
  out << YAML::Key << "mask_input" << YAML::Value << YAML::DoubleQuoted << mask_input << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace neural_engine
