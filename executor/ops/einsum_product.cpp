// Subscripts of a product of two operands are of four kinds:
//
//     batch  in a, b and the output        m  in a and the output
//     k      in a and b: summed over       n  in b and the output
//
// a is brought to [batch, m, k], b to [batch, k, n] or [batch, n, k], each of which may be several dimensions wide, and
// the product [batch, m, n] to the output's order. Where an operand has its order already, nothing is copied.
#include <algorithm>

#include "executor/ops/einsum.h"
#include "executor/ops/kernel_choice.h"
#include "executor/ops/strides.h"
#include "executor/weight_store.h"

namespace neural_engine {

namespace {

using Subscripts = std::vector<int>;

bool contains(const Subscripts& list, int subscript) {
  return std::find(list.begin(), list.end(), subscript) != list.end();
}

Subscripts joined(std::initializer_list<Subscripts> parts) {
  Subscripts result;
  for (const Subscripts& part : parts) result.insert(result.end(), part.begin(), part.end());
  return result;
}

// A copy in another order of dimensions: sizes and strides of the source, in the order of the target.
struct Reordering {
  Shape sizes;
  std::vector<int64_t> strides;
};

void reorder(const Reordering& order, const float* src, float* dst, Parallel& parallel) {
  const int64_t inner = order.sizes.empty() ? 1 : order.sizes.back();
  const int64_t step = order.sizes.empty() ? 1 : order.strides.back();
  const int64_t rows = elems_between(order.sizes, 0, order.sizes.size()) / inner;
  parallel.ranges(rows, 64, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = src + strided_offset(row * inner, order.sizes, order.strides);
      for (int64_t i = 0; i < inner; ++i) dst[row * inner + i] = from[i * step];
    }
  });
}

class EinsumProduct {
 public:
  static std::optional<EinsumProduct> make(const EinsumEquation& equation, const std::vector<Shape>& shapes);
  BoundOp bind(const BindContext& context, const std::string& equation);

 private:
  bool classify(const EinsumEquation& equation);
  bool size_subscripts(const EinsumEquation& equation, const std::vector<Shape>& shapes);
  int64_t product_of(const Subscripts& subscripts) const {
    int64_t result = 1;
    for (const int each : subscripts) result *= sizes_[static_cast<size_t>(each)];
    return result;
  }
  std::optional<Reordering> reordering(const Subscripts& from, const Subscripts& to) const;
  size_t reserve(int64_t elems) {
    const size_t offset = scratch_bytes_;
    scratch_bytes_ += static_cast<size_t>(round_up(elems * int64_t{sizeof(float)}, kScratchAlignment));
    return offset;
  }
  void pack(const BindContext& context, const std::string& equation);
  void run(OpContext& context) const;
  MatmulArgs arguments() const;

  std::vector<int64_t> sizes_;
  Subscripts batch_, m_, n_, k_;
  bool b_transposed_ = false;
  std::optional<Reordering> a_, b_, out_;  // absent: in order
  size_t a_offset_ = 0, b_offset_ = 0, out_offset_ = 0, work_offset_ = 0, scratch_bytes_ = 0;
  std::shared_ptr<MatmulKernel> kernel_;
  Tensor packed_;
};

bool EinsumProduct::classify(const EinsumEquation& equation) {
  const Subscripts &a = equation.inputs[0], &b = equation.inputs[1], &out = equation.output;
  for (const Subscripts* list : {&a, &b}) {
    for (const int each : *list) {
      if (std::count(list->begin(), list->end(), each) > 1) return false;
    }
  }
  for (const int each : out) {
    const bool in_a = contains(a, each), in_b = contains(b, each);
    (in_a && in_b ? batch_ : in_a ? m_ : n_).push_back(each);
  }
  for (const int each : a) {
    if (contains(out, each)) continue;
    if (!contains(b, each)) return false;
    k_.push_back(each);
  }
  return std::all_of(b.begin(), b.end(), [&](int each) { return contains(out, each) || contains(a, each); });
}

bool EinsumProduct::size_subscripts(const EinsumEquation& equation, const std::vector<Shape>& shapes) {
  sizes_.assign(static_cast<size_t>(equation.subscripts), -1);
  for (size_t i = 0; i < 2; ++i) {
    for (size_t d = 0; d < shapes[i].size(); ++d) {
      int64_t& size = sizes_[static_cast<size_t>(equation.inputs[i][d])];
      // A 1 that spreads, and emptiness, are left to the loops.
      if (shapes[i][d] == 0 || (size >= 0 && size != shapes[i][d])) return false;
      size = shapes[i][d];
    }
  }
  return true;
}

std::optional<Reordering> EinsumProduct::reordering(const Subscripts& from, const Subscripts& to) const {
  if (from == to) return std::nullopt;
  Shape shape;
  for (const int each : from) shape.push_back(sizes_[static_cast<size_t>(each)]);
  const std::vector<int64_t> strides = dense_strides(shape);
  Reordering result;
  for (const int each : to) {
    const size_t at = static_cast<size_t>(std::find(from.begin(), from.end(), each) - from.begin());
    result.sizes.push_back(shape[at]);
    result.strides.push_back(strides[at]);
  }
  return result;
}

std::optional<EinsumProduct> EinsumProduct::make(const EinsumEquation& equation, const std::vector<Shape>& shapes) {
  EinsumProduct product;
  if (equation.inputs.size() != 2 || !product.classify(equation) || !product.size_subscripts(equation, shapes)) {
    return std::nullopt;
  }
  const Subscripts &batch = product.batch_, &m = product.m_, &n = product.n_, &k = product.k_;
  product.a_ = product.reordering(equation.inputs[0], joined({batch, m, k}));
  product.b_transposed_ = equation.inputs[1] == joined({batch, n, k});
  if (!product.b_transposed_) product.b_ = product.reordering(equation.inputs[1], joined({batch, k, n}));
  product.out_ = product.reordering(joined({batch, m, n}), equation.output);
  return product;
}

MatmulArgs EinsumProduct::arguments() const {
  const int64_t m = product_of(m_), n = product_of(n_), k = product_of(k_);
  return {.m = m,
          .n = n,
          .k = k,
          .lda = k,
          .ldb = b_transposed_ ? k : n,
          .ldc = n,
          .batch = product_of(batch_),
          .a_batch_stride = m * k,
          .b_batch_stride = k * n,
          .c_batch_stride = m * n};
}

void EinsumProduct::pack(const BindContext& context, const std::string& equation) {
  const Tensor& weight = *(b_ ? context.constant(1) : context.packed_constant(1));
  // The order in which the weight is read follows from the equation.
  packed_ = context.weights.get(weight, kernel_->packing() + ":" + equation, [&] {
    Parallel& parallel = context.weights.parallel();
    Tensor ordered = weight;
    if (b_) {
      ordered = Tensor(DType::kF32, weight.shape());
      reorder(*b_, weight.data<float>(), ordered.data<float>(), parallel);
    }
    Tensor packed = context.weights.allocate(kernel_->packed_bytes());
    kernel_->pack(ordered.raw(), arguments().ldb, packed.raw(), parallel);
    return packed;
  });
}

BoundOp EinsumProduct::bind(const BindContext& context, const std::string& equation) {
  const MatmulArgs shape = arguments();
  const bool constant = context.is_constant(1) && shape.batch == 1;
  BoundOp bound;
  kernel_ = choose_kernel(
      MatmulDesc{.m = shape.m, .n = shape.n, .k = shape.k, .b_constant = constant, .b_transposed = b_transposed_},
      &bound);
  if (constant) pack(context, equation);
  if (a_) a_offset_ = reserve(shape.batch * shape.m * shape.k);
  if (b_ && !constant) b_offset_ = reserve(shape.batch * shape.k * shape.n);
  if (out_) out_offset_ = reserve(shape.batch * shape.m * shape.n);
  work_offset_ = scratch_bytes_;
  bound.scratch_bytes = scratch_bytes_ + static_cast<size_t>(kernel_->scratch_bytes(shape, context.threads));
  bound.run = [product = *this](OpContext& op) { product.run(op); };
  return bound;
}

void EinsumProduct::run(OpContext& context) const {
  const auto at = [&](size_t offset) { return reinterpret_cast<float*>(context.scratch + offset); };
  MatmulArgs args = arguments();
  args.a = context.input(0).raw();
  args.b = packed_.defined() ? packed_.raw() : context.input(1).raw();
  args.c = out_ ? at(out_offset_) : context.output(0).raw();
  if (a_) {
    reorder(*a_, context.input(0).data<float>(), at(a_offset_), context.parallel);
    args.a = at(a_offset_);
  }
  if (b_ && !packed_.defined()) {
    reorder(*b_, context.input(1).data<float>(), at(b_offset_), context.parallel);
    args.b = at(b_offset_);
  }
  args.scratch = context.scratch + work_offset_;
  kernel_->run(args, context.parallel);
  if (out_) reorder(*out_, at(out_offset_), context.output(0).data<float>(), context.parallel);
}

}  // namespace

std::optional<BoundOp> bind_einsum_product(const EinsumEquation& equation, const std::vector<Shape>& shapes,
                                           const BindContext& context) {
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (context.dtype(i) != DType::kF32) return std::nullopt;
  }
  std::optional<EinsumProduct> product = EinsumProduct::make(equation, shapes);
  if (!product) return std::nullopt;
  return product->bind(context, context.attr<std::string>("equation"));
}

}  // namespace neural_engine
