#include "kernels/jit/int_rows.h"

#include <algorithm>
#include <cstring>

#include "kernels/jit/int_matmul_vec.h"

namespace neural_engine::jit {
namespace {

// Stores come in whole vectors, of 32 elements at most, and steps read up to 8 elements behind K. One line more: rows a
// power of two apart would share their cache sets.
int64_t bytes_of_row(int64_t k, bool quadruples) {
  return quadruples ? round_up(k, 32) + 64 : (round_up(k, 32) + 32) * int64_t{sizeof(int16_t)};
}

}  // namespace

IntRows::IntRows(Isa isa, const IntMatmulDesc& desc)
    : dtype_(desc.a),
      k_(desc.k),
      quadruples_(IntMatmulVec::Form{.isa = isa}.group() == 4),
      has_sums_(desc.has_zero_b),
      row_bytes_(bytes_of_row(desc.k, quadruples_)),
      quantize_(desc.a == DType::kF32 ? QuantizeRow::get(isa, quadruples_) : nullptr) {}

int64_t IntRows::scratch_bytes(int64_t m) const {
  const int64_t column = round_up(m * 4, kScratchAlignment);
  return column * (1 + int{quadruples_} + int{has_sums_}) + m * row_bytes_;
}

IntRows::Memory IntRows::lay_out(int64_t m, void* scratch) const {
  char* at = static_cast<char*>(scratch);
  const auto take = [&] {
    char* found = at;
    at += round_up(m * 4, kScratchAlignment);
    return found;
  };
  Memory memory;
  memory.scales = reinterpret_cast<float*>(take());
  if (quadruples_) memory.zeros = reinterpret_cast<int32_t*>(take());
  if (has_sums_) memory.sums = reinterpret_cast<int32_t*>(take());
  memory.elements = at;
  return memory;
}

void IntRows::read(const IntMatmulArgs& args, int64_t m, const Memory& memory) const {
  const int64_t first = m * args.lda;
  if (dtype_ == DType::kF32) {
    quantize(static_cast<const float*>(args.a) + first, m, memory);
  } else {
    memory.scales[m] = args.scale_a;
    dtype_ == DType::kU8 ? convert(static_cast<const uint8_t*>(args.a) + first, args.zero_a, m, memory)
                         : convert(static_cast<const int8_t*>(args.a) + first, args.zero_a, m, memory);
  }
  if (has_sums_) add_up(m, memory);
}

void IntRows::quantize(const float* a, int64_t m, const Memory& memory) const {
  QuantizeRowCall call = {};
  call.src = a;
  call.dst = memory.elements + m * row_bytes_;
  call.n = k_;
  quantize_->bounds(call);
  const RowQuantization row = RowQuantization::of(call.low, call.high, call.absolute_bits);
  call.inverse = row.inverse;
  call.from = row.low;
  call.to = row.high;
  quantize_->convert(call);
  memory.scales[m] = row.scale;
  if (quadruples_) memory.zeros[m] = -row.low;
}

// Behind K there are zeros: B has them too, but what a step reads should not be another row's.
template <class T>
void IntRows::convert(const T* a, int32_t zero, int64_t m, const Memory& memory) const {
  char* row = memory.elements + m * row_bytes_;
  if (quadruples_) {
    constexpr uint8_t kFlip = std::is_signed_v<T> ? 0x80 : 0;
    auto* dst = reinterpret_cast<uint8_t*>(row);
    for (int64_t k = 0; k < k_; ++k) dst[k] = static_cast<uint8_t>(static_cast<uint8_t>(a[k]) ^ kFlip);
    memory.zeros[m] = zero + kFlip;
    std::memset(dst + k_, 0, static_cast<size_t>(row_bytes_ - k_));
    return;
  }
  auto* dst = reinterpret_cast<int16_t*>(row);
  const auto offset = static_cast<int16_t>(zero);
  for (int64_t k = 0; k < k_; ++k) dst[k] = static_cast<int16_t>(a[k] - offset);
  std::memset(dst + k_, 0, static_cast<size_t>(row_bytes_) - static_cast<size_t>(k_) * sizeof(int16_t));
}

void IntRows::add_up(int64_t m, const Memory& memory) const {
  const char* row = memory.elements + m * row_bytes_;
  int32_t sum = 0;
  if (quadruples_) {
    const auto* src = reinterpret_cast<const uint8_t*>(row);
    for (int64_t k = 0; k < k_; ++k) sum += src[k];
    sum -= static_cast<int32_t>(k_) * memory.zeros[m];
  } else {
    const auto* src = reinterpret_cast<const int16_t*>(row);
    for (int64_t k = 0; k < k_; ++k) sum += src[k];
  }
  memory.sums[m] = sum;
}

}  // namespace neural_engine::jit
