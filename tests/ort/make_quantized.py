#!/usr/bin/env python3
"""Makes a small model as quantization tools write it, with ONNX Runtime's answers, beside the cases of make_cases.py.

    tests/ort/make_quantized.py --output tests/data/ort

Two layers with GELU between them and a residual, by ONNX Runtime's quantize_dynamic and quantize_static (QDQ and
QOperator) and by NNCF. ONNX Runtime's products of u8 and s8 saturate on CPUs without VNNI, ours do not: its answers come
from graphs that it does not optimize, where QDQ is computed in floats, and weights of 7 bits otherwise. Needs numpy, onnx, onnxruntime and nncf (made with 1.31.1 and 3.4.0).
"""
import argparse
import os
import shutil
import tempfile

import nncf
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

WIDTH, HIDDEN, SAMPLES = 48, 64, 32


def make_model(random):
    def constant(name, *shape):
        scale = 1 / np.sqrt(shape[0])
        return numpy_helper.from_array((random.standard_normal(shape) * scale).astype(np.float32), name)

    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["h1"]),
        helper.make_node("Add", ["h1", "b1"], ["h2"]),
        helper.make_node("Div", ["h2", "root2"], ["h3"]),
        helper.make_node("Erf", ["h3"], ["h4"]),
        helper.make_node("Add", ["h4", "one"], ["h5"]),
        helper.make_node("Mul", ["h2", "h5"], ["h6"]),
        helper.make_node("Mul", ["h6", "half"], ["h7"]),
        helper.make_node("MatMul", ["h7", "w2"], ["h8"]),
        helper.make_node("Add", ["h8", "b2"], ["h9"]),
        helper.make_node("Add", ["h9", "x"], ["y"]),
    ]
    numbers = [("root2", 2 ** 0.5), ("one", 1), ("half", 0.5)]
    constants = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in numbers]
    constants += [constant("w1", WIDTH, HIDDEN), constant("b1", HIDDEN), constant("w2", HIDDEN, WIDTH),
                  constant("b2", WIDTH)]
    shape = ["batch", "seq", WIDTH]
    graph = helper.make_graph(nodes, "layers", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


class Reader(CalibrationDataReader):
    def __init__(self, samples):
        self.rest = iter(samples)

    def get_next(self):
        x = next(self.rest, None)
        return None if x is None else {"x": x}


def quantized_models(source, samples, folder):
    """(name, path) of each tool's model."""
    def path(name):
        return os.path.join(folder, name + ".onnx")

    products = ["MatMul"]
    quantize_dynamic(source, path("dynamic"), weight_type=QuantType.QInt8, per_channel=True,
                     reduce_range=True)
    quantize_dynamic(source, path("dynamic_u8"), weight_type=QuantType.QUInt8)
    static = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, "op_types_to_quantize": products}
    quantize_static(source, path("qdq"), Reader(samples), quant_format=QuantFormat.QDQ, per_channel=True, **static)
    quantize_static(source, path("qdq_s8"), Reader(samples), quant_format=QuantFormat.QDQ,
                    **{**static, "activation_type": QuantType.QInt8})
    quantize_static(source, path("qoperator"), Reader(samples), quant_format=QuantFormat.QOperator, reduce_range=True,
                    **static)
    model = nncf.quantize(onnx.load(source), nncf.Dataset([{"x": x} for x in samples]), subset_size=SAMPLES,
                          model_type=nncf.ModelType.TRANSFORMER)
    onnx.save(model, path("nncf"))
    return [(name, path(name)) for name in ("dynamic", "dynamic_u8", "qdq", "qdq_s8", "qoperator", "nncf")]


def write_case(path, output, x):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    y = session.run(None, {"x": x})[0]
    data = os.path.join(output, "test_data_set_0")
    shutil.rmtree(output, ignore_errors=True)
    os.makedirs(data)
    shutil.copy(path, os.path.join(output, "model.onnx"))
    for name, array in (("x", x), ("y", y)):
        kind = "input_0.pb" if name == "x" else "output_0.pb"
        with open(os.path.join(data, kind), "wb") as file:
            file.write(numpy_helper.from_array(array, name).SerializeToString())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    random = np.random.default_rng(7)
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "source.onnx")
        onnx.save(make_model(random), source)
        samples = [random.standard_normal((1, 9, WIDTH)).astype(np.float32) for _ in range(SAMPLES)]
        x = random.standard_normal((2, 7, WIDTH)).astype(np.float32)
        for name, path in quantized_models(source, samples, folder):
            write_case(path, os.path.join(arguments.output, "quantized_" + name), x)


if __name__ == "__main__":
    main()
