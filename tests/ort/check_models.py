#!/usr/bin/env python3
"""Runs models that ONNX Runtime's tools rewrote through the engine and compares with ONNX Runtime's answers.

    tests/ort/check_models.py --binary build/neural_engine --zoo build/zoo [--only bert_script17,...] [--tools extended,...]

For each case of the zoo and each tool: the model is rewritten, ONNX Runtime answers (with optimizations off), and
`neural_engine run` must give the same within the tool's tolerance: rtol 1e-3 and atol 1e-4, wider for the quantizers,
whose integers are rounded elsewhere (of the largest answer). Tools: extended (a session's own optimizer), transformers
(onnxruntime.transformers.optimizer), dynamic, qdq, qoperator (onnxruntime.quantization), n_bits (4-bit weights).
Needs onnx, onnxruntime and onnxscript-free parts of them only; not part of the default tests.
"""
import argparse
import glob
import logging
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

TOOLS = ("extended", "transformers", "dynamic", "qdq", "qoperator", "n_bits", "dynamic_fused")
# Of the largest answer; 0: the default tolerance.
LOOSE = {"dynamic": 0.05, "qdq": 0.1, "qoperator": 0.1, "dynamic_fused": 0.05}


def session(path, **settings):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    for name, value in settings.items():
        setattr(options, name, value)
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def read_tensors(folder, prefix):
    paths = sorted(glob.glob(os.path.join(folder, prefix + "_*.pb")), key=lambda p: int(p[:-3].rsplit("_", 1)[1]))
    tensors = []
    for path in paths:
        with open(path, "rb") as f:
            tensors.append(numpy_helper.to_array(onnx.TensorProto.FromString(f.read())))
    return tensors


def feeds_of(path, data_set):
    graph = onnx.load(path, load_external_data=False).graph
    constants = {t.name for t in graph.initializer}
    return dict(zip([v.name for v in graph.input if v.name not in constants], read_tensors(data_set, "input")))


def extended(source, target, case):
    session(source, graph_optimization_level=onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
            optimized_model_filepath=target)


def transformers(source, target, case):
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions
    kind = "gpt2" if "gpt2" in case else "bert"
    options = FusionOptions(kind)
    optimizer.optimize_model(source, model_type=kind, num_heads=0, hidden_size=0, optimization_options=options,
                             opt_level=0).save_model_to_file(target)


def dynamic(source, target, case):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    # 7 bits: of 8, the products of ONNX Runtime saturate on CPUs without VNNI.
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, reduce_range=True)


def dynamic_fused(source, target, case):
    with tempfile.TemporaryDirectory() as folder:
        fused = os.path.join(folder, "fused.onnx")
        transformers(source, fused, case)
        dynamic(fused, target, case)


def static(source, target, case, form):
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.sets = iter([feeds_of(source, d) for d in sorted(glob.glob(os.path.join(case, "test_data_set_*")))])

        def get_next(self):
            return next(self.sets, None)

    quantize_static(source, target, Reader(), quant_format=form, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8, reduce_range=True, per_channel=form == QuantFormat.QDQ)


def qdq(source, target, case):
    from onnxruntime.quantization import QuantFormat
    static(source, target, case, QuantFormat.QDQ)


def qoperator(source, target, case):
    from onnxruntime.quantization import QuantFormat
    static(source, target, case, QuantFormat.QOperator)


def n_bits(source, target, case):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    quantizer = MatMulNBitsQuantizer(onnx.load(source), block_size=32, is_symmetric=False)
    quantizer.process()
    quantizer.model.save_model_to_file(target)


def check(arguments, case, tool, folder):
    """None when all is well, else what is not."""
    source, target = os.path.join(folder, "source.onnx"), os.path.join(folder, "model.onnx")
    shutil.copy(os.path.join(case, "model.onnx"), source)
    try:
        globals()[tool](source, target, case)
        reference = session(target)
    except Exception as error:  # noqa: BLE001: the tool's failure is not the engine's
        return "tool", str(error).strip().splitlines()[0][:160]
    for data_set in sorted(glob.glob(os.path.join(case, "test_data_set_*"))):
        feeds = feeds_of(source, data_set)
        try:
            expected = reference.run(None, feeds)
        except Exception as error:  # noqa: BLE001
            return "tool", str(error).strip().splitlines()[0][:160]
        shutil.rmtree(os.path.join(folder, "data"), ignore_errors=True)
        data = os.path.join(folder, "data")
        os.makedirs(data)
        names = [v.name for v in reference.get_inputs()]
        for prefix, arrays in (("input", [feeds[name] for name in names]), ("output", expected)):
            for i, array in enumerate(arrays):
                with open(os.path.join(data, f"{prefix}_{i}.pb"), "wb") as f:
                    f.write(numpy_helper.from_array(np.asarray(array)).SerializeToString())
        largest = max((float(np.abs(a[np.isfinite(a)]).max(initial=0)) for a in expected if a.dtype == np.float32),
                      default=1.0)
        atol = LOOSE.get(tool, 0) * largest or 1e-4
        done = subprocess.run([arguments.binary, "run", f"--model={target}", f"--inputs={data}", f"--expect={data}",
                               "--rtol=1e-3", f"--atol={atol}"], capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            said = [line for line in said if "NOT as" in line] or said
            return ("wrong" if done.returncode == 1 else "refused"), said[0][-300:] if said else str(done.returncode)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--zoo", required=True)
    parser.add_argument("--only", default="", help="names of cases, or parts of names with --part")
    parser.add_argument("--part", action="store_true")
    parser.add_argument("--tools", default=",".join(TOOLS))
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    counts = {"passed": 0, "wrong": 0, "refused": 0, "tool": 0}
    wanted = [w for w in arguments.only.split(",") if w]
    for name in sorted(os.listdir(arguments.zoo)):
        case = os.path.join(arguments.zoo, name)
        match = any(w in name if arguments.part else w == name for w in wanted) or not wanted
        if not match or not os.path.exists(os.path.join(case, "model.onnx")):
            continue
        for tool in arguments.tools.split(","):
            with tempfile.TemporaryDirectory() as folder:
                result = check(arguments, case, tool, folder)
            counts[result[0] if result else "passed"] += 1
            if result:
                print(f"{result[0]:8} {tool:13} {name}  {result[1]}", flush=True)
    print(f"{counts['passed']} passed, {counts['wrong'] + counts['refused']} failed, {counts['tool']} skipped "
          "(the tool or ONNX Runtime failed)")
    return 1 if counts["wrong"] + counts["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
