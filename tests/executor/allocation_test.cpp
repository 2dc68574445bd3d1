// A warm run allocates nothing: the C library's allocation functions are replaced in this binary and counted, whoever
// calls them (operator new, oneDNN and the threads of the pool among them).
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "neural_engine/session.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define NE_OWN_ALLOCATOR 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NE_OWN_ALLOCATOR 1
#endif

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

#ifndef NE_OWN_ALLOCATOR  // the sanitizers replace the same functions
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}
#endif

namespace neural_engine {
namespace {

std::vector<Tensor> inputs_of(const Model& model, int64_t rows, int64_t length) {
  std::vector<Tensor> inputs;
  for (const TensorInfo& info : model.inputs()) {
    Tensor tensor(DType::kS64, {rows, length});
    const int64_t step = info.name == "input_ids" ? 31 : 0, first = info.name == "token_type_ids" ? 0 : 1;
    for (int64_t i = 0; i < tensor.elems(); ++i) tensor.data<int64_t>()[i] = first + i * step % 90;
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

int64_t allocations_of_warm_runs(const std::string& path, int threads) {
  Session session(Model::load(path), {.threads = threads});
  // Two sets of shapes in turn: finding the plan for each is part of a run.
  std::vector<Tensor> inputs[] = {inputs_of(session.model(), 2, 24), inputs_of(session.model(), 1, 9)};
  std::vector<Tensor> outputs[2];
  for (size_t i = 0; i < 2; ++i) outputs[i] = session.run(inputs[i]);
  for (size_t i = 0; i < 4; ++i) session.run(inputs[i % 2], outputs[i % 2]);
  const int64_t before = allocations.load();
  for (size_t i = 0; i < 20; ++i) session.run(inputs[i % 2], outputs[i % 2]);
  return allocations.load() - before;
}

class WarmRun : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
#ifdef NE_OWN_ALLOCATOR
    GTEST_SKIP() << "a sanitizer owns the allocation functions";
#endif
  }
};

TEST_P(WarmRun, TheCounterCounts) {
  const int64_t before = allocations.load();
  const std::vector<Tensor> tensor = {Tensor(DType::kF32, {GetParam()})};
  EXPECT_GE(allocations.load() - before, 2);
}

TEST_P(WarmRun, AllocatesNothing) {
  for (const char* path : {"/models/tiny_a/model.onnx", "/tests/data/zoo/bert_script11/model.onnx"})
    EXPECT_EQ(allocations_of_warm_runs(std::string(NE_SOURCE_DIR) + path, GetParam()), 0) << path;
}

INSTANTIATE_TEST_SUITE_P(Threads, WarmRun, ::testing::Values(1, 2));

}  // namespace
}  // namespace neural_engine
