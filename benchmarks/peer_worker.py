#!/usr/bin/env python3
"""Another inference engine behind the line protocol of the comparisons: one request a line on stdin, one answer a line.

    load <model> <threads> <models_dir>   -> ok                    reads <models_dir>/<model>/model.onnx
    bench <in.bin> <warmup> <runs>        -> ok <ms> <ms> ...      one number per timed run
    infer <in.bin> <out.bin>              -> ok                    out.bin: raw float32 of the first output
    rss                                   -> ok <peak KiB> 0
    version                               -> ok <text>
    quit

in.bin is int32 batch, int32 sequence, then int64 ids, mask and types of [batch, sequence] each, little endian. Whatever
goes wrong is answered by "err <message>". benchmarks/worker.cpp speaks the same protocol for this engine.

What is timed is one call from arrays in memory to arrays in memory.
"""
import os
import sys
import time

import numpy as np

NAMES = ("input_ids", "attention_mask", "token_type_ids")


class OnnxRuntime:
    def __init__(self):
        import onnxruntime

        self.library = onnxruntime

    def load(self, path, threads):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = self.library.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.outputs = [self.session.get_outputs()[0].name]

    def run(self, inputs):
        return self.session.run(self.outputs, inputs)[0]

    def version(self):
        return "ONNX Runtime " + self.library.__version__


class OpenVino:
    def __init__(self, precision):
        import openvino

        self.library = openvino
        self.precision = precision

    def load(self, path, threads):
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
                    "INFERENCE_PRECISION_HINT": self.precision}
        self.request = self.library.Core().compile_model(path, "CPU", settings).create_infer_request()

    def run(self, inputs):
        return self.request.infer(inputs)[0]

    def version(self):
        return "OpenVINO " + self.library.__version__.split("-")[0]


ENGINES = {
    "onnxruntime": OnnxRuntime,
    # Without the hint OpenVINO computes in bf16 where the CPU has it.
    "openvino": lambda: OpenVino("f32"),
    "openvino-bf16": lambda: OpenVino("bf16"),
}


def read_inputs(path):
    data = np.fromfile(path, np.uint8)
    batch, sequence = data[:8].view(np.int32)
    arrays = data[8:].view(np.int64).reshape(3, batch, sequence)
    return dict(zip(NAMES, (np.ascontiguousarray(a) for a in arrays)))


def peak_kib():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


def answer(engine, words):
    request, *arguments = words
    if request == "load":
        engine.load(os.path.join(arguments[2], arguments[0], "model.onnx"), int(arguments[1]))
        return ""
    if request == "bench":
        inputs = read_inputs(arguments[0])
        for _ in range(int(arguments[1])):
            engine.run(inputs)
        times = []
        for _ in range(int(arguments[2])):
            start = time.perf_counter()
            engine.run(inputs)
            times.append((time.perf_counter() - start) * 1e3)
        return " ".join(f"{ms:.4f}" for ms in times)
    if request == "infer":
        np.asarray(engine.run(read_inputs(arguments[0])), np.float32).tofile(arguments[1])
        return ""
    if request == "rss":
        return f"{peak_kib()} 0"
    if request == "version":
        return engine.version()
    raise ValueError(f"unknown request {request!r}")


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ENGINES:
        raise SystemExit(f"usage: {sys.argv[0]} {'|'.join(ENGINES)}")
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries may print to stdout, which belongs to the protocol
    engine = ENGINES[sys.argv[1]]()
    for line in sys.stdin:
        words = line.split()
        if words == ["quit"]:
            break
        try:
            replies.write(f"ok {answer(engine, words)}\n")
        except Exception as error:  # every engine has exceptions of its own; the asker decides what it means
            replies.write(f"err {type(error).__name__}: {' '.join(str(error).split())[:300]}\n")


if __name__ == "__main__":
    main()
