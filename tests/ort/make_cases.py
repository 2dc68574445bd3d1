#!/usr/bin/env python3
"""Makes small models of single operators that ONNX Runtime's optimizer and quantizer write, with ONNX Runtime's answers.

    tests/ort/make_cases.py --output tests/data/ort [--only PART]

A case is a folder in the layout of the ONNX backend tests; tests/run_zoo.py runs the engine over them. Needs onnx and
onnxruntime (made with 1.17.0 and 1.31.1). All numbers come from one seed for each case.
"""
import argparse
import os
import shutil
import sys
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
MS = "com.microsoft"
OPSET = 17


class Case:
    """One node (or a few) with inputs that vary and constants that do not."""

    def __init__(self, name, op, operands, outputs=1, domain=MS, version=OPSET, free=(), **attributes):
        # operands: arrays; a name that begins with "=" is a constant, None is absent.
        self.name, self.op, self.operands, self.domain, self.version = name, op, operands, domain, version
        self.outputs = outputs if isinstance(outputs, (list, tuple)) else [f"y{i}" for i in range(outputs)]
        self.attributes, self.free = attributes, free

    def model(self):
        inputs, initializers, names = [], [], []
        for i, operand in enumerate(self.operands):
            if operand is None:
                names.append("")
                continue
            name = f"x{i}"
            names.append(name)
            if isinstance(operand, Constant):
                tensor = operand.proto(name)
                initializers.append(tensor)
                continue
            dtype = helper.np_dtype_to_tensor_dtype(operand.dtype)
            # Axes are symbols, the last one excepted: what a real export has.
            dims = [f"d{axis}_{size}" if axis + 1 < operand.ndim and i in self.free else size
                    for axis, size in enumerate(operand.shape)]
            inputs.append(helper.make_tensor_value_info(name, dtype, dims))
        node = helper.make_node(self.op, names, self.outputs, domain=self.domain, name=self.op, **self.attributes)
        outputs = [onnx.ValueInfoProto(name=name) for name in self.outputs if name]
        graph = helper.make_graph([node], self.name, inputs, outputs, initializers)
        opsets = [helper.make_opsetid("", self.version), helper.make_opsetid(MS, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def feeds(self):
        return {f"x{i}": operand for i, operand in enumerate(self.operands)
                if operand is not None and not isinstance(operand, Constant)}


class Constant:
    def __init__(self, array, dtype=None):
        self.array, self.dtype = array, dtype

    def proto(self, name):
        if self.dtype is None:
            return numpy_helper.from_array(self.array, name)
        # 4 bits: packed, the first element in the low nibble.
        flat = (self.array.reshape(-1).astype(np.int64) & 15).astype(np.uint8)
        flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
        return helper.make_tensor(name, self.dtype, self.array.shape, (flat[0::2] | flat[1::2] << 4).tobytes(), raw=True)


def rng_of(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


class Numbers:
    """Random operands of one case."""

    def __init__(self, name):
        self.rng = rng_of(name)

    def f(self, *shape, scale=1.0):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def c(self, *shape, scale=1.0):
        return Constant(self.f(*shape, scale=scale))

    def i(self, low, high, *shape, dtype=np.int64):
        return self.rng.integers(low, high, shape).astype(dtype)

    def q7(self, *shape):
        """Signed weights of 7 bits: of 8, ONNX Runtime's products saturate on CPUs without VNNI."""
        return Constant(self.i(-64, 64, *shape, dtype=np.int8))

    def q(self, dtype, *shape):
        info = np.iinfo(dtype)
        return self.rng.integers(info.min, info.max + 1, shape).astype(dtype)


def const(value, dtype=np.float32):
    return Constant(np.asarray(value, dtype))


def fused_cases():
    n = Numbers("fused")
    yield Case("fused_matmul", "FusedMatMul", [n.f(2, 3, 4), n.f(2, 4, 5)], alpha=0.5, free=(0, 1))
    yield Case("fused_matmul_trans", "FusedMatMul", [n.f(2, 4, 3), n.f(2, 5, 4)], transA=1, transB=1, free=(0, 1))
    yield Case("fused_matmul_weight", "FusedMatMul", [n.f(2, 3, 4), n.c(5, 4)], transB=1, alpha=0.125, free=(0,))
    yield Case("fused_matmul_trans_batch", "FusedMatMul", [n.f(3, 2, 4), n.f(2, 4, 5)], transBatchA=1, free=(0, 1))
    yield Case("fused_matmul_trans_batches", "FusedMatMul", [n.f(3, 2, 4), n.f(5, 2, 4)], transBatchA=1, transBatchB=1,
               transB=1)
    yield Case("transpose_matmul", "TransposeMatMul", [n.f(4, 3), n.f(4, 5)], transA=1, alpha=2.0)
    for activation, attributes in (("Relu", {}), ("LeakyRelu", {"activation_alpha": 0.2}), ("Tanh", {}),
                                   ("Sigmoid", {}), ("Elu", {"activation_alpha": 0.5}),
                                   ("HardSigmoid", {"activation_alpha": 0.3, "activation_beta": 0.4}), ("Softplus", {}),
                                   ("Softsign", {}), ("ThresholdedRelu", {"activation_alpha": 0.3})):
        yield Case("fused_gemm_" + activation.lower(), "FusedGemm", [n.f(3, 4), n.c(5, 4), n.c(5)], transB=1, alpha=0.5,
                   beta=2.0, activation=activation, **attributes)
    yield Case("fused_conv_relu", "FusedConv", [n.f(1, 2, 7, 7), n.c(3, 2, 3, 3), n.c(3)], activation="Relu",
               kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    yield Case("fused_conv_sum", "FusedConv", [n.f(1, 2, 6, 6), n.c(3, 2, 3, 3), n.c(3), n.f(1, 3, 4, 4)],
               activation="Relu", kernel_shape=[3, 3])
    yield Case("fused_conv_clip", "FusedConv", [n.f(1, 2, 6, 6), n.c(2, 1, 3, 3)], activation="Clip", group=2,
               activation_params=[-0.5, 0.75], strides=[2, 2])
    yield Case("fused_conv_leaky", "FusedConv", [n.f(1, 2, 6, 6), n.c(2, 2, 1, 1)], activation="LeakyRelu",
               activation_params=[0.3])
    yield Case("gelu", "Gelu", [n.f(2, 3, 8, scale=2)], free=(0,))
    yield Case("bias_gelu", "BiasGelu", [n.f(2, 3, 8, scale=2), n.c(8)], free=(0,))
    yield Case("fast_gelu", "FastGelu", [n.f(2, 3, 8, scale=2)], free=(0,))
    yield Case("fast_gelu_bias", "FastGelu", [n.f(2, 3, 8, scale=2), n.c(8)], free=(0,))
    yield Case("quick_gelu", "QuickGelu", [n.f(2, 3, 8, scale=2)], free=(0,))
    yield Case("quick_gelu_alpha", "QuickGelu", [n.f(2, 3, 8, scale=2)], alpha=1.0, free=(0,))


def norm_cases():
    n = Numbers("norm")
    yield Case("layer_norm_14", "LayerNormalization", [n.f(2, 3, 8), n.c(8), n.c(8)], domain="", version=14, axis=-1,
               epsilon=1e-6, free=(0,))
    yield Case("simplified_layer_norm", "SimplifiedLayerNormalization", [n.f(2, 3, 8), n.c(8)], domain="", version=14,
               axis=-1, epsilon=1e-6, free=(0,))
    yield Case("skip_layer_norm", "SkipLayerNormalization", [n.f(2, 3, 8), n.f(2, 3, 8), n.c(8), n.c(8)], epsilon=1e-5,
               free=(0, 1))
    yield Case("skip_layer_norm_bias", "SkipLayerNormalization", [n.f(2, 3, 8), n.f(2, 3, 8), n.c(8), n.c(8), n.c(8)],
               outputs=["y", "", "", "sum"], epsilon=1e-12, free=(0, 1))
    yield Case("skip_layer_norm_broadcast", "SkipLayerNormalization", [n.f(2, 3, 8), n.f(1, 3, 8), n.c(8)],
               epsilon=1e-5)
    yield Case("skip_simplified", "SkipSimplifiedLayerNormalization", [n.f(2, 3, 8), n.f(2, 3, 8), n.c(8)],
               outputs=["y", "", "", "sum"], epsilon=1e-6, free=(0, 1))
    yield Case("skip_simplified_bias", "SkipSimplifiedLayerNormalization",
               [n.f(2, 3, 8), n.f(2, 3, 8), n.c(8), n.c(8)], epsilon=1e-6)
    ids, segments = n.i(0, 11, 2, 5, dtype=np.int32), n.i(0, 2, 2, 5, dtype=np.int32)
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)
    tables = [n.c(11, 8), n.c(6, 8), n.c(2, 8), n.c(8), n.c(8)]
    yield Case("embed_layer_norm", "EmbedLayerNormalization", [ids, segments, *tables, mask], outputs=2, epsilon=1e-5,
               free=(0, 1, 7))
    yield Case("embed_layer_norm_sum", "EmbedLayerNormalization",
               [ids, None, tables[0], tables[1], None, tables[3], tables[4]], outputs=["y", "index", "sum"],
               free=(0,))
    yield Case("embed_layer_norm_positions", "EmbedLayerNormalization",
               [ids, segments, *tables, None, n.i(0, 6, 2, 5, dtype=np.int32)], outputs=2)
    quantized = [Constant(n.q(np.uint8, *table.array.shape)) for table in tables]
    scales = [const(s) for s in (0.02, 0.01, 0.03, 0.02, 0.01)]
    zeros = [const(z, np.uint8) for z in (128, 120, 130, 0, 127)]
    yield Case("q_embed_layer_norm", "QEmbedLayerNormalization", [ids, segments, *quantized, mask, *scales, *zeros],
               outputs=2, epsilon=1e-5)


def attention_cases():
    n = Numbers("attention")
    b, s, heads, size, past = 2, 5, 2, 4, 3
    hidden = heads * size
    x, w, bias = n.f(b, s, 6), n.c(6, 3 * hidden, scale=0.5), n.c(3 * hidden, scale=0.5)
    raw = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)
    keep = {"num_heads": heads, "free": (0, 3)}
    yield Case("attention", "Attention", [x, w, bias], **keep)
    yield Case("attention_raw_mask", "Attention", [x, w, bias, raw], **keep)
    yield Case("attention_lengths", "Attention", [x, w, bias, np.array([5, 3], np.int32)], num_heads=heads)
    yield Case("attention_ends_and_starts", "Attention", [x, w, bias, np.array([5, 4, 0, 1], np.int32)],
               num_heads=heads)
    yield Case("attention_3d_mask", "Attention",
               [x, w, bias, np.tril(np.ones((b, s, s), np.int32)) * raw[:, None, :]], **keep)
    yield Case("attention_causal", "Attention", [x, w, bias], unidirectional=1, **keep)
    yield Case("attention_causal_mask", "Attention", [x, w, bias, raw], unidirectional=1, **keep)
    yield Case("attention_causal_left_padded", "Attention",
               [x, w, bias, np.array([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]], np.int32)], unidirectional=1, **keep)
    yield Case("attention_scale_filter", "Attention", [x, w, bias, raw], scale=0.3, mask_filter_value=-3.0, **keep)
    yield Case("attention_bias", "Attention", [x, w, bias, None, None, n.f(1, heads, s, s)], **keep)
    yield Case("attention_bias_mask", "Attention", [x, w, bias, raw, None, n.f(b, heads, s, s)], **keep)
    yield Case("attention_hidden_sizes", "Attention", [x, n.c(6, 2 * hidden + 6), n.c(2 * hidden + 6)],
               qkv_hidden_sizes=[hidden, hidden, 6], **keep)
    cache = n.f(2, b, heads, past, size)
    yield Case("attention_past", "Attention", [x, w, bias, None, cache], outputs=2, unidirectional=1, **keep)
    total = np.ones((b, past + s), np.int32)
    total[1, :2] = 0
    yield Case("attention_past_mask", "Attention", [x, w, bias, total, cache], outputs=2, unidirectional=1, **keep)
    yield Case("attention_present", "Attention", [x, w, bias], outputs=2, **keep)

    q, k, v = n.f(b, s, hidden), n.f(b, 7, hidden), n.f(b, 7, hidden)
    raw7 = np.array([[1, 1, 1, 1, 1, 1, 0], [1, 1, 1, 0, 0, 0, 0]], np.int32)
    keep = {"num_heads": heads, "free": (0, 1, 2)}
    yield Case("mha", "MultiHeadAttention", [q, k, v], **keep)
    yield Case("mha_bias", "MultiHeadAttention", [q, k, v, n.c(3 * hidden)], **keep)
    yield Case("mha_mask", "MultiHeadAttention", [q, k, v, n.c(3 * hidden), raw7], **keep)
    yield Case("mha_lengths", "MultiHeadAttention", [q, k, v, None, np.array([7, 4], np.int32)], num_heads=heads)
    yield Case("mha_3d_mask", "MultiHeadAttention",
               [q, k, v, None, np.broadcast_to(raw7[:, None, :], (b, s, 7)).copy()], **keep)
    yield Case("mha_scores_bias", "MultiHeadAttention", [q, k, v, None, None, n.f(b, heads, s, 7)], scale=0.2, **keep)
    yield Case("mha_causal", "MultiHeadAttention", [q, n.f(b, s, hidden), n.f(b, s, hidden)], unidirectional=1, **keep)
    yield Case("mha_v_size", "MultiHeadAttention", [q, k, n.f(b, 7, 6)], **keep)
    yield Case("mha_cross", "MultiHeadAttention", [q, n.f(b, heads, 7, size), n.f(b, heads, 7, size)], **keep)
    k, v = n.f(b, s, hidden), n.f(b, s, hidden)
    pasts = [n.f(b, heads, past, size), n.f(b, heads, past, size)]
    yield Case("mha_past", "MultiHeadAttention", [q, k, v, None, None, None, *pasts], outputs=3, **keep)
    yield Case("mha_past_bias_mask", "MultiHeadAttention", [q, k, v, n.c(3 * hidden), total, None, *pasts], outputs=3,
               unidirectional=1, **keep)


def cache_cases():
    n = Numbers("cache")
    b, heads, kv, size = 2, 4, 2, 16
    angles = np.outer(np.arange(16), 1.0 / 10.0 ** (np.arange(size // 2) / 4))
    cos, sin = Constant(np.cos(angles).astype(np.float32)), Constant(np.sin(angles).astype(np.float32))

    def operands(s, past, lengths, packed=False, rotary=False):
        if packed:
            q, k, v = n.f(b, s, (heads + 2 * kv) * size), None, None
        else:
            q, k, v = n.f(b, s, heads * size), n.f(b, s, kv * size), n.f(b, s, kv * size)
        pasts = [n.f(b, kv, past, size), n.f(b, kv, past, size)]
        for row, length in enumerate(lengths):  # behind its end a row holds zeros
            for cache in pasts:
                cache[row, :, max(length + 1 - s, 0):] = 0
        lengths = np.array(lengths, np.int32)
        total = np.array(lengths.max() + 1, np.int32)
        return [q, k, v, *pasts, lengths, total] + ([cos, sin] if rotary else [])

    keep = {"num_heads": heads, "kv_num_heads": kv, "outputs": 3, "free": (0, 1, 2, 3, 4)}
    yield Case("gqa_prompt", "GroupQueryAttention", operands(5, 0, [4, 4]), **keep)
    yield Case("gqa_step", "GroupQueryAttention", operands(1, 5, [5, 5]), **keep)
    yield Case("gqa_step_rotary", "GroupQueryAttention", operands(1, 5, [5, 5], rotary=True), do_rotary=1, **keep)
    yield Case("gqa_prompt_rotary", "GroupQueryAttention", operands(5, 0, [4, 4], rotary=True), do_rotary=1,
               rotary_interleaved=1, **keep)
    yield Case("gqa_packed", "GroupQueryAttention", operands(1, 5, [5, 5], packed=True, rotary=True), do_rotary=1,
               **keep)
    yield Case("gqa_scale_softcap", "GroupQueryAttention", operands(5, 0, [4, 4]), scale=0.2, softcap=2.0, **keep)
    yield Case("gqa_window", "GroupQueryAttention", operands(7, 0, [6, 6]), local_window_size=3, **keep)
    yield Case("gqa_window_step", "GroupQueryAttention", operands(1, 6, [6, 6]), local_window_size=3, **keep)
    # Rows of unequal length share a buffer that is longer than they are.
    yield Case("gqa_ragged_step", "GroupQueryAttention", operands(1, 6, [6, 3]), **keep)
    yield Case("gqa_ragged_rotary", "GroupQueryAttention", operands(1, 6, [6, 2], rotary=True), do_rotary=1, **keep)
    positions = n.i(0, 16, b, 5)
    yield Case("rotary", "RotaryEmbedding", [n.f(b, 5, heads * size), positions, cos, sin], free=(0, 1))
    yield Case("rotary_interleaved", "RotaryEmbedding", [n.f(b, 5, heads * size), positions, cos, sin], interleaved=1)
    yield Case("rotary_4d", "RotaryEmbedding", [n.f(b, heads, 5, size), positions, cos, sin], free=(0,))
    yield Case("rotary_first", "RotaryEmbedding", [n.f(b, 5, heads * size), np.array([3], np.int64), cos, sin])
    half = [Constant(c.array[:, :2].copy()) for c in (cos, sin)]
    yield Case("rotary_part", "RotaryEmbedding", [n.f(b, 5, heads * size), positions, *half], num_heads=heads,
               rotary_embedding_dim=4)


def quantize_cases():
    n = Numbers("quantize")
    u8, s8 = np.uint8, np.int8
    yield Case("quantize_16", "QuantizeLinear", [n.f(3, 4), const(0.001), const(1000, np.uint16)])
    yield Case("quantize_axis", "QuantizeLinear", [n.f(3, 4), Constant(np.array([0.1, 0.2, 0.3], np.float32)),
                                                   Constant(np.array([0, 1, 2], s8))], axis=0)
    yield Case("dequantize_16", "DequantizeLinear", [n.q(np.int16, 3, 4), const(0.001), const(7, np.int16)])
    yield Case("dequantize_s32", "DequantizeLinear", [n.i(-900, 900, 3, 4, dtype=np.int32), const(0.01)])
    pair = [n.q(u8, 2, 3, 4), const(0.03), const(120, u8), n.q(u8, 4), const(0.05), const(130, u8), const(0.07),
            const(128, u8)]
    yield Case("qlinear_add", "QLinearAdd", pair, free=(0,))
    yield Case("qlinear_mul", "QLinearMul", pair, free=(0,))
    signed = [n.q(s8, 2, 4), const(0.03), const(3, s8), n.q(s8, 2, 4), const(0.05), const(-3, s8), const(0.07),
              const(1, s8)]
    yield Case("qlinear_add_signed", "QLinearAdd", signed)
    one = [n.q(u8, 2, 3, 4), const(0.03), const(120, u8)]
    yield Case("qlinear_sigmoid", "QLinearSigmoid", [*one, const(1 / 256), const(0, u8)])
    yield Case("qlinear_leaky_relu", "QLinearLeakyRelu", [*one, const(0.02), const(30, u8)], alpha=0.2)
    yield Case("qlinear_softmax", "QLinearSoftmax", [*one, const(1 / 256), const(0, u8)], axis=-1, opset=17)
    image = [n.q(u8, 1, 2, 6, 6), const(0.03), const(120, u8), const(0.0211), const(125, u8)]
    yield Case("qlinear_average_pool", "QLinearAveragePool", image, kernel_shape=[2, 2], strides=[2, 2])
    yield Case("qlinear_global_average_pool", "QLinearGlobalAveragePool", image, channels_last=0)
    yield Case("qlinear_concat", "QLinearConcat",
               [const(0.05), const(128, u8), n.q(u8, 2, 3), const(0.05), const(128, u8), n.q(u8, 2, 4), const(0.02),
                const(100, u8)], axis=1)
    yield Case("qlinear_where", "QLinearWhere",
               [np.array([[True, False, True], [False, True, False]]), n.q(u8, 2, 3), const(0.02), const(100, u8),
                n.q(u8, 2, 3), const(0.03), const(120, u8), const(0.03), const(128, u8)])
    a, w, bias = n.q(u8, 3, 8), n.q7(8, 4), Constant(n.i(-900, 900, 4, dtype=np.int32))
    yield Case("q_gemm", "QGemm", [a, const(0.02), const(128, u8), w, const(0.01), const(0, s8), bias, const(0.1),
                                   const(128, u8)])
    yield Case("q_gemm_float", "QGemm", [a, const(0.02), const(128, u8), w, const(0.01), const(3, s8), bias])
    rows = Constant(np.array([0.01, 0.02, 0.03, 0.04], np.float32))
    yield Case("q_gemm_columns", "QGemm",
               [a, const(0.02), const(128, u8), n.q7(4, 8), rows, Constant(np.zeros(4, s8)), bias], transB=1)
    yield Case("matmul_integer_to_float", "MatMulIntegerToFloat",
               [n.q(u8, 2, 3, 8), w, const(0.02), rows, const(120, u8), Constant(np.zeros(4, s8)), n.c(4)], free=(0,))
    yield Case("matmul_integer_to_float_dynamic", "MatMulIntegerToFloat",
               [n.q(u8, 2, 3, 8), w, np.array(0.02, np.float32), const(0.01), np.array(120, u8), const(3, s8)])
    yield Case("dynamic_quantize_matmul", "DynamicQuantizeMatMul",
               [n.f(2, 3, 8), w, rows, Constant(np.array([0, 0, 0, 0], s8)), n.c(4)], free=(0,))
    yield Case("dynamic_quantize_matmul_u8", "DynamicQuantizeMatMul",
               [n.f(2, 3, 8), Constant(n.q(u8, 8, 4)), const(0.01), const(128, u8)])
    heads, hidden = 2, 8
    x, weight, qkv_bias = n.q(u8, 2, 5, 6), n.q7(6, 3 * hidden), n.c(3 * hidden)
    raw = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int32)
    yield Case("q_attention", "QAttention",
               [x, weight, qkv_bias, const(0.02), const(0.01), raw, const(128, u8), const(0, s8)], num_heads=heads,
               free=(0, 5))
    columns = Constant(n.rng.uniform(0.005, 0.02, 3 * hidden).astype(np.float32))
    yield Case("q_attention_columns", "QAttention",
               [x, weight, qkv_bias, const(0.02), columns, None, const(128, u8), Constant(np.zeros(3 * hidden, s8))],
               num_heads=heads, unidirectional=1)
    yield Case("q_attention_dynamic", "QAttention",
               [x, weight, qkv_bias, np.array(0.02, np.float32), const(0.01), raw, np.array(100, u8), const(0, s8)],
               num_heads=heads)


def block_cases():
    n = Numbers("blocks")

    def packed(rows, k, block, bits):
        blocks = (k + block - 1) // block
        return Constant(n.q(np.uint8, rows, blocks, block * bits // 8)), n.c(rows * blocks, scale=0.1), blocks

    x = n.f(2, 3, 40)
    b, scales, blocks = packed(6, 40, 16, 4)
    keep = {"K": 40, "N": 6, "bits": 4, "block_size": 16, "free": (0,)}
    yield Case("matmul_4_bits", "MatMulNBits", [x, b, scales], **keep)
    zeros = Constant(n.q(np.uint8, 6 * ((blocks + 1) // 2)))
    yield Case("matmul_4_bits_zeros", "MatMulNBits", [x, b, scales, zeros], **keep)
    yield Case("matmul_4_bits_bias", "MatMulNBits", [x, b, scales, zeros, None, n.c(6)], **keep)
    b, scales, blocks = packed(6, 64, 32, 8)
    yield Case("matmul_8_bits", "MatMulNBits", [n.f(3, 64), b, scales], K=64, N=6, bits=8, block_size=32)
    zeros = Constant(n.q(np.uint8, 6 * blocks))
    yield Case("matmul_8_bits_zeros", "MatMulNBits", [n.f(3, 64), b, scales, zeros], K=64, N=6, bits=8, block_size=32)

    ids = n.i(0, 9, 2, 3)
    keep = {"gather_axis": 0, "quantize_axis": 1, "block_size": 16}
    for name, dtype, low, high in (("u4", TensorProto.UINT4, 0, 16), ("s4", TensorProto.INT4, -8, 8)):
        table = Constant(n.i(low, high, 9, 48), dtype)
        zero = Constant(n.i(low, high, 9, 3), dtype)
        yield Case("gather_blocks_" + name, "GatherBlockQuantized", [table, ids, n.c(9, 3, scale=0.1)], version=21, **keep)
        yield Case(f"gather_blocks_{name}_zeros", "GatherBlockQuantized", [table, ids, n.c(9, 3, scale=0.1), zero],
                   version=21, **keep)
    yield Case("gather_blocks_bytes", "GatherBlockQuantized",
               [Constant(n.q(np.uint8, 9, 24)), ids, n.c(9, 3, scale=0.1)], bits=4, **keep)
    yield Case("gather_blocks_bytes_zeros", "GatherBlockQuantized",
               [Constant(n.q(np.uint8, 9, 24)), ids, n.c(9, 3, scale=0.1), Constant(n.q(np.uint8, 9, 2))], bits=4, **keep)


def all_cases():
    for family in (fused_cases, norm_cases, attention_cases, cache_cases, quantize_cases, block_cases):
        yield from family()


def write_tensor(path, array):
    with open(path, "wb") as f:
        f.write(numpy_helper.from_array(np.asarray(array)).SerializeToString())


def answers(model, feeds):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def write(case, folder):
    model, feeds = case.model(), case.feeds()
    outputs = answers(model, feeds)
    for info, value in zip(model.graph.output, outputs):
        info.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(value.dtype)
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data)
    onnx.save(model, os.path.join(folder, "model.onnx"))
    for i, info in enumerate(model.graph.input):
        write_tensor(os.path.join(data, f"input_{i}.pb"), feeds[info.name])
    for i, value in enumerate(outputs):
        write_tensor(os.path.join(data, f"output_{i}.pb"), value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    made, refused = 0, 0
    for case in all_cases():
        if arguments.only not in case.name:
            continue
        folder = os.path.join(arguments.output, case.name)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            write(case, folder)
            made += 1
        except Exception as error:  # noqa: BLE001: what ONNX Runtime refuses is told and left out
            shutil.rmtree(folder, ignore_errors=True)
            refused += 1
            print(f"{case.name}: {str(error).strip().splitlines()[0]}", file=sys.stderr)
    print(f"{made} cases made, {refused} refused by ONNX Runtime")
    return 0


if __name__ == "__main__":
    sys.exit(main())
