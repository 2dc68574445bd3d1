"""Exports one entry in one variant, and checks the file against torch with ONNX Runtime."""
import contextlib
import os
import re
import sys
import warnings

import numpy as np
import onnx
import onnxruntime
import torch

from entry import ByPosition

# What ONNX Runtime may differ from torch by, of the size of the answer: both compute in fp32 in another order. An
# export that is wrong (a size or a branch of the example baked in) is off by far more.
TOLERANCE = 1e-3


def as_modules(entry, variant):
    torch.manual_seed(0)  # randomize() moves vectors, it does not replace them
    network = entry.make(variant.attention)
    example = entry.inputs(entry.example, torch.Generator().manual_seed(1))
    return ByPosition(network, tuple(example), entry.outputs).eval(), tuple(example.values()), tuple(example)


def export_script(module, example, names, entry, opset, path):
    torch.onnx.export(module, example, path, dynamo=False, opset_version=opset, dynamic_axes=entry.axes,
                      input_names=list(names), output_names=list(entry.outputs))


def export_dynamo(module, example, names, entry, opset, path):
    shapes = tuple({axis: torch.export.Dim.DYNAMIC for axis in entry.axes.get(name, {})} for name in names)
    torch.onnx.export(module, example, path, dynamo=True, opset_version=opset, dynamic_shapes=(shapes,),
                      input_names=list(names), output_names=list(entry.outputs), external_data=False, verbose=False)


EXPORTERS = {"script": export_script, "dynamo": export_dynamo}


def strip(path):
    """Takes out what no engine reads and what is half of a small dynamo export: the Python stack of each node."""
    model = onnx.load(path)
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    for tensor in model.graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.save(model, path)
    return model


@contextlib.contextmanager
def quiet():
    """No warnings and no standard output, C++'s included: a failing export prints its whole graph there."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nothing, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nothing.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)


class Refused(Exception):
    """What an exporter threw, told apart from a mistake in the zoo's own tables."""


def export(entry, variant, path):
    """Writes the model. Returns (module, model); throws Refused when the exporter does not take it."""
    module, example, names = as_modules(entry, variant)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with torch.no_grad(), quiet():
        module(*example)
        try:
            EXPORTERS[variant.exporter](module, example, names, entry, variant.opset, path)
        except Exception as error:  # whatever an exporter throws is its answer
            raise Refused(root_cause(error)) from error
    return module, strip(path)


def torch_answers(module, entry, shape, seed):
    """The inputs and torch's answers, both {name: array}."""
    inputs = entry.inputs(shape, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        answers = module(*inputs.values())
    return {k: v.numpy() for k, v in inputs.items()}, {k: v.numpy() for k, v in zip(entry.outputs, answers)}


class Disagreement(Exception):
    """ONNX Runtime does not give torch's answers for the exported file: no case to hold an engine to."""


class RuntimeCheck:
    """ONNX Runtime's opinion of an export; each method throws Disagreement."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        try:
            self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no base class of their own
            raise Disagreement("ONNX Runtime refuses the model: " + first_line(error)) from error

    def compare(self, inputs, outputs):
        """The greatest absolute difference from torch's answers."""
        wanted = {i.name for i in self.session.get_inputs()}
        try:
            found = self.session.run(list(outputs), {k: v for k, v in inputs.items() if k in wanted})
        except Exception as error:
            raise Disagreement("ONNX Runtime refuses to run it: " + first_line(error)) from error
        greatest = 0.0
        for (name, expected), answer in zip(outputs.items(), found):
            if answer.shape != expected.shape:
                raise Disagreement(f"{name} has shape {list(answer.shape)}, torch's has {list(expected.shape)}")
            worst = float(np.abs(answer - expected).max(initial=0.0))
            if not worst <= TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0))):
                raise Disagreement(f"{name} differs from torch's by {worst:.3g}")
            greatest = max(greatest, worst)
        return greatest


def first_line(error):
    """Enough of an exception to tell causes apart: its type and the first lines that say something."""
    # The temporary folder that ONNX Runtime names would differ in every manifest.
    text = re.sub(r"Load model from \S+ failed:", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {' '.join(lines[:2])[:240]}"


def root_cause(error):
    """dynamo wraps what went wrong in reports of many lines; the innermost exception says it."""
    while error.__cause__ is not None:
        error = error.__cause__
    return first_line(error)
