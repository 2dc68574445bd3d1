// What the two ways to run LSTM, GRU and RNN share: the node's attributes and what happens to one row of the batch once
// its gates are summed. Rows are stored as G (f32 or f64) and computed in double.
#pragma once

#include <algorithm>
#include <vector>

#include "executor/op_binding.h"
#include "ops/recurrent.h"

namespace neural_engine {

enum class CellKind { kLstm, kGru, kRnn };

struct Recurrence {
  CellKind kind = CellKind::kRnn;
  int64_t gates = 1, sequence = 0, batch = 0, inputs = 0, hidden = 0, directions = 1;
  bool batch_first = false, reverse = false;  // of the first direction
  bool input_forget = false, linear_before_reset = false;
  double clip = 0;                               // 0: none
  std::vector<GateActivation> activations = {};  // of all directions

  const GateActivation* activations_of(int64_t direction) const {
    return activations.data() + direction * static_cast<int64_t>(activations.size()) / directions;
  }
  bool is_reverse(int64_t direction) const { return reverse || direction == 1; }
  // Rows of X, Y and of the states, in elements.
  int64_t x_row(int64_t t, int64_t b) const { return (batch_first ? b * sequence + t : t * batch + b); }
  int64_t y_row(int64_t t, int64_t d, int64_t b) const {
    return (batch_first ? (b * sequence + t) * directions + d : (t * directions + d) * batch + b);
  }
  int64_t state_row(int64_t d, int64_t b) const { return (batch_first ? b * directions + d : d * batch + b); }
};

// Through the kernel table, the whole batch at once: f32.
BoundOp bind_recurrent_products(const BindContext& context, const Recurrence& recurrence);

// The length of each sequence. Throws Error(kInvalidArgument) when one is longer than the input.
inline int64_t sequence_length(const Recurrence& r, const OpContext& context, int64_t b) {
  if (!context.has_input(4)) return r.sequence;
  const int32_t length = context.input(4).data<int32_t>()[b];
  if (length < 0 || length > r.sequence) {
    fail(Code::kInvalidArgument, "sequence length ", length, " found, expected 0 to ", r.sequence);
  }
  return length;
}

inline double activate(const Recurrence& r, const GateActivation& activation, double x) {
  return activation(r.clip > 0 ? std::clamp(x, -r.clip, r.clip) : x);
}

// Gates in ONNX's order: input, output, forget, cell; peepholes (may be absent): input, output, forget.
template <class G, class P>
void lstm_row(const Recurrence& r, const GateActivation* f, const P* peephole, const G* x_gates, const G* h_gates, G* h,
              G* c) {
  const int64_t n = r.hidden;
  for (int64_t i = 0; i < n; ++i) {
    const auto gate = [&](int64_t which) {
      return static_cast<double>(x_gates[which * n + i]) + static_cast<double>(h_gates[which * n + i]);
    };
    const auto peep = [&](int64_t which, double cell) {
      return peephole ? static_cast<double>(peephole[which * n + i]) * cell : 0.0;
    };
    const double before = c[i];
    const double input = activate(r, f[0], gate(0) + peep(0, before));
    const double forget = r.input_forget ? 1 - input : activate(r, f[0], gate(2) + peep(2, before));
    const double cell = forget * before + input * activate(r, f[1], gate(3));
    const double output = activate(r, f[0], gate(1) + peep(1, cell));
    c[i] = static_cast<G>(cell);
    h[i] = static_cast<G>(output * activate(r, f[2], cell));
  }
}

// Gates: update, reset, hidden. First the former two, in place of x_gates; `reset_h` receives what the hidden gate's
// matrix multiplies.
template <class G>
void gru_gates_row(const Recurrence& r, const GateActivation* f, G* x_gates, const G* h_gates, const G* h, G* reset_h) {
  const int64_t n = r.hidden;
  for (int64_t i = 0; i < 2 * n; ++i) {
    x_gates[i] = static_cast<G>(activate(r, f[0], static_cast<double>(x_gates[i]) + static_cast<double>(h_gates[i])));
  }
  for (int64_t i = 0; i < n; ++i) reset_h[i] = r.linear_before_reset ? h[i] : x_gates[n + i] * h[i];
}

// Then the state. `hidden` is the product with the hidden gate's matrix, its bias included.
template <class G>
void gru_row(const Recurrence& r, const GateActivation* f, const G* x_gates, const G* hidden, G* h) {
  const int64_t n = r.hidden;
  for (int64_t i = 0; i < n; ++i) {
    const double update = x_gates[i], reset = x_gates[n + i];
    const double linear = r.linear_before_reset ? reset * hidden[i] : static_cast<double>(hidden[i]);
    const double candidate = activate(r, f[1], static_cast<double>(x_gates[2 * n + i]) + linear);
    h[i] = static_cast<G>((1 - update) * candidate + update * h[i]);
  }
}

template <class G>
void rnn_row(const Recurrence& r, const GateActivation* f, const G* x_gates, const G* h_gates, G* h) {
  for (int64_t i = 0; i < r.hidden; ++i) {
    h[i] = static_cast<G>(activate(r, f[0], static_cast<double>(x_gates[i]) + static_cast<double>(h_gates[i])));
  }
}

}  // namespace neural_engine
