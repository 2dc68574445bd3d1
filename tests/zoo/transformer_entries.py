"""The zoo's transformers: one row a family, from which come its body and its heads."""
import dataclasses

import torch
import transformers

from entry import ALL_VARIANTS, END, HEAD_VARIANTS, PADDING, Entry, randomize, token_batch

VOCABULARY = 120
TEXT_AXES = {0: "batch", 1: "sequence"}

# Head (the suffix of the class in transformers) -> (stem of the case, outputs that both are and stay in this order).
HEADS = {
    "Model": ("", ("last_hidden_state", "pooler_output")),
    "EncoderModel": ("encoder", ("last_hidden_state",)),
    "ForSequenceClassification": ("classify", ("logits",)),
    "ForTokenClassification": ("tag", ("logits",)),
    "ForQuestionAnswering": ("answer", ("start_logits", "end_logits")),
    "ForMaskedLM": ("fill", ("logits",)),
    "ForCausalLM": ("generate", ("logits",)),
    "LMHeadModel": ("generate", ("logits",)),
    "ForConditionalGeneration": ("translate", ("logits",)),
}
ENCODER_HEADS = ("Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM")
DECODER_HEADS = ("Model", "ForSequenceClassification", "ForTokenClassification", "ForCausalLM")
SMALL_DECODER_HEADS = ("Model", "ForSequenceClassification", "ForCausalLM")


@dataclasses.dataclass(frozen=True)
class Family:
    name: str
    prefix: str  # of the classes in transformers
    heads: tuple
    config: dict
    pooled: bool = False  # the body has a pooler
    types: bool = False  # takes token_type_ids
    attentions: tuple = ("eager", "sdpa")


BERT_LIKE = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                 max_position_embeddings=64)
LLAMA_LIKE = dict(BERT_LIKE, num_key_value_heads=2)
GPT2_LIKE = dict(n_embd=32, n_layer=2, n_head=4, n_positions=64)

FAMILIES = (
    Family("bert", "Bert", ENCODER_HEADS, BERT_LIKE, pooled=True, types=True),
    Family("roberta", "Roberta", ENCODER_HEADS, dict(BERT_LIKE, type_vocab_size=1), pooled=True),
    Family("distilbert", "DistilBert", ENCODER_HEADS,
           dict(dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=64)),
    Family("albert", "Albert", ENCODER_HEADS, dict(BERT_LIKE, embedding_size=16), pooled=True, types=True),
    Family("electra", "Electra", ENCODER_HEADS, dict(BERT_LIKE, embedding_size=16), types=True),
    Family("mpnet", "MPNet", ENCODER_HEADS, BERT_LIKE, pooled=True,
           attentions=("eager",)),
    Family("mobilebert", "MobileBert", ENCODER_HEADS,
           dict(BERT_LIKE, embedding_size=16, intra_bottleneck_size=16, num_feedforward_networks=2), pooled=True,
           types=True),
    Family("deberta_v2", "DebertaV2", ENCODER_HEADS,
           dict(BERT_LIKE, relative_attention=True, position_buckets=8, max_relative_positions=16,
                pos_att_type=["p2c", "c2p"], norm_rel_ebd="layer_norm", share_att_key=True,
                position_biased_input=False, type_vocab_size=0, pooler_hidden_size=32), attentions=("eager",)),
    Family("modernbert", "ModernBert",
           ("Model", "ForSequenceClassification", "ForTokenClassification", "ForMaskedLM"),
           # Windows that cut something off a sequence of 12, and yet reach from the last padded token to a real one: what
           # attention to nothing but padding gives, nobody defines.
           dict(BERT_LIKE, local_attention=14, layer_types=["full_attention", "sliding_attention"])),
    Family("t5", "T5", ("EncoderModel", "ForSequenceClassification", "ForConditionalGeneration"),
           dict(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, relative_attention_num_buckets=8,
                relative_attention_max_distance=16, decoder_start_token_id=END)),
    Family("t5_gated", "T5", ("EncoderModel",),
           dict(d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, relative_attention_num_buckets=8,
                relative_attention_max_distance=16, feed_forward_proj="gated-gelu")),
    Family("bart", "Bart", ("ForConditionalGeneration",),
           dict(d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=4,
                encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=64, decoder_start_token_id=END)),
    Family("gpt2", "GPT2", ("Model", "ForSequenceClassification", "ForTokenClassification", "LMHeadModel"), GPT2_LIKE),
    Family("gptj", "GPTJ", SMALL_DECODER_HEADS, dict(GPT2_LIKE, rotary_dim=4), attentions=("eager",)),
    Family("gpt_neox", "GPTNeoX", DECODER_HEADS, BERT_LIKE),
    Family("opt", "OPT", SMALL_DECODER_HEADS,
           dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64, word_embed_proj_dim=32,
                max_position_embeddings=64)),
    Family("bloom", "Bloom", DECODER_HEADS, dict(hidden_size=32, n_layer=2, n_head=4), attentions=("eager",)),
    Family("llama", "Llama", DECODER_HEADS, LLAMA_LIKE),
    Family("mistral", "Mistral", DECODER_HEADS, dict(LLAMA_LIKE, sliding_window=8)),
    Family("qwen2", "Qwen2", DECODER_HEADS, LLAMA_LIKE),
    Family("phi", "Phi", DECODER_HEADS, BERT_LIKE),
    Family("gemma", "Gemma", DECODER_HEADS, dict(LLAMA_LIKE, head_dim=8)),
)


class Keywords(torch.nn.Module):
    """Fixes the arguments that are no inputs of the graph."""

    def __init__(self, network, **fixed):
        super().__init__()
        self.network = network
        self.fixed = fixed

    def forward(self, **inputs):
        return self.network(**inputs, **self.fixed)


def make_config(family, head, attention):
    settings = dict(vocab_size=VOCABULARY, pad_token_id=PADDING, bos_token_id=END, eos_token_id=END,
                    # An answer has a start and an end; three classes elsewhere, so that no axis equals another.
                    num_labels=2 if head == "ForQuestionAnswering" else 3)
    config = getattr(transformers, family.prefix + "Config")(**{**settings, **family.config})
    config._attn_implementation = attention
    return config


def make_network(family, head, attention, seed):
    config = make_config(family, head, attention)
    network = getattr(transformers, family.prefix + head)(config)
    fixed = dict(return_dict=True)
    if head in DECODER_HEADS or head == "LMHeadModel" or head == "ForConditionalGeneration":
        if getattr(config, "use_cache", False):
            # The key and value caches of a decoder would be further outputs; cached_entries.py has them.
            fixed["use_cache"] = False
    return randomize(Keywords(network, **fixed), seed)


def text_inputs(family, head):
    def make(shape, generator):
        ids, mask = token_batch(shape, generator, VOCABULARY)
        inputs = {"input_ids": ids, "attention_mask": mask}
        if family.types:
            inputs["token_type_ids"] = torch.randint(0, 2, ids.shape, generator=generator) * mask
        if head == "ForConditionalGeneration":
            rows, length = shape
            inputs["decoder_input_ids"] = torch.randint(3, VOCABULARY, (rows, length // 2 + 1), generator=generator)
        return inputs

    return make


def text_axes(family, head, outputs):
    axes = {"input_ids": TEXT_AXES, "attention_mask": TEXT_AXES}
    if family.types:
        axes["token_type_ids"] = TEXT_AXES
    if head == "ForConditionalGeneration":
        axes["decoder_input_ids"] = {0: "batch", 1: "decoder_sequence"}
    for name in outputs:
        per_row = name == "pooler_output" or head == "ForSequenceClassification"
        axes[name] = {0: "batch"} if per_row else TEXT_AXES
        if head == "ForConditionalGeneration":
            axes[name] = {0: "batch", 1: "decoder_sequence"}
    return axes


def make_entry(family, head, seed):
    stem, outputs = HEADS[head]
    if head == "Model" and not family.pooled:
        outputs = outputs[:1]
    variants = ALL_VARIANTS if head in ("Model", "EncoderModel") else HEAD_VARIANTS
    return Entry(
        name=family.name + ("_" + stem if stem else ""),
        make=lambda attention: make_network(family, head, attention, seed),
        inputs=text_inputs(family, head),
        axes=text_axes(family, head, outputs),
        outputs=outputs,
        variants=tuple(dict.fromkeys(
            v if v.attention in family.attentions else dataclasses.replace(v, attention="eager") for v in variants)),
    )


def entries():
    seed = 100
    found = []
    for family in FAMILIES:
        for head in family.heads:
            seed += 1
            found.append(make_entry(family, head, seed))
    return found
