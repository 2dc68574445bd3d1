#include "kernels/kernel_table.h"

#include "base/error.h"
#include "kernels/jit/rows.h"
#include "kernels/onednn/onednn.h"
#include "kernels/reference/reference.h"

namespace neural_engine {
namespace {

template <Isa isa, class Desc>
double jit_cost(const Desc& desc, const CpuInfo&) {
  return jit::cost(desc, isa);
}
template <Isa isa, class Desc>
std::unique_ptr<typename Desc::Kernel> jit_make(const Desc& desc) {
  return jit::make(desc, isa);
}
// A row of code generated for an ISA. Of equal costs the first wins: wide registers come before narrow ones.
template <Isa isa, class Desc>
constexpr KernelRow<Desc> jit_row(const char* name) {
  return {name, isa, jit::supports, jit_cost<isa, Desc>, jit_make<isa, Desc>};
}

const KernelRow<MatmulDesc> kMatmulRows[] = {
    jit_row<Isa::kAvx512, MatmulDesc>("matmul.f32.avx512"),
    jit_row<Isa::kAvx2, MatmulDesc>("matmul.f32.avx2"),
    {"matmul.f32.onednn", Isa::kSse2, onednn::supports, onednn::cost, onednn::make},
    {"matmul.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<IntMatmulDesc> kIntMatmulRows[] = {
    jit_row<Isa::kAvx512Vnni, IntMatmulDesc>("int_matmul.u8s8.avx512_vnni"),
    jit_row<Isa::kAvx512, IntMatmulDesc>("int_matmul.u8s8.avx512"),
    jit_row<Isa::kAvxVnni, IntMatmulDesc>("int_matmul.u8s8.avx_vnni"),
    jit_row<Isa::kAvx2, IntMatmulDesc>("int_matmul.u8s8.avx2"),
    {"int_matmul.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<AttentionDesc> kAttentionRows[] = {
    jit_row<Isa::kAvx512, AttentionDesc>("attention.f32.avx512"),
    jit_row<Isa::kAvx2, AttentionDesc>("attention.f32.avx2"),
    {"attention.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<SoftmaxDesc> kSoftmaxRows[] = {
    jit_row<Isa::kAvx512, SoftmaxDesc>("softmax.f32.avx512"),
    jit_row<Isa::kAvx2, SoftmaxDesc>("softmax.f32.avx2"),
    {"softmax.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<NormDesc> kNormRows[] = {
    jit_row<Isa::kAvx512, NormDesc>("norm.f32.avx512"),
    jit_row<Isa::kAvx2, NormDesc>("norm.f32.avx2"),
    {"norm.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<EltwiseDesc> kEltwiseRows[] = {
    jit_row<Isa::kAvx512, EltwiseDesc>("eltwise.f32.avx512"),
    jit_row<Isa::kAvx2, EltwiseDesc>("eltwise.f32.avx2"),
    {"eltwise.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

template <class Desc>
void append_status(std::vector<RowStatus>* out) {
  for (const KernelRow<Desc>& row : kernel_rows<Desc>())
    out->push_back({row.name, row.needs, row.executions.load(std::memory_order_relaxed)});
}

}  // namespace

template <>
std::span<const KernelRow<MatmulDesc>> kernel_rows() {
  return kMatmulRows;
}
template <>
std::span<const KernelRow<IntMatmulDesc>> kernel_rows() {
  return kIntMatmulRows;
}
template <>
std::span<const KernelRow<AttentionDesc>> kernel_rows() {
  return kAttentionRows;
}
template <>
std::span<const KernelRow<SoftmaxDesc>> kernel_rows() {
  return kSoftmaxRows;
}
template <>
std::span<const KernelRow<NormDesc>> kernel_rows() {
  return kNormRows;
}
template <>
std::span<const KernelRow<EltwiseDesc>> kernel_rows() {
  return kEltwiseRows;
}

template <class Desc>
std::string refusal(const KernelRow<Desc>& row, const Desc& desc, const CpuInfo& info) {
  if (!info.has(row.needs)) return text("needs ", to_string(row.needs));
  return row.supports(desc);
}

template <class Desc>
std::unique_ptr<typename Desc::Kernel> make_kernel(const KernelRow<Desc>& row, const Desc& desc) {
  std::unique_ptr<typename Desc::Kernel> kernel = row.make(desc);
  kernel->count_in(&row.executions);
  return kernel;
}

template <class Desc>
Selection<Desc> select(const Desc& desc, const CpuInfo& info) {
  Selection<Desc> selection;
  std::vector<std::pair<const KernelRow<Desc>*, double>> able;
  for (const KernelRow<Desc>& row : kernel_rows<Desc>()) {
    std::string reason = refusal(row, desc, info);
    if (!reason.empty()) {
      selection.rejected.push_back({row.name, std::move(reason)});
      continue;
    }
    able.emplace_back(&row, row.cost(desc, info));
    if (selection.row == nullptr || able.back().second < selection.cost_us) {
      selection.row = &row;
      selection.cost_us = able.back().second;
    }
  }
  if (selection.row == nullptr) {
    std::string reasons;
    for (const Rejection& rejection : selection.rejected) reasons += "; " + rejection.row + ": " + rejection.reason;
    fail(Code::kUnsupported, "no kernel for this request", reasons);
  }
  for (const auto& [row, cost] : able)
    if (row != selection.row)
      selection.rejected.push_back({row->name, text("costs ", cost, " us, ", selection.cost_us, " us won")});
  selection.kernel = make_kernel(*selection.row, desc);
  return selection;
}

std::vector<RowStatus> kernel_status() {
  std::vector<RowStatus> status;
  append_status<MatmulDesc>(&status);
  append_status<IntMatmulDesc>(&status);
  append_status<AttentionDesc>(&status);
  append_status<SoftmaxDesc>(&status);
  append_status<NormDesc>(&status);
  append_status<EltwiseDesc>(&status);
  return status;
}

#define NE_INSTANTIATE(Desc)                                                               \
  template std::string refusal(const KernelRow<Desc>&, const Desc&, const CpuInfo&);       \
  template std::unique_ptr<Desc::Kernel> make_kernel(const KernelRow<Desc>&, const Desc&); \
  template Selection<Desc> select(const Desc&, const CpuInfo&);
NE_INSTANTIATE(MatmulDesc)
NE_INSTANTIATE(IntMatmulDesc)
NE_INSTANTIATE(AttentionDesc)
NE_INSTANTIATE(SoftmaxDesc)
NE_INSTANTIATE(NormDesc)
NE_INSTANTIATE(EltwiseDesc)
#undef NE_INSTANTIATE

}  // namespace neural_engine
