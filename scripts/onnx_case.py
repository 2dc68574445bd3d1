"""Writes the layout of the ONNX backend tests: model.onnx and test_data_set_<n>/{input_<i>.pb,output_<i>.pb}."""
import os
import shutil

import numpy as np
import onnx
from onnx import numpy_helper


def write_tensors(folder, prefix, names, arrays):
    for i, (name, array) in enumerate(zip(names, arrays)):
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), name)
        with open(os.path.join(folder, f"{prefix}_{i}.pb"), "wb") as f:
            f.write(tensor.SerializeToString())


def write_data_sets(case, sets):
    """`sets`: a list of (inputs, outputs), both {name: array} in the order of the graph."""
    for n, (inputs, outputs) in enumerate(sets):
        folder = os.path.join(case, f"test_data_set_{n}")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        write_tensors(folder, "input", inputs.keys(), inputs.values())
        write_tensors(folder, "output", outputs.keys(), outputs.values())


def graph_names(path):
    """The names of the graph's inputs and outputs in order; initializers that are listed as inputs do not count."""
    graph = onnx.load(path, load_external_data=False).graph
    constants = {t.name for t in graph.initializer}
    return [v.name for v in graph.input if v.name not in constants], [v.name for v in graph.output]


def greatest_difference(expected, found):
    """max |a-b| over all elements of two lists of arrays; None when a shape or a type differs."""
    worst = 0.0
    for a, b in zip(expected, found):
        if a.shape != b.shape or a.dtype != b.dtype:
            return None
        if a.size:
            worst = max(worst, float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)))))
    return worst
