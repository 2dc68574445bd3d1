"""Folders of cases: a TensorFlow model, inputs, and TensorFlow's answers, in the layout of the ONNX backend tests."""
import os
import shutil

import numpy as np
import onnx
from onnx import numpy_helper


def write_tensors(folder, kind, named):
    os.makedirs(folder, exist_ok=True)
    for i, (name, value) in enumerate(named.items()):
        tensor = numpy_helper.from_array(np.asarray(value), name)
        with open(os.path.join(folder, f"{kind}_{i}.pb"), "wb") as f:
            f.write(tensor.SerializeToString())


def write_data_set(case, number, feeds, answers):
    folder = os.path.join(case, f"test_data_set_{number}")
    write_tensors(folder, "input", feeds)
    write_tensors(folder, "output", answers)


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def check_finite(case, answers):
    """A case whose answers are all alike, or no numbers, could not fail."""
    for name, value in answers.items():
        if value.dtype.kind == "f" and np.isnan(value).all():
            raise SystemExit(f"{case}: output {name} has no number in it")
