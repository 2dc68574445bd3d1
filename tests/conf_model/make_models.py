#!/usr/bin/env python3
"""Makes small models of the conf.yaml format, and beside them the answers of an interpreter of that format in numpy.

    tests/conf_model/make_models.py --output tests/data/conf_model

Needs numpy and onnx (for the tensor files). The interpreter follows the arithmetic of the engine that wrote the format:
products of bytes are summed as integers, the bias is added to the sum, and the sum is scaled. tests/run_zoo.py --zoo
tests/data/conf_model runs the engine over them.
"""
import argparse
import os
import shutil
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
from onnx_case import write_data_sets  # noqa: E402

H, HEADS, INNER, VOCAB, PLACES, LABELS = 16, 2, 24, 30, 12, 3
F32 = np.float32


def bf16(x):
    """x rounded to bfloat16 (nearest even), as float32."""
    bits = np.ascontiguousarray(x, F32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000).astype(np.uint32).view(F32).reshape(np.shape(x))


def numbers(text):
    return [int(part) for part in text.split(",")] if text else []


class Writer:
    """conf.yaml and model.bin, operator by operator."""

    def __init__(self):
        self.inputs, self.constants, self.operators = [], [], []

    def input(self, name, dtype, rank):
        self.inputs.append((name, dtype, [-1] * rank))
        return name

    def constant(self, name, dtype, array):
        self.constants.append((name, dtype, np.asarray(array)))
        return name

    def op(self, kind, inputs, outputs=1, **attrs):
        name = f"{kind.lower()}_{len(self.operators)}"
        made = [f"{name}:{i}" for i in range(outputs)]
        self.operators.append((name, kind, inputs, made, attrs))
        return made[0] if outputs == 1 else made

    def write(self, folder, outputs):
        blob = b""
        lines = ["model:", "  name: model", "  operator:", "    input_data:", "      type: Input", "      output:"]
        for name, dtype, shape in self.inputs:
            lines += [f"        {name}:", f"          dtype: {dtype}", f"          shape: {shape}"]
        for name, dtype, array in self.constants:
            stored = {"fp32": F32, "s8": np.int8, "u8": np.uint8, "s32": np.int32}.get(dtype)
            data = (array.astype(stored) if stored else
                    (bf16(array).view(np.uint32) >> 16).astype(np.uint16)).tobytes()
            lines += [f"        {name}:", f"          dtype: {dtype}", f"          shape: {list(array.shape)}",
                      f"          location: [{len(blob)}, {len(data)}]"]
            blob += data
        for name, kind, inputs, made, attrs in self.operators:
            lines += [f"    {name}:", f"      type: {kind}", "      input:"]
            lines += [f"        {tensor}: {{}}" for tensor in inputs]
            lines += ["      output:"] + [f"        {tensor}: {{}}" for tensor in made]
            if attrs:
                lines += ["      attr:"] + [f"        {key}: {value}" for key, value in attrs.items()]
        lines += ["    output_data:", "      type: Output", "      input:"] + [f"        {name}: {{}}" for name in outputs]
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with open(os.path.join(folder, "conf.yaml"), "w") as f:
            f.write("\n".join(lines) + "\n")
        with open(os.path.join(folder, "model.bin"), "wb") as f:
            f.write(blob)


# ---- the interpreter

def erf(x):
    from math import erf as scalar
    return np.vectorize(scalar)(x.astype(np.float64)).astype(F32)


ACTIVATIONS = {
    "gelu_erf": lambda x: F32(0.5) * x * (1 + erf(x / np.sqrt(F32(2)))),
    "gelu_tanh": lambda x: F32(0.5) * x * (1 + np.tanh(np.sqrt(F32(2 / np.pi)) * (x + F32(0.044715) * x ** 3))),
    "tanh": np.tanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "relu": lambda x: np.maximum(x, 0),
    "swish": lambda x: x / (1 + np.exp(-x)),
}


def scale_of(low, high, dtype):
    low, high = np.asarray(low, F32), np.asarray(high, F32)
    if dtype == "u8":
        return F32(255) / np.maximum(high - low, F32(1e-10))
    return F32(127) / np.maximum(np.maximum(abs(low), abs(high)), F32(1e-10))


def to_bytes(x, dtype):
    limits = (0, 255) if dtype == "u8" else (-128, 127)
    return np.clip(np.rint(x), *limits).astype(np.uint8 if dtype == "u8" else np.int8)


def kind_of(array):
    return {np.dtype(np.uint8): "u8", np.dtype(np.int8): "s8"}[array.dtype]


def shaped(x, template, like, dims):
    shape, dims = list(template), list(dims)
    for i, dim in enumerate(shape):
        if dim == -1 and dims and like is not None:
            shape[i] = like.shape[dims.pop(0)]
    return x.reshape(shape)


def product(kind, attrs, operands, outputs):
    attrs = dict(attrs)
    append = attrs.get("append_op", "")
    residual = append in ("sum", "binary_add")
    dims = numbers(str(attrs.get("reshape_dims", "")))
    like = operands.pop() if dims else None
    count = len(operands)
    lead = {2: 2, 3: 3, 4: 4, 6: 2, 7: 3, 8: 4 if residual else 2, 9: 3, 10: 4}[count]
    x, w = operands[:2]
    bias = operands[2] if lead == 4 or (lead == 3 and not residual) else None
    post = operands[lead - 1] if residual else None
    ranges = operands[lead:]
    for which, key in ((0, "src0_perm"), (1, "src1_perm")):
        perm = numbers(str(attrs.get(key, "")))
        if perm and which == 0:
            x = x.transpose(perm)
        if perm and which == 1:
            w = w.transpose(perm)
    if kind == "InnerProduct":
        w = w.transpose(1, 0)
    output_scale = F32(attrs.get("output_scale", 1))
    result = attrs.get("output_dtype", "fp32")
    if not ranges:
        y = x.astype(F32) @ w.astype(F32)
        y = (y if bias is None else y + bias.astype(F32)) * output_scale
    else:
        sums = (x.astype(np.int64) @ w.astype(np.int64)).astype(F32)
        w_scale = scale_of(ranges[2], ranges[3], "s8")
        if attrs.get("dynamic_scale_in_max"):
            w_scale = np.asarray(ranges[3], F32)
        if outputs == 3 or attrs.get("dynamic"):
            x_scale = scale_of(ranges[0], ranges[1], kind_of(x))
            rescale = output_scale / (x_scale * w_scale)
            if x.dtype == np.uint8:
                sums = sums + w.astype(np.int64).sum(-2).astype(F32) * (F32(ranges[0][0]) * x_scale)
            y = sums * rescale + (0 if bias is None else bias)
        else:
            rescale = output_scale / (scale_of(ranges[0], ranges[1], kind_of(x)) * w_scale)
            y = (sums if bias is None else sums + bias.astype(F32)) * rescale
    y = ACTIVATIONS[append](y) if append in ACTIVATIONS else y
    if append == "binary_add":
        y = y + post
    if result in ("u8", "s8") and outputs == 1:
        low, high = ranges[4:]
        offset = F32(low[0]) if result == "u8" and (kind == "Matmul" or append in ACTIVATIONS) else F32(0)
        y = to_bytes((y - offset) * scale_of(low, high, result)[0], result)
    perm = numbers(str(attrs.get("dst_perm", "")))
    y = y.transpose(perm) if perm else y
    if append == "sum":
        y = y + post
    if attrs.get("reshape"):
        y = shaped(y, numbers(str(attrs["reshape"])), like, dims)
    if outputs == 3:
        return quantized_dynamically(y, result)
    return bf16(y) if result == "bf16" else y


def quantized_dynamically(y, dtype):
    low, high = np.array([y.min()], F32), np.array([y.max()], F32)
    offset = low[0] if dtype == "u8" else F32(0)
    return to_bytes((y - offset) * scale_of(low, high, dtype)[0], dtype), low, high


def run(writer, feeds):
    values = {name: array if dtype != "bf16" else bf16(array) for name, dtype, array in writer.constants}
    values.update(feeds)
    for _, kind, inputs, made, attrs in writer.operators:
        answers = operate(kind, {k: str(v) for k, v in attrs.items()}, [values[name] for name in inputs], len(made))
        answers = answers if isinstance(answers, tuple) else (answers,)
        values.update(zip(made, answers))
    return values


def operate(kind, attrs, operands, outputs):
    x = operands[0]
    if kind in ("InnerProduct", "Matmul"):
        # Marks for the interpreter alone are not in the file.
        return product(kind, attrs, list(operands), outputs)
    if kind == "PaddingSequence":
        lengths = [int(np.max(np.nonzero(row)[0], initial=-1)) + 1 for row in x]
        padding = F32(attrs.get("padding_value", -10000))
        rows = np.stack([np.where(np.arange(x.shape[1]) < n, F32(0), padding) for n in lengths]).astype(F32)
        shape, dims = numbers(attrs["dst_shape"]), numbers(attrs["dims"])
        middle = [dim if dim > 0 else x.shape[dims.pop(0)] for dim in shape[1:-1]]
        rows = rows.reshape([x.shape[0]] + [1] * len(middle) + [x.shape[1]])
        return np.broadcast_to(rows, [x.shape[0]] + middle + [x.shape[1]]).copy()
    if kind == "Gather":
        y = operands[1].take(x, axis=int(attrs.get("batch_dims", 0)))
        if attrs.get("reshape"):
            y = shaped(y, numbers(attrs["reshape"]), operands[-1], numbers(attrs.get("reshape_dims", "")))
        return y + operands[2] if attrs.get("append_op") else y
    if kind == "Reshape":
        like = operands[1] if len(operands) == 2 else x
        y = shaped(x, numbers(attrs["dst_shape"]), like, numbers(attrs.get("dims", "")))
        mul = numbers(attrs.get("mul", ""))
        if len(mul) > 1:
            y = y.reshape(y.shape[:mul[0]] + (-1,) + y.shape[mul[-1] + 1:])
        return y
    if kind == "LayerNorm":
        wide = x.astype(np.float64)
        mean, variance = wide.mean(-1, keepdims=True), wide.var(-1, keepdims=True)
        return ((wide - mean) / np.sqrt(variance + float(attrs["epsilon"]))).astype(F32) * operands[1] + operands[2]
    if kind == "RmsNorm":
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + F32(attrs["epsilon"])) * operands[1]
    if kind in ("Softmax", "LogSoftmax"):
        e = np.exp(x - x.max(-1, keepdims=True))
        y = e / e.sum(-1, keepdims=True)
        if kind == "LogSoftmax":
            return np.log(y)
        dtype = attrs.get("output_dtype", "fp32")
        if outputs == 3:
            return quantized_dynamically(y, dtype)
        return to_bytes(y * scale_of(operands[1], operands[2], "u8")[0], "u8") if dtype == "u8" else y
    if kind == "Quantize":
        dtype = attrs["output_dtype"]
        if outputs == 3:
            return quantized_dynamically(x, dtype)
        if dtype == "bf16":
            return bf16(x)
        offset = F32(operands[1][0]) if dtype == "u8" else F32(0)
        return to_bytes((x - offset) * scale_of(operands[1], operands[2], dtype)[0], dtype)
    if kind == "DequantizeLinear":
        return (x.astype(F32) - operands[2].astype(F32)) * operands[1]
    if kind == "BinaryAdd":
        return sum(operands[1:], x)
    if kind == "BinaryOp":
        ops = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "min": np.minimum,
               "max": np.maximum, "gt": np.greater, "ge": np.greater_equal, "lt": np.less, "le": np.less_equal,
               "eq": np.equal, "ne": np.not_equal}
        return ops[attrs["algorithm"]](x.astype(F32), operands[1].astype(F32)).astype(F32)
    if kind in ("Tanh", "Sigmoid", "Relu"):
        return ACTIVATIONS[kind.lower()](x)
    if kind == "Gelu":
        return ACTIVATIONS[attrs["algorithm"]](x)
    if kind in ("ReduceMean", "ReduceSum"):
        reducer = np.mean if kind == "ReduceMean" else np.sum
        return reducer(x, axis=tuple(numbers(attrs["axis"])), keepdims=attrs.get("keep_dims") == "true").astype(F32)
    if kind == "Reorder":
        y = x
        if "dst_perm" in attrs:
            y = x.transpose(numbers(attrs["dst_perm"]))
        if "transpose_dims" in attrs:
            y = x.swapaxes(*numbers(attrs["transpose_dims"]))
        return y + operands[1] if len(operands) == 2 else y
    if kind == "Slice":
        where = [slice(None)] * x.ndim
        for start, end, axis, step in zip(*(numbers(attrs[key]) for key in ("starts", "ends", "axes", "steps"))):
            where[axis] = slice(start, None if end > 99999 else end, step)
        return x[tuple(where)]
    if kind == "Split":
        edges = np.cumsum(numbers(attrs["split"]))[:-1]
        return tuple(np.split(x, edges, axis=int(attrs["axis"])))
    if kind == "Concat":
        return np.concatenate(operands, axis=int(attrs["axis"]))
    if kind == "Onehot":
        return np.where(x[..., None] == np.arange(int(attrs["depth"])), F32(attrs["on_value"]), F32(attrs["off_value"]))
    if kind == "PositionIds":
        filled = (x != 1).astype(np.int32)
        return np.cumsum(filled, 1, dtype=np.int32) * filled + 1
    if kind == "TokenTypeIds":
        return np.broadcast_to(operands[1].reshape(-1)[:x.shape[1]], x.shape)
    raise SystemExit(f"the interpreter has no {kind}")


# ---- the models

def random(rng, *shape, spread=0.3):
    return (rng.standard_normal(shape) * spread).astype(F32)


def ranges_of(w, name, array):
    """Constants for the range of an activation."""
    low, high = np.array([array.min()], F32), np.array([array.max()], F32)
    return [w.constant(name + "_min", "fp32", low), w.constant(name + "_max", "fp32", high)]


def head_shape():
    return f"-1,-1,{HEADS},{H // HEADS}"


def embedded(w, rng, ids, mask):
    flat = w.op("Reshape", [ids], dst_shape="-1")
    words = w.constant("words", "fp32", random(rng, VOCAB, H, spread=1))
    places = w.constant("places", "fp32", random(rng, 1, PLACES, H))
    columns = w.op("Slice", [places], starts="0", ends=str(7), axes="1", steps="1")
    x = w.op("Gather", [flat, words, columns, ids], axis=0, batch_dims=0, append_op="binary_add",
             reshape=f"-1,-1,{H}", reshape_dims="0,1")
    x = w.op("LayerNorm", [x, w.constant("g0", "fp32", 1 + random(rng, H)), w.constant("b0", "fp32", random(rng, H))],
             epsilon="1e-12", normalized_shape="''")
    bias = w.op("PaddingSequence", [mask], dst_shape=f"-1,{HEADS},0,-1", dims="1")
    return w.op("Reshape", [x], dst_shape=f"-1,{H}"), bias


def encoder(dtype):
    """A layer of BERT and a classifier, in fp32 or bf16."""
    w, rng = Writer(), np.random.default_rng(7)
    ids, mask = w.input("input_ids", "s32", 2), w.input("input_mask", "s32", 2)
    x, bias = embedded(w, rng, ids, mask)
    store = "bf16" if dtype == "bf16" else "fp32"
    out = {"output_dtype": dtype} if dtype == "bf16" else {}

    def linear(name, x, rows, columns, like=None, **attrs):
        weight = w.constant(name + "_w", store, random(rng, columns, rows))
        operands = [x, weight, w.constant(name + "_b", "fp32", random(rng, columns))]
        return w.op("InnerProduct", operands + attrs.pop("post", []) + ([like] if like else []), src1_perm="0,1", **attrs)

    narrow = w.op("Quantize", [x], output_dtype="bf16") if dtype == "bf16" else x
    q, k, v = (linear(name, narrow, H, H, like=ids, reshape=head_shape(), reshape_dims="0,1", **out) for name in "qkv")
    scores = w.op("Matmul", [q, k, bias], src0_perm="0,2,1,3", src1_perm="0,2,3,1", output_scale="0.35355338",
                  format_any="false", append_op="binary_add")
    weights = w.op("Softmax", [scores], axis="-1", **out)
    seen = w.op("Matmul", [weights, v], src1_perm="0,2,1,3", dst_perm="0,2,1,3", **out)
    seen = w.op("Reshape", [seen], dst_shape=f"-1,{H}") if dtype == "bf16" else w.op(
        "Reshape", [seen, ids], dst_shape=f"-1,-1,{HEADS},{H // HEADS}", dims="0,1", mul="2,3")
    if dtype != "bf16":
        seen = w.op("Reshape", [seen], dst_shape=f"-1,{H}")
    x = linear("o", seen, H, H, post=[x], append_op="sum")
    x = w.op("LayerNorm", [x, w.constant("g1", "fp32", 1 + random(rng, H)), w.constant("b1", "fp32", random(rng, H))],
             epsilon="1e-12")
    narrow = w.op("Quantize", [x], output_dtype="bf16") if dtype == "bf16" else x
    up = linear("up", narrow, H, INNER, append_op="gelu_tanh" if dtype == "bf16" else "gelu_erf", **out)
    x = linear("down", up, INNER, H, post=[x], append_op="sum")
    x = w.op("Reshape", [x, ids], dst_shape=f"-1,-1,{H}", dims="0,1")
    first = w.op("Slice", [x], starts="0", ends="1", axes="1", steps="1")
    first = w.op("Reshape", [first], dst_shape=f"-1,{H}")
    logits = linear("classify", first if dtype != "bf16" else w.op("Quantize", [first], output_dtype="bf16"), H, LABELS,
                    append_op="tanh")
    return w, [logits]


def bytes_of(rng, rows, columns):
    """Weights [rows,columns] as bytes per row, and their range."""
    real = random(rng, rows, columns)
    low, high = real.min(1), real.max(1)
    return to_bytes(real * scale_of(low, high, "s8")[:, None], "s8"), low, high


def feed_forward(mode):
    """Quantize, product with an activation, product with a residual; ranges static or found as it runs."""
    w, rng = Writer(), np.random.default_rng(11)
    x = w.input("x", "fp32", 2)
    sample = random(np.random.default_rng(5), 64, H, spread=1)
    up, up_low, up_high = bytes_of(rng, INNER, H)
    down, down_low, down_high = bytes_of(rng, H, INNER)
    up_w = w.constant("up_w", "s8", up)
    # [in,out], as src1_perm says.
    down_w = w.constant("down_w", "s8", down.transpose())
    up_b, down_b = random(rng, INNER), random(rng, H)
    up_range = [w.constant("up_low", "fp32", up_low), w.constant("up_high", "fp32", up_high)]
    down_range = [w.constant("down_low", "fp32", down_low), w.constant("down_high", "fp32", down_high)]
    if mode.startswith("dynamic"):
        dtype = mode.split("_")[1]
        if mode.endswith("scale"):
            w.constants[-1] = ("down_high", "fp32", scale_of(down_low, down_high, "s8"))
        q, low, high = w.op("Quantize", [x], outputs=3, output_dtype=dtype)
        h, h_low, h_high = w.op("InnerProduct", [q, up_w, w.constant("up_b", "fp32", up_b), low, high] + up_range,
                                outputs=3, append_op="gelu_tanh", output_dtype=dtype, src1_perm="0,1")
        y = w.op("InnerProduct", [h, down_w, w.constant("down_b", "fp32", down_b), x, h_low, h_high] + down_range,
                 append_op="sum", src1_perm="1,0", output_scale="0.5")
        return w, [y]
    x_range = ranges_of(w, "x", sample)
    offset, x_scale = sample.min(), scale_of(sample.min(), sample.max(), "u8")
    q = w.op("Quantize", [x] + x_range, output_dtype="u8")
    # What the offset of u8 adds to each sum goes to the bias.
    steps = x_scale * scale_of(up_low, up_high, "s8")
    real = up.astype(F32) / scale_of(up_low, up_high, "s8")[:, None]
    h_range = ranges_of(w, "h", ACTIVATIONS["gelu_erf"](sample @ real.T + up_b))
    whole = np.rint(up_b * steps + offset * x_scale * up.astype(F32).sum(1)).astype(np.int32)
    h = w.op("InnerProduct", [q, up_w, w.constant("up_b", "s32", whole)] + x_range + up_range + h_range,
             append_op="gelu_erf", output_dtype="u8", src1_perm="0,1")
    h_low, h_high = (constant[2] for constant in w.constants[-3:-1])
    steps = scale_of(h_low, h_high, "u8") * scale_of(down_low, down_high, "s8")
    whole = np.rint(down_b * steps + h_low * scale_of(h_low, h_high, "u8") * down.astype(F32).sum(1)).astype(np.int32)
    y = w.op("InnerProduct", [h, down_w, w.constant("down_b", "s32", whole), x] + h_range + down_range,
             append_op="binary_add", src1_perm="1,0")
    return w, [y]


def attention_int8():
    """Products of two activations in bytes: s8 by s8 with a mask, u8 (a softmax) by s8 with a u8 result."""
    w, rng = Writer(), np.random.default_rng(3)
    names = [w.input(name, "fp32", 4) for name in "qkv"]
    def wide(name):
        return [w.constant(name + "_low", "fp32", np.array([-3.2], F32)), w.constant(name + "_high", "fp32", np.array([3.1], F32))]

    ranges = {name: wide(name) for name in names}
    unit = [w.constant("zero", "fp32", np.array([0], F32)), w.constant("one", "fp32", np.array([1], F32))]
    out = [w.constant("out_low", "fp32", np.array([-2], F32)), w.constant("out_high", "fp32", np.array([2.25], F32))]
    q, k, v = (w.op("Quantize", [name] + ranges[name], output_dtype="s8") for name in names)
    mask = w.constant("mask", "fp32", np.where(rng.random((1, 1, 1, 5)) < 0.3, F32(-30), F32(0)))
    scores = w.op("Matmul", [q, k, mask] + ranges["q"] + ranges["k"], append_op="binary_add", src1_perm="0,1,3,2", output_scale="0.5")
    weights = w.op("Softmax", [scores] + unit, output_dtype="u8")
    seen = w.op("Matmul", [weights, v] + unit + ranges["v"] + out, output_dtype="u8", dst_perm="0,2,1,3", reshape="-1,8")
    real = w.op("DequantizeLinear", [seen, w.constant("step", "fp32", np.array(4.25 / 255, F32)),
                                     w.constant("point", "u8", np.array(120, np.uint8))])
    return w, [seen, real]


def others():
    """The operators that the models above do not have."""
    w, rng = Writer(), np.random.default_rng(13)
    x, ids = w.input("x", "fp32", 3), w.input("ids", "s32", 2)
    a, b = w.op("Split", [w.op("Reorder", [x], src_perm="0,1,2", dst_perm="0,2,1")], outputs=2, axis=1, split="3,5")
    joined = w.op("Concat", [b, a], axis=1)
    turned = w.op("Reorder", [joined, x], transpose_dims="1,-1", append_op="sum")
    normed = w.op("RmsNorm", [turned, w.constant("g", "fp32", 1 + random(rng, 8))], epsilon="1e-6")
    means = w.op("ReduceMean", [normed], axis="-1", keep_dims="true")
    sums = w.op("ReduceSum", [w.op("Sigmoid", [normed])], axis="1", keep_dims="false")
    mixed = w.op("BinaryOp", [w.op("BinaryOp", [normed, means], algorithm="sub"),
                              w.constant("two", "fp32", np.array([2], F32))], algorithm="mul")
    mixed = w.op("BinaryAdd", [mixed, w.op("Relu", [x]), w.op("Gelu", [x], algorithm="gelu_tanh")], append_op="sum")
    larger = w.op("BinaryOp", [mixed, x], algorithm="gt")
    picked = w.op("Slice", [mixed], starts="1,0", ends="9223372036854775807,8", axes="1,2", steps="1,3")
    places = w.op("PositionIds", [ids], mode="roberta")
    types = w.op("TokenTypeIds", [ids, w.constant("row", "s32", (np.arange(9)[None] % 3).astype(np.int32))], mode="roberta")
    hot = w.op("Onehot", [ids], depth=6, axis=-1, on_value="2.0", off_value="-1.0")
    logs = w.op("LogSoftmax", [w.op("Tanh", [mixed])], axis=-1)
    return w, [sums, larger, picked, places, types, hot, logs]


MODELS = {
    "encoder_fp32": lambda: encoder("fp32"), "encoder_bf16": lambda: encoder("bf16"),
    "ffn_static": lambda: feed_forward("static"), "ffn_dynamic_u8": lambda: feed_forward("dynamic_u8"),
    "ffn_dynamic_s8": lambda: feed_forward("dynamic_s8"), "ffn_dynamic_u8_scale": lambda: feed_forward("dynamic_u8_scale"),
    "attention_int8": attention_int8, "others": others,
}


def feeds(name, rng):
    if name.startswith("encoder"):
        mask = np.array([[1] * 7, [1, 1, 0, 1, 0, 0, 0]], np.int32)
        return {"input_ids": rng.integers(0, VOCAB, (2, 7)).astype(np.int32), "input_mask": mask}
    if name.startswith("ffn"):
        return {"x": random(rng, 9, H, spread=1)}
    if name == "attention_int8":
        return {key: random(rng, 2, 2, 5, 4, spread=1) for key in "qkv"}
    return {"x": random(rng, 2, 6, 8, spread=1), "ids": rng.integers(0, 5, (2, 4)).astype(np.int32)}


def interpreted(writer, name):
    """Marks what the interpreter cannot see from one operator: that its operands were quantized as it ran."""
    operators = []
    for op in writer.operators:
        marks = {"dynamic": 1} if "dynamic" in name and op[1] == "InnerProduct" else {}
        if name.endswith("scale") and op[4].get("append_op") == "sum":
            marks["dynamic_scale_in_max"] = 1
        operators.append((*op[:4], {**op[4], **marks}))
    writer.operators = operators
    return writer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    for name, make in MODELS.items():
        writer, outputs = make()
        folder = os.path.join(arguments.output, name)
        writer.write(folder, outputs)
        inputs = feeds(name, np.random.default_rng(21))
        values = run(interpreted(writer, name), inputs)
        write_data_sets(folder, [(inputs, {key: values[key] for key in outputs})])
    print(f"{len(MODELS)} models made")


if __name__ == "__main__":
    main()
