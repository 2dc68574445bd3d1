#include "kernels/requests.h"

#include "base/error.h"

namespace neural_engine {
namespace {

std::string not_f32(const char* what, DType dtype) {
  if (dtype == DType::kF32) return "";
  return text(what, " is ", to_string(dtype), ", f32 is supported");
}

template <class... Reasons>
std::string first_of(Reasons&&... reasons) {
  std::string found;
  ((found.empty() ? void(found = std::forward<Reasons>(reasons)) : void()), ...);
  return found;
}

}  // namespace

std::string check_f32(const Epilogue& epilogue) {
  for (const EpilogueOp& op : epilogue) {
    if (op.kind == EpilogueOp::Kind::kGrid)
      return text("the epilogue has a grid of ", to_string(op.operand_dtype), ", f32 is supported");
    if (op.kind == EpilogueOp::Kind::kBinary && op.operand_dtype != DType::kF32)
      return text("the operand of ", to_string(op.binary), " is ", to_string(op.operand_dtype), ", f32 is supported");
  }
  return "";
}

std::string check_f32(const MatmulDesc& desc) {
  std::string reason =
      first_of(not_f32("A", desc.a), not_f32("B", desc.b), not_f32("C", desc.c), check_f32(desc.epilogue));
  if (reason.empty() && (desc.m < 0 || desc.n < 0 || desc.k < 0))
    reason = text("sizes are ", desc.m, " x ", desc.n, " x ", desc.k, ", none may be negative");
  if (reason.empty() && desc.b_constant && (desc.n == 0 || desc.k == 0))
    reason = text("a constant B has sizes ", desc.k, " x ", desc.n, ", both must be known and positive");
  return reason;
}

std::string check_f32(const AttentionDesc& desc) {
  if (desc.dtype != DType::kF32) return not_f32("the dtype", desc.dtype);
  for (const int64_t size : {desc.head_size, desc.v_head_size})
    if (size < 1 || size > 256) return text("a head size is ", size, ", 1 to 256 are supported");
  if (desc.num_heads < 1 || desc.num_kv_heads < 1 || desc.num_heads % desc.num_kv_heads != 0)
    return text(desc.num_heads, " heads and ", desc.num_kv_heads,
                " key-value heads: the latter must divide the former");
  return "";
}

std::string check_f32(const NormDesc& desc) {
  if (desc.dtype != DType::kF32) return not_f32("the dtype", desc.dtype);
  if (desc.n < 1) return text("a row has ", desc.n, " elements, at least 1 is expected");
  return "";
}

std::string check_f32(const SoftmaxDesc& desc) { return not_f32("the dtype", desc.dtype); }

std::string check_f32(const EltwiseDesc& desc) {
  return first_of(not_f32("the source", desc.src), not_f32("the destination", desc.dst), check_f32(desc.ops));
}

double flops(const MatmulDesc& desc) {
  return 2.0 * or_typical(desc.m, 128) * or_typical(desc.n, 128) * or_typical(desc.k, 64);
}

double flops(const IntMatmulDesc& desc) {
  return 2.0 * or_typical(desc.m, 128) * static_cast<double>(desc.n) * static_cast<double>(desc.k);
}

double flops(const AttentionDesc& desc) {
  return 2.0 * or_typical(desc.batch, 1) * static_cast<double>(desc.num_heads) * or_typical(desc.sq, 128) *
         or_typical(desc.sk, 128) * static_cast<double>(desc.head_size + desc.v_head_size);
}

double elements(const NormDesc& desc) { return or_typical(desc.rows, 128) * static_cast<double>(desc.n); }
double elements(const SoftmaxDesc& desc) { return or_typical(desc.rows, 128) * or_typical(desc.n, 128); }
double elements(const EltwiseDesc& desc) { return or_typical(desc.m, 128) * or_typical(desc.n, 1024); }

}  // namespace neural_engine
