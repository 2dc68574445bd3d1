#include <gtest/gtest.h>

#include "op_tester.h"
#include "random_tensor.h"

namespace neural_engine {
namespace {

using testing::doubles;
using testing::error_of;
using testing::expect_near;
using testing::random_tensor;
using testing::run_op;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

using Row = std::vector<double>;

// One direction of one sequence, written down from the equations: `step` maps (gates of the input, state) onwards.
struct Weights {
  Row w, r, b;  // [G*H,I], [G*H,H], [2*G*H]
  size_t gates, inputs, hidden;

  // Gate g of the input, and of the state.
  double of_input(const Row& x, size_t g, size_t i) const {
    const size_t row = g * hidden + i;
    double sum = b[row];
    for (size_t j = 0; j < inputs; ++j) sum += w[row * inputs + j] * x[j];
    return sum;
  }
  double of_state(const Row& h, size_t g, size_t i) const {
    const size_t row = g * hidden + i;
    double sum = b[gates * hidden + row];
    for (size_t j = 0; j < hidden; ++j) sum += r[row * hidden + j] * h[j];
    return sum;
  }
};

constexpr int64_t kSteps = 4, kBatch = 2, kInputs = 3, kHidden = 5;

struct Operands {
  Tensor x, w, r, b;
  Operands(int64_t gates, int64_t directions, DType dtype = DType::kF32)
      : x(random_tensor({kSteps, kBatch, kInputs}, 1, dtype)),
        w(random_tensor({directions, gates * kHidden, kInputs}, 2, dtype)),
        r(random_tensor({directions, gates * kHidden, kHidden}, 3, dtype)),
        b(random_tensor({directions, 2 * gates * kHidden}, 4, dtype)) {}

  Weights weights(int64_t gates, int64_t direction) const {
    const auto part = [&](const Tensor& tensor, int64_t elems) {
      const Row all = doubles(tensor);
      return Row(all.begin() + direction * elems, all.begin() + (direction + 1) * elems);
    };
    return {part(w, gates * kHidden * kInputs),
            part(r, gates * kHidden * kHidden),
            part(b, 2 * gates * kHidden),
            static_cast<size_t>(gates),
            kInputs,
            kHidden};
  }
  Row input(int64_t t, int64_t batch) const {
    const Row all = doubles(x);
    const int64_t at = (t * kBatch + batch) * kInputs;
    return Row(all.begin() + at, all.begin() + at + kInputs);
  }
};

// Runs `step(x, h, c)` over a sequence of `length` items, forwards or backwards; the states by time, zeros after the
// end.
template <class Step>
std::vector<Row> unroll(const Operands& operands, int64_t batch, int64_t length, bool reverse, Step&& step, Row* last) {
  std::vector<Row> result(kSteps, Row(kHidden, 0.0));
  Row h(kHidden, 0.0), c(kHidden, 0.0);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t t = reverse ? length - 1 - i : i;
    step(operands.input(t, batch), &h, &c);
    result[static_cast<size_t>(t)] = h;
  }
  *last = h;
  return result;
}

void lstm_step(const Weights& w, const Row& x, Row* h, Row* c, const Row& peep = Row(3 * kHidden, 0.0)) {
  const Row before = *h;
  for (size_t i = 0; i < w.hidden; ++i) {
    const auto gate = [&](size_t g) { return w.of_input(x, g, i) + w.of_state(before, g, i); };
    const double old = (*c)[i];
    const double input = sigmoid(gate(0) + peep[i] * old), forget = sigmoid(gate(2) + peep[2 * w.hidden + i] * old);
    (*c)[i] = forget * old + input * std::tanh(gate(3));
    (*h)[i] = sigmoid(gate(1) + peep[w.hidden + i] * (*c)[i]) * std::tanh((*c)[i]);
  }
}

void gru_step(const Weights& w, const Row& x, Row* h, bool linear_before_reset) {
  const Row before = *h;
  Row reset(w.hidden), scaled(w.hidden);
  for (size_t i = 0; i < w.hidden; ++i) {
    reset[i] = sigmoid(w.of_input(x, 1, i) + w.of_state(before, 1, i));
    scaled[i] = reset[i] * before[i];
  }
  for (size_t i = 0; i < w.hidden; ++i) {
    const double update = sigmoid(w.of_input(x, 0, i) + w.of_state(before, 0, i));
    const double linear = linear_before_reset ? reset[i] * w.of_state(before, 2, i) : w.of_state(scaled, 2, i);
    (*h)[i] = (1 - update) * std::tanh(w.of_input(x, 2, i) + linear) + update * before[i];
  }
}

// f32 runs products, the others loops.
void walks_both_directions(DType dtype) {
  const Operands operands(4, 2, dtype);
  const Tensor lengths = Tensor::of<int32_t>({kBatch}, {4, 2});
  const std::vector<Tensor> found = run_op("LSTM", {operands.x, operands.w, operands.r, operands.b, lengths},
                                           {{"direction", std::string("bidirectional")}, {"hidden_size", kHidden}}, 3);
  ASSERT_EQ(found[0].shape(), (Shape{kSteps, 2, kBatch, kHidden}));
  Row expected(static_cast<size_t>(found[0].elems())), last;
  Row final_state;
  for (int64_t d = 0; d < 2; ++d) {
    const Weights weights = operands.weights(4, d);
    for (int64_t b = 0; b < kBatch; ++b) {
      const auto step = [&](const Row& x, Row* h, Row* c) { lstm_step(weights, x, h, c); };
      const std::vector<Row> states = unroll(operands, b, b == 0 ? 4 : 2, d == 1, step, &last);
      for (int64_t t = 0; t < kSteps; ++t) {
        std::copy(states[static_cast<size_t>(t)].begin(), states[static_cast<size_t>(t)].end(),
                  expected.begin() + ((t * 2 + d) * kBatch + b) * kHidden);
      }
      final_state.insert(final_state.end(), last.begin(), last.end());
    }
  }
  expect_near(found[0], expected);
  expect_near(found[1], final_state);
}

TEST(Lstm, WalksBothDirectionsWithLengths) {
  walks_both_directions(DType::kF32);
  walks_both_directions(DType::kF64);
}

TEST(Lstm, HonoursPeepholesAndInitialStates) {
  for (const DType dtype : {DType::kF32, DType::kF64}) {
    const Operands operands(4, 1, dtype);
    const Tensor peephole = random_tensor({1, 3 * kHidden}, 5, dtype);
    const Tensor h0 = random_tensor({1, kBatch, kHidden}, 6, dtype), c0 = random_tensor({1, kBatch, kHidden}, 7, dtype);
    const std::vector<Tensor> found =
        run_op("LSTM", {operands.x, operands.w, operands.r, operands.b, Tensor(), h0, c0, peephole}, {}, 3);
    const Weights weights = operands.weights(4, 0);
    Row states, cells;
    for (int64_t b = 0; b < kBatch; ++b) {
      Row h = doubles(h0), c = doubles(c0);
      h = Row(h.begin() + b * kHidden, h.begin() + (b + 1) * kHidden);
      c = Row(c.begin() + b * kHidden, c.begin() + (b + 1) * kHidden);
      for (int64_t t = 0; t < kSteps; ++t) lstm_step(weights, operands.input(t, b), &h, &c, doubles(peephole));
      states.insert(states.end(), h.begin(), h.end());
      cells.insert(cells.end(), c.begin(), c.end());
    }
    expect_near(found[1], states);
    expect_near(found[2], cells);
  }
}

TEST(Gru, AppliesTheResetGateBeforeOrAfter) {
  for (int i = 0; i < 4; ++i) {
    const bool linear_before_reset = i % 2 != 0;
    const Operands operands(3, 1, i < 2 ? DType::kF32 : DType::kF64);
    const std::vector<Tensor> found =
        run_op("GRU", {operands.x, operands.w, operands.r, operands.b},
               {{"linear_before_reset", int64_t{linear_before_reset}}, {"direction", std::string("reverse")}}, 2);
    const Weights weights = operands.weights(3, 0);
    Row expected, last;
    for (int64_t b = 0; b < kBatch; ++b) {
      const auto step = [&](const Row& x, Row* h, Row*) { gru_step(weights, x, h, linear_before_reset); };
      unroll(operands, b, kSteps, true, step, &last);
      expected.insert(expected.end(), last.begin(), last.end());
    }
    expect_near(found[1], expected);
  }
}

TEST(Rnn, AgreesInBothLayoutsAndClips) {
  const Operands operands(1, 1);
  const Attrs attrs = {{"activations", std::vector<std::string>{"Affine"}},
                       {"activation_alpha", std::vector<float>{0.5f}},
                       {"activation_beta", std::vector<float>{0.25f}},
                       {"clip", 0.75f}};
  const std::vector<Tensor> found = run_op("RNN", {operands.x, operands.w, operands.r, operands.b}, attrs, 2);
  const Weights weights = operands.weights(1, 0);
  Row expected, last;
  for (int64_t b = 0; b < kBatch; ++b) {
    const auto step = [&](const Row& x, Row* h, Row*) {
      const Row before = *h;
      for (size_t i = 0; i < kHidden; ++i) {
        const double sum = weights.of_input(x, 0, i) + weights.of_state(before, 0, i);
        (*h)[i] = 0.5 * std::clamp(sum, -0.75, 0.75) + 0.25;
      }
    };
    unroll(operands, b, kSteps, false, step, &last);
    expected.insert(expected.end(), last.begin(), last.end());
  }
  expect_near(found[1], expected);

  // [batch, sequence, ...] instead of [sequence, batch, ...].
  Row swapped;
  for (int64_t b = 0; b < kBatch; ++b) {
    for (int64_t t = 0; t < kSteps; ++t) {
      const Row x = operands.input(t, b);
      swapped.insert(swapped.end(), x.begin(), x.end());
    }
  }
  Attrs batch_first = attrs;
  batch_first.set("layout", int64_t{1});
  const Tensor x = testing::tensor_of(DType::kF32, {kBatch, kSteps, kInputs}, swapped);
  const std::vector<Tensor> other = run_op("RNN", {x, operands.w, operands.r, operands.b}, batch_first, 2);
  EXPECT_EQ(other[0].shape(), (Shape{kBatch, kSteps, 1, kHidden}));
  expect_near(other[1], expected);
}

TEST(Recurrent, RefusesWhatBreaksTheRules) {
  const Operands operands(1, 1);
  const auto message = [&](Attrs attrs, Tensor lengths = {}) {
    return error_of([&] {
      run_op("RNN", {operands.x, operands.w, operands.r, operands.b, lengths}, std::move(attrs), 2);
    });
  };
  EXPECT_NE(message({{"activations", std::vector<std::string>{"Swish"}}}).find("\"Swish\""), std::string::npos);
  EXPECT_NE(message({{"activations", std::vector<std::string>{"Tanh", "Tanh"}}}).find("2 elements, expected 1"),
            std::string::npos);
  EXPECT_NE(message({{"direction", std::string("both")}}).find("direction is \"both\""), std::string::npos);
  EXPECT_NE(message({{"direction", std::string("bidirectional")}}).find("input 1 has shape [1,5,3], expected [2,5,3]"),
            std::string::npos);
  EXPECT_NE(message({{"hidden_size", int64_t{4}}}).find("expected [1,4,3]"), std::string::npos);
  EXPECT_NE(message({}, Tensor::of<int32_t>({2}, {5, 1})).find("sequence length 5"), std::string::npos);
}

}  // namespace
}  // namespace neural_engine
