// Weights in few bits with a scale for each block: MatMulNBits and GatherBlockQuantized.
#include <cstring>

#include "load/onnx_contrib.h"

namespace neural_engine {

namespace {

// The bytes of a constant; what is not one is refused.
const Tensor& constant_operand(Rewrite& r, size_t i, DType dtype, int64_t elems) {
  const Tensor& tensor = r.facts(r.input(i)).constant;
  if (!tensor.defined()) r.unsupported("input ", i, " is not a constant");
  if (tensor.dtype() != dtype) {
    r.unsupported("input ", i, " has dtype ", to_string(tensor.dtype()), ", supported is ", to_string(dtype));
  }
  if (tensor.elems() != elems) {
    r.invalid("input ", i, " has shape ", to_string(tensor.shape()), ", expected ", elems, " elements");
  }
  return tensor;
}

// The nibbles of `rows` rows of `row_bytes` bytes each, the first `width` of each row, as a tensor of 4 bits.
Tensor nibbles(DType dtype, const Tensor& packed, int64_t rows, int64_t row_bytes, int64_t width, uint8_t flipped) {
  Tensor result(dtype, {rows, width});
  const uint8_t* from = static_cast<const uint8_t*>(packed.raw());
  uint8_t* to = static_cast<uint8_t*>(result.raw());
  std::memset(to, 0, result.bytes());
  for (int64_t row = 0, place = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width; ++i, ++place) {
      const int shift = i % 2 == 0 ? 0 : 4;
      const int nibble = ((from[row * row_bytes + i / 2] >> shift) & 15) ^ flipped;
      to[place / 2] = static_cast<uint8_t>(to[place / 2] | nibble << (place % 2 == 0 ? 0 : 4));
    }
  }
  return result;
}

Tensor bytes(DType dtype, const Tensor& packed, int64_t rows, int64_t row_bytes, int64_t width, uint8_t flipped) {
  Tensor result(dtype, {rows, width});
  const uint8_t* from = static_cast<const uint8_t*>(packed.raw());
  uint8_t* to = static_cast<uint8_t*>(result.raw());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width; ++i) to[row * width + i] = from[row * row_bytes + i] ^ flipped;
  }
  return result;
}

// B holds, for each of N columns, the blocks along K. It becomes [N,K] with a scale per block, read transposed.
// Without zero points the numbers are centred: unsigned minus 2^(bits - 1), that is signed with the top bit flipped.
void matmul_n_bits(Rewrite& r) {
  const int64_t k = r.take_required<int64_t>("K"), n = r.take_required<int64_t>("N");
  const int64_t bits = r.take_or<int64_t>("bits", 4), block = r.take_required<int64_t>("block_size");
  r.take<int64_t>("accuracy_level");  // how precise the product must be at least; f32 is the highest
  if (bits != 4 && bits != 8) r.unsupported("bits ", bits, " found, supported are 4 and 8");
  constexpr int64_t kMost = int64_t{1} << 31;
  if (k < 1 || n < 1 || k >= kMost || n >= kMost || block < 16 || block >= kMost || (block & (block - 1)) != 0) {
    r.invalid("K ", k, ", N ", n, " and block_size ", block, " found, expected 1 or more and a power of 2 from 16 on");
  }
  if (r.has_input(4)) r.unsupported("g_idx (input 4) found, supported are blocks in order");
  const int64_t blocks = (k + block - 1) / block, row_bytes = blocks * block * bits / 8;
  const Tensor& packed = constant_operand(r, 1, DType::kU8, n * row_bytes);
  const bool centred = !r.has_input(3);
  const auto unpack = bits == 4 ? nibbles : bytes;
  const DType dtype = bits == 4 ? (centred ? DType::kS4 : DType::kU4) : (centred ? DType::kS8 : DType::kU8);
  const auto flipped = static_cast<uint8_t>(centred ? 1 << (bits - 1) : 0);
  const ValueId weight = r.constant(unpack(dtype, packed, n, row_bytes, k, flipped));
  const ValueId scales = r.add("Reshape", {r.input(2), r.ints({n, blocks})});
  std::vector<ValueId> inputs = {weight, scales};
  if (!centred) {
    const int64_t zero_bytes = (blocks * bits + 7) / 8;
    inputs.push_back(
        r.constant(unpack(dtype, constant_operand(r, 3, DType::kU8, n * zero_bytes), n, zero_bytes, blocks, 0)));
  }
  const ValueId real = r.add("DequantizeLinear", inputs, {{"axis", int64_t{1}}, {"block_size", block}});
  const ValueId transposed = r.add("Transpose", {real}, {{"perm", std::vector<int64_t>{1, 0}}});
  if (!r.has_input(5)) return r.finish("MatMul", {r.input(0), transposed});
  r.finish("Add", {r.add("MatMul", {r.input(0), transposed}), r.input(5)});
}

// u8 [.., bytes] with two elements to a byte as u8 [.., 2 * bytes].
ValueId apart(Rewrite& r, ValueId x) {
  const auto byte = [&](uint8_t value) { return r.constant(Tensor::scalar<uint8_t>(value)); };
  const ValueId axis = r.ints({-1});
  const ValueId low = r.add("Unsqueeze", {r.add("BitwiseAnd", {x, byte(15)}), axis});
  const ValueId high =
      r.add("Unsqueeze", {r.add("BitShift", {x, byte(4)}, {{"direction", std::string("RIGHT")}}), axis});
  const ValueId pairs = r.add("Concat", {low, high}, {{"axis", int64_t{-1}}});
  const ValueId leading = r.add("Shape", {x}, {{"start", int64_t{0}}, {"end", int64_t{-1}}});
  return r.add("Reshape", {pairs, r.add("Concat", {leading, r.ints({-1})}, {{"axis", int64_t{0}}})});
}

// Rows of a table [v,d] that is quantized in blocks along d: the rows of the table, scales and zero points are taken
// and then dequantized, so that the table stays as small as it is.
void gather_block_quantized(Rewrite& r) {
  const int64_t gather_axis = r.take_or<int64_t>("gather_axis", 0), block = r.take_or<int64_t>("block_size", 128);
  const int64_t quantize_axis = r.take_or<int64_t>("quantize_axis", 1), bits = r.take_or<int64_t>("bits", 4);
  const Tensor& table = r.facts(r.input(0)).constant;
  if (!table.defined() || table.rank() != 2) r.unsupported("a table that is no constant matrix found");
  if (gather_axis != 0 || (quantize_axis != 1 && quantize_axis != -1)) {
    r.unsupported("gather_axis ", gather_axis, " and quantize_axis ", quantize_axis, " found, supported are 0 and 1");
  }
  const DType dtype = table.dtype();
  const bool typed = dtype == DType::kU4 || dtype == DType::kS4;
  if (!typed && (dtype != DType::kU8 || (bits != 4 && bits != 8))) {
    r.unsupported("a table of ", to_string(dtype), " with bits ", bits, " found, supported: s4, u4, u8 of 4 or 8");
  }
  const bool packed = typed || bits == 4;
  // Signed nibbles are read as unsigned ones with the top bit flipped: 8 more, as is their zero point.
  const uint8_t flip = dtype == DType::kS4 ? 8 : 0;
  const auto as_bytes = [&](const Tensor& tensor) {
    if (!typed) return tensor;
    if (tensor.rank() != 2 || tensor.dim(1) % 2 != 0) {
      r.unsupported("rows of an odd number of elements found: ", to_string(tensor.shape()));
    }
    Tensor result(DType::kU8, {tensor.dim(0), tensor.dim(1) / 2});
    const uint8_t* from = static_cast<const uint8_t*>(tensor.raw());
    for (int64_t i = 0; i < result.elems(); ++i) {
      result.data<uint8_t>()[i] = from[i] ^ static_cast<uint8_t>(flip | flip << 4);
    }
    return result;
  };
  const auto rows = [&](ValueId from) { return r.add("Gather", {from, r.input(1)}, {{"axis", int64_t{0}}}); };
  const auto unpacked = [&](ValueId x) { return packed ? apart(r, x) : x; };
  const ValueId values = unpacked(rows(r.constant(as_bytes(table))));
  const ValueId scales = rows(r.input(2));
  ValueId zeros = kNoValue;
  const std::optional<int64_t> blocks = r.dim(r.input(2), 1);
  if (!blocks) r.unsupported("scales of unknown shape found");
  if (r.has_input(3)) {
    const Tensor& given = r.facts(r.input(3)).constant;
    if (!given.defined() || given.dtype() != dtype)
      r.unsupported("zero points that are no constant of the table's dtype");
    zeros = typed ? rows(r.add("Cast", {r.input(3)}, {{"to", int64_t{2}}})) : unpacked(rows(r.input(3)));
    if (flip != 0) {
      const ValueId wide = rows(r.add("Cast", {r.input(3)}, {{"to", int64_t{3}}}));
      const ValueId shifted = r.add("Add", {wide, r.constant(Tensor::scalar<int8_t>(8))});
      zeros = r.add("Cast", {shifted}, {{"to", int64_t{2}}});
    }
    // An odd number of blocks leaves a nibble over.
    if (packed && !typed) zeros = r.add("Slice", {zeros, r.ints({0}), r.ints({*blocks}), r.ints({-1})});
  } else {
    const auto middle = static_cast<uint8_t>(typed ? flip : 1 << (bits - 1));
    zeros = r.add("Expand", {r.constant(Tensor::scalar<uint8_t>(middle)), r.add("Shape", {scales})});
  }
  r.finish("DequantizeLinear", {values, scales, zeros}, {{"axis", int64_t{-1}}, {"block_size", block}});
}

}  // namespace

std::span<const LegacyRule> contrib_blocks_rules() {
  static constexpr LegacyRule kRules[] = {
      {"MatMulNBits", 1, 1, matmul_n_bits, kMicrosoft},
      {"GatherBlockQuantized", 1, 1, gather_block_quantized, kMicrosoft},
  };
  return kRules;
}

}  // namespace neural_engine
