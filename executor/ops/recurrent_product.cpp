// LSTM, GRU and RNN in f32 as products through the kernel table, one direction after the other:
//
//     x_gates[T * B, G * H] = X[T * B, I] x W^T + Wb          all time steps at once
//     for each step:  h_gates[B, G * H] = h[B, H] x R^T + Rb  the whole batch at once
//                     h, c = cell(x_gates, h_gates, h, c)     row by row, where the sequence is still going on
//
// The hidden gate of a GRU has a product of its own, since it waits for the reset gate.
#include <algorithm>
#include <cstring>

#include "executor/ops/kernel_choice.h"
#include "executor/ops/recurrent.h"
#include "executor/weight_store.h"

namespace neural_engine {

namespace {

// a [m, k] x (rows [n, k] of a weight)^T + bias [n].
class WeightProduct {
 public:
  WeightProduct() = default;
  // `offset`: where the rows begin in input `input`, in elements.
  WeightProduct(const BindContext& context, int input, int64_t offset, int64_t m, int64_t n, int64_t k, BoundOp* bound)
      : input_(input), offset_(offset), n_(n), k_(k), has_bias_(context.has_input(3)) {
    const Tensor* weight = context.packed_constant(input);
    MatmulDesc desc{.m = m, .n = n, .k = k, .b_constant = weight != nullptr, .b_transposed = true};
    if (has_bias_) desc.epilogue = {bias()};
    BoundOp chosen;
    kernel_ = choose_kernel(desc, &chosen);
    bound->kernel = chosen.kernel;
    bound->rejected = chosen.rejected;
    if (weight == nullptr) return;
    const std::string layout = text(kernel_->packing(), ":rows", offset, "+", n);
    packed_ = context.weights.get(*weight, layout, [&] {
      Tensor packed = context.weights.allocate(kernel_->packed_bytes());
      const auto* bytes = static_cast<const std::byte*>(weight->raw());
      kernel_->pack(bytes + offset * int64_t{sizeof(float)}, k, packed.raw(), context.weights.parallel());
      return packed;
    });
  }

  int64_t scratch_bytes(int64_t m, int threads) const { return kernel_->scratch_bytes(shape(m, n_), threads); }

  // `bias_row` is read when the node has biases.
  void run(OpContext& context, const float* a, int64_t m, const float* bias_row, float* c, int64_t ldc,
           std::byte* work) const {
    const EpilogueOperand operand{.data = bias_row};
    MatmulArgs args = shape(m, ldc);
    args.a = a;
    args.b = packed_.defined() ? packed_.raw() : context.input(input_).data<float>() + offset_;
    args.c = c;
    if (has_bias_) args.operands = {&operand, 1};
    args.scratch = work;
    kernel_->run(args, context.parallel);
  }

 private:
  MatmulArgs shape(int64_t m, int64_t ldc) const {
    return {.m = m, .n = n_, .k = k_, .lda = k_, .ldb = k_, .ldc = ldc};
  }

  int input_ = 0;
  int64_t offset_ = 0, n_ = 0, k_ = 0;
  bool has_bias_ = false;
  std::shared_ptr<MatmulKernel> kernel_;
  Tensor packed_;
};

struct Direction {
  WeightProduct x, h, hidden;  // the last of a GRU only
};

class RecurrentPlan {
 public:
  RecurrentPlan(const BindContext& context, const Recurrence& recurrence, BoundOp* bound);
  void run(OpContext& context) const;

 private:
  // The scratch memory of a run; the directions use it one after the other.
  struct Memory {
    float *x_gates, *h_gates, *h, *c, *spare;
    std::byte* work;
  };

  size_t reserve(int64_t elems);
  Memory memory(OpContext& context) const;
  void load_states(OpContext& context, int64_t d, const Memory& m) const;
  void store_states(OpContext& context, int64_t d, const Memory& m) const;
  void run_direction(OpContext& context, int64_t d, int64_t longest, const Memory& m) const;
  void step(OpContext& context, int64_t d, int64_t i, const Memory& m) const;
  void finish_row(OpContext& context, int64_t d, int64_t t, int64_t b, const Memory& m) const;
  const float* bias_at(OpContext& context, int64_t d, int64_t gate) const {
    return context.has_input(3) ? context.input(3).data<float>() + (d * 2 * r_.gates + gate) * r_.hidden : nullptr;
  }
  int64_t first_gates() const { return r_.kind == CellKind::kGru ? 2 : r_.gates; }
  int64_t length(OpContext& context, int64_t b) const {
    return context.has_input(4) ? context.input(4).data<int32_t>()[b] : r_.sequence;
  }
  // body(t, b) for every row whose sequence has an i-th step.
  template <class Body>
  void for_each_row(OpContext& context, int64_t d, int64_t i, Body&& body) const {
    context.parallel.ranges(r_.batch, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t steps = length(context, b);
        if (i < steps) body(r_.is_reverse(d) ? steps - 1 - i : i, b);
      }
    });
  }

  Recurrence r_;
  std::vector<Direction> directions_;
  size_t x_gates_ = 0, h_gates_ = 0, h_ = 0, c_ = 0, spare_ = 0, work_ = 0, scratch_bytes_ = 0;
};

size_t RecurrentPlan::reserve(int64_t elems) {
  const size_t offset = scratch_bytes_;
  scratch_bytes_ += static_cast<size_t>(round_up(elems * int64_t{sizeof(float)}, kScratchAlignment));
  return offset;
}

RecurrentPlan::RecurrentPlan(const BindContext& context, const Recurrence& recurrence, BoundOp* bound)
    : r_(recurrence) {
  const int64_t rows = r_.gates * r_.hidden, steps = r_.sequence * r_.batch;
  int64_t work = 0;
  for (int64_t d = 0; d < r_.directions; ++d) {
    const int64_t recurrent = d * rows * r_.hidden;
    Direction& direction = directions_.emplace_back();
    direction.x = WeightProduct(context, 1, d * rows * r_.inputs, steps, rows, r_.inputs, bound);
    direction.h = WeightProduct(context, 2, recurrent, r_.batch, first_gates() * r_.hidden, r_.hidden, bound);
    work = std::max({work, direction.x.scratch_bytes(steps, context.threads),
                     direction.h.scratch_bytes(r_.batch, context.threads)});
    if (r_.kind != CellKind::kGru) continue;
    direction.hidden =
        WeightProduct(context, 2, recurrent + 2 * r_.hidden * r_.hidden, r_.batch, r_.hidden, r_.hidden, bound);
    work = std::max(work, direction.hidden.scratch_bytes(r_.batch, context.threads));
  }
  x_gates_ = reserve(steps * rows);
  h_gates_ = reserve(r_.batch * rows);
  h_ = reserve(r_.batch * r_.hidden);
  c_ = reserve(r_.batch * r_.hidden);
  spare_ = reserve(r_.batch * r_.hidden);
  work_ = scratch_bytes_;
  bound->scratch_bytes = scratch_bytes_ + static_cast<size_t>(work);
}

RecurrentPlan::Memory RecurrentPlan::memory(OpContext& context) const {
  const auto at = [&](size_t offset) { return reinterpret_cast<float*>(context.scratch + offset); };
  return {at(x_gates_), at(h_gates_), at(h_), at(c_), at(spare_), context.scratch + work_};
}

void RecurrentPlan::load_states(OpContext& context, int64_t d, const Memory& m) const {
  const size_t bytes = static_cast<size_t>(r_.hidden) * sizeof(float);
  for (int i = 0; i < 2; ++i) {
    for (int64_t b = 0; b < r_.batch; ++b) {
      float* to = (i == 0 ? m.h : m.c) + b * r_.hidden;
      if (context.has_input(5 + i)) {
        std::memcpy(to, context.input(5 + i).data<float>() + r_.state_row(d, b) * r_.hidden, bytes);
      } else {
        std::fill_n(to, r_.hidden, 0.0f);
      }
    }
  }
}

void RecurrentPlan::store_states(OpContext& context, int64_t d, const Memory& m) const {
  for (int i = 0; i < 2; ++i) {
    if (!context.wants_output(1 + i)) continue;
    float* to = context.output(1 + i).data<float>();
    const float* from = i == 0 ? m.h : m.c;
    for (int64_t b = 0; b < r_.batch; ++b) {
      std::copy_n(from + b * r_.hidden, r_.hidden, to + r_.state_row(d, b) * r_.hidden);
    }
  }
}

void RecurrentPlan::finish_row(OpContext& context, int64_t d, int64_t t, int64_t b, const Memory& m) const {
  const int64_t n = r_.hidden;
  const GateActivation* f = r_.activations_of(d);
  float* h = m.h + b * n;
  float* x_gates = m.x_gates + r_.x_row(t, b) * r_.gates * n;
  float* h_gates = m.h_gates + b * r_.gates * n;
  switch (r_.kind) {
    case CellKind::kLstm: {
      const float* peephole = context.has_input(7) ? context.input(7).data<float>() + d * 3 * n : nullptr;
      lstm_row(r_, f, peephole, x_gates, h_gates, h, m.c + b * n);
      break;
    }
    case CellKind::kGru: gru_row(r_, f, x_gates, h_gates + 2 * n, h); break;
    case CellKind::kRnn: rnn_row(r_, f, x_gates, h_gates, h); break;
  }
  if (context.wants_output(0)) std::copy_n(h, n, context.output(0).data<float>() + r_.y_row(t, d, b) * n);
}

void RecurrentPlan::step(OpContext& context, int64_t d, int64_t i, const Memory& m) const {
  const Direction& direction = directions_[static_cast<size_t>(d)];
  const int64_t n = r_.hidden, rows = r_.gates * n;
  direction.h.run(context, m.h, r_.batch, bias_at(context, d, r_.gates), m.h_gates, rows, m.work);
  if (r_.kind == CellKind::kGru) {
    for_each_row(context, d, i, [&](int64_t t, int64_t b) {
      gru_gates_row(r_, r_.activations_of(d), m.x_gates + r_.x_row(t, b) * rows, m.h_gates + b * rows, m.h + b * n,
                    m.spare + b * n);
    });
    direction.hidden.run(context, m.spare, r_.batch, bias_at(context, d, r_.gates + 2), m.h_gates + 2 * n, rows,
                         m.work);
  }
  for_each_row(context, d, i, [&](int64_t t, int64_t b) { finish_row(context, d, t, b, m); });
}

void RecurrentPlan::run_direction(OpContext& context, int64_t d, int64_t longest, const Memory& m) const {
  load_states(context, d, m);
  // Rows of sequences that have ended are multiplied too, and not looked at.
  std::fill_n(m.spare, r_.batch * r_.hidden, 0.0f);
  directions_[static_cast<size_t>(d)].x.run(context, context.input(0).data<float>(), r_.sequence * r_.batch,
                                            bias_at(context, d, 0), m.x_gates, r_.gates * r_.hidden, m.work);
  for (int64_t i = 0; i < longest; ++i) step(context, d, i, m);
  store_states(context, d, m);
  for (int64_t b = 0; b < r_.batch && context.wants_output(0); ++b) {
    float* y = context.output(0).data<float>();
    for (int64_t t = length(context, b); t < r_.sequence; ++t) {
      std::fill_n(y + r_.y_row(t, d, b) * r_.hidden, r_.hidden, 0.0f);
    }
  }
}

void RecurrentPlan::run(OpContext& context) const {
  int64_t longest = 0;
  for (int64_t b = 0; b < r_.batch; ++b) longest = std::max(longest, sequence_length(r_, context, b));
  const Memory m = memory(context);
  for (int64_t d = 0; d < r_.directions; ++d) run_direction(context, d, longest, m);
}

}  // namespace

BoundOp bind_recurrent_products(const BindContext& context, const Recurrence& recurrence) {
  BoundOp bound;
  const auto plan = std::make_shared<const RecurrentPlan>(context, recurrence, &bound);
  bound.run = [plan](OpContext& op) { plan->run(op); };
  return bound;
}

}  // namespace neural_engine
