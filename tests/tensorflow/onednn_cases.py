"""Operators that TensorFlow's optimizer and Intel's quantizer write, which TensorFlow computes with oneDNN only."""
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import attr_value_pb2

from graphs import case, raw, v1


def node(op, name, inputs, dtype=tf.float32, **attributes):
    """A node of an operator that raw_ops does not offer."""
    attrs = {"T": attr_value_pb2.AttrValue(type=dtype.as_datatype_enum)}
    for key, value in attributes.items():
        attr = attrs[key] = attr_value_pb2.AttrValue()
        if isinstance(value, bool):
            attr.b = value
        elif isinstance(value, int):
            attr.i = value
        elif isinstance(value, float):
            attr.f = value
        elif isinstance(value, str):
            attr.s = value.encode()
        else:
            attr.list.s.extend(each.encode() for each in value)
    graph = v1.get_default_graph()
    return graph.create_op(op, [tf.convert_to_tensor(each) for each in inputs], [dtype], name=name, attrs=attrs).outputs[0]


@case
def onednn_fused(i):
    x, w = i.normal("x", 3, 6), i.random.standard_normal((6, 5)).astype(np.float32)
    bias, other = i.random.standard_normal(5).astype(np.float32), i.normal("other", 3, 5)
    for fused in ("BiasAdd", "BiasAdd Relu", "BiasAdd Relu6", "BiasAdd Elu", "BiasAdd Tanh", "BiasAdd Sigmoid",
                  "BiasAdd LeakyRelu", "BiasAdd GeluExact", "BiasAdd GeluApproximate", "BiasAdd Add"):
        operands = [x, w, bias] + ([other] if "Add" in fused.split()[1:] else [])
        node("_FusedMatMul", "FusedMatMul_" + fused.replace(" ", "_"), operands, num_args=len(operands) - 2,
             fused_ops=fused.split(), transpose_a=False, transpose_b=False, epsilon=0.0, leakyrelu_alpha=0.3)
    node("_FusedMatMul", "FusedMatMul_transposed", [x, w.T.copy(), bias], num_args=1, fused_ops=["BiasAdd"],
         transpose_a=False, transpose_b=True, epsilon=0.0)


def quantized(x, low, high, dtype, mode):
    return raw.QuantizeV2(input=x, min_range=low, max_range=high, T=dtype, mode=mode)


@case
def onednn_quantized(i):
    x, w = i.uniform("x", -1, 3, 4, 16), i.random.uniform(-1, 1, (16, 5)).astype(np.float32)
    bias = i.random.uniform(-1, 1, 5).astype(np.float32)
    b = quantized(w, -1.0, 1.0, tf.qint8, "SCALED")
    a = quantized(x, 0.0, 3.0, tf.quint8, "SCALED")
    operands = dict(a=a[0], b=b[0], bias=bias, min_a=a[1], max_a=a[2], min_b=b[1], max_b=b[2],
                    input_quant_mode="SCALED")
    raw.QuantizedMatMulWithBiasAndDequantize(min_freezed_output=-6.0, max_freezed_output=6.0, Toutput=tf.float32,
                                             name="QuantizedMatMulWithBiasAndDequantize", **operands)
    for op in ("QuantizedMatMulWithBiasAndReluAndRequantize", "QuantizedMatMulWithBiasAndRequantize"):
        y = getattr(raw, op)(min_freezed_output=0.0, max_freezed_output=6.0, Toutput=tf.quint8, **operands)
        raw.Dequantize(input=y[0], min_range=y[1], max_range=y[2], mode="SCALED", name="Dequantize_" + op)
