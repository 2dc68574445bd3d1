// Selection, and the rule that a kernel which no test ran does not exist.
#include "kernels/kernel_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "kernel_testing.h"

namespace neural_engine {
namespace {

using namespace testing;

// One small run of each kind, with this row.
void run_once(const KernelRow<MatmulDesc>& row) {
  const MatmulDesc desc = {.n = 20, .k = 10, .epilogue = {bias()}};
  ASSERT_EQ(refusal(row, desc, emulator::test_cpu()), "");
  const auto kernel = make_kernel(row, desc);
  Matrix a = Matrix(3, 10).fill([] { return 1.0f; }), b = Matrix(10, 20).fill([] { return 2.0f; }), c(3, 20);
  const EpilogueOperand operand = {b.data()};
  SerialParallel serial;
  const AlignedBytes packed(kernel->packed_bytes());
  kernel->pack(b.data(), b.ld, packed.get(), serial);
  MatmulArgs args = {.m = 3,
                     .n = 20,
                     .k = 10,
                     .a = a.data(),
                     .lda = 10,
                     .b = packed.get(),
                     .c = c.data(),
                     .ldc = 20,
                     .operands = {&operand, 1}};
  const AlignedBytes scratch(kernel->scratch_bytes(args, 1));
  args.scratch = scratch.get();
  kernel->run(args, serial);
  EXPECT_EQ(c.at(2, 19), 22.0f);
}

void run_once(const KernelRow<IntMatmulDesc>& row) {
  const IntMatmulDesc desc = {.n = 3, .k = 4};
  ASSERT_EQ(refusal(row, desc, emulator::test_cpu()), "");
  const auto kernel = make_kernel(row, desc);
  const Matrix a = Matrix(1, 4).fill([] { return 255.0f; }), scales = Matrix(1, 3).fill([] { return 2.0f; });
  const std::vector<int8_t> b(12, 3);
  Matrix c(1, 3);
  SerialParallel serial;
  const AlignedBytes packed(kernel->packed_bytes()), scratch(kernel->scratch_bytes(1));
  kernel->pack(b.data(), 3, packed.get(), serial);
  kernel->run({.m = 1,
               .a = a.data(),
               .lda = 4,
               .b = packed.get(),
               .scale_b = scales.data(),
               .c = c.data(),
               .ldc = 3,
               .scratch = scratch.get()},
              serial);
  EXPECT_EQ(c.at(0, 2), 6120.0f);
}

void run_once(const KernelRow<AttentionDesc>& row) {
  const AttentionDesc desc = {.head_size = 4, .v_head_size = 4};
  ASSERT_EQ(refusal(row, desc, emulator::test_cpu()), "");
  const auto kernel = make_kernel(row, desc);
  Matrix x = Matrix(2, 4).fill([] { return 0.5f; }), out(2, 4);
  AttentionArgs args = {.batch = 1,
                        .sq = 2,
                        .sk = 2,
                        .q = {x.data(), 0, 0, 4},
                        .k = {x.data(), 0, 0, 4},
                        .v = {x.data(), 0, 0, 4},
                        .out = {out.data(), 0, 0, 4}};
  const AlignedBytes scratch(kernel->scratch_bytes(args, 1));
  args.scratch = scratch.get();
  SerialParallel serial;
  kernel->run(args, serial);
  EXPECT_FLOAT_EQ(out.at(1, 3), 0.5f);
}

void run_once(const KernelRow<SoftmaxDesc>& row) {
  ASSERT_EQ(refusal(row, SoftmaxDesc{}, emulator::test_cpu()), "");
  Matrix x = Matrix(1, 4).fill([] { return 3.0f; });
  SerialParallel serial;
  make_kernel(row, SoftmaxDesc{})
      ->run({.rows = 1, .n = 4, .x = x.data(), .ldx = 4, .out = x.data(), .ld_out = 4}, serial);
  EXPECT_FLOAT_EQ(x.at(0, 3), 0.25f);
}

void run_once(const KernelRow<NormDesc>& row) {
  const NormDesc desc = {.kind = NormDesc::Kind::kRms, .n = 4, .epsilon = 0, .has_gamma = false, .has_beta = false};
  ASSERT_EQ(refusal(row, desc, emulator::test_cpu()), "");
  Matrix x = Matrix(1, 4).fill([] { return 3.0f; });
  SerialParallel serial;
  make_kernel(row, desc)->run({.rows = 1, .x = x.data(), .ldx = 4, .out = x.data(), .ld_out = 4}, serial);
  EXPECT_FLOAT_EQ(x.at(0, 3), 1.0f);
}

void run_once(const KernelRow<EltwiseDesc>& row) {
  const EltwiseDesc desc = {.ops = {unary(UnaryOp::kSquare)}};
  ASSERT_EQ(refusal(row, desc, emulator::test_cpu()), "");
  Matrix x = Matrix(1, 4).fill([] { return 3.0f; });
  SerialParallel serial;
  make_kernel(row, desc)->run({.m = 1, .n = 4, .src = x.data(), .ld_src = 4, .dst = x.data(), .ld_dst = 4}, serial);
  EXPECT_EQ(x.at(0, 3), 9.0f);
}

template <class Desc>
void run_rows() {
  for (const KernelRow<Desc>& row : kernel_rows<Desc>()) {
    if (!emulator::test_cpu().has(row.needs)) continue;
    SCOPED_TRACE(row.name);
    const int64_t before = row.executions;
    run_once(row);
    EXPECT_EQ(row.executions, before + 1);
  }
}

void print_table() {
  for (const RowStatus& row : kernel_status()) {
    const std::string state = row.executions == 0              ? "not run"
                              : emulator::is_native(row.needs) ? text("native ", row.executions)
                                                               : text("emulated ", row.executions);
    std::printf("%-28s %s\n", row.name.c_str(), state.c_str());
  }
}

// After all tests of this process, so that a whole run shows what it covered.
class PrintTable final : public ::testing::Environment {
  void TearDown() override { print_table(); }
};
[[maybe_unused]] const auto* const kPrintTable = ::testing::AddGlobalTestEnvironment(new PrintTable);

// Where NE_MAX_ISA cuts rows off, they are told as not run.
TEST(KernelTable, EveryRowRunsNativelyOrEmulated) {
  run_rows<MatmulDesc>();
  run_rows<IntMatmulDesc>();
  run_rows<AttentionDesc>();
  run_rows<SoftmaxDesc>();
  run_rows<NormDesc>();
  run_rows<EltwiseDesc>();
  for (const RowStatus& row : kernel_status()) {
    if (emulator::test_cpu().has(row.needs)) {
      EXPECT_GT(row.executions, 0) << row.name;
    }
  }
}

TEST(KernelTable, NamesAreUniqueAndReferencesComeLast) {
  std::vector<std::string> names;
  for (const RowStatus& row : kernel_status()) names.push_back(row.name);
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_STREQ(kernel_rows<MatmulDesc>().back().name, "matmul.reference");
  EXPECT_EQ(kernel_rows<MatmulDesc>().back().needs, Isa::kSse2);
}

CpuInfo cpu_with(std::initializer_list<Isa> sets) {
  CpuInfo info;
  for (const Isa isa : sets) info.isa_bits |= 1u << static_cast<int>(isa);
  return info;
}

const KernelRow<MatmulDesc>& row_named(const char* name) {
  for (const KernelRow<MatmulDesc>& row : kernel_rows<MatmulDesc>())
    if (std::string(row.name) == name) return row;
  fail(Code::kInternal, "no row ", name);
}

TEST(KernelTable, CostsPreferOurRowOnAvx2AndOnednnOnAvx512) {
  const CpuInfo avx2 = cpu_with({Isa::kAvx2}), avx512 = cpu_with({Isa::kAvx2, Isa::kAvx512});
  const auto& ours = row_named("matmul.f32.avx2");
  const auto& theirs = row_named("matmul.f32.onednn");
  for (const int64_t m : {16, 128, 1024}) {
    const MatmulDesc desc = {.m = m, .n = 768, .k = 768};
    EXPECT_LT(ours.cost(desc, avx2), theirs.cost(desc, avx2));
    EXPECT_GT(ours.cost(desc, avx512), theirs.cost(desc, avx512));
  }
}

TEST(KernelTable, SelectionTellsWhyOthersLost) {
  const CpuInfo bare = cpu_with({});
  const Selection<SoftmaxDesc> selection = select(SoftmaxDesc{}, bare);
  EXPECT_STREQ(selection.row->name, "softmax.reference");
  ASSERT_EQ(selection.rejected.size(), 2u);
  EXPECT_EQ(selection.rejected[1].row, "softmax.f32.avx2");
  EXPECT_EQ(selection.rejected[1].reason, "needs avx2");

  const MatmulDesc desc = {.n = 64, .k = 64};
  const Selection<MatmulDesc> matmul = select(desc);
  EXPECT_EQ(matmul.rejected.size(), kernel_rows<MatmulDesc>().size() - 1);
  for (const Rejection& rejection : matmul.rejected) EXPECT_FALSE(rejection.reason.empty());
}

template <class Desc>
void expect_unsupported(const Desc& desc, const std::string& message) {
  try {
    select(desc);
    ADD_FAILURE() << "accepted; expected: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnsupported);
    EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
  }
}

TEST(KernelTable, WhatNoRowTakesIsRefusedByName) {
  expect_unsupported(MatmulDesc{.a = DType::kS8, .n = 1, .k = 1}, "A is s8, f32 is supported");
  expect_unsupported(MatmulDesc{.n = 0, .k = 4}, "a constant B has sizes 4 x 0");
  expect_unsupported(MatmulDesc{.n = -2, .k = 4}, "none may be negative");
  EpilogueOp half = bias();
  half.operand_dtype = DType::kF16;
  expect_unsupported(MatmulDesc{.n = 1, .k = 4, .epilogue = {half}}, "the operand of add is f16");
  expect_unsupported(AttentionDesc{.head_size = 300, .v_head_size = 8}, "a head size is 300, 1 to 256");
  expect_unsupported(AttentionDesc{.num_heads = 6, .num_kv_heads = 4, .head_size = 8, .v_head_size = 8},
                     "6 heads and 4 key-value heads");
  expect_unsupported(NormDesc{.n = 0}, "a row has 0 elements");
  expect_unsupported(SoftmaxDesc{.dtype = DType::kBF16}, "the dtype is bf16");
  expect_unsupported(EltwiseDesc{.dst = DType::kU8}, "the destination is u8");
}

}  // namespace
}  // namespace neural_engine
