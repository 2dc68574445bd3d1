// This engine behind the line protocol of the comparisons (benchmarks/peer_worker.py says it in full): one request a
// line on standard input, one answer a line on standard output.
//
//   load <model> <threads> <models_dir>   reads <models_dir>/<model>/model.onnx, or <models_dir>/<model>.onnx
//   bench <in.bin> <warmup> <runs>        answers the milliseconds of each timed run
//   infer <in.bin> <out.bin>              writes the first output as raw float32
//   rss | version | quit
//
// It uses the public API alone, as a program of a user would.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "neural_engine/model.h"
#include "neural_engine/session.h"

namespace {

using neural_engine::DType;
using neural_engine::Model;
using neural_engine::Session;
using neural_engine::Shape;
using neural_engine::Tensor;
using neural_engine::TensorInfo;

// The three arrays of an input file, in its order.
constexpr const char* kNames[] = {"input_ids", "attention_mask", "token_type_ids"};
// Rows times tokens of the largest file taken: keeps a damaged header from a huge allocation.
constexpr int64_t kMaxTokens = int64_t{1} << 24;

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// An array of the file as the model wants it: exports with int32 ids exist.
Tensor to_tensor(const TensorInfo& info, const Shape& shape, const int64_t* values) {
  Tensor tensor(info.dtype, shape);
  if (info.dtype == DType::kS64) {
    std::copy_n(values, tensor.elems(), tensor.data<int64_t>());
  } else if (info.dtype == DType::kS32) {
    std::copy_n(values, tensor.elems(), tensor.data<int32_t>());
  } else {
    throw std::runtime_error("input " + info.name + " is of type " + to_string(info.dtype) + ", expected s64 or s32");
  }
  return tensor;
}

std::vector<Tensor> read_inputs(const Model& model, const std::string& path) {
  std::vector<char> bytes = read_file(path);
  int32_t dims[2] = {0, 0};
  if (bytes.size() >= sizeof(dims)) std::memcpy(dims, bytes.data(), sizeof(dims));
  const int64_t elems = int64_t{dims[0]} * dims[1];
  if (dims[0] < 1 || dims[1] < 1 || elems > kMaxTokens ||
      bytes.size() != sizeof(dims) + 3 * sizeof(int64_t) * static_cast<size_t>(elems)) {
    throw std::runtime_error(path + ": not an input file of a batch and a sequence length and three int64 arrays");
  }
  std::vector<int64_t> values(static_cast<size_t>(3 * elems));
  std::memcpy(values.data(), bytes.data() + sizeof(dims), values.size() * sizeof(int64_t));

  std::vector<Tensor> inputs;
  for (const TensorInfo& info : model.inputs()) {
    int index = 0;
    while (index < 3 && info.name != kNames[index]) ++index;
    if (index == 3) throw std::runtime_error("the model has an input " + info.name + ", which the file does not hold");
    inputs.push_back(to_tensor(info, {dims[0], dims[1]}, values.data() + index * elems));
  }
  return inputs;
}

// Peak resident memory, and whether this process asked the system for AMX tiles.
std::string memory_and_amx() {
  std::ifstream status("/proc/self/status");
  std::string line, peak = "0";
  while (std::getline(status, line)) {
    if (line.rfind("VmHWM:", 0) == 0) std::istringstream(line.substr(6)) >> peak;
  }
  constexpr int kGetPermission = 0x1022;  // ARCH_GET_XCOMP_PERM
  constexpr int kTileData = 18;           // XFEATURE_XTILE_DATA
  uint64_t granted = 0;
  syscall(SYS_arch_prctl, kGetPermission, &granted);
  return peak + ((granted >> kTileData) & 1 ? " 1" : " 0");
}

class Worker {
 public:
  // The answer to a request, without "ok". Throws what goes wrong.
  std::string answer(std::istringstream& words) {
    const std::string request = next<std::string>(words, "a request");
    if (request == "load") return load(words);
    if (request == "bench") return bench(words);
    if (request == "infer") return infer(words);
    if (request == "rss") return memory_and_amx();
    if (request == "version") return "neural_engine " NE_VERSION;
    throw std::runtime_error("unknown request " + request);
  }

 private:
  template <class T>
  static T next(std::istringstream& words, const char* what) {
    T value;
    if (!(words >> value)) throw std::runtime_error(std::string("expected ") + what);
    return value;
  }

  std::string load(std::istringstream& words) {
    const auto name = next<std::string>(words, "a model's name");
    const int threads = next<int>(words, "a number of threads");
    const std::filesystem::path folder = next<std::string>(words, "a folder");
    std::filesystem::path path = folder / name / "model.onnx";
    if (!std::filesystem::exists(path)) path = folder / (name + ".onnx");
    session_.emplace(Model::load(path), neural_engine::SessionOptions{.threads = threads});
    return "";
  }

  std::string bench(std::istringstream& words) {
    std::vector<Tensor> inputs = read_inputs(session().model(), next<std::string>(words, "a file"));
    const int warmup = next<int>(words, "a number of warm-up runs");
    const int runs = next<int>(words, "a number of runs");
    for (int i = 0; i < warmup; ++i) session().run(inputs);
    std::ostringstream times;
    for (int i = 0; i < runs; ++i) {
      const auto start = std::chrono::steady_clock::now();
      std::vector<Tensor> outputs = session().run(inputs);
      const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
      times << (i ? " " : "") << took.count();
    }
    return times.str();
  }

  std::string infer(std::istringstream& words) {
    std::vector<Tensor> inputs = read_inputs(session().model(), next<std::string>(words, "a file"));
    const auto path = next<std::string>(words, "a file to write");
    const Tensor output = session().run(inputs).at(0);
    if (output.dtype() != DType::kF32) {
      throw std::runtime_error(std::string("the first output is of type ") + to_string(output.dtype()) +
                               ", expected f32");
    }
    std::ofstream file(path, std::ios::binary);
    file.write(static_cast<const char*>(output.raw()), static_cast<std::streamsize>(output.bytes()));
    if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
    return "";
  }

  Session& session() {
    if (!session_) throw std::runtime_error("no model is loaded");
    return *session_;
  }

  std::optional<Session> session_;
};

// One line: the protocol ends an answer there.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

int main() {
  Worker worker;
  std::string line;
  while (std::getline(std::cin, line) && line != "quit") {
    std::istringstream words(line);
    try {
      const std::string answer = worker.answer(words);
      std::cout << "ok " << answer << std::endl;
    } catch (const std::exception& error) {
      std::cout << "err " << one_line(error.what()) << std::endl;
    }
  }
  return 0;
}
