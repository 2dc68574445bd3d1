// The matrix product by oneDNN's matmul primitive, on tiles of C that depend on the shape alone: its sums may depend on
// the shape of a call, so a split by threads would let the threads change the bits.
#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kernels/kernel_table.h"
#include "kernels/onednn/onednn.h"
#include "kernels/onednn/post_ops.h"
#include "kernels/onednn/single_thread.h"
#include "kernels/reference/reference.h"
#include "kernels/requests.h"

namespace neural_engine::onednn {
namespace {

using dnnl::memory;

constexpr int64_t kFloat = sizeof(float);
// Rows of C in a task. Also the M for which the layout of constant weights is asked, whatever M comes later.
constexpr int64_t kRows = 128;

memory::desc strided(int64_t rows, int64_t cols, int64_t row_stride, int64_t col_stride = 1) {
  return {memory::dims{rows, cols}, memory::data_type::f32, memory::dims{row_stride, col_stride}};
}

// `bias` is a descriptor of no memory where there is none.
dnnl::matmul::primitive_desc describe(const dnnl::engine& engine, const memory::desc& a, const memory::desc& b,
                                      const memory::desc& bias, const memory::desc& c,
                                      const dnnl::primitive_attr& attr) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(engine, a, b, bias, c, attr);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(a, b, bias, c), attr, engine);
#endif
}

// Columns of C in a task: a quarter of all, in multiples of the 64 that its blocked layouts like.
int64_t columns_of(int64_t n) { return std::min(n, std::max<int64_t>(128, round_up(div_up(n, 4), 64))); }

template <class Body>
decltype(auto) translated(const MatmulDesc& desc, Body&& body) {
  try {
    const SingleThread single;
    return body();
  } catch (const dnnl::error& error) {
    fail(Code::kInternal, "oneDNN, matrix product of K ", desc.k, " and N ", desc.n, ": ", error.message, " (status ",
         static_cast<int>(error.status), ")");
  }
}

// The primitive for one shape of tile.
struct Tile {
  int64_t columns;
  dnnl::matmul primitive;
  memory::desc a, b, c, scratchpad;
};

struct TileKey {
  int64_t m, n, k, lda, ldb, ldc;
  auto operator<=>(const TileKey&) const = default;
};

// Alpha is one op of the epilogue more, which the library takes or leaves like the others.
MatmulDesc with_alpha_as_op(MatmulDesc desc) {
  if (desc.alpha != 1.0f) desc.epilogue.insert(desc.epilogue.begin(), scale(desc.alpha));
  desc.alpha = 1.0f;
  return desc;
}

class OnednnMatmul final : public MatmulKernel {
 public:
  explicit OnednnMatmul(const MatmulDesc& desc)
      : desc_(with_alpha_as_op(desc)), engine_(dnnl::engine::kind::cpu, 0), takes_(choose_takeover()) {
    const Epilogue rest(desc_.epilogue.begin() + static_cast<std::ptrdiff_t>(takes_.ops), desc_.epilogue.end());
    first_rest_operand_ = operand_count(desc.epilogue) - operand_count(rest);
    if (!rest.empty()) rest_ = select(EltwiseDesc{.ops = rest}).kernel;
    zero_k_ = reference::make(desc_);
  }

  int64_t packed_bytes() const override {
    int64_t bytes = 0;
    for (int64_t n = 0; n < desc_.n; n += columns_of(desc_.n)) bytes += chunk_bytes(n);
    return bytes;
  }

  // The layout is the library's own choice for this CPU and version.
  std::string packing() const override {
    const dnnl_version_t* v = dnnl_version();
    return text("onednn", v->major, ".", v->minor, ".", v->patch, ".f32.isa", cpu().isa_bits);
  }

  void pack(const void* b, int64_t ldb, void* packed, Parallel& parallel) const override {
    if (reinterpret_cast<uintptr_t>(b) % sizeof(float) != 0) {  // the library wants whole floats
      const int64_t rows = desc_.b_transposed ? desc_.n : desc_.k;
      std::vector<float> copy(static_cast<size_t>(rows * ldb));
      const int64_t last = desc_.b_transposed ? desc_.k : desc_.n;  // the last row may end before ldb
      std::memcpy(copy.data(), b, static_cast<size_t>((rows - 1) * ldb + last) * sizeof(float));
      return pack(copy.data(), ldb, packed, parallel);
    }
    char* out = static_cast<char*>(packed);
    std::fill_n(out, packed_bytes(), 0);
    for (int64_t n = 0; n < desc_.n; n += columns_of(desc_.n)) {
      translated(desc_, [&] {
        const int64_t columns = std::min(columns_of(desc_.n), desc_.n - n);
        const float* from = static_cast<const float*>(b) + n * (desc_.b_transposed ? ldb : 1);
        memory src(raw_b(desc_.k, columns, ldb), engine_, const_cast<float*>(from));
        memory dst(packed_b(columns), engine_, out);
        dnnl::stream stream(engine_);
        dnnl::reorder(src, dst).execute(stream, src, dst);
        stream.wait();
      });
      out += chunk_bytes(n);
    }
  }

  int64_t scratch_bytes(const MatmulArgs&, int) const override { return 0; }

 private:
  memory::desc raw_b(int64_t k, int64_t n, int64_t ldb) const {
    return desc_.b_transposed ? strided(k, n, 1, ldb) : strided(k, n, ldb);
  }

  // The longest part of the epilogue that does not send the primitive to the library's own reference loops.
  Takeover choose_takeover() const {
    return translated(desc_, [&] {
      const int64_t n = columns_of(desc_.n > 0 ? desc_.n : 128), k = desc_.k > 0 ? desc_.k : 64;
      // C is one of several tiles side by side: its rows are apart.
      const memory::desc a = strided(kRows, k, k), c = strided(kRows, n, n + 1);
      Takeover takes = most_to_take(desc_.epilogue);
      for (;; --takes.ops) {
        takes.bias = takes.bias && takes.ops > 0;
        const auto pd = describe(engine_, a, strided(k, n, n), bias_of(takes, n), c, attr(takes, n));
        const std::string_view implementation = pd.impl_info_str();
        if (takes.ops == 0 || !implementation.starts_with("ref")) return takes;
      }
    });
  }

  // The layout that the library likes for constant weights: asked without the epilogue, so that it does not decide.
  memory::desc packed_b(int64_t n) const {
    const memory::desc any({desc_.k, n}, memory::data_type::f32, memory::format_tag::any);
    dnnl::primitive_attr plain;
    plain.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    return describe(engine_, strided(kRows, desc_.k, desc_.k), any, {}, strided(kRows, n, n), plain).weights_desc();
  }

  static memory::desc bias_of(const Takeover& takes, int64_t n) {
    return takes.bias ? strided(1, n, n) : memory::desc();
  }

  int64_t chunk_bytes(int64_t n) const {
    return translated(desc_, [&] {
      const int64_t columns = std::min(columns_of(desc_.n), desc_.n - n);
      return round_up(static_cast<int64_t>(packed_b(columns).get_size()), kScratchAlignment);
    });
  }

  dnnl::primitive_attr attr(const Takeover& takes, int64_t n) const { return attributes(desc_.epilogue, takes, n); }

  // Made on the first call of each shape, kept for the next ones.
  const Tile& tile(const TileKey& key) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = tiles_.find(key);
    if (found != tiles_.end()) return found->second;
    return translated(desc_, [&]() -> const Tile& {
      const memory::desc b = desc_.b_constant ? packed_b(key.n) : raw_b(key.k, key.n, key.ldb);
      const memory::desc a = strided(key.m, key.k, key.lda), c = strided(key.m, key.n, key.ldc);
      const auto pd = describe(engine_, a, b, bias_of(takes_, key.n), c, attr(takes_, key.n));
      return tiles_.emplace(key, Tile{key.n, dnnl::matmul(pd), a, b, c, pd.scratchpad_desc()}).first->second;
    });
  }

  struct Job {
    const MatmulArgs& args;
    int64_t columns, m_tiles, n_tiles;
    std::array<std::array<const Tile*, 2>, 2> tiles;  // [last rows][last columns]
    int64_t chunk_bytes;
  };

  static int64_t part(int64_t total, int64_t step, int64_t index) { return std::min(step, total - index * step); }

  void execute(const MatmulArgs& args, Parallel& parallel) const override {
    if (args.m == 0 || args.n == 0 || args.batch == 0) return;
    if (args.k == 0) return zero_k_->run(args, parallel);  // the library would leave C as it is
    Job job = {args, columns_of(args.n), div_up(args.m, kRows), 0, {}, 0};
    job.n_tiles = div_up(args.n, job.columns);
    job.chunk_bytes = desc_.b_constant && job.n_tiles > 1 ? chunk_bytes(0) : 0;
    const int64_t m_sizes[] = {std::min(kRows, args.m), part(args.m, kRows, job.m_tiles - 1)};
    const int64_t n_sizes[] = {job.columns, part(args.n, job.columns, job.n_tiles - 1)};
    for (size_t i = 0; i < 2; ++i)
      for (size_t j = 0; j < 2; ++j)
        job.tiles[i][j] = &tile({m_sizes[i], n_sizes[j], args.k, args.lda, desc_.b_constant ? 0 : args.ldb, args.ldc});
    parallel.run(args.batch * job.n_tiles * job.m_tiles, [&](int64_t index, int) { task(job, index); });
  }

  void task(const Job& job, int64_t index) const {
    const MatmulArgs& args = job.args;
    const int64_t batch = index / (job.n_tiles * job.m_tiles);
    const int64_t j = index / job.m_tiles % job.n_tiles, i = index % job.m_tiles;
    const int64_t n0 = j * job.columns, m0 = i * kRows;
    const Tile& tile = *job.tiles[i + 1 == job.m_tiles][j + 1 == job.n_tiles];
    const float* a = static_cast<const float*>(args.a) + batch * args.a_batch_stride + m0 * args.lda;
    float* c = static_cast<float*>(args.c) + batch * args.c_batch_stride + m0 * args.ldc + n0;
    const float* b = static_cast<const float*>(args.b);
    b += desc_.b_constant ? j * job.chunk_bytes / kFloat
                          : batch * args.b_batch_stride + n0 * (desc_.b_transposed ? args.ldb : 1);
    {
      const SingleThread single;
      multiply(args, tile, a, b, c, batch, n0);
    }
    if (rest_) finish(args, c, batch, m0, n0, part(args.m, kRows, i), part(args.n, job.columns, j));
  }

  // The library takes non-const pointers for what it only reads.
  memory wrap(const memory::desc& desc, const float* data) const {
    return memory(desc, engine_, const_cast<float*>(data));
  }

  void multiply(const MatmulArgs& args, const Tile& tile, const float* a, const float* b, float* c, int64_t batch,
                int64_t n0) const {
    thread_local std::vector<char> scratchpad;
    if (scratchpad.size() < tile.scratchpad.get_size() + 64) scratchpad.resize(tile.scratchpad.get_size() + 64);
    void* aligned = reinterpret_cast<void*>(round_up(reinterpret_cast<int64_t>(scratchpad.data()), 64));
    std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, wrap(tile.a, a)},
                                                 {DNNL_ARG_WEIGHTS, wrap(tile.b, b)},
                                                 {DNNL_ARG_DST, wrap(tile.c, c)},
                                                 {DNNL_ARG_SCRATCHPAD, memory(tile.scratchpad, engine_, aligned)}};
    int position = takes_.bias ? -1 : 0;
    size_t next = 0;
    for (size_t i = 0; i < takes_.ops; ++i, ++position) {
      const EpilogueOp& op = desc_.epilogue[i];
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const EpilogueOperand& operand = args.operands[next++];
      const int64_t columns = op.spread == Spread::kRow ? tile.columns : 1;
      const float* data = static_cast<const float*>(operand.data) + batch * operand.batch_stride;
      if (op.spread == Spread::kRow) data += n0;
      const bool is_bias = takes_.bias && i == 0;
      arguments.emplace(is_bias ? DNNL_ARG_BIAS : DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1,
                        wrap(strided(1, columns, columns), data));
    }
    dnnl::stream stream(engine_);
    tile.primitive.execute(stream, arguments);
    stream.wait();
  }

  // The rest of the epilogue, in place while the tile is in the cache.
  void finish(const MatmulArgs& args, float* c, int64_t batch, int64_t m0, int64_t n0, int64_t m, int64_t n) const {
    std::array<EpilogueOperand, 16> operands;
    size_t used = 0, next = static_cast<size_t>(first_rest_operand_);
    for (size_t i = takes_.ops; i < desc_.epilogue.size(); ++i) {
      const EpilogueOp& op = desc_.epilogue[i];
      if (op.kind != EpilogueOp::Kind::kBinary) continue;
      const EpilogueOperand& operand = args.operands[next++];
      const float* data = static_cast<const float*>(operand.data) + batch * operand.batch_stride;
      if (op.spread == Spread::kRow) data += n0;
      if (op.spread == Spread::kColumn) data += m0;
      if (op.spread == Spread::kFull) data += m0 * operand.ld + n0;
      operands[used++] = {data, operand.ld, 0};
    }
    SerialParallel serial;
    rest_->run({.m = m,
                .n = n,
                .src = c,
                .ld_src = args.ldc,
                .dst = c,
                .ld_dst = args.ldc,
                .operands = std::span(operands.data(), used)},
               serial);
  }

  const MatmulDesc desc_;
  const dnnl::engine engine_;
  const Takeover takes_;
  int first_rest_operand_ = 0;
  std::unique_ptr<EltwiseKernel> rest_;  // the others
  std::unique_ptr<MatmulKernel> zero_k_;
  mutable std::mutex mutex_;
  mutable std::map<TileKey, Tile> tiles_;
};

}  // namespace

std::string supports(const MatmulDesc& desc) {
  const std::string reason = check_f32(desc);
  if (!reason.empty()) return reason;
  if (operand_count(desc.epilogue) > 16) return text("the epilogue has ", operand_count(desc.epilogue), " operands");
  const unsigned runtime = dnnl_version()->cpu_runtime;
  if (runtime != DNNL_RUNTIME_OMP && runtime != DNNL_RUNTIME_SEQ)
    return "this oneDNN brings a thread pool of its own, OpenMP or none is supported";
  return "";
}

// It uses the widest vectors that there are. Measured (one core, whole models' shapes): three quarters of the FMA peak
// with AVX-512, 80 % with AVX2; a call costs some microseconds of its own.
double cost(const MatmulDesc& desc, const CpuInfo& cpu) {
  const double flops_per_us = cpu.has(Isa::kAvx512) ? 150e3 : cpu.has(Isa::kAvx2) ? 77e3 : 10e3;
  const double k_n = or_typical(desc.n, 128) * or_typical(desc.k, 64);
  return 4.0 + flops(desc) / flops_per_us + k_n * 4 / 15e3 * 0.2 + (desc.b_constant ? 0.0 : k_n / 4e3);
}

std::unique_ptr<MatmulKernel> make(const MatmulDesc& desc) { return std::make_unique<OnednnMatmul>(desc); }

}  // namespace neural_engine::onednn
