#include "load/safetensors.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/checked.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "load/json_config.h"

namespace neural_engine {

namespace {

using Json = nlohmann::json;

constexpr size_t kPrefix = 8;
// As the format has it.
constexpr uint64_t kMaxHeader = 100'000'000;
constexpr int64_t kMaxRank = 16;

struct NamedType {
  const char* name;
  DType dtype;
};
constexpr NamedType kTypes[] = {
    {"F64", DType::kF64},          {"F32", DType::kF32},        {"F16", DType::kF16},   {"BF16", DType::kBF16},
    {"I64", DType::kS64},          {"I32", DType::kS32},        {"I16", DType::kS16},   {"I8", DType::kS8},
    {"U64", DType::kU64},          {"U32", DType::kU32},        {"U16", DType::kU16},   {"U8", DType::kU8},
    {"F8_E4M3", DType::kF8E4M3FN}, {"F8_E5M2", DType::kF8E5M2}, {"BOOL", DType::kBool},
};

DType dtype_named(const std::string& name) {
  for (const NamedType& type : kTypes) {
    if (name == type.name) return type.dtype;
  }
  std::string names;
  for (const NamedType& type : kTypes) names += std::string(names.empty() ? "" : ", ") + type.name;
  fail(Code::kUnsupported, "dtype \"", name, "\" found, supported: ", names);
}

struct Entry {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
  int64_t begin = 0, end = 0;
};

// An array of integers from 0 on.
std::vector<int64_t> read_sizes(const JsonConfig& fields, const char* name) {
  const Json* array = fields.find(name);
  if (array == nullptr || !array->is_array()) fail(Code::kInvalidModel, "field \"", name, "\" is no array");
  if (array->size() > kMaxRank) {
    fail(Code::kInvalidModel, "field \"", name, "\" has ", array->size(), " elements, expected at most ", kMaxRank);
  }
  std::vector<int64_t> result;
  for (const Json& element : *array) {
    if (!element.is_number_unsigned() || element.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
      fail(Code::kInvalidModel, "field \"", name, "\" holds ", element.dump(), ", expected integers from 0 on");
    }
    result.push_back(element.get<int64_t>());
  }
  return result;
}

Entry read_entry(const std::string& name, const Json& value) {
  if (!value.is_object()) fail(Code::kInvalidModel, "its description is ", value.type_name(), ", expected an object");
  const JsonConfig fields(value);
  Entry entry{.name = name, .dtype = dtype_named(fields.string("dtype")), .shape = read_sizes(fields, "shape")};
  const std::vector<int64_t> offsets = read_sizes(fields, "data_offsets");
  if (offsets.size() != 2 || value.size() != 3) {
    fail(Code::kInvalidModel, "expected dtype, shape and two data_offsets, and nothing else");
  }
  entry.begin = offsets[0];
  entry.end = offsets[1];
  int64_t bits = bits_of(entry.dtype);
  for (int64_t dim : entry.shape) {
    if (!checked_mul(bits, dim, &bits)) fail(Code::kInvalidModel, "shape ", to_string(entry.shape), " overflows");
  }
  if (entry.end < entry.begin || entry.end - entry.begin != bits / 8) {
    fail(Code::kInvalidModel, "data_offsets ", entry.begin, " and ", entry.end, " found, shape ",
         to_string(entry.shape), " of ", to_string(entry.dtype), " takes ", bits / 8, " bytes");
  }
  return entry;
}

Tensor view_or_copy(const Entry& entry, std::span<const std::byte> data, const std::shared_ptr<const void>& owner) {
  const std::byte* from = data.data() + entry.begin;
  const auto bytes = static_cast<size_t>(entry.end - entry.begin);
  if (entry.dtype == DType::kBool) {
    const bool valid = std::all_of(from, from + bytes, [](std::byte b) { return b <= std::byte{1}; });
    if (!valid) fail(Code::kInvalidModel, "a bool that is neither 0 nor 1 found");
  }
  const auto element = static_cast<uintptr_t>(std::max(bits_of(entry.dtype) / 8, 1));
  if (owner && bytes > 0 && reinterpret_cast<uintptr_t>(from) % element == 0) {
    return Tensor::share(entry.dtype, entry.shape, from, owner);
  }
  Tensor result(entry.dtype, entry.shape);
  if (bytes > 0) std::memcpy(result.raw(), from, bytes);
  return result;
}

// The tensors fill the data, one after the other.
void check_layout(std::vector<Entry> entries, size_t size) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  int64_t place = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != place) {
      fail(Code::kInvalidModel, "tensor \"", entry.name, "\" begins at ", entry.begin, ", expected ", place,
           ", where the one before it ends");
    }
    place = entry.end;
  }
  if (place != static_cast<int64_t>(size)) {
    fail(Code::kInvalidModel, "the tensors take ", place, " bytes, the file holds ", size, " for them");
  }
}

// A name of a file in the same folder: the list may not lead elsewhere.
void check_file_name(const std::string& name) {
  if (name.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos || !name.ends_with(".safetensors")) {
    fail(Code::kInvalidModel, "file \"", name, "\" found, expected the name of a .safetensors file beside the list");
  }
}

// File names -> the tensors that are said to be in them.
std::map<std::string, std::vector<std::string>> read_index(const std::string& path) {
  const Json json = read_json_object(path);
  const Json* map = JsonConfig(json).find("weight_map");
  if (map == nullptr || !map->is_object()) fail(Code::kInvalidModel, path, ": weight_map is no object");
  std::map<std::string, std::vector<std::string>> result;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string()) fail(Code::kInvalidModel, path, ": tensor \"", tensor, "\": its file is no string");
    const auto name = file.get<std::string>();
    with_context([&] { return path; }, [&] { check_file_name(name); });
    result[name].push_back(tensor);
  }
  return result;
}

}  // namespace

NamedTensors parse_safetensors(std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  if (bytes.size() < kPrefix) fail(Code::kInvalidModel, bytes.size(), " bytes found, no safetensors file is so short");
  uint64_t header = 0;
  for (size_t i = 0; i < kPrefix; ++i) header |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (header > kMaxHeader || header > bytes.size() - kPrefix) {
    fail(Code::kInvalidModel, "a header of ", header, " bytes found in a file of ", bytes.size());
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kPrefix, static_cast<size_t>(header));
  const Json json = with_context([] { return std::string("header"); }, [&] { return parse_json_object(text); });
  const std::span<const std::byte> data = bytes.subspan(kPrefix + static_cast<size_t>(header));
  std::vector<Entry> entries;
  for (const auto& item : json.items()) {
    if (item.key() == "__metadata__") continue;  // notes of who wrote it
    with_context([&] { return "tensor \"" + item.key() + "\""; },
                 [&] { entries.push_back(read_entry(item.key(), item.value())); });
  }
  check_layout(entries, data.size());
  NamedTensors result;
  for (const Entry& entry : entries) {
    with_context([&] { return "tensor \"" + entry.name + "\""; },
                 [&] { result.emplace(entry.name, view_or_copy(entry, data, owner)); });
  }
  return result;
}

NamedTensors read_safetensors(const std::string& path) {
  return with_context([&] { return path; },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
                        return parse_safetensors(file->bytes(), file);
                      });
}

NamedTensors read_safetensors_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  const fs::path index = fs::path(folder) / "model.safetensors.index.json";
  if (!fs::exists(index)) return read_safetensors((fs::path(folder) / "model.safetensors").string());
  NamedTensors result;
  for (const auto& [name, tensors] : read_index(index.string())) {
    NamedTensors part = read_safetensors((fs::path(folder) / name).string());
    for (const std::string& tensor : tensors) {
      const auto it = part.find(tensor);
      if (it == part.end())
        fail(Code::kInvalidModel, name, " has no tensor \"", tensor, "\", which the list puts there");
      result.insert(part.extract(it));
    }
    if (!part.empty()) {
      fail(Code::kInvalidModel, name, " has a tensor \"", part.begin()->first, "\" that the list does not put there");
    }
  }
  return result;
}

}  // namespace neural_engine
