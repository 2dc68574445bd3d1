// Attention from strips of the matrix product and running softmax, block of queries by block of queries:
//
//   K and V of a head are packed into panels             K: [keys / w][head_size][w], V: [v_head_size / w][keys][w]
//   for each block of kQueries queries of each head:
//     for each block of kKeys keys:
//       S = Q K^T                                        [kQueries][kKeys], in L2
//       P = exp(scale * S + mask - max), in place        with the running maximum and sum of each query
//       out = correction * out + P V                     accumulated in the output itself
//     out /= sum                                         the epilogue of the last block's product
//
// So memory grows with the length, not with its square. A query's arithmetic depends on the lengths alone, which makes
// the bits independent of threads. Where there are enough heads a task packs its own head, whose panels then stay in
// its core's cache; else all heads are packed first and the blocks of queries are shared out.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/jit/epilogue_emitter.h"
#include "kernels/jit/matmul_vec.h"
#include "kernels/jit/rows.h"
#include "kernels/jit/softmax_vec.h"
#include "kernels/pack/panels.h"
#include "kernels/requests.h"

namespace neural_engine::jit {
namespace {

constexpr int64_t kFloat = sizeof(float);
// Eight full tiles; S of 48 x 512 floats is 96 KiB, a fifth of a small L2.
constexpr int64_t kQueries = 48;
constexpr int64_t kKeys = 512;

// Where the pieces of the scratch lie, in floats.
struct Layout {
  int64_t k_panels, v_panels;             // of one head
  int64_t head, heads;                    // packed K and V of one head; how many heads are packed at once
  int64_t score_ld, score, mask, worker;  // of one worker
};

class JitAttention final : public AttentionKernel {
 public:
  JitAttention(const AttentionDesc& desc, Isa isa)
      : desc_(desc),
        scores_(MatmulVec::get(isa, 1.0f, {})),
        values_(MatmulVec::get(isa, 1.0f, {binary(BinaryOp::kMul, Spread::kColumn)})),
        softmax_(SoftmaxVec::make(isa, {true, desc.mask != AttentionDesc::Mask::kNone, true})) {}

  int64_t scratch_bytes(const AttentionArgs& shape, int threads) const override {
    const Layout layout = plan(shape, threads);
    return (layout.head * layout.heads + layout.worker * threads) * kFloat;
  }

 private:
  // One block of queries of one head.
  struct Block {
    const AttentionArgs& args;
    const Layout& layout;
    int64_t batch, head, kv_head;
    int64_t begin, rows;  // queries
    int64_t visible;      // keys that any of them sees
    const float* k;       // packed
    const float* v;
    float* scores;  // [rows][score_ld]
    float* mask;    // [rows][score_ld], or one row
    float *max, *sum, *correction;
  };

  bool packs_per_task(const AttentionArgs& args, int threads) const {
    return threads == 1 || args.batch * desc_.num_kv_heads >= 4 * threads;
  }

  Layout plan(const AttentionArgs& args, int threads) const {
    const int64_t width = scores_->width(), line = kScratchAlignment / kFloat;
    Layout layout = {};
    layout.k_panels = div_up(args.sk, width);
    layout.v_panels = div_up(desc_.v_head_size, width);
    layout.head = (layout.k_panels * desc_.head_size + layout.v_panels * args.sk) * width;
    layout.heads = packs_per_task(args, threads) ? threads : args.batch * desc_.num_kv_heads;
    // One line more than the keys: rows a power of two apart would share their cache sets.
    layout.score_ld = round_up(std::min(args.sk, kKeys), width) + line;
    layout.score = kQueries * layout.score_ld;
    layout.mask = builds_mask(args) ? (args.mask.q_stride == 0 ? 1 : kQueries) * layout.score_ld : 0;
    layout.worker = layout.score + layout.mask + 3 * round_up(kQueries, line);
    return layout;
  }

  void execute(const AttentionArgs& args, Parallel& parallel) const override {
    if (args.batch == 0 || args.sq == 0) return;
    prepare(std::min(kQueries, args.sq));
    prepare((args.sq - 1) % kQueries + 1);
    const int threads = parallel.threads();
    const Layout layout = plan(args, threads);
    float* packed = static_cast<float*>(args.scratch);
    float* workers = packed + layout.head * layout.heads;
    const int64_t kv_heads = args.batch * desc_.num_kv_heads, group = desc_.num_heads / desc_.num_kv_heads;
    const int64_t blocks = div_up(args.sq, kQueries);
    if (packs_per_task(args, threads)) {
      parallel.run(kv_heads, [&](int64_t index, int worker) {
        float* head = packed + worker * layout.head;
        pack_head(args, layout, index, head);
        for (int64_t i = 0; i < group * blocks; ++i)
          run_block(args, layout, index, i / blocks, i % blocks, head, workers + worker * layout.worker);
      });
      return;
    }
    parallel.run(kv_heads, [&](int64_t index, int) { pack_head(args, layout, index, packed + index * layout.head); });
    parallel.run(kv_heads * group * blocks, [&](int64_t index, int worker) {
      const int64_t head = index / (group * blocks), i = index % (group * blocks);
      run_block(args, layout, head, i / blocks, i % blocks, packed + head * layout.head,
                workers + worker * layout.worker);
    });
  }

  static float* at(const AttentionMatrix& matrix, int64_t batch, int64_t head, int64_t row) {
    return static_cast<float*>(matrix.data) + batch * matrix.batch_stride + head * matrix.head_stride +
           row * matrix.row_stride;
  }

  void pack_head(const AttentionArgs& args, const Layout& layout, int64_t index, float* dst) const {
    const int64_t batch = index / desc_.num_kv_heads, head = index % desc_.num_kv_heads;
    const int width = scores_->width();
    const pack::PanelShape keys = {desc_.head_size, args.sk, width}, values = {args.sk, desc_.v_head_size, width};
    for (int64_t i = 0; i < layout.k_panels; ++i, dst += keys.panel_elems())
      pack::panel(at(args.k, batch, head, 0), args.k.row_stride, true, keys, i, dst);
    for (int64_t i = 0; i < layout.v_panels; ++i, dst += values.panel_elems())
      pack::panel(at(args.v, batch, head, 0), args.v.row_stride, false, values, i, dst);
  }

  void run_block(const AttentionArgs& args, const Layout& layout, int64_t kv_index, int64_t group_head, int64_t index,
                 const float* packed, float* worker) const {
    const int64_t group = desc_.num_heads / desc_.num_kv_heads, kv_head = kv_index % desc_.num_kv_heads;
    const int64_t begin = index * kQueries, rows = std::min(kQueries, args.sq - begin);
    float* state = worker + layout.score + layout.mask;
    const int64_t state_size = round_up(kQueries, kScratchAlignment / kFloat);
    const Block block = {args,
                         layout,
                         kv_index / desc_.num_kv_heads,
                         kv_head * group + group_head,
                         kv_head,
                         begin,
                         rows,
                         desc_.causal ? visible_keys(args, begin + rows - 1) : args.sk,
                         packed,
                         packed + layout.k_panels * desc_.head_size * scores_->width(),
                         worker,
                         worker + layout.score,
                         state,
                         state + state_size,
                         state + 2 * state_size};
    attend(block);
  }

  // Keys that query i sees.
  static int64_t visible_keys(const AttentionArgs& args, int64_t i) {
    return std::clamp<int64_t>(i + args.causal_offset + 1, 0, args.sk);
  }

  void attend(const Block& block) const {
    std::fill_n(block.max, block.rows, -HUGE_VALF);
    std::fill_n(block.sum, block.rows, 0.0f);
    if (block.visible == 0) return fill_with_nan(block);
    for (int64_t key = 0; key < block.visible; key += kKeys) {
      const int64_t keys = std::min(kKeys, block.visible - key);
      multiply_keys(block, key, keys);
      exponentials(block, key, keys);
      multiply_values(block, key, keys);
    }
  }

  // The softmax of nothing.
  void fill_with_nan(const Block& block) const {
    for (int64_t i = 0; i < block.rows; ++i)
      std::fill_n(at(block.args.out, block.batch, block.head, block.begin + i), desc_.v_head_size, std::nanf(""));
  }

  // Calls body(first row, rows of a tile, tiles) for the near-equal tiles of a block.
  template <class Body>
  static void for_tiles(int64_t rows, Body body) {
    const int64_t tiles = div_up(rows, MatmulVec::kMaxRows), size = rows / tiles, larger = rows % tiles;
    if (larger > 0) body(0, static_cast<int>(size + 1), larger);
    if (larger < tiles) body(larger * (size + 1), static_cast<int>(size), tiles - larger);
  }

  // The shapes of tile that product() will ask for with blocks of so many queries.
  void prepare(int64_t rows) const {
    for_tiles(rows, [&](int64_t, int tile_rows, int64_t) {
      for (const MatmulVec* code : {scores_.get(), values_.get()}) {
        code->prepare(tile_rows, 1);
        if (rows <= MatmulVec::kMaxRows) code->prepare(tile_rows, code->max_panels(tile_rows));
      }
    });
  }

  // All panels of one product. `call` says where A, B and C begin; C has room for whole panels when `cols` is 0.
  static void product(const MatmulVec& code, StripCall call, int64_t rows, int64_t panels, int64_t cols,
                      const float* row_factors) {
    const float* a = call.a;
    float* c = call.c;
    const float* b = call.b;
    const int wide = rows <= MatmulVec::kMaxRows ? code.max_panels(static_cast<int>(rows)) : 1;
    int at_once = 1;
    for (int64_t panel = 0; panel < panels; panel += at_once) {
      const int64_t left = cols == 0 ? (panels - panel) * code.width() : cols - panel * code.width();
      at_once = left >= wide * code.width() ? wide : 1;
      for_tiles(rows, [&](int64_t row, int tile_rows, int64_t tiles) {
        OperandPointer factors = {row_factors == nullptr ? nullptr : row_factors + row, 0};
        call.tiles = tiles;
        call.a = a + row * call.a_row_bytes / kFloat;
        call.b = b + panel * call.b_panel_bytes / kFloat;
        call.c = c + row * call.c_row_bytes / kFloat + panel * code.width();
        call.cols = std::min<int64_t>(left, at_once * code.width());
        call.operands = &factors;
        call.prefetch = reinterpret_cast<const char*>(call.b);
        code.run(call, tile_rows, at_once);
      });
    }
  }

  void multiply_keys(const Block& block, int64_t key, int64_t keys) const {
    const int64_t width = scores_->width();
    StripCall call = {};
    call.a = at(block.args.q, block.batch, block.head, block.begin);
    call.a_row_bytes = block.args.q.row_stride * kFloat;
    call.b = block.k + key * desc_.head_size;
    call.b_panel_bytes = desc_.head_size * width * kFloat;
    call.c = block.scores;
    call.c_row_bytes = block.layout.score_ld * kFloat;
    call.k = desc_.head_size;
    call.first_k = 1;
    product(*scores_, call, block.rows, div_up(keys, width), 0, nullptr);
  }

  void multiply_values(const Block& block, int64_t key, int64_t keys) const {
    const int64_t width = values_->width();
    const AttentionMatrix& out = block.args.out;
    StripCall call = {};
    call.a = block.scores;
    call.a_row_bytes = block.layout.score_ld * kFloat;
    call.b = block.v + key * width;
    call.b_panel_bytes = block.args.sk * width * kFloat;
    call.c = at(out, block.batch, block.head, block.begin);
    call.c_row_bytes = out.row_stride * kFloat;
    call.k = keys;
    call.first_k = key == 0;
    call.last_k = key + keys == block.visible;
    if (key > 0)
      for (int64_t i = 0; i < block.rows; ++i)
        for (int64_t d = 0; d < desc_.v_head_size; ++d) call.c[i * out.row_stride + d] *= block.correction[i];
    if (call.last_k)
      for (int64_t i = 0; i < block.rows; ++i) block.sum[i] = 1.0f / block.sum[i];
    product(*values_, call, block.rows, block.layout.v_panels, desc_.v_head_size, block.sum);
  }

  // Anything but rows of floats side by side is made into such rows first.
  bool builds_mask(const AttentionArgs& args) const {
    return desc_.mask == AttentionDesc::Mask::kBoolean ||
           (desc_.mask == AttentionDesc::Mask::kAdditive && args.mask.k_stride != 1);
  }

  // The mask's rows for a block of keys, in *ld floats from each other.
  const float* mask_rows(const Block& block, int64_t key, int64_t keys, int64_t* ld) const {
    const AttentionMask& mask = block.args.mask;
    *ld = 0;
    if (desc_.mask == AttentionDesc::Mask::kNone) return nullptr;
    const int64_t first = block.batch * mask.batch_stride + block.head * mask.head_stride +
                          block.begin * mask.q_stride + key * mask.k_stride;
    if (!builds_mask(block.args)) {
      *ld = mask.q_stride;
      return static_cast<const float*>(mask.data) + first;
    }
    const int64_t rows = mask.q_stride == 0 ? 1 : block.rows;
    if (rows > 1) *ld = block.layout.score_ld;
    for (int64_t i = 0; i < rows; ++i)
      build_mask_row(mask, first + i * mask.q_stride, keys, block.mask + i * block.layout.score_ld);
    return block.mask;
  }

  void build_mask_row(const AttentionMask& mask, int64_t first, int64_t keys, float* dst) const {
    if (desc_.mask == AttentionDesc::Mask::kBoolean) {
      const uint8_t* keep = static_cast<const uint8_t*>(mask.data) + first;
      for (int64_t j = 0; j < keys; ++j) dst[j] = keep[j * mask.k_stride] != 0 ? 0.0f : -HUGE_VALF;
    } else {
      const float* bias = static_cast<const float*>(mask.data) + first;
      for (int64_t j = 0; j < keys; ++j) dst[j] = bias[j * mask.k_stride];
    }
  }

  void exponentials(const Block& block, int64_t key, int64_t keys) const {
    int64_t mask_ld = 0;
    const float* mask = mask_rows(block, key, keys, &mask_ld);
    const int64_t ld = block.layout.score_ld;
    const auto run = [&](int64_t row, int64_t rows, int64_t n) {
      SoftmaxCall call = {};
      call.src = call.dst = block.scores + row * ld;
      call.src_bytes = call.dst_bytes = ld * kFloat;
      call.n = n;
      call.rows = rows;
      call.mask = mask + row * mask_ld;
      call.mask_bytes = mask_ld * kFloat;
      call.max = block.max + row;
      call.sum = block.sum + row;
      call.correction = block.correction + row;
      call.scale = desc_.scale;
      softmax_->run(call);
    };
    // Before the diagonal every query sees all of the block.
    if (!desc_.causal || visible_keys(block.args, block.begin) >= key + keys) return run(0, block.rows, keys);
    for (int64_t i = 0; i < block.rows; ++i) {
      const int64_t n = std::clamp<int64_t>(visible_keys(block.args, block.begin + i) - key, 0, keys);
      run(i, 1, n);
      std::fill(block.scores + i * ld + n, block.scores + i * ld + keys, 0.0f);
    }
  }

  const AttentionDesc desc_;
  const std::shared_ptr<const MatmulVec> scores_, values_;
  const std::shared_ptr<const SoftmaxVec> softmax_;
};

}  // namespace

std::string supports(const AttentionDesc& desc) { return check_f32(desc); }

// Products at two thirds of the peak, exponentials at half a nanosecond.
double cost(const AttentionDesc& desc, Isa) {
  const double scores = or_typical(desc.batch, 1) * static_cast<double>(desc.num_heads) * or_typical(desc.sq, 128) *
                        or_typical(desc.sk, 128);
  return flops(desc) / 64e3 + scores * 0.5e-3;
}

std::unique_ptr<AttentionKernel> make(const AttentionDesc& desc, Isa isa) {
  return std::make_unique<JitAttention>(desc, isa);
}

}  // namespace neural_engine::jit
