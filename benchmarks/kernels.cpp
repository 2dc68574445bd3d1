// Every row of the kernel table on the shapes of MiniLM-L6 (384, 1536) and BERT-base (768, 3072), one thread.
//
//   neural_engine_benchmarks --benchmark_filter=matmul
//
// `peak` is the share of the FMA rate that the same process measures first; matrix products run warm (one B) and, as
// /cold, over a set of weights larger than any cache, as a whole model does.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"

namespace neural_engine {
namespace {

using Floats = std::unique_ptr<float[], decltype(&std::free)>;

Floats floats(int64_t count) {
  Floats p(static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>(round_up(count * 4 + 64, 64)))), &std::free);
  for (int64_t i = 0; i < count; ++i) p[static_cast<size_t>(i)] = static_cast<float>((i * 7919 + 13) % 201 - 100) / 100;
  return p;
}

// Ten independent chains of the widest FMA that our rows use: 8 floats, 2 flops each.
double measure_peak_gflops() {
  if (!cpu().has(Isa::kAvx2)) return 0;
  double best = 0;
  for (int round = 0; round < 10; ++round) {
    constexpr int64_t kSteps = 2'000'000;
    int64_t left = kSteps;
    const auto start = std::chrono::steady_clock::now();
    __asm__ volatile(
        "1:\n vfmadd231ps %%ymm14,%%ymm15,%%ymm0\n vfmadd231ps %%ymm14,%%ymm15,%%ymm1\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm2\n vfmadd231ps %%ymm14,%%ymm15,%%ymm3\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm4\n vfmadd231ps %%ymm14,%%ymm15,%%ymm5\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm6\n vfmadd231ps %%ymm14,%%ymm15,%%ymm7\n"
        "vfmadd231ps %%ymm14,%%ymm15,%%ymm8\n vfmadd231ps %%ymm14,%%ymm15,%%ymm9\n"
        "dec %0\n jnz 1b\n vzeroupper\n"
        : "+r"(left)
        :
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9");
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, kSteps * 10.0 * 8 * 2 / elapsed.count());
  }
  return best;
}

double peak_gflops() {
  static const double peak = measure_peak_gflops();
  return peak;
}

void report_flops(benchmark::State& state, double flops_per_run) {
  const double total = flops_per_run * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(total / 1e9, benchmark::Counter::kIsRate);
  if (peak_gflops() > 0)
    state.counters["peak"] = benchmark::Counter(total / 1e9 / peak_gflops(), benchmark::Counter::kIsRate);
}

void report_bytes(benchmark::State& state, double bytes_per_run) {
  const double total = bytes_per_run * static_cast<double>(state.iterations());
  state.counters["GB/s"] = benchmark::Counter(total / 1e9, benchmark::Counter::kIsRate);
}

void run_matmul(benchmark::State& state, const KernelRow<MatmulDesc>& row, int64_t m, int64_t k, int64_t n, bool cold,
                const Epilogue& epilogue) {
  const MatmulDesc desc = {.m = m, .n = n, .k = k, .epilogue = epilogue};
  const auto kernel = make_kernel(row, desc);
  SerialParallel serial;
  const Floats a = floats(m * k), b = floats(k * n), c = floats(m * n), operand_data = floats(m * n);
  constexpr int64_t kColdBytes = 128 << 20;
  const int64_t sets = cold ? kColdBytes / (k * n * 4) + 1 : 1;
  std::vector<Floats> packed;
  for (int64_t i = 0; i < sets; ++i) {
    packed.push_back(floats(kernel->packed_bytes() / 4));
    kernel->pack(b.get(), n, packed.back().get(), serial);
  }
  const std::vector<EpilogueOperand> operands(static_cast<size_t>(operand_count(epilogue)), {operand_data.get(), n, 0});
  MatmulArgs args = {.m = m, .n = n, .k = k, .a = a.get(), .lda = k, .c = c.get(), .ldc = n, .operands = operands};
  const Floats scratch = floats(kernel->scratch_bytes(args, 1) / 4);
  args.scratch = scratch.get();
  size_t next = 0;
  for (auto _ : state) {
    args.b = packed[next++ % packed.size()].get();
    kernel->run(args, serial);
  }
  report_flops(state, 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k));
}

void register_matmul() {
  constexpr int64_t kShapes[][2] = {{384, 384}, {384, 1152}, {384, 1536}, {1536, 384},
                                    {768, 768}, {768, 2304}, {768, 3072}, {3072, 768}};
  for (const auto& [k, n] : kShapes)
    for (const int64_t m : {1, 16, 32, 128, 384, 1024})
      for (const bool cold : {false, true})
        for (const KernelRow<MatmulDesc>& row : kernel_rows<MatmulDesc>()) {
          if (&row == &kernel_rows<MatmulDesc>().back() || !refusal(row, {.n = n, .k = k}, cpu()).empty()) continue;
          const std::string name = std::string(row.name) + "/m:" + std::to_string(m) + "/k:" + std::to_string(k) +
                                   "/n:" + std::to_string(n) + (cold ? "/cold" : "/warm");
          benchmark::RegisterBenchmark(name.c_str(), [&row, m, k = k, n = n, cold](benchmark::State& state) {
            run_matmul(state, row, m, k, n, cold, {bias()});
          })->MinTime(0.05);
        }
  for (const KernelRow<MatmulDesc>& row : kernel_rows<MatmulDesc>()) {
    if (&row == &kernel_rows<MatmulDesc>().back() || !refusal(row, {.n = 1536, .k = 384}, cpu()).empty()) continue;
    const std::pair<const char*, Epilogue> epilogues[] = {{"gelu_erf", {bias(), unary(UnaryOp::kGeluErf)}},
                                                          {"gelu_tanh", {bias(), unary(UnaryOp::kGeluTanh)}},
                                                          {"residual", {bias(), residual()}}};
    for (const auto& [label, ops] : epilogues)
      benchmark::RegisterBenchmark(
          (std::string(row.name) + "/m:128/k:384/n:1536/" + label).c_str(),
          [&row, ops = ops](benchmark::State& state) { run_matmul(state, row, 128, 384, 1536, false, ops); })
          ->MinTime(0.05);
  }
}

// A of f32, which the kernel quantizes (that is timed), or of u8.
void run_int_matmul(benchmark::State& state, const KernelRow<IntMatmulDesc>& row, const IntMatmulDesc& desc) {
  const auto kernel = make_kernel(row, desc);
  SerialParallel serial;
  const Floats a = floats(desc.m * desc.k), c = floats(desc.m * desc.n), scales = floats(desc.n);
  const std::vector<int8_t> b(static_cast<size_t>(desc.k * desc.n), 3);
  const Floats packed = floats(kernel->packed_bytes() / 4 + 1), scratch = floats(kernel->scratch_bytes(desc.m) / 4 + 1);
  kernel->pack(b.data(), desc.n, packed.get(), serial);
  const EpilogueOperand operand = {scales.get()};
  const IntMatmulArgs args = {.m = desc.m,
                              .a = a.get(),
                              .lda = desc.k,
                              .scale_a = 0.01f,
                              .zero_a = 128,
                              .b = packed.get(),
                              .scale_b = scales.get(),
                              .c = c.get(),
                              .ldc = desc.n,
                              .operands = {&operand, 1},
                              .scratch = scratch.get()};
  for (auto _ : state) kernel->run(args, serial);
  report_flops(state, 2.0 * static_cast<double>(desc.m) * static_cast<double>(desc.n) * static_cast<double>(desc.k));
}

void register_int_matmul() {
  constexpr int64_t kShapes[][2] = {{384, 384}, {384, 1536}, {1536, 384}, {768, 768}, {768, 3072}, {3072, 768}};
  for (const auto& [k, n] : kShapes)
    for (const int64_t m : {1, 16, 128, 384})
      for (const DType a : {DType::kF32, DType::kU8})
        for (const KernelRow<IntMatmulDesc>& row : kernel_rows<IntMatmulDesc>()) {
          const IntMatmulDesc desc = {.m = m, .n = n, .k = k, .epilogue = {bias()}, .a = a};
          if (&row == &kernel_rows<IntMatmulDesc>().back() || !refusal(row, desc, cpu()).empty()) continue;
          const std::string name = std::string(row.name) + "/" + to_string(a) + "/m:" + std::to_string(m) +
                                   "/k:" + std::to_string(k) + "/n:" + std::to_string(n);
          benchmark::RegisterBenchmark(name.c_str(), [&row, desc](benchmark::State& state) {
            run_int_matmul(state, row, desc);
          })->MinTime(0.05);
        }
}

void run_attention(benchmark::State& state, const KernelRow<AttentionDesc>& row, int64_t batch, int64_t length,
                   int64_t size) {
  const int64_t heads = 12, width = heads * size;
  const AttentionDesc desc = {.num_heads = heads,
                              .num_kv_heads = heads,
                              .head_size = size,
                              .v_head_size = size,
                              .scale = 0.125f,
                              .mask = AttentionDesc::Mask::kAdditive};
  const auto kernel = make_kernel(row, desc);
  const Floats qkv = floats(batch * length * 3 * width), out = floats(batch * length * width),
               mask = floats(batch * length);
  const auto part = [&](int64_t i) {
    return AttentionMatrix{qkv.get() + i * width, length * 3 * width, size, 3 * width};
  };
  AttentionArgs args = {.batch = batch,
                        .sq = length,
                        .sk = length,
                        .q = part(0),
                        .k = part(1),
                        .v = part(2),
                        .out = {out.get(), length * width, size, width},
                        .mask = {mask.get(), length, 0, 0, 1}};
  const Floats scratch = floats(kernel->scratch_bytes(args, 1) / 4);
  args.scratch = scratch.get();
  SerialParallel serial;
  for (auto _ : state) kernel->run(args, serial);
  report_flops(state, 4.0 * static_cast<double>(batch * heads * length * length * size));
}

void register_attention() {
  for (const KernelRow<AttentionDesc>& row : kernel_rows<AttentionDesc>()) {
    if (&row == &kernel_rows<AttentionDesc>().back() || !cpu().has(row.needs)) continue;
    for (const int64_t size : {32, 64})
      for (const int64_t length : {16, 32, 128, 384, 2048})
        benchmark::RegisterBenchmark(
            (std::string(row.name) + "/head:" + std::to_string(size) + "/length:" + std::to_string(length)).c_str(),
            [&row, length, size](benchmark::State& state) { run_attention(state, row, 1, length, size); })
            ->MinTime(0.05);
  }
}

void register_rows() {
  for (const KernelRow<SoftmaxDesc>& row : kernel_rows<SoftmaxDesc>()) {
    if (!cpu().has(row.needs)) continue;
    for (const int64_t n : {32, 128, 384})
      benchmark::RegisterBenchmark(
          (std::string(row.name) + "/n:" + std::to_string(n)).c_str(),
          [&row, n](benchmark::State& state) {
            const auto kernel = make_kernel(row, SoftmaxDesc{});
            const Floats x = floats(128 * n), y = floats(128 * n);
            SerialParallel serial;
            for (auto _ : state)
              kernel->run({.rows = 128, .n = n, .x = x.get(), .ldx = n, .out = y.get(), .ld_out = n}, serial);
            report_bytes(state, 8.0 * 128 * static_cast<double>(n));
          })
          ->MinTime(0.05);
  }
  for (const KernelRow<NormDesc>& row : kernel_rows<NormDesc>()) {
    if (!cpu().has(row.needs)) continue;
    for (const int64_t n : {384, 768})
      benchmark::RegisterBenchmark((std::string(row.name) + "/layer/n:" + std::to_string(n)).c_str(),
                                   [&row, n](benchmark::State& state) {
                                     const auto kernel = make_kernel(row, NormDesc{.n = n});
                                     const Floats x = floats(128 * n), y = floats(128 * n), gamma = floats(n);
                                     SerialParallel serial;
                                     for (auto _ : state)
                                       kernel->run({.rows = 128,
                                                    .x = x.get(),
                                                    .ldx = n,
                                                    .gamma = gamma.get(),
                                                    .beta = gamma.get(),
                                                    .out = y.get(),
                                                    .ld_out = n},
                                                   serial);
                                     report_bytes(state, 8.0 * 128 * static_cast<double>(n));
                                   })
          ->MinTime(0.05);
  }
}

void register_eltwise() {
  for (const KernelRow<EltwiseDesc>& row : kernel_rows<EltwiseDesc>()) {
    if (!cpu().has(row.needs)) continue;
    for (int op = 0; op < kUnaryOpCount; ++op) {
      const EltwiseDesc desc = {.ops = {unary(static_cast<UnaryOp>(op))}};
      benchmark::RegisterBenchmark(
          (std::string(row.name) + "/" + to_string(static_cast<UnaryOp>(op))).c_str(),
          [&row, desc](benchmark::State& state) {
            constexpr int64_t kElems = 16 << 10;  // both in L2
            const auto kernel = make_kernel(row, desc);
            const Floats x = floats(kElems), y = floats(kElems);
            SerialParallel serial;
            for (auto _ : state)
              kernel->run({.m = 1, .n = kElems, .src = x.get(), .ld_src = kElems, .dst = y.get(), .ld_dst = kElems},
                          serial);
            report_bytes(state, 8.0 * kElems);
          })
          ->MinTime(0.02);
    }
  }
}

// Before main(): the table is a constant, and this executable's objects are all linked.
[[maybe_unused]] const bool kRegistered = [] {
  register_matmul();
  register_int_matmul();
  register_attention();
  register_rows();
  register_eltwise();
  benchmark::AddCustomContext("fma_peak_gflops", std::to_string(peak_gflops()));
  return true;
}();

}  // namespace
}  // namespace neural_engine
