#include "executor/slabs.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/error.h"

namespace neural_engine {

namespace {

constexpr size_t kPiece = 64;
constexpr size_t kLargePage = 2 << 20;
// Address space alone: a page costs memory when it is written.
constexpr size_t kSlab = 64 << 20;

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

std::shared_ptr<std::byte> map_slab(size_t bytes) {
  // One large page more, so that a boundary of large pages lies inside.
  const size_t mapped = bytes + kLargePage;
  void* base = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) fail(Code::kOutOfMemory, "no memory for ", bytes, " bytes of packed weights");
  auto* begin = reinterpret_cast<std::byte*>(round_up(reinterpret_cast<uintptr_t>(base), kLargePage));
  // Advice: a system without large pages gives small ones.
  ::madvise(begin, bytes, MADV_HUGEPAGE);
  return {begin, [base, mapped](std::byte*) { ::munmap(base, mapped); }};
}

}  // namespace

Tensor Slabs::allocate(int64_t bytes) {
  const size_t size = round_up(static_cast<size_t>(std::max<int64_t>(bytes, 1)), kPiece);
  const std::lock_guard lock(mutex_);
  if (size > size_ - used_) {
    const size_t slab = std::max(kSlab, round_up(size, kLargePage));
    slab_ = map_slab(slab);
    size_ = slab;
    used_ = 0;
  }
  std::byte* piece = slab_.get() + used_;
  used_ += size;
  return Tensor::share(DType::kU8, {bytes}, piece, slab_);
}

}  // namespace neural_engine
