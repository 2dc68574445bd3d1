"""The zoo's networks that are no text transformers: vision, recurrent, convolution, recommender, cached decoding."""
import torch
import transformers

from entry import ALL_VARIANTS, PLAIN_VARIANTS, Entry, Variant, randomize, token_batch

VOCABULARY = 120
TEXT_AXES = {0: "batch", 1: "sequence"}
ROWS = {0: "batch"}


class RecurrentClassifier(torch.nn.Module):
    """Embedding, a recurrent network in both directions, mean over the unpadded steps, classes."""

    def __init__(self, kind, packed):
        super().__init__()
        self.packed = packed
        self.embedding = torch.nn.Embedding(VOCABULARY, 24)
        self.recurrent = getattr(torch.nn, kind)(24, 20, num_layers=2, batch_first=True, bidirectional=True)
        self.classes = torch.nn.Linear(40, 3)

    def forward(self, input_ids, attention_mask):
        x = self.embedding(input_ids)
        if self.packed:  # sequence_lens of the ONNX operator: padded steps neither change the state nor give output
            lengths = attention_mask.sum(1).cpu()
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            x, _ = self.recurrent(x)
            x, _ = torch.nn.utils.rnn.pad_packed_sequence(x, batch_first=True)
        else:
            x, _ = self.recurrent(x)
        mask = attention_mask.unsqueeze(-1).to(x.dtype)
        mean = (x * mask).sum(1) / mask.sum(1)
        return {"logits": self.classes(mean)}


class ConvolutionText(torch.nn.Module):
    """Convolutions of several widths over the words, the greatest answer of each over the unpadded positions."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, 24)
        self.wide = torch.nn.ModuleList(torch.nn.Conv1d(24, 16, width, padding=width // 2) for width in (1, 3, 5))
        self.grouped = torch.nn.Conv1d(48, 48, 3, padding=2, dilation=2, groups=48)
        self.classes = torch.nn.Linear(48, 3)

    def forward(self, input_ids, attention_mask):
        x = self.embedding(input_ids).transpose(1, 2)
        x = torch.cat([torch.relu(layer(x)) for layer in self.wide], 1)
        x = torch.nn.functional.gelu(self.grouped(x)) + x
        x = x.masked_fill(attention_mask.unsqueeze(1) == 0, float("-inf"))
        return {"logits": self.classes(x.max(-1).values)}


class Recommender(torch.nn.Module):
    """DLRM: tables of categories, an MLP over the dense features, products of all pairs, an MLP over those."""
    TABLES, WIDTH, DENSE = (50, 20, 80), 16, 13

    def __init__(self, bags):
        super().__init__()
        self.bags = bags
        kind = (lambda rows: torch.nn.EmbeddingBag(rows, self.WIDTH, mode="sum")) if bags else (
            lambda rows: torch.nn.Embedding(rows, self.WIDTH))
        self.tables = torch.nn.ModuleList(kind(rows) for rows in self.TABLES)
        self.bottom = torch.nn.Sequential(torch.nn.Linear(self.DENSE, 32), torch.nn.ReLU(),
                                          torch.nn.Linear(32, self.WIDTH), torch.nn.ReLU())
        vectors = len(self.TABLES) + 1
        rows, columns = torch.tril_indices(vectors, vectors, offset=-1)
        self.register_buffer("pairs", rows * vectors + columns)
        self.top = torch.nn.Sequential(torch.nn.Linear(self.WIDTH + len(self.pairs), 24), torch.nn.ReLU(),
                                       torch.nn.Linear(24, 1))

    def forward(self, dense, categories):
        bottom = self.bottom(dense)
        chosen = []
        for i, table in enumerate(self.tables):
            # A bag sums over its categories, [batch, tables, bag]; a table takes one, [batch, tables].
            chosen.append(table(categories[:, i]))
        vectors = torch.stack([bottom, *chosen], 1)
        products = torch.bmm(vectors, vectors.transpose(1, 2)).flatten(1)
        pairs = products.index_select(1, self.pairs)
        return {"probability": torch.sigmoid(self.top(torch.cat([bottom, pairs], 1)))}


class TorchEncoder(torch.nn.Module):
    """torch's own transformer layers."""

    def __init__(self):
        super().__init__()
        # Its fast path runs a layer as one operator of torch, which the TorchScript exporter does not know.
        torch.backends.mha.set_fastpath_enabled(False)
        self.embedding = torch.nn.Embedding(VOCABULARY, 32)
        layer = torch.nn.TransformerEncoderLayer(32, 4, 64, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, input_ids, attention_mask):
        x = self.embedding(input_ids)
        return {"last_hidden_state": self.encoder(x, src_key_padding_mask=attention_mask == 0)}


class CachedDecoder(torch.nn.Module):
    """One step of decoding: keys and values of the tokens before come in and go out longer."""

    def __init__(self, network, layers):
        super().__init__()
        self.network = network
        self.layers = layers

    def forward(self, input_ids, attention_mask, **past):
        cache = transformers.DynamicCache()
        for layer in range(self.layers):
            cache.update(past[f"past_key_{layer}"], past[f"past_value_{layer}"], layer)
        answer = self.network(input_ids=input_ids, attention_mask=attention_mask, past_key_values=cache,
                              use_cache=True, return_dict=True)
        found = {"logits": answer.logits}
        for layer in range(self.layers):
            found[f"present_key_{layer}"] = answer.past_key_values.layers[layer].keys
            found[f"present_value_{layer}"] = answer.past_key_values.layers[layer].values
        return found


def text(shape, generator):
    ids, mask = token_batch(shape, generator, VOCABULARY)
    return {"input_ids": ids, "attention_mask": mask}


def text_entry(name, make, output, axes, variants=PLAIN_VARIANTS):
    return Entry(name, make, text, {"input_ids": TEXT_AXES, "attention_mask": TEXT_AXES, output: axes}, (output,),
                 variants)


def fixed_length_entry(name, make, variants):
    """Nine tokens always: dynamo unrolls a plain recurrent network, which it has no operator for, into its steps."""
    return Entry(name, make, text, {"input_ids": ROWS, "attention_mask": ROWS, "logits": ROWS}, ("logits",), variants,
                 shapes=((3, 9), (1, 9)))


def recommender_entry(name, bags, seed):
    def inputs(shape, generator):
        rows, bag = shape
        size = (rows, 1, bag) if bags else (rows, 1)
        categories = [torch.randint(0, n, size, generator=generator) for n in Recommender.TABLES]
        return {"dense": torch.randn(rows, Recommender.DENSE, generator=generator),
                "categories": torch.cat(categories, 1)}

    axes = {"dense": ROWS, "categories": {0: "batch", 2: "bag"} if bags else ROWS, "probability": ROWS}
    return Entry(name, lambda _: randomize(Recommender(bags), seed), inputs, axes, ("probability",), PLAIN_VARIANTS,
                 shapes=((5, 4), (1, 3)), example=(3, 2))


def vision_entry(name, config, network, output, axes, seed):
    def make(attention):
        settings = config()
        settings._attn_implementation = attention
        return randomize(network(settings), seed)

    def inputs(shape, generator):
        return {"pixel_values": torch.randn(shape[0], 3, 32, 32, generator=generator)}

    return Entry(name, make, inputs, {"pixel_values": ROWS, output: axes}, (output,), ALL_VARIANTS)


def cached_entry(name, make_network, heads, width, seed):
    layers = 2
    caches = [f"past_{kind}_{layer}" for layer in range(layers) for kind in ("key", "value")]
    outputs = ("logits", *(name.replace("past", "present") for name in caches))

    def make(attention):
        return randomize(CachedDecoder(make_network(attention), layers), seed)

    def inputs(shape, generator):
        rows, before = shape
        found = {"input_ids": torch.randint(3, VOCABULARY, (rows, 1), generator=generator),
                 "attention_mask": torch.ones(rows, before + 1, dtype=torch.long)}
        for cache in caches:
            found[cache] = torch.randn(rows, heads, before, width, generator=generator)
        return found

    axes = {"input_ids": ROWS, "attention_mask": {0: "batch", 1: "total"}, "logits": ROWS}
    axes.update({cache: {0: "batch", 2: "past"} for cache in caches})
    axes.update({cache: {0: "batch", 2: "total"} for cache in outputs[1:]})
    variants = (Variant("script", 14), Variant("script", 17, "sdpa"), Variant("dynamo", 18, "sdpa"),
                Variant("dynamo", 20))
    return Entry(name, make, inputs, axes, outputs, variants)


def vit_config():
    return transformers.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
                                  image_size=32, patch_size=8, num_labels=3)


def gpt2(attention):
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64, attn_implementation=attention))


def llama(attention):
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=64, max_position_embeddings=64, attn_implementation=attention))


def entries():
    packed = tuple(v for v in PLAIN_VARIANTS if v.exporter == "script") + (Variant("dynamo", 18),)
    found = [
        vision_entry("vit", vit_config, lambda c: transformers.ViTModel(c, add_pooling_layer=False),
                     "last_hidden_state", ROWS, 1),
        vision_entry("vit_classify", vit_config, transformers.ViTForImageClassification, "logits", ROWS, 2),
        text_entry("conv_text", lambda _: randomize(ConvolutionText(), 3), "logits", ROWS),
        text_entry("torch_encoder", lambda _: randomize(TorchEncoder(), 4), "last_hidden_state", TEXT_AXES),
        recommender_entry("dlrm", False, 5),
        recommender_entry("dlrm_bag", True, 6),
        cached_entry("gpt2_cached", gpt2, 4, 8, 7),
        cached_entry("llama_cached", llama, 2, 8, 8),
    ]
    found.append(fixed_length_entry("rnn_unrolled", lambda _: randomize(RecurrentClassifier("RNN", False), 13),
                                    (Variant("dynamo", 18), Variant("dynamo", 20))))
    for seed, kind in enumerate(("LSTM", "GRU", "RNN"), 10):
        name = kind.lower()
        found.append(text_entry(name, lambda _, k=kind, s=seed: randomize(RecurrentClassifier(k, False), s),
                                "logits", ROWS))
        found.append(text_entry(name + "_packed", lambda _, k=kind, s=seed: randomize(RecurrentClassifier(k, True), s),
                                "logits", ROWS, packed))
    return found
