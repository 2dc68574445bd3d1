#include "executor/ops/einsum.h"

#include "base/dtype.h"
#include "ops/einsum.h"

namespace neural_engine {

namespace {

// Sizes and, per operand, steps in elements along each subscript: the output's subscripts first, then those that are
// summed over. A dimension of size 1 under a wider subscript has step 0; a diagonal adds up its steps.
struct EinsumLoops {
  std::vector<int64_t> kept = {}, summed = {};
  std::vector<std::vector<int64_t>> kept_steps, summed_steps;  // [operand][subscript]
};

EinsumLoops make_loops(const EinsumEquation& equation, const std::vector<Shape>& shapes) {
  const size_t count = static_cast<size_t>(equation.subscripts);
  std::vector<int64_t> sizes(count, 1);
  for (size_t i = 0; i < shapes.size(); ++i) {
    for (size_t d = 0; d < shapes[i].size(); ++d) {
      if (shapes[i][d] != 1) sizes[static_cast<size_t>(equation.inputs[i][d])] = shapes[i][d];
    }
  }
  std::vector<std::vector<int64_t>> steps(shapes.size(), std::vector<int64_t>(count, 0));
  for (size_t i = 0; i < shapes.size(); ++i) {
    int64_t step = 1;
    for (size_t d = shapes[i].size(); d-- > 0; step *= shapes[i][d]) {
      if (shapes[i][d] != 1) steps[i][static_cast<size_t>(equation.inputs[i][d])] += step;
    }
  }
  EinsumLoops loops{.kept_steps = std::vector<std::vector<int64_t>>(shapes.size()),
                    .summed_steps = std::vector<std::vector<int64_t>>(shapes.size())};
  std::vector<bool> in_output(count, false);
  for (const int subscript : equation.output) {
    const size_t s = static_cast<size_t>(subscript);
    in_output[s] = true;
    loops.kept.push_back(sizes[s]);
    for (size_t i = 0; i < shapes.size(); ++i) loops.kept_steps[i].push_back(steps[i][s]);
  }
  for (size_t s = 0; s < count; ++s) {
    if (in_output[s]) continue;
    loops.summed.push_back(sizes[s]);
    for (size_t i = 0; i < shapes.size(); ++i) loops.summed_steps[i].push_back(steps[i][s]);
  }
  return loops;
}

int64_t offset_of(int64_t index, const std::vector<int64_t>& sizes, const std::vector<int64_t>& steps) {
  int64_t offset = 0;
  for (size_t d = sizes.size(); d-- > 0; index /= sizes[d]) offset += index % sizes[d] * steps[d];
  return offset;
}

// Offsets of every operand for each index of `sizes`, in order.
std::vector<int64_t> offsets_of(const std::vector<int64_t>& sizes, const std::vector<std::vector<int64_t>>& steps) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  std::vector<int64_t> offsets;
  offsets.reserve(static_cast<size_t>(count) * steps.size());
  for (int64_t index = 0; index < count; ++index) {
    for (const std::vector<int64_t>& each : steps) offsets.push_back(offset_of(index, sizes, each));
  }
  return offsets;
}

// Sums in double (integers: modulo 2^64), rounded once.
template <class T, class Sum>
void contract(const EinsumLoops& loops, const std::vector<int64_t>& summed, OpContext& context) {
  const size_t operands = loops.kept_steps.size();
  const size_t terms = summed.size() / operands;
  T* out = context.output(0).data<T>();
  context.parallel.ranges(context.output(0).elems(), 64, [&](int64_t begin, int64_t end) {
    std::vector<const T*> base(operands);
    for (int64_t index = begin; index < end; ++index) {
      for (size_t i = 0; i < operands; ++i) {
        base[i] = context.input(static_cast<int>(i)).data<T>() + offset_of(index, loops.kept, loops.kept_steps[i]);
      }
      Sum sum = 0;
      for (size_t term = 0; term < terms; ++term) {
        Sum product = 1;
        for (size_t i = 0; i < operands; ++i) product *= static_cast<Sum>(base[i][summed[term * operands + i]]);
        sum += product;
      }
      if constexpr (std::is_integral_v<T>) {
        out[index] = static_cast<T>(sum);
      } else {
        out[index] = T(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(sum));
      }
    }
  });
}

}  // namespace

BoundOp bind_einsum(const BindContext& context) {
  std::vector<Shape> shapes;
  std::vector<int64_t> ranks;
  for (int i = 0; i < context.num_inputs(); ++i) {
    shapes.push_back(context.shape(i));
    ranks.push_back(static_cast<int64_t>(shapes.back().size()));
  }
  const EinsumEquation equation = parse_einsum(context.attr<std::string>("equation"), ranks);
  if (std::optional<BoundOp> product = bind_einsum_product(equation, shapes, context)) return *std::move(product);
  const EinsumLoops loops = make_loops(equation, shapes);
  return {.run = [loops, summed = offsets_of(loops.summed, loops.summed_steps)](OpContext& op) {
    dispatch_dtype(op.output(0).dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!std::is_same_v<T, bool>) {
        contract<T, std::conditional_t<std::is_integral_v<T>, uint64_t, double>>(loops, summed, op);
      }
    });
  }};
}

}  // namespace neural_engine
