// Attention rows against the reference.
#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernel_testing.h"

namespace neural_engine {
namespace {

using namespace testing;
using Mask = AttentionDesc::Mask;

struct Case {
  int64_t batch = 1, heads = 1, kv_heads = 1, sq = 1, sk = 1, head_size = 8, v_head_size = 8;
  Mask mask = Mask::kNone;
  // Which of (batch, head, query, key) the mask has: a dimension it lacks has stride 0.
  bool mask_dims[4] = {true, false, false, true};
  bool causal = false;
  int64_t causal_offset = 0;
  bool heads_inside = true;  // [batch, row, head, element], else [batch, head, row, element]
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "batch " << c.batch << ", heads " << c.heads << "/" << c.kv_heads << ", lengths " << c.sq << "/" << c.sk
             << ", sizes " << c.head_size << "/" << c.v_head_size << ", mask " << static_cast<int>(c.mask) << " ("
             << c.mask_dims[0] << c.mask_dims[1] << c.mask_dims[2] << c.mask_dims[3] << "), causal " << c.causal << " "
             << c.causal_offset;
}

AttentionDesc desc_of(const Case& c) {
  return {.num_heads = c.heads,
          .num_kv_heads = c.kv_heads,
          .head_size = c.head_size,
          .v_head_size = c.v_head_size,
          .scale = 1.0f / std::sqrt(static_cast<float>(c.head_size)),
          .mask = c.mask,
          .causal = c.causal};
}

// Three floats of padding between rows.
AttentionMatrix layout(float* data, const Case& c, int64_t heads, int64_t rows, int64_t size) {
  const int64_t row = c.heads_inside ? heads * size + 3 : size + 3;
  if (c.heads_inside) return {data, rows * row, size, row};
  return {data, heads * rows * row, rows * row, row};
}

int64_t elems(const Case& c, int64_t heads, int64_t rows, int64_t size) {
  return c.batch * rows * (c.heads_inside ? heads * size + 3 : heads * (size + 3));
}

struct Data {
  explicit Data(const Case& c) : random(static_cast<uint32_t>(c.sq * 1000 + c.sk + c.head_size)) {
    const auto value = [&] { return random.uniform(-2, 2); };
    q = Matrix(1, elems(c, c.heads, c.sq, c.head_size)).fill(value);
    k = Matrix(1, elems(c, c.kv_heads, c.sk, c.head_size)).fill(value);
    v = Matrix(1, elems(c, c.kv_heads, c.sk, c.v_head_size)).fill(value);
    const int64_t sizes[4] = {c.batch, c.heads, c.sq, c.sk};
    int64_t count = 1;
    for (int i = 3; i >= 0; --i) {
      strides[i] = c.mask_dims[i] ? count : 0;
      if (c.mask_dims[i]) count *= sizes[i];
    }
    bias = Matrix(1, count).fill([&] { return random.integer(0, 3) == 0 ? -10000.0f : random.uniform(-1, 1); });
    for (int64_t i = 0; i < count; ++i) keep.push_back(random.integer(0, 3) != 0);
  }

  AttentionMask mask(const Case& c) const {
    const void* data = c.mask == Mask::kBoolean ? static_cast<const void*>(keep.data()) : bias.data();
    return {data, strides[0], strides[1], strides[2], strides[3]};
  }

  Random random;
  Matrix q, k, v, bias;
  std::vector<uint8_t> keep;
  int64_t strides[4];
};

// The output with padding, as one row.
Matrix run(const AttentionKernel& kernel, const Case& c, Data& data, Parallel& parallel) {
  Matrix out(1, elems(c, c.heads, c.sq, c.v_head_size));
  out.fill([] { return 1234.0f; });
  AttentionArgs args = {.batch = c.batch,
                        .sq = c.sq,
                        .sk = c.sk,
                        .q = layout(data.q.data(), c, c.heads, c.sq, c.head_size),
                        .k = layout(data.k.data(), c, c.kv_heads, c.sk, c.head_size),
                        .v = layout(data.v.data(), c, c.kv_heads, c.sk, c.v_head_size),
                        .out = layout(out.data(), c, c.heads, c.sq, c.v_head_size),
                        .mask = data.mask(c),
                        .causal_offset = c.causal_offset};
  const AlignedBytes scratch(kernel.scratch_bytes(args, parallel.threads()));
  args.scratch = scratch.get();
  kernel.run(args, parallel);
  scratch.check();
  return out;
}

void check(const Case& c, Data& data) {
  SerialParallel serial;
  ThreadedParallel three(3);
  const AttentionDesc desc = desc_of(c);
  const Matrix want = run(*reference_for(desc), c, data, serial);
  for (const KernelRow<AttentionDesc>* row : rows_for(desc)) {
    SCOPED_TRACE(::testing::Message() << row->name << ": " << c);
    const auto kernel = make_kernel(*row, desc);
    const Matrix got = run(*kernel, c, data, serial);
    // Values within 2, weights that add up to 1, scores within 4 sqrt(256) = 64 known to eps: 64 * 2 * eps.
    expect_close(got, want, 128 * kEps, 0);
    expect_same_bits(run(*kernel, c, data, three), got);
  }
}

void check(const Case& c) {
  if (left_out()) return;
  Data data(c);
  check(c, data);
}

TEST(Attention, HeadSizesAndLengths) {
  for (const int64_t size : {1, 3, 8, 31, 32, 33, 64, 80, 128, 255, 256})
    for (const int64_t length : {1, 2, 5, 16, 17, 50, 128}) {
      check({.batch = 2,
             .heads = 3,
             .kv_heads = 3,
             .sq = length,
             .sk = length,
             .head_size = size,
             .v_head_size = size % 5 == 0 ? size + 1 : size,
             .heads_inside = size % 2 == 0});
      if (HasFatalFailure()) return;
    }
}

TEST(Attention, MasksOfEveryShape) {
  for (const Mask mask : {Mask::kAdditive, Mask::kBoolean})
    for (int dims = 0; dims < 16; ++dims) {
      Case c = {
          .batch = 2, .heads = 2, .kv_heads = 2, .sq = 53, .sk = 70, .head_size = 16, .v_head_size = 16, .mask = mask};
      for (int i = 0; i < 4; ++i) c.mask_dims[i] = (dims >> i) & 1;
      check(c);
      if (HasFatalFailure()) return;
    }
}

TEST(Attention, KeysInSeveralBlocks) {
  for (const int64_t sk : {511, 512, 513, 1300}) {
    check({.heads = 2, .kv_heads = 1, .sq = 50, .sk = sk, .head_size = 24, .v_head_size = 20});
    check({.heads = 2, .kv_heads = 1, .sq = 3, .sk = sk, .head_size = 24, .v_head_size = 24, .mask = Mask::kBoolean});
    check({.heads = 1, .sq = 60, .sk = sk, .causal = true, .causal_offset = sk - 60});
  }
  check({.sq = 2, .sk = 8192, .head_size = 32, .v_head_size = 32, .mask = Mask::kAdditive});
}

TEST(Attention, CausalWithOffsets) {
  for (const int64_t offset : {0, 1, 40, -1, -30, -100})
    for (const int64_t sq : {1, 7, 64, 101}) {
      check({.batch = 2, .heads = 4, .kv_heads = 2, .sq = sq, .sk = 60, .causal = true, .causal_offset = offset});
      check({.heads = 2,
             .kv_heads = 2,
             .sq = sq,
             .sk = 60,
             .mask = Mask::kAdditive,
             .mask_dims = {true, false, true, true},
             .causal = true,
             .causal_offset = offset});
      if (HasFatalFailure()) return;
    }
}

TEST(Attention, GroupedHeads) {
  for (const int64_t kv_heads : {1, 2, 4, 8})
    check({.batch = 3, .heads = 8, .kv_heads = kv_heads, .sq = 33, .sk = 40, .head_size = 16, .v_head_size = 16});
}

TEST(Attention, AllKeysMasked) {
  const float inf = std::numeric_limits<float>::infinity(), low = std::numeric_limits<float>::lowest();
  for (const int64_t sk : {20, 600}) {
    Case c = {.batch = 3, .heads = 1, .sq = 4, .sk = sk, .mask = Mask::kAdditive};
    Data data(c);
    for (int64_t i = 0; i < sk; ++i) {
      data.bias.at(0, i) = -inf;                            // all: NaN
      data.bias.at(0, sk + i) = low;                        // all: the mean of the values
      data.bias.at(0, 2 * sk + i) = i < sk - 2 ? -inf : 0;  // the first block of keys sees nothing
    }
    check(c, data);
    c.mask = Mask::kBoolean;
    std::fill(data.keep.begin(), data.keep.begin() + sk, 0);
    check(c, data);
  }
}

TEST(Attention, NothingToAttendTo) { check({.batch = 2, .sq = 3, .sk = 0}); }

}  // namespace
}  // namespace neural_engine
