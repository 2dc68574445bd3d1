#include "executor/ops/elementwise.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "executor/ops/convert.h"

namespace neural_engine {

namespace {

int64_t size_of(DType dtype) { return bits_of(dtype) / 8; }

std::byte* bytes_at(Tensor& tensor, int64_t element) {
  return static_cast<std::byte*>(tensor.raw()) + element * size_of(tensor.dtype());
}
const std::byte* bytes_at(const Tensor& tensor, int64_t element) {
  return static_cast<const std::byte*>(tensor.raw()) + element * size_of(tensor.dtype());
}

// Room for kBlock elements of any type.
struct Block {
  alignas(64) std::byte memory[kBlock * 8];
  float* f32() { return reinterpret_cast<float*>(memory); }
  double* f64() { return reinterpret_cast<double*>(memory); }
};

void load_as(DType compute, const Tensor& tensor, int64_t first, int64_t count, Block* block) {
  if (compute == DType::kF32) {
    load(tensor.dtype(), tensor.raw(), first, count, block->f32());
  } else {
    load(tensor.dtype(), tensor.raw(), first, count, block->f64());
  }
}

void store_from(DType compute, Block* block, int64_t first, int64_t count, Tensor* tensor) {
  if (tensor->dtype() == DType::kBool) {
    std::memcpy(bytes_at(*tensor, first), block->memory, static_cast<size_t>(count));
  } else if (compute == DType::kF32) {
    store(tensor->dtype(), block->f32(), count, tensor->raw(), first);
  } else {
    store(tensor->dtype(), block->f64(), count, tensor->raw(), first);
  }
}

void run_unary(OpContext& context, UnaryRow row, DType compute, const UnaryParams& params) {
  const Tensor& x = context.input(0);
  Tensor& y = context.output(0);
  context.parallel.ranges(x.elems(), kGrain, [&](int64_t begin, int64_t end) {
    if (x.dtype() == compute) return row(bytes_at(x, begin), bytes_at(y, begin), end - begin, params);
    Block source, result;
    for (int64_t at = begin; at < end; at += kBlock) {
      const int64_t count = std::min(kBlock, end - at);
      load_as(compute, x, at, count, &source);
      row(source.memory, result.memory, count, params);
      store_from(compute, &result, at, count, &y);
    }
  });
}

bool is_staged(DType dtype) { return dtype == DType::kF16 || dtype == DType::kBF16; }

// A piece of an operand of f16 or bf16, as float.
const std::byte* staged(const Tensor& tensor, int64_t first, int64_t step, int64_t count, Block* block) {
  load(tensor.dtype(), tensor.raw(), first, step != 0 ? count : 1, block->f32());
  return block->memory;
}

void run_binary(OpContext& context, const Broadcast& plan, BinaryRow row, const char* on_invalid) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  Tensor& y = context.output(0);
  const bool stage = is_staged(a.dtype());
  std::atomic<bool> valid{true};
  context.parallel.ranges(plan.elems(), kGrain, [&](int64_t begin, int64_t end) {
    Block blocks[3];
    plan.walk(begin, end, stage ? kBlock : end - begin, [&](const Broadcast::Piece& piece) {
      const int64_t step_a = plan.step(0), step_b = plan.step(1);
      bool fine = true;
      if (stage) {
        const std::byte* lhs = staged(a, piece.in[0], step_a, piece.count, &blocks[0]);
        const std::byte* rhs = staged(b, piece.in[1], step_b, piece.count, &blocks[1]);
        fine = row(lhs, step_a, rhs, step_b, blocks[2].memory, piece.count);
        store_from(DType::kF32, &blocks[2], piece.out, piece.count, &y);
      } else {
        fine = row(bytes_at(a, piece.in[0]), step_a, bytes_at(b, piece.in[1]), step_b, bytes_at(y, piece.out),
                   piece.count);
      }
      if (!fine) valid.store(false, std::memory_order_relaxed);
    });
  });
  require(valid.load(), Code::kInvalidData, on_invalid);
}

void run_variadic(OpContext& context, const Broadcast& plan, BinaryRow row, bool mean) {
  Tensor& y = context.output(0);
  const bool stage = is_staged(y.dtype());
  const DType compute = stage ? DType::kF32 : y.dtype();
  const int inputs = context.num_inputs();
  context.parallel.ranges(plan.elems(), kGrain, [&](int64_t begin, int64_t end) {
    // The result may be the memory of any input, so a block is finished before it is written.
    Block sum, operand;
    plan.walk(begin, end, kBlock, [&](const Broadcast::Piece& piece) {
      for (int k = 0; k < inputs; ++k) {
        const Tensor& x = context.input(k);
        const std::byte* source = bytes_at(x, piece.in[k]);
        if (stage) source = staged(x, piece.in[k], plan.step(k), piece.count, &operand);
        if (k > 0) {
          row(sum.memory, 1, source, plan.step(k), sum.memory, piece.count);
          continue;
        }
        const auto size = static_cast<size_t>(size_of(compute));
        const auto count = static_cast<size_t>(piece.count);
        if (plan.step(0) != 0) {
          std::memcpy(sum.memory, source, count * size);
        } else {
          for (size_t i = 0; i < count; ++i) std::memcpy(sum.memory + i * size, source, size);
        }
      }
      if (mean && compute == DType::kF32) {
        for (int64_t i = 0; i < piece.count; ++i) sum.f32()[i] /= static_cast<float>(inputs);
      } else if (mean) {
        for (int64_t i = 0; i < piece.count; ++i) sum.f64()[i] /= inputs;
      }
      if (stage) {
        store_from(compute, &sum, piece.out, piece.count, &y);
      } else {
        std::memcpy(bytes_at(y, piece.out), sum.memory, static_cast<size_t>(piece.count * size_of(compute)));
      }
    });
  });
}

Broadcast plan_of(const BindContext& context) {
  std::vector<Shape> operands;
  for (int i = 0; i < context.num_inputs(); ++i) operands.push_back(context.shape(i));
  return Broadcast(operands, context.output_shape(0));
}

}  // namespace

BoundOp bind_unary(const BindContext&, UnaryRow row, DType compute, UnaryParams params) {
  return {.run = [=](OpContext& context) { run_unary(context, row, compute, params); }};
}

BoundOp bind_binary(const BindContext& context, BinaryRow row, const char* on_invalid) {
  return {.run = [plan = plan_of(context), row, on_invalid](OpContext& op) { run_binary(op, plan, row, on_invalid); }};
}

BoundOp bind_variadic(const BindContext& context, BinaryRow row, bool mean) {
  return {.run = [plan = plan_of(context), row, mean](OpContext& op) { run_variadic(op, plan, row, mean); }};
}

std::span<const OpBinding> elementwise_bindings() {
  static const auto* const kBindings = [] {
    auto* all = new std::vector<OpBinding>;
    for (std::span<const OpBinding> part :
         {math_bindings(), activation_bindings(), arithmetic_bindings(), logic_bindings(), select_bindings()}) {
      all->insert(all->end(), part.begin(), part.end());
    }
    return all;
  }();
  return *kBindings;
}

}  // namespace neural_engine
