#include "executor/tools/tensor_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "executor/tools/command.h"
#include "load/npy.h"
#include "load/tensor_proto.h"

namespace neural_engine::tools {

namespace {

namespace fs = std::filesystem;

// The files `<kind>_<i>.pb` or `.npy` of a folder, by i.
std::vector<NamedTensor> read_numbered(const std::string& folder, const std::string& kind) {
  if (!fs::is_directory(folder)) fail(Code::kIo, folder, ": is not a folder");
  std::vector<NamedTensor> result;
  for (size_t i = 0;; ++i) {
    const fs::path stem = fs::path(folder) / (kind + "_" + std::to_string(i));
    const std::string pb = stem.string() + ".pb", npy = stem.string() + ".npy";
    if (fs::exists(pb)) {
      result.push_back(read_tensor_pb(pb));
    } else if (fs::exists(npy)) {
      result.push_back({"", read_npy(npy)});
    } else {
      return result;
    }
  }
}

// NumPy has no bfloat16: the ONNX backend cases hold such tensors as u16.
Tensor as_declared(Tensor tensor, const TensorInfo& port) {
  if (port.dtype != DType::kBF16 || tensor.dtype() != DType::kU16) return tensor;
  const auto owner = std::make_shared<Tensor>(tensor);
  return Tensor::share(DType::kBF16, tensor.shape(), owner->raw(), owner);
}

std::string list_names(const std::vector<TensorInfo>& ports) {
  std::string result;
  for (const TensorInfo& port : ports) result += (result.empty() ? "\"" : ", \"") + port.name + "\"";
  return result;
}

// True when the files name distinct ports: then the names decide, else the positions.
bool names_match(const std::vector<NamedTensor>& tensors, const std::vector<TensorInfo>& ports) {
  std::set<std::string> names;
  for (const TensorInfo& port : ports) names.insert(port.name);
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](const NamedTensor& each) { return names.erase(each.name) == 1; });
}

std::vector<Tensor> by_name(std::map<std::string, Tensor> tensors, const std::vector<TensorInfo>& ports) {
  std::vector<Tensor> result;
  for (const TensorInfo& port : ports) {
    const auto it = tensors.find(port.name);
    if (it == tensors.end()) throw UsageError{"--inputs: input \"" + port.name + "\" is missing"};
    result.push_back(std::move(it->second));
    tensors.erase(it);
  }
  if (!tensors.empty()) {
    throw UsageError{"--inputs: the model has no input \"" + tensors.begin()->first + "\"; it has " +
                     list_names(ports)};
  }
  return result;
}

bool has_npy_form(DType dtype) {
  return dtype == DType::kBool || (is_integer(dtype) && bits_of(dtype) >= 8) ||
         (is_floating(dtype) && bits_of(dtype) >= 16 && dtype != DType::kBF16);
}

std::string file_name(const std::string& name) {
  std::string result = name;
  for (char& c : result) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') c = '_';
  }
  return result.empty() || result[0] == '.' ? "_" + result : result;
}

}  // namespace

Tensor read_tensor_file(const std::string& path) {
  const std::string extension = fs::path(path).extension().string();
  if (extension == ".npy") return read_npy(path);
  if (extension == ".pb") return read_tensor_pb(path).tensor;
  throw UsageError{path + ": a tensor file ends in .npy or .pb"};
}

std::vector<Tensor> read_case(const std::string& folder, const std::string& kind,
                              const std::vector<TensorInfo>& ports) {
  std::vector<NamedTensor> read = read_numbered(folder, kind);
  if (read.size() != ports.size()) {
    fail(Code::kInvalidData, folder, ": ", read.size(), " ", kind, " files found, the model has ", ports.size(), " ",
         kind, "s: ", list_names(ports));
  }
  std::vector<Tensor> result(ports.size());
  const bool named = names_match(read, ports);
  for (size_t i = 0; i < ports.size(); ++i) {
    const auto it = !named ? read.begin() + static_cast<std::ptrdiff_t>(i)
                           : std::find_if(read.begin(), read.end(),
                                          [&](const NamedTensor& each) { return each.name == ports[i].name; });
    result[i] = as_declared(std::move(it->tensor), ports[i]);
  }
  return result;
}

std::vector<Tensor> read_inputs(const std::string& flag, const std::vector<TensorInfo>& ports) {
  if (flag.find('=') == std::string::npos) return read_case(flag, "input", ports);
  std::map<std::string, Tensor> tensors;
  std::stringstream words(flag);
  for (std::string word; std::getline(words, word, ',');) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) throw UsageError{"--inputs: \"" + word + "\" is not like name=file.npy"};
    if (!tensors.emplace(word.substr(0, equals), read_tensor_file(word.substr(equals + 1))).second) {
      throw UsageError{"--inputs: \"" + word.substr(0, equals) + "\" is given twice"};
    }
  }
  return by_name(std::move(tensors), ports);
}

void write_outputs(const std::string& folder, const std::vector<TensorInfo>& ports,
                   const std::vector<Tensor>& tensors) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(Code::kIo, folder, ": ", error.message());
  std::set<std::string> used;
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::string name = file_name(ports[i].name);
    while (!used.insert(name).second) name += "_" + std::to_string(i);
    const std::string path = (fs::path(folder) / name).string();
    if (has_npy_form(tensors[i].dtype())) {
      write_npy(path + ".npy", tensors[i]);
    } else {
      write_tensor_pb(path + ".pb", tensors[i], ports[i].name);
    }
  }
}

}  // namespace neural_engine::tools
