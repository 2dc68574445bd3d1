"""Cases of single operators: graphs of TensorFlow 1's kind, in which each operator is an output of its own."""
import os
import zlib

import numpy as np
import tensorflow as tf

import writing

v1 = tf.compat.v1
raw = tf.raw_ops
CASES = {}


class Inputs:
    """Placeholders and what they are fed with; numbers come from one seed for each case."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.feeds = {}

    def put(self, name, value, open_axes=(0,)):
        value = np.asarray(value)
        shape = [None if i in open_axes else size for i, size in enumerate(value.shape)]
        self.feeds[name] = value
        return v1.placeholder(value.dtype, shape, name=name)

    def normal(self, name, *shape, scale=1.0, open_axes=(0,)):
        return self.put(name, (self.random.standard_normal(shape) * scale).astype(np.float32), open_axes)

    def uniform(self, name, low, high, *shape, open_axes=(0,)):
        return self.put(name, self.random.uniform(low, high, shape).astype(np.float32), open_axes)

    def ints(self, name, low, high, *shape, dtype=np.int32, open_axes=(0,)):
        return self.put(name, self.random.integers(low, high, shape).astype(dtype), open_axes)


def case(build):
    CASES[build.__name__] = build
    return build


def ends(graph):
    """The graph's outputs as the engine names them: nodes that no other reads, and their further outputs."""
    read = {tensor.op.name for op in graph.get_operations() for tensor in op.inputs}
    read |= {control.name for op in graph.get_operations() for control in op.control_inputs}
    for op in graph.get_operations():
        if op.name in read or op.type in ("Const", "Placeholder", "NoOp"):
            continue
        for i, tensor in enumerate(op.outputs):
            yield (op.name if i == 0 else f"{op.name}:{i}"), tensor


def session():
    # Plain kernels, and the graph as it is written.
    config = v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = v1.OptimizerOptions.L0
    return v1.Session(config=config)


def write_graph_case(folder, graph, feeds):
    with graph.as_default(), session() as running:
        outputs = {name: tensor for name, tensor in ends(graph)}
        found = running.run(list(outputs.values()), {f"{name}:0": value for name, value in feeds.items()})
    answers = {name: value for name, value in zip(outputs, found)}
    for name, value in answers.items():  # ONNX has no quantized types
        if value.dtype.fields or value.dtype.kind == "V":
            answers[name] = value.view({1: np.int8, 2: np.int16, 4: np.int32}[value.dtype.itemsize])
    writing.check_finite(folder, answers)
    writing.write_data_set(folder, 0, feeds, answers)
    with open(os.path.join(folder, "model.pb"), "wb") as f:
        f.write(graph.as_graph_def().SerializeToString(deterministic=True))


def make(output, only):
    for name, build in CASES.items():
        if only not in name:
            continue
        graph = tf.Graph()
        with graph.as_default():
            inputs = Inputs(zlib.crc32(name.encode()))
            build(inputs)
        write_graph_case(writing.fresh(os.path.join(output, name)), graph, inputs.feeds)
        print(name)
