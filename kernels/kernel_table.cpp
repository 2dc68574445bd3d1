#include "kernels/kernel_table.h"

#include "base/error.h"
#include "kernels/jit/rows.h"
#include "kernels/onednn/onednn.h"
#include "kernels/reference/reference.h"

namespace neural_engine {
namespace {

constexpr Isa kAvx2 = Isa::kAvx2;

template <class Desc>
double cost_avx2(const Desc& desc, const CpuInfo&) {
  return jit::cost(desc, kAvx2);
}
template <class Desc>
std::unique_ptr<typename Desc::Kernel> make_avx2(const Desc& desc) {
  return jit::make(desc, kAvx2);
}

const KernelRow<MatmulDesc> kMatmulRows[] = {
    {"matmul.f32.avx2", kAvx2, jit::supports, cost_avx2<MatmulDesc>, make_avx2<MatmulDesc>},
    {"matmul.f32.onednn", Isa::kSse2, onednn::supports, onednn::cost, onednn::make},
    {"matmul.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<IntMatmulDesc> kIntMatmulRows[] = {
    {"int_matmul.u8s8.avx2", kAvx2, jit::supports, cost_avx2<IntMatmulDesc>, make_avx2<IntMatmulDesc>},
    {"int_matmul.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<AttentionDesc> kAttentionRows[] = {
    {"attention.f32.avx2", kAvx2, jit::supports, cost_avx2<AttentionDesc>, make_avx2<AttentionDesc>},
    {"attention.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<SoftmaxDesc> kSoftmaxRows[] = {
    {"softmax.f32.avx2", kAvx2, jit::supports, cost_avx2<SoftmaxDesc>, make_avx2<SoftmaxDesc>},
    {"softmax.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<NormDesc> kNormRows[] = {
    {"norm.f32.avx2", kAvx2, jit::supports, cost_avx2<NormDesc>, make_avx2<NormDesc>},
    {"norm.reference", Isa::kSse2, reference::supports, reference::cost, reference::make},
};

const KernelRow<EltwiseDesc> kEltwiseRows[] = {
    {"eltwise.f32.avx2", kAvx2, jit::supports, cost_avx2<EltwiseDesc>, make_avx2<EltwiseDesc>},
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
