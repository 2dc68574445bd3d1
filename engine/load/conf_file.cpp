#include "load/conf_file.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <set>

#include "base/error.h"

namespace neural_engine {

namespace {

// Far above what was ever written; yaml-cpp takes some tens of bytes per byte.
constexpr size_t kMaxConf = size_t{16} << 20;
// Aliases can make a small file name many tensors.
constexpr size_t kMaxEntries = size_t{1} << 18;
constexpr size_t kMaxRank = 16;

class ConfParser {
 public:
  std::vector<ConfOperator> parse(std::string_view text) {
    const YAML::Node root = YAML::Load(std::string(text));
    std::vector<ConfOperator> result;
    bool found = false;
    for_each(root, "the file", [&](const std::string& key, const YAML::Node& model) {
      if (key != "model") fail(Code::kInvalidModel, "field \"", key, "\" found, expected \"model\"");
      for_each(model, "model", [&](const std::string& field, const YAML::Node& value) {
        if (field == "name") return;
        if (field != "operator")
          fail(Code::kInvalidModel, "model: field \"", field, "\" found, expected name, operator");
        found = true;
        for_each(value, "operator", [&](const std::string& name, const YAML::Node& op) {
          with_context([&] { return "operator \"" + name + "\""; }, [&] { result.push_back(read_operator(name, op)); });
        });
      });
    });
    if (!found) fail(Code::kInvalidModel, "there is no model with operators, so this is no conf.yaml of a model");
    return result;
  }

 private:
  // Entries of a map in the order of the file. A null counts as an empty map: `input:` with nothing behind it.
  template <class Visit>
  void for_each(const YAML::Node& map, const std::string& what, const Visit& visit) {
    if (map.IsNull()) return;
    if (!map.IsMap()) fail(Code::kInvalidModel, what, " is no map");
    std::set<std::string> names;
    for (const auto& entry : map) {
      if (++entries_ > kMaxEntries) fail(Code::kUnsupported, "more than ", kMaxEntries, " entries found");
      const std::string name = scalar(entry.first, "a name in " + what);
      if (!names.insert(name).second) fail(Code::kInvalidModel, what, ": \"", name, "\" is given twice");
      visit(name, entry.second);
    }
  }

  static std::string scalar(const YAML::Node& node, const std::string& what) {
    if (!node.IsScalar() && !node.IsNull()) fail(Code::kInvalidModel, what, " is no plain value");
    return node.IsNull() ? "null" : node.Scalar();
  }

  static std::vector<int64_t> integers(const YAML::Node& node, const std::string& what) {
    if (!node.IsSequence() || node.size() > kMaxRank) {
      fail(Code::kInvalidModel, what, " is no list of at most ", kMaxRank, " numbers");
    }
    std::vector<int64_t> result;
    for (const auto& element : node) {
      const std::vector<int64_t> one = parse_integers(scalar(element, "an element of " + what));
      if (one.size() != 1) fail(Code::kInvalidModel, what, ": an element is no number");
      result.push_back(one[0]);
    }
    return result;
  }

  ConfTensor read_tensor(const std::string& name, const YAML::Node& node) {
    ConfTensor tensor{.name = name};
    for_each(node, "tensor \"" + name + "\"", [&](const std::string& field, const YAML::Node& value) {
      const std::string what = "tensor \"" + name + "\": " + field;
      if (field == "dtype") {
        tensor.dtype = scalar(value, what);
      } else if (field == "shape") {
        tensor.shape = integers(value, what);
      } else if (field == "location") {
        tensor.place = integers(value, what);
        if (tensor.place->size() != 2) fail(Code::kInvalidModel, what, " is no offset and size");
      } else if (field == "strides") {
        tensor.strides = integers(value, what);
      } else {
        fail(Code::kUnsupported, what, " found, supported: dtype, shape, location, strides");
      }
    });
    return tensor;
  }

  ConfOperator read_operator(const std::string& name, const YAML::Node& node) {
    ConfOperator op{.name = name};
    for_each(node, "it", [&](const std::string& field, const YAML::Node& value) {
      if (field == "type") {
        op.type = scalar(value, "type");
      } else if (field == "input") {
        for_each(value, "input", [&](const std::string& tensor, const YAML::Node& fields) {
          for_each(fields, "input \"" + tensor + "\"", [&](const std::string& extra, const YAML::Node&) {
            fail(Code::kUnsupported, "input \"", tensor, "\" has a field \"", extra, "\"");
          });
          op.inputs.push_back(tensor);
        });
      } else if (field == "output") {
        for_each(value, "output", [&](const std::string& tensor, const YAML::Node& fields) {
          op.outputs.push_back(read_tensor(tensor, fields));
        });
      } else if (field == "attr") {
        for_each(value, "attr", [&](const std::string& attr, const YAML::Node& text) {
          op.attrs.emplace_back(attr, scalar(text, "attribute \"" + attr + "\""));
        });
      } else {
        fail(Code::kUnsupported, "field \"", field, "\" found, supported: type, input, output, attr");
      }
    });
    if (op.type.empty()) fail(Code::kInvalidModel, "it has no type");
    return op;
  }

  size_t entries_ = 0;
};

}  // namespace

std::vector<ConfOperator> parse_conf(std::string_view text) {
  if (text.size() > kMaxConf) fail(Code::kUnsupported, text.size(), " bytes found, supported are ", kMaxConf);
  try {
    return ConfParser().parse(text);
  } catch (const YAML::Exception& error) {
    fail(Code::kInvalidModel, "YAML: ", error.what());
  }
}

std::vector<int64_t> parse_integers(std::string_view text) {
  std::vector<int64_t> result;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    std::string_view part = text.substr(begin, comma - begin);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || part.empty()) {
      fail(Code::kInvalidModel, "\"", text, "\" found, expected integers with commas between them");
    }
    result.push_back(value);
    begin = comma + 1;
  }
  return result;
}

double parse_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || !std::isfinite(value)) {
    fail(Code::kInvalidModel, "\"", text, "\" found, expected a number");
  }
  return value;
}

}  // namespace neural_engine
