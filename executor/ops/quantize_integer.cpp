// Products of quantized matrices: exact in int32, whose overflow wraps.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "executor/ops/axis_layout.h"
#include "executor/ops/convert.h"
#include "executor/ops/quantize_value.h"
#include "executor/ops/strides.h"

namespace neural_engine {

namespace {

// A, B or a parameter of theirs over the batch of matrices: where matrix i of the product finds it.
struct Stack {
  Shape batch;
  std::vector<int64_t> strides;
  int64_t offset(int64_t matrix) const { return strided_offset(matrix, batch, strides); }
};

// The batch dimensions of `operand`, whose last two are a matrix, spread over those of the product.
Stack stack_of(const Shape& operand, const Shape& batch) {
  Stack stack{batch, std::vector<int64_t>(batch.size(), 0)};
  const std::vector<int64_t> own = dense_strides(operand);
  for (size_t i = 0; i + 2 < operand.size(); ++i) {
    const size_t at = batch.size() - (operand.size() - 2) + i;
    if (operand[i] != 1) stack.strides[at] = own[i];
  }
  return stack;
}

// A per-row (or per-column) parameter, seen as a matrix [rows,1] (or [1,columns]).
struct Parameter {
  Stack stack;
  int64_t step = 0;  // 0 for one element
};

Parameter parameter_of(const Tensor* tensor, bool per_row, const Shape& batch) {
  if (tensor == nullptr || tensor->elems() == 1) return {stack_of({1, 1}, batch), 0};
  Shape shape = tensor->shape();
  if (shape.size() == 1) shape.insert(per_row ? shape.end() : shape.begin(), 1);
  return {stack_of(shape, batch), 1};
}

class IntegerProduct {
 public:
  // Operands a and b of the node, and their zero points (absent where the index is out of range or empty).
  IntegerProduct(const OpContext& context, int a, int zero_a, int b, int zero_b)
      : a_(context.input(a)),
        b_(context.input(b)),
        zero_a_(context.has_input(zero_a) ? &context.input(zero_a) : nullptr),
        zero_b_(context.has_input(zero_b) ? &context.input(zero_b) : nullptr) {
    Shape left = a_.shape(), right = b_.shape();
    if (left.size() == 1) left.insert(left.begin(), 1);
    if (right.size() == 1) right.push_back(1);
    m_ = left[left.size() - 2];
    k_ = left.back();
    n_ = right.back();
    const size_t rank = std::max(left.size(), right.size()) - 2;
    batch_.assign(rank, 1);
    for (const Shape* shape : {&left, &right}) {
      for (size_t i = 0; i + 2 < shape->size(); ++i) {
        int64_t& dim = batch_[rank - (shape->size() - 2) + i];
        if ((*shape)[i] != 1) dim = (*shape)[i];
      }
    }
    stack_a_ = stack_of(left, batch_);
    stack_b_ = stack_of(right, batch_);
    row_zero_ = parameter_of(zero_a_, true, batch_);
    column_zero_ = parameter_of(zero_b_, false, batch_);
  }

  int64_t rows() const { return std::accumulate(batch_.begin(), batch_.end(), m_, std::multiplies<>()); }
  int64_t m() const { return m_; }
  int64_t n() const { return n_; }
  const Shape& batch() const { return batch_; }

  // Row `row` of all rows of the product; `zeros` has room for n columns.
  void compute(int64_t row, int32_t* zeros, int32_t* out) const {
    const int64_t matrix = row / m_, i = row % m_;
    read_zeros(matrix, zeros);
    int64_t zero = 0;
    if (zero_a_ != nullptr) {
      load(zero_a_->dtype(), zero_a_->raw(), row_zero_.stack.offset(matrix) + i * row_zero_.step, 1, &zero);
    }
    std::fill(out, out + n_, 0);
    const int64_t left = stack_a_.offset(matrix) + i * k_, right = stack_b_.offset(matrix);
    for (int64_t k = 0; k < k_; ++k) {
      int64_t element = 0;
      load(a_.dtype(), a_.raw(), left + k, 1, &element);
      const auto factor = static_cast<int32_t>(element - zero);
      if (b_.dtype() == DType::kS8) {
        accumulate(factor, b_.data<int8_t>() + right + k * n_, zeros, out);
      } else {
        accumulate(factor, b_.data<uint8_t>() + right + k * n_, zeros, out);
      }
    }
  }

 private:
  void read_zeros(int64_t matrix, int32_t* zeros) const {
    if (zero_b_ == nullptr) return std::fill(zeros, zeros + n_, 0);
    const int64_t first = column_zero_.stack.offset(matrix);
    for (int64_t j = 0; j < n_; ++j) {
      int64_t zero = 0;
      load(zero_b_->dtype(), zero_b_->raw(), first + j * column_zero_.step, 1, &zero);
      zeros[j] = static_cast<int32_t>(zero);
    }
  }

  template <class T>
  void accumulate(int32_t factor, const T* row, const int32_t* zeros, int32_t* out) const {
    for (int64_t j = 0; j < n_; ++j) {
      const int32_t product = factor * (int32_t{row[j]} - zeros[j]);  // at most 255 * 255
      out[j] = static_cast<int32_t>(static_cast<uint32_t>(out[j]) + static_cast<uint32_t>(product));
    }
  }

  const Tensor& a_;
  const Tensor& b_;
  const Tensor* zero_a_;
  const Tensor* zero_b_;
  int64_t m_ = 0, k_ = 0, n_ = 0;
  Shape batch_;
  Stack stack_a_, stack_b_;
  Parameter row_zero_, column_zero_;
};

// Rows of a float parameter for all rows, or columns, of one matrix of the product.
float scale_at(const Tensor& tensor, const Parameter& parameter, int64_t matrix, int64_t index) {
  float scale = 0;
  load(tensor.dtype(), tensor.raw(), parameter.stack.offset(matrix) + index * parameter.step, 1, &scale);
  return scale;
}

void run_matmul_integer(const Node&, OpContext& context) {
  const IntegerProduct product(context, 0, 2, 1, 3);
  int32_t* y = context.output(0).data<int32_t>();
  auto* zeros = reinterpret_cast<int32_t*>(context.scratch);
  context.parallel.run(product.rows(), [&](int64_t row, int worker) {
    product.compute(row, zeros + worker * product.n(), y + row * product.n());
  });
}

void check_scale(const Tensor& scale, const char* name) {
  for (int64_t i = 0; i < scale.elems(); ++i) {
    float value = 0;
    load(scale.dtype(), scale.raw(), i, 1, &value);
    require(std::isfinite(value) && value != 0.0f, Code::kInvalidData, name, " is ", value,
            ", expected a finite number other than 0");
  }
}

void run_qlinear_matmul(const Node&, OpContext& context) {
  const IntegerProduct product(context, 0, 2, 3, 5);
  const Tensor &scale_a = context.input(1), &scale_b = context.input(4);
  check_scale(scale_a, "a_scale");
  check_scale(scale_b, "b_scale");
  check_scale(context.input(6), "y_scale");
  const Parameter row_scale = parameter_of(&scale_a, true, product.batch());
  const Parameter column_scale = parameter_of(&scale_b, false, product.batch());
  float scale_y = 0;
  load(context.input(6).dtype(), context.input(6).raw(), 0, 1, &scale_y);
  int64_t zero_y = 0;
  load(context.input(7).dtype(), context.input(7).raw(), 0, 1, &zero_y);
  Tensor& y = context.output(0);
  const IntRange range = int_range(y.dtype());
  auto* memory = reinterpret_cast<int32_t*>(context.scratch);
  context.parallel.run(product.rows(), [&](int64_t row, int worker) {
    int32_t* zeros = memory + worker * 2 * product.n();
    int32_t* sums = zeros + product.n();
    product.compute(row, zeros, sums);
    const int64_t matrix = row / product.m();
    const float scale = scale_at(scale_a, row_scale, matrix, row % product.m());
    for (int64_t j = 0; j < product.n(); ++j) {
      const float multiplier = scale * scale_at(scale_b, column_scale, matrix, j) / scale_y;
      const int64_t value =
          quantize_value(static_cast<float>(sums[j]) * multiplier, static_cast<int32_t>(zero_y), range);
      store(y.dtype(), &value, 1, y.raw(), row * product.n() + j);
    }
  });
}

// Room for `rows` rows of the product per thread.
size_t row_scratch(const BindContext& context, int b, size_t rows) {
  const Shape shape = context.shape(b);
  const int64_t n = shape.size() > 1 ? shape.back() : 1;
  return static_cast<size_t>(n) * sizeof(int32_t) * rows * static_cast<size_t>(context.threads);
}

BoundOp bind_matmul_integer(const BindContext& context) {
  BoundOp bound = bind_simple<run_matmul_integer>(context);
  bound.scratch_bytes = row_scratch(context, 1, 1);
  return bound;
}
BoundOp bind_qlinear_matmul(const BindContext& context) {
  BoundOp bound = bind_simple<run_qlinear_matmul>(context);
  bound.scratch_bytes = row_scratch(context, 3, 2);
  return bound;
}

}  // namespace

std::span<const OpBinding> integer_bindings() {
  static constexpr OpBinding kBindings[] = {
      {"MatMulInteger", bind_matmul_integer},
      {"QLinearMatMul", bind_qlinear_matmul},
  };
  return kBindings;
}

}  // namespace neural_engine
