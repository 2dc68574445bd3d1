#include "executor/ops/matmul_plan.h"

#include <algorithm>

#include "base/dtype.h"
#include "base/tensor_memory.h"
#include "executor/ops/kernel_choice.h"
#include "executor/weight_store.h"

namespace neural_engine {

namespace {

int64_t product_of(const Shape& shape, size_t begin, size_t end) {
  int64_t result = 1;
  for (size_t i = begin; i < end; ++i) result *= shape[i];
  return result;
}

int64_t matrices(const Shape& shape) { return product_of(shape, 0, shape.size() - 2); }

bool is_half(DType dtype) { return dtype == DType::kF16 || dtype == DType::kBF16; }

void to_f32(const Tensor& src, float scale, float* dst, Parallel& parallel) {
  dispatch_floating(src.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = src.data<T>();
    parallel.ranges(src.elems(), 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) dst[i] = scale * static_cast<float>(from[i]);
    });
  });
}

void round_from_f32(const float* src, Tensor* dst, Parallel& parallel) {
  dispatch_floating(dst->dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = dst->data<T>();
    parallel.ranges(dst->elems(), 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) to[i] = T(src[i]);
    });
  });
}

// Matrices [K,M] to [M,K], in f32.
void transpose_to_f32(const Tensor& src, int64_t m, int64_t k, float* dst, Parallel& parallel) {
  dispatch_floating(src.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = src.data<T>();
    const int64_t count = m * k == 0 ? 0 : src.elems() / (m * k);
    parallel.ranges(count * m, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* matrix = from + row / m * m * k + row % m;
        for (int64_t j = 0; j < k; ++j) dst[row * k + j] = static_cast<float>(matrix[j * m]);
      }
    });
  });
}

// Steps, in matrices, of a batch dimension that an operand of shape `batch` (its leading dimensions) may broadcast.
std::vector<int64_t> batch_steps(const Shape& operand, size_t rank) {
  std::vector<int64_t> steps(rank, 0);
  const size_t own = operand.size() - 2;
  int64_t step = 1;
  for (size_t i = 0; i < own; ++i) {
    const size_t d = own - 1 - i;
    if (operand[d] != 1) steps[rank - 1 - i] = step;
    step *= operand[d];
  }
  return steps;
}

}  // namespace

MatmulPlan::MatmulPlan(const MatmulProblem& problem, const BindContext& context, BoundOp* bound) : problem_(problem) {
  const Shape &a = problem_.a, &b = problem_.b;
  m_ = problem_.trans_a ? a[a.size() - 1] : a[a.size() - 2];
  k_ = problem_.trans_a ? a[a.size() - 2] : a[a.size() - 1];
  n_ = problem_.trans_b ? b[b.size() - 2] : b[b.size() - 1];
  lay_out_batches();
  bound->operations = 2.0 * static_cast<double>(m_ * n_ * k_ * batch_) * static_cast<double>(calls_.size());
  through_table_ = problem_.dtype == DType::kF32 || is_half(problem_.dtype);
  if (through_table_) {
    choose(context, bound);
    bound->scratch_bytes = scratch_bytes_;
  }
}

void MatmulPlan::lay_out_batches() {
  if (matrices(problem_.b) == 1) {
    // One B for all rows. (A transposed A is staged row by row first, so that this holds for it as well.)
    m_ *= matrices(problem_.a);
    calls_ = {{}};
    return;
  }
  const size_t rank = std::max(problem_.a.size(), problem_.b.size()) - 2;
  Shape out(rank, 1);
  for (const Shape* shape : {&problem_.a, &problem_.b}) {
    const size_t offset = rank - (shape->size() - 2);
    for (size_t i = 0; i + 2 < shape->size(); ++i) {
      if ((*shape)[i] != 1) out[offset + i] = (*shape)[i];
    }
  }
  const std::vector<int64_t> a_steps = batch_steps(problem_.a, rank), b_steps = batch_steps(problem_.b, rank);
  size_t outer = rank;
  for (; outer > 0; --outer) {
    const size_t d = outer - 1;
    if (out[d] == 1) continue;
    if (batch_ == 1) {
      a_step_ = a_steps[d];
      b_step_ = b_steps[d];
    } else if (a_steps[d] != a_step_ * batch_ || b_steps[d] != b_step_ * batch_) {
      break;
    }
    batch_ *= out[d];
  }
  const int64_t count = product_of(out, 0, outer);
  for (int64_t index = 0; index < count; ++index) {
    Call call{.c = index * batch_};
    int64_t rest = index;
    for (size_t d = outer; d-- > 0; rest /= out[d]) {
      call.a += rest % out[d] * a_steps[d];
      call.b += rest % out[d] * b_steps[d];
    }
    calls_.push_back(call);
  }
}

void MatmulPlan::reserve(Staged* staged, int64_t bytes) {
  *staged = {scratch_bytes_, true};
  scratch_bytes_ += static_cast<size_t>(round_up(bytes, kScratchAlignment));
}

void MatmulPlan::stage(Staged* staged, int64_t elems) { reserve(staged, elems * int64_t{sizeof(float)}); }

size_t MatmulPlan::operand_elems(size_t i) const {
  switch (problem_.operands[i].spread) {
    case Spread::kScalar: return 1;
    case Spread::kRow: return static_cast<size_t>(n_);
    case Spread::kColumn: return static_cast<size_t>(m_);
    case Spread::kFull: break;
  }
  return calls_.size() * static_cast<size_t>(batch_ * m_ * n_);
}

void MatmulPlan::choose(const BindContext& context, BoundOp* bound) {
  // Without columns or rows of B there is nothing to pack, and the plain row serves.
  const bool constant = context.is_constant(1) && matrices(problem_.b) == 1 && n_ > 0 && k_ > 0;
  MatmulDesc desc{.m = m_,
                  .n = n_,
                  .k = k_,
                  .b_constant = constant,
                  .b_transposed = problem_.trans_b,
                  .alpha = problem_.alpha,
                  .epilogue = problem_.epilogue};
  kernel_ = choose_kernel(desc, bound);
  if (constant) pack_weight(context);
  const bool half = is_half(problem_.dtype);
  if (half || problem_.trans_a) stage(&a_, product_of(problem_.a, 0, problem_.a.size()));
  if (half && !constant) stage(&b_, product_of(problem_.b, 0, problem_.b.size()));
  if (half) stage(&c_, static_cast<int64_t>(calls_.size()) * batch_ * m_ * n_);
  operands_.resize(problem_.operands.size());
  for (size_t i = 0; i < operands_.size(); ++i) {
    if (half || problem_.operands[i].scale != 1.0f) stage(&operands_[i], static_cast<int64_t>(operand_elems(i)));
  }
  const size_t list = operands_.size() * (sizeof(EpilogueOperand) + sizeof(const float*));
  reserve(&list_, static_cast<int64_t>(list));
  work_.offset = scratch_bytes_;
  scratch_bytes_ += static_cast<size_t>(kernel_->scratch_bytes(arguments(), context.threads));
}

void MatmulPlan::pack_weight(const BindContext& context) {
  const Tensor& weight = *context.packed_constant(1);
  const std::string layout = kernel_->packing() + (problem_.trans_b ? ":t" : "");
  packed_ = context.weights.get(weight, layout, [&] {
    Parallel& parallel = context.weights.parallel();
    Tensor wide = weight;
    if (weight.dtype() != DType::kF32) {
      wide = Tensor(DType::kF32, weight.shape());
      to_f32(aligned(weight), 1.0f, wide.data<float>(), parallel);
    }
    Tensor packed = context.weights.allocate(kernel_->packed_bytes());
    kernel_->pack(wide.raw(), problem_.trans_b ? k_ : n_, packed.raw(), parallel);
    return packed;
  });
}

MatmulArgs MatmulPlan::arguments() const {
  return {.m = m_,
          .n = n_,
          .k = k_,
          .lda = k_,
          .ldb = problem_.trans_b ? k_ : n_,
          .ldc = n_,
          .batch = batch_,
          .a_batch_stride = a_step_ * m_ * k_,
          .b_batch_stride = b_step_ * k_ * n_,
          .c_batch_stride = m_ * n_};
}

const float* MatmulPlan::staged_a(OpContext& context) const {
  const Tensor& a = context.input(0);
  if (!a_.used) return a.data<float>();
  float* dst = reinterpret_cast<float*>(context.scratch + a_.offset);
  if (problem_.trans_a) {
    const Shape& shape = problem_.a;
    transpose_to_f32(a, shape[shape.size() - 1], k_, dst, context.parallel);
  } else {
    to_f32(a, 1.0f, dst, context.parallel);
  }
  return dst;
}

const float* MatmulPlan::staged_b(OpContext& context) const {
  if (packed_.defined()) return static_cast<const float*>(packed_.raw());
  if (!b_.used) return context.input(1).data<float>();
  float* dst = reinterpret_cast<float*>(context.scratch + b_.offset);
  to_f32(context.input(1), 1.0f, dst, context.parallel);
  return dst;
}

const void* MatmulPlan::staged_operand(OpContext& context, size_t i) const {
  const PlanOperand& operand = problem_.operands[i];
  const Tensor& tensor = context.input(operand.input);
  if (!operands_[i].used) return tensor.raw();
  float* dst = reinterpret_cast<float*>(context.scratch + operands_[i].offset);
  to_f32(tensor, operand.scale, dst, context.parallel);
  return dst;
}

void MatmulPlan::run(OpContext& context) const {
  if (context.output(0).elems() == 0) return;
  if (through_table_) return run_kernel(context);
  switch (problem_.dtype) {
    case DType::kF64: return run_loops<double>(context);
    // Two's complement: products and sums wrap alike for signed and unsigned.
    case DType::kS64:
    case DType::kU64: return run_loops<uint64_t>(context);
    default: return run_loops<uint32_t>(context);
  }
}

void MatmulPlan::run_kernel(OpContext& context) const {
  Tensor& out = context.output(0);
  const float* a = staged_a(context);
  const float* b = staged_b(context);
  float* c = c_.used ? reinterpret_cast<float*>(context.scratch + c_.offset) : out.data<float>();
  // Runs allocate nothing: the list of operands, and their addresses, live in the scratch memory too.
  auto* operands = reinterpret_cast<EpilogueOperand*>(context.scratch + list_.offset);
  auto* data = reinterpret_cast<const float**>(operands + operands_.size());
  for (size_t i = 0; i < operands_.size(); ++i) data[i] = static_cast<const float*>(staged_operand(context, i));
  for (const Call& call : calls_) {
    for (size_t i = 0; i < operands_.size(); ++i) {
      const bool full = problem_.operands[i].spread == Spread::kFull;
      operands[i] = {.data = data[i] + (full ? call.c * m_ * n_ : 0), .ld = n_, .batch_stride = full ? m_ * n_ : 0};
    }
    MatmulArgs args = arguments();
    args.a = a + call.a * m_ * k_;
    args.b = packed_.defined() ? b : b + call.b * k_ * n_;
    args.c = c + call.c * m_ * n_;
    args.operands = {operands, operands_.size()};
    args.scratch = context.scratch + work_.offset;
    kernel_->run(args, context.parallel);
  }
  if (c_.used) round_from_f32(c, &out, context.parallel);
}

template <class T>
void MatmulPlan::run_loops(OpContext& context) const {
  const T* a = context.input(0).data<T>();
  const T* b = context.input(1).data<T>();
  T* c = context.output(0).data<T>();
  const T alpha = std::is_floating_point_v<T> ? static_cast<T>(problem_.alpha)
                                              : static_cast<T>(static_cast<int64_t>(problem_.alpha));
  const int64_t rows_a = problem_.trans_a ? problem_.a.back() : m_;  // rows of one matrix of A
  const int64_t a_row = problem_.trans_a ? 1 : k_, a_column = problem_.trans_a ? rows_a : 1;
  const int64_t b_row = problem_.trans_b ? 1 : n_, b_column = problem_.trans_b ? k_ : 1;
  for (const Call& call : calls_) {
    context.parallel.ranges(batch_ * m_, 4, [&](int64_t begin, int64_t end) {
      for (int64_t index = begin; index < end; ++index) {
        const int64_t matrix = index / m_, row = index % m_;
        const T* x = a + (call.a + matrix * a_step_) * m_ * k_ + row / rows_a * rows_a * k_ + row % rows_a * a_row;
        const T* w = b + (call.b + matrix * b_step_) * k_ * n_;
        T* out = c + ((call.c + matrix) * m_ + row) * n_;
        std::fill(out, out + n_, T(0));
        for (int64_t j = 0; j < k_; ++j) {
          for (int64_t i = 0; i < n_; ++i) out[i] += x[j * a_column] * w[j * b_row + i * b_column];
        }
        for (int64_t i = 0; i < n_; ++i) out[i] *= alpha;
      }
    });
  }
}

}  // namespace neural_engine
