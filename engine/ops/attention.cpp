#include "ops/attention.h"

#include "ir/infer.h"
#include "ops/all.h"

namespace neural_engine {

std::span<const OpDef> attention_ops() {
  static const std::vector<OpDef> kOps = {
      // Ours, see ops/attention.h.
      {.name = "FusedAttention",
       .attrs = {required_attr("num_heads", AttrType::kInt),
                 required_attr("num_kv_heads", AttrType::kInt),
                 required_attr("head_size", AttrType::kInt),
                 required_attr("v_head_size", AttrType::kInt),
                 {"scale", 1.0f},
                 {"causal", 0},
                 {"zero_unseen", 0},
                 {"q_layout", "BSHD"},
                 {"k_layout", "BSHD"},
                 {"v_layout", "BSHD"},
                 {"out_layout", "BSHD"},
                 {"q_offset", 0},
                 {"k_offset", 0},
                 {"v_offset", 0}},
       .inputs = {3, 4},
       .infer = infer_fused_attention},
      {.name = "Attention",
       .attrs = {{"is_causal", 0},
                 optional_attr("q_num_heads", AttrType::kInt),
                 optional_attr("kv_num_heads", AttrType::kInt),
                 {"qk_matmul_output_mode", 0},
                 optional_attr("scale", AttrType::kFloat),
                 {"softcap", 0.0f},
                 optional_attr("softmax_precision", AttrType::kInt)},
       .inputs = {3, 6},
       .outputs = {1, 4},
       .infer = infer_attention,
       .onnx = {{"Attention", 23}}},
      {.name = "RotaryEmbedding",
       .attrs = {{"interleaved", 0}, {"num_heads", 0}, {"rotary_embedding_dim", 0}},
       .inputs = {3, 4},
       .infer = infer_rotary_embedding,
       .onnx = {{"RotaryEmbedding", 23}}},
  };
  return kOps;
}

}  // namespace neural_engine
