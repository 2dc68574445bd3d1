"""The ONNX twin of the BERT of model_cases.py: the same weights, written as torch exports such a model.

Products of three dimensions in place of two between reshapes, positions gathered instead of sliced, a mask that two
Unsqueezes make, LayerNormalization in one operator: what the passes have to make alike.
"""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


class Writer:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value, name=None):
        name = name or f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, op, *inputs, **attributes):
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [output], name=output, **attributes))
        return output

    def ints(self, *values):
        return self.constant(np.int64(values))


def write_bert(path, model):
    w = Writer()

    def norm(x, number):
        gamma, beta = (w.constant(v.numpy()) for v in model.norms[number])
        return w.add("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-12)

    def dense(x, number):
        kernel, bias = (w.constant(v.numpy()) for v in model.products[number])
        return w.add("Add", bias, w.add("MatMul", x, kernel))

    def dim(x, axis):
        return w.add("Unsqueeze", w.add("Gather", w.add("Shape", x), w.constant(np.int64(axis))), w.ints(0))

    def split(x, perm):
        size = model.hidden // model.heads
        shape = w.add("Concat", dim(x, 0), dim(x, 1), w.ints(model.heads), w.ints(size), axis=0)
        return w.add("Transpose", w.add("Reshape", x, shape), perm=perm)

    length = dim("input_ids", 1)
    positions = w.add("Slice", w.constant(np.arange(len(model.positions.numpy()), dtype=np.int64)[None]), w.ints(0),
                      length, w.ints(1))
    x = w.add("Add", w.add("Gather", w.constant(model.words.numpy()), "input_ids"),
              w.add("Gather", w.constant(model.types.numpy()), "token_type_ids"))
    x = norm(w.add("Add", x, w.add("Gather", w.constant(model.positions.numpy()), positions)), 0)
    mask = w.add("Unsqueeze", w.add("Unsqueeze", "input_mask", w.ints(1)), w.ints(2))
    mask = w.add("Sub", w.constant(np.float32(1)), w.add("Cast", mask, to=TensorProto.FLOAT))
    mask = w.add("Mul", mask, w.constant(np.float32(-10000)))
    for layer in range(model.count):
        q, v = (split(dense(x, 6 * layer + i), [0, 2, 1, 3]) for i in (0, 2))
        k = split(dense(x, 6 * layer + 1), [0, 2, 3, 1])
        scores = w.add("Div", w.add("MatMul", q, k), w.constant(np.float32(np.sqrt(model.hidden // model.heads))))
        mixed = w.add("MatMul", w.add("Softmax", w.add("Add", scores, mask), axis=-1), v)
        mixed = w.add("Transpose", mixed, perm=[0, 2, 1, 3])
        shape = w.add("Concat", dim(mixed, 0), dim(mixed, 1), w.ints(model.hidden), axis=0)
        mixed = dense(w.add("Reshape", mixed, shape), 6 * layer + 3)
        x = norm(w.add("Add", mixed, x), 2 * layer + 1)
        up = dense(x, 6 * layer + 4)
        erf = w.add("Erf", w.add("Div", up, w.constant(np.float32(np.sqrt(2)))))
        up = w.add("Mul", w.add("Mul", up, w.add("Add", erf, w.constant(np.float32(1)))), w.constant(np.float32(0.5)))
        x = norm(w.add("Add", dense(up, 6 * layer + 5), x), 2 * layer + 2)
    first = w.add("Tanh", w.add("Gather", x, w.constant(np.int64(0)), axis=1))
    logits = w.add("MatMul", first, w.constant(model.classes.numpy()))
    w.nodes += [helper.make_node("Identity", [logits], ["logits"]), helper.make_node("Identity", [x], ["states"])]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, ["batch", "length"])
              for name in ("input_ids", "input_mask", "token_type_ids")]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("logits", "states")]
    graph = helper.make_graph(w.nodes, "bert", inputs, outputs, w.constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9), path)
