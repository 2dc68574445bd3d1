// LSTM, GRU and RNN. f32 runs products of the whole batch (recurrent_product.cpp); the loops here serve the other
// dtypes and empty operands, in double, rounded at each output: one task for each direction and sequence of the batch.
#include "executor/ops/recurrent.h"

#include "base/dtype.h"
#include "kernels/kernel.h"

namespace neural_engine {

namespace {

// Doubles of one worker: gates from the input, gates from the state, state, cell, and a spare row.
int64_t work_elems(const Recurrence& r) { return (2 * r.gates + 3) * r.hidden; }

// The memory of one task and what its steps need of the node.
template <class T>
struct Cell {
  const GateActivation* activations;  // of this direction
  const T *w, *u, *bias, *peephole;   // of this direction; bias and peephole may be absent
  double *x_gates, *h_gates, *h, *c, *spare;
};

// to[i] = bias[i] + sum_j matrix[i, j] * v[j] for `rows` rows.
template <class T, class V>
void multiply(const T* matrix, const T* bias, const V* v, int64_t rows, int64_t columns, double* to) {
  for (int64_t i = 0; i < rows; ++i) {
    double sum = bias ? static_cast<double>(bias[i]) : 0.0;
    for (int64_t j = 0; j < columns; ++j) {
      sum += static_cast<double>(matrix[i * columns + j]) * static_cast<double>(v[j]);
    }
    to[i] = sum;
  }
}

template <class T>
void step(const Recurrence& r, const Cell<T>& cell) {
  const int64_t n = r.hidden;
  const T* bias = cell.bias ? cell.bias + r.gates * n : nullptr;
  // The hidden gate of a GRU waits for the reset gate.
  const int64_t first = r.kind == CellKind::kGru ? 2 : r.gates;
  multiply(cell.u, bias, cell.h, first * n, n, cell.h_gates);
  switch (r.kind) {
    case CellKind::kLstm:
      return lstm_row(r, cell.activations, cell.peephole, cell.x_gates, cell.h_gates, cell.h, cell.c);
    case CellKind::kRnn: return rnn_row(r, cell.activations, cell.x_gates, cell.h_gates, cell.h);
    case CellKind::kGru: break;
  }
  gru_gates_row(r, cell.activations, cell.x_gates, cell.h_gates, cell.h, cell.spare);
  double* hidden = cell.h_gates + 2 * n;
  multiply(cell.u + 2 * n * n, bias ? bias + 2 * n : nullptr, cell.spare, n, n, hidden);
  gru_row(r, cell.activations, cell.x_gates, hidden, cell.h);
}

template <class T>
class Runner {
 public:
  Runner(const Recurrence& recurrence, OpContext& context) : r_(recurrence), context_(context) {}

  void operator()(int64_t index, int worker) const {
    const int64_t d = index / r_.batch, b = index % r_.batch;
    double* memory = reinterpret_cast<double*>(context_.scratch) + worker * round_up(work_elems(r_), 8);
    const int64_t rows = r_.gates * r_.hidden;
    const Cell<T> cell{r_.activations_of(d),
                       input(1) + d * rows * r_.inputs,
                       input(2) + d * rows * r_.hidden,
                       at(input(3), d * 2 * rows),
                       at(input(7), d * 3 * r_.hidden),
                       memory,
                       memory + rows,
                       memory + 2 * rows,
                       memory + 2 * rows + r_.hidden,
                       memory + 2 * rows + 2 * r_.hidden};
    load_state(5, d, b, cell.h);
    load_state(6, d, b, cell.c);
    walk(cell, d, b);
    store_state(1, d, b, cell.h);
    store_state(2, d, b, cell.c);
  }

 private:
  const T* input(int i) const { return context_.has_input(i) ? context_.input(i).data<T>() : nullptr; }
  static const T* at(const T* data, int64_t offset) { return data ? data + offset : nullptr; }

  void walk(const Cell<T>& cell, int64_t d, int64_t b) const {
    const int64_t length = context_.has_input(4) ? context_.input(4).data<int32_t>()[b] : r_.sequence;
    for (int64_t i = 0; i < length; ++i) {
      const int64_t t = r_.is_reverse(d) ? length - 1 - i : i;
      multiply(cell.w, cell.bias, input(0) + r_.x_row(t, b) * r_.inputs, r_.gates * r_.hidden, r_.inputs, cell.x_gates);
      step(r_, cell);
      if (T* y = y_at(t, d, b)) store(cell.h, y);
    }
    for (int64_t t = length; t < r_.sequence; ++t) {
      if (T* y = y_at(t, d, b)) std::fill_n(y, r_.hidden, T(0.0f));
    }
  }

  T* y_at(int64_t t, int64_t d, int64_t b) const {
    return context_.wants_output(0) ? context_.output(0).data<T>() + r_.y_row(t, d, b) * r_.hidden : nullptr;
  }
  void load_state(int i, int64_t d, int64_t b, double* to) const {
    const T* from = at(input(i), r_.state_row(d, b) * r_.hidden);
    for (int64_t j = 0; j < r_.hidden; ++j) to[j] = from ? static_cast<double>(from[j]) : 0.0;
  }
  void store_state(int i, int64_t d, int64_t b, const double* from) const {
    if (context_.wants_output(i)) store(from, context_.output(i).data<T>() + r_.state_row(d, b) * r_.hidden);
  }
  void store(const double* from, T* to) const {
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    for (int64_t j = 0; j < r_.hidden; ++j) to[j] = T(static_cast<Wide>(from[j]));
  }

  const Recurrence& r_;
  OpContext& context_;
};

void run(const Recurrence& r, OpContext& context) {
  // Tasks do not throw: lengths are checked before.
  for (int64_t b = 0; b < r.batch; ++b) sequence_length(r, context, b);
  dispatch_floating(context.input(0).dtype(), [&](auto tag) {
    const Runner<typename decltype(tag)::type> runner(r, context);
    context.parallel.run(r.directions * r.batch, runner);
  });
}

Recurrence recurrence_of(const BindContext& context, CellKind kind, int64_t gates) {
  const Attrs& attrs = context.node().attrs;
  Recurrence r{.kind = kind, .gates = gates};
  const Shape x = context.shape(0);
  r.batch_first = attrs.get<int64_t>("layout") == 1;
  r.sequence = x[r.batch_first ? 1 : 0];
  r.batch = x[r.batch_first ? 0 : 1];
  r.inputs = x[2];
  r.hidden = context.shape(2)[2];
  const RecurrentDirection direction = recurrent_direction(attrs);
  r.directions = static_cast<int64_t>(direction_count(direction));
  r.reverse = direction == RecurrentDirection::kReverse;
  r.input_forget = attrs.get_or<int64_t>("input_forget", 0) != 0;
  r.linear_before_reset = attrs.get_or<int64_t>("linear_before_reset", 0) != 0;
  r.clip = attrs.get_or<float>("clip", 0.0f);
  r.activations = gate_activations(attrs, default_activations(context.node().op()));
  return r;
}

BoundOp bind_recurrence(const BindContext& context, const Recurrence& r) {
  const bool empty = r.sequence == 0 || r.batch == 0 || r.inputs == 0 || r.hidden == 0;
  if (context.dtype(0) == DType::kF32 && !empty) return bind_recurrent_products(context, r);
  // Whole cache lines for each worker.
  const int64_t elems = round_up(work_elems(r), 8) * context.threads;
  return {.run = [r](OpContext& op) { run(r, op); }, .scratch_bytes = static_cast<size_t>(elems) * sizeof(double)};
}

BoundOp bind_recurrent(const BindContext& context, CellKind kind, int64_t gates) {
  const Recurrence r = recurrence_of(context, kind, gates);
  BoundOp bound = bind_recurrence(context, r);
  bound.operations = 2.0 * static_cast<double>(r.sequence * r.batch * r.directions * r.gates * r.hidden) *
                     static_cast<double>(r.inputs + r.hidden);
  return bound;
}

BoundOp bind_lstm(const BindContext& context) { return bind_recurrent(context, CellKind::kLstm, 4); }
BoundOp bind_gru(const BindContext& context) { return bind_recurrent(context, CellKind::kGru, 3); }
BoundOp bind_rnn(const BindContext& context) { return bind_recurrent(context, CellKind::kRnn, 1); }

}  // namespace

std::span<const OpBinding> recurrent_bindings() {
  static constexpr OpBinding kBindings[] = {{"LSTM", bind_lstm}, {"GRU", bind_gru}, {"RNN", bind_rnn}};
  return kBindings;
}

}  // namespace neural_engine
