// LSTM, GRU and RNN, in double, rounded at each output: one task for each direction and sequence of the batch.
#include "ops/recurrent.h"

#include <algorithm>

#include "base/dtype.h"
#include "executor/op_binding.h"
#include "kernels/kernel.h"

namespace neural_engine {

namespace {

enum class CellKind { kLstm, kGru, kRnn };

struct Recurrence {
  CellKind kind;
  int64_t gates = 1, sequence = 0, batch = 0, inputs = 0, hidden = 0, directions = 1;
  bool batch_first = false, reverse = false;  // of the first direction
  bool input_forget = false, linear_before_reset = false;
  double clip = 0;                          // 0: none
  std::vector<GateActivation> activations;  // of all directions
};

// Doubles of one worker: gates from the input, gates from the state, state, cell, and a spare row.
int64_t work_elems(const Recurrence& r) { return (2 * r.gates + 3) * r.hidden; }

// The memory of one task and what its steps need of the node.
template <class T>
struct Cell {
  const Recurrence& r;
  const GateActivation* activation;  // of this direction
  const T *w, *u, *bias, *peephole;  // of this direction; bias and peephole may be absent
  double *x_gates, *h_gates, *h, *c, *spare;

  double bounded(double x) const { return r.clip > 0 ? std::clamp(x, -r.clip, r.clip) : x; }
  double activate(size_t which, double x) const { return activation[which](bounded(x)); }
  double peep(int64_t gate, int64_t i, double cell) const {
    return peephole ? static_cast<double>(peephole[gate * r.hidden + i]) * cell : 0.0;
  }
};

// to[i] = bias[i] + sum_j matrix[i, j] * v[j] for `rows` rows.
template <class T, class V>
void multiply(const T* matrix, const T* bias, const V* v, int64_t rows, int64_t columns, double* to) {
  for (int64_t i = 0; i < rows; ++i) {
    double sum = bias ? static_cast<double>(bias[i]) : 0.0;
    for (int64_t j = 0; j < columns; ++j)
      sum += static_cast<double>(matrix[i * columns + j]) * static_cast<double>(v[j]);
    to[i] = sum;
  }
}

template <class T>
const T* recurrent_bias(const Cell<T>& cell) {
  return cell.bias ? cell.bias + cell.r.gates * cell.r.hidden : nullptr;
}

// Gates in ONNX's order: input, output, forget, cell; peepholes: input, output, forget.
template <class T>
void lstm_step(const Cell<T>& cell) {
  const int64_t n = cell.r.hidden;
  multiply(cell.u, recurrent_bias(cell), cell.h, 4 * n, n, cell.h_gates);
  const auto gate = [&](int64_t which, int64_t i) { return cell.x_gates[which * n + i] + cell.h_gates[which * n + i]; };
  for (int64_t i = 0; i < n; ++i) {
    const double before = cell.c[i];
    const double input = cell.activate(0, gate(0, i) + cell.peep(0, i, before));
    const double forget = cell.r.input_forget ? 1 - input : cell.activate(0, gate(2, i) + cell.peep(2, i, before));
    cell.c[i] = forget * before + input * cell.activate(1, gate(3, i));
    const double output = cell.activate(0, gate(1, i) + cell.peep(1, i, cell.c[i]));
    cell.h[i] = output * cell.activate(2, cell.c[i]);
  }
}

// Gates: update, reset, hidden.
template <class T>
void gru_step(const Cell<T>& cell) {
  const int64_t n = cell.r.hidden;
  const T* bias = recurrent_bias(cell);
  multiply(cell.u, bias, cell.h, 2 * n, n, cell.h_gates);
  for (int64_t i = 0; i < 2 * n; ++i) cell.x_gates[i] = cell.activate(0, cell.x_gates[i] + cell.h_gates[i]);
  const double *update = cell.x_gates, *reset = cell.x_gates + n;
  const T* hidden_bias = bias ? bias + 2 * n : nullptr;
  double* hidden = cell.h_gates + 2 * n;
  for (int64_t i = 0; i < n; ++i) cell.spare[i] = cell.r.linear_before_reset ? cell.h[i] : reset[i] * cell.h[i];
  multiply(cell.u + 2 * n * n, hidden_bias, cell.spare, n, n, hidden);
  for (int64_t i = 0; i < n; ++i) {
    const double linear = cell.r.linear_before_reset ? reset[i] * hidden[i] : hidden[i];
    const double candidate = cell.activate(1, cell.x_gates[2 * n + i] + linear);
    cell.h[i] = (1 - update[i]) * candidate + update[i] * cell.h[i];
  }
}

template <class T>
void rnn_step(const Cell<T>& cell) {
  multiply(cell.u, recurrent_bias(cell), cell.h, cell.r.hidden, cell.r.hidden, cell.h_gates);
  for (int64_t i = 0; i < cell.r.hidden; ++i) cell.h[i] = cell.activate(0, cell.x_gates[i] + cell.h_gates[i]);
}

template <class T>
void step(const Cell<T>& cell) {
  switch (cell.r.kind) {
    case CellKind::kLstm: return lstm_step(cell);
    case CellKind::kGru: return gru_step(cell);
    case CellKind::kRnn: return rnn_step(cell);
  }
}

template <class T>
class Runner {
 public:
  Runner(const Recurrence& recurrence, OpContext& context) : r_(recurrence), context_(context) {}

  void operator()(int64_t index, int worker) const {
    const int64_t d = index / r_.batch, b = index % r_.batch;
    double* memory = reinterpret_cast<double*>(context_.scratch) + worker * round_up(work_elems(r_), 8);
    const int64_t rows = r_.gates * r_.hidden;
    const Cell<T> cell{r_,
                       r_.activations.data() + d * static_cast<int64_t>(r_.activations.size()) / r_.directions,
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
  int64_t state_offset(int64_t d, int64_t b) const {
    return (r_.batch_first ? b * r_.directions + d : d * r_.batch + b) * r_.hidden;
  }

  void walk(const Cell<T>& cell, int64_t d, int64_t b) const {
    const int64_t length = context_.has_input(4) ? context_.input(4).data<int32_t>()[b] : r_.sequence;
    const bool reverse = r_.reverse || d == 1;
    for (int64_t i = 0; i < length; ++i) {
      const int64_t t = reverse ? length - 1 - i : i;
      const T* x = input(0) + (r_.batch_first ? b * r_.sequence + t : t * r_.batch + b) * r_.inputs;
      multiply(cell.w, cell.bias, x, r_.gates * r_.hidden, r_.inputs, cell.x_gates);
      step(cell);
      if (T* y = y_row(d, b, t)) store(cell.h, y);
    }
    for (int64_t t = length; t < r_.sequence; ++t) {
      if (T* y = y_row(d, b, t)) std::fill_n(y, r_.hidden, T(0.0f));
    }
  }

  T* y_row(int64_t d, int64_t b, int64_t t) const {
    if (!context_.wants_output(0)) return nullptr;
    const int64_t row =
        r_.batch_first ? (b * r_.sequence + t) * r_.directions + d : (t * r_.directions + d) * r_.batch + b;
    return context_.output(0).data<T>() + row * r_.hidden;
  }
  void load_state(int i, int64_t d, int64_t b, double* to) const {
    const T* from = at(input(i), state_offset(d, b));
    for (int64_t j = 0; j < r_.hidden; ++j) to[j] = from ? static_cast<double>(from[j]) : 0.0;
  }
  void store_state(int i, int64_t d, int64_t b, const double* from) const {
    if (context_.wants_output(i)) store(from, context_.output(i).data<T>() + state_offset(d, b));
  }
  void store(const double* from, T* to) const {
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    for (int64_t j = 0; j < r_.hidden; ++j) to[j] = T(static_cast<Wide>(from[j]));
  }

  const Recurrence& r_;
  OpContext& context_;
};

void check_lengths(const Recurrence& r, const Tensor& lengths) {
  for (int64_t b = 0; b < r.batch; ++b) {
    const int32_t length = lengths.data<int32_t>()[b];
    if (length < 0 || length > r.sequence) {
      fail(Code::kInvalidArgument, "sequence length ", length, " found, expected 0 to ", r.sequence);
    }
  }
}

void run(const Recurrence& r, OpContext& context) {
  if (context.has_input(4)) check_lengths(r, context.input(4));
  dispatch_floating(context.input(0).dtype(), [&](auto tag) {
    const Runner<typename decltype(tag)::type> runner(r, context);
    context.parallel.run(r.directions * r.batch, runner);
  });
}

BoundOp bind_recurrent(const BindContext& context, CellKind kind, int64_t gates) {
  const Attrs& attrs = context.node().attrs;
  Recurrence r{.kind = kind, .gates = gates, .activations = {}};
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
  // Whole cache lines for each worker.
  const int64_t elems = round_up(work_elems(r), 8) * context.threads;
  return {.run = [r](OpContext& op) { run(r, op); }, .scratch_bytes = static_cast<size_t>(elems) * sizeof(double)};
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
