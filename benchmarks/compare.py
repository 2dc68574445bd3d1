#!/usr/bin/env python3
"""Measures this engine beside ONNX Runtime and OpenVINO, interleaved in one run, and compares their answers.

    benchmarks/compare.py --worker build/benchmarks/neural_engine_worker [--models-dir DIR] [--output PREFIX] ...

Writes PREFIX.json, PREFIX.md and PREFIX.svg (default: benchmarks/results/compare). The engines run the same ONNX files
(benchmarks/export_models.py makes those that are missing), each in a process of its own that lives through all cells of
a model and thread count, and sleeps while another is measured. In every round all of them take a turn, in the order of
the round before reversed: what disturbs the machine for some seconds meets them all. "Foreign" is how many cores other
processes were busy on meanwhile: rounds are repeated, up to three times as many as asked for, until enough of them were
quiet, and the quietest are kept, whatever their times. A cell tells the median, the least time and the spread (the 10th
to the 90th percentile) of all runs kept.

"Start" is the time until the process answers, the imports of the Python engines included; "load" is from there to a
session that can run. Peak memory is the process's VmHWM after load and first answer, the interpreter included.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import python_env  # noqa: E402
from export_models import MODELS  # noqa: E402

OURS = "neural_engine"
# The first is what the others are compared with.
ENGINES = ("onnxruntime", "openvino", "openvino-bf16", OURS)
DEFAULT_ENGINES = ("onnxruntime", "openvino", OURS)
CELLS = "1x16,1x32,1x128,1x384,8x128"
FIRST_CELL = (1, 128)  # what "time to first answer" and peak memory are told for
# Runs per turn: as many as fit, so that a round of all engines stays short against the machine's drift.
TURN_MS, MAX_RUNS = 600, 20
# A round with more cores busy for others than this is measured again, unless this many times the rounds were not enough.
QUIET_CORES, MAX_REPEATS = 0.15, 3


class Engine:
    """One engine's process."""

    def __init__(self, name, threads, arguments):
        self.name = name
        command = [arguments.worker] if name == OURS else [sys.executable, os.path.join(HERE, "peer_worker.py"), name]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads))
        start = time.perf_counter()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment, stderr=None if arguments.verbose else subprocess.DEVNULL,
                                        preexec_fn=lambda: prepare_process(arguments))
        self.ask("rss")
        self.start_s = time.perf_counter() - start

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line.startswith("ok"):
            raise RuntimeError(f"{self.name}: {line.strip() or 'its process died'} (asked: {words[0]})")
        return line[2:].strip()

    def bench(self, path, warmup, runs):
        return [float(word) for word in self.ask("bench", path, warmup, runs).split()]

    def close(self):
        try:
            self.process.communicate("quit\n", timeout=20)
        except (subprocess.TimeoutExpired, OSError, ValueError):
            self.process.kill()


def prepare_process(arguments):
    if arguments.cpus:
        os.sched_setaffinity(0, {int(cpu) for cpu in arguments.cpus.split(",")})
    try:
        os.nice(-10)  # keeps niced work of others off the timings, where we may
    except OSError:
        pass


class Lock:
    """A lock file that everybody who measures on this machine holds, for one cell at a time."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        import fcntl

        self.file = open(self.path, "a") if self.path else None
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        if self.file:
            self.file.close()


def busy_seconds(processes):
    """CPU seconds since boot: of the whole machine, and of these processes."""
    ticks = os.sysconf("SC_CLK_TCK")
    with open("/proc/stat") as f:
        total = [int(word) for word in f.readline().split()[1:]]
    own = 0
    for pid in processes:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        own += int(fields[11]) + int(fields[12])
    idle = total[3] + total[4]
    return (sum(total) - idle) / ticks, own / ticks


def write_inputs(path, batch, sequence, padded):
    import numpy as np

    generator = np.random.default_rng(batch * 1000 + sequence)
    ids = generator.integers(1000, 20000, (batch, sequence))
    ids[:, 0], ids[:, -1] = 101, 102
    mask = np.ones_like(ids)
    if padded:
        for row in range(1, batch):
            mask[row, sequence - sequence * row // (2 * batch):] = 0
    with open(path, "wb") as f:
        f.write(np.array([batch, sequence], np.int32).tobytes())
        for array in (ids * mask, mask, np.zeros_like(ids)):
            f.write(array.astype(np.int64).tobytes())
    return path


def start_engine(name, model, threads, arguments, first_input):
    """A loaded engine and what it cost to get there."""
    engine = Engine(name, threads, arguments)
    try:
        start = time.perf_counter()
        engine.ask("load", model, threads, os.path.abspath(arguments.models_dir))
        load_s = time.perf_counter() - start
        first_ms = engine.bench(first_input, 0, 1)[0]
        peak_mib = int(engine.ask("rss").split()[0]) / 1024
    except RuntimeError:
        engine.close()
        raise
    return engine, {"start_s": engine.start_s, "load_s": load_s, "first_ms": first_ms, "peak_mib": peak_mib,
                    "cells": {}}


def measure_round(engines, path, runs, reverse):
    """{engine: [ms]}: a turn for each."""
    times = {}
    for name in list(engines)[::-1] if reverse else list(engines):
        if name not in runs:
            estimate = engines[name].bench(path, 1, 1)[0]
            runs[name] = max(1, min(MAX_RUNS, int(TURN_MS / max(estimate, 1e-3))))
        times[name] = engines[name].bench(path, 1, runs[name])
    return times


def measure_cell(engines, path, rounds, foreign_cores):
    """({engine: [ms]}, foreign cores) of the quietest `rounds` rounds; `foreign_cores(f)` gives f() and that number."""
    measured, runs = [], {}
    for turn in range(rounds * MAX_REPEATS):
        times, foreign = foreign_cores(lambda: measure_round(engines, path, runs, turn % 2 == 1))
        measured.append((foreign, turn, times))
        if sum(each[0] <= QUIET_CORES for each in measured) >= rounds:
            break
    kept = sorted(measured, key=lambda each: each[:2])[:rounds]
    times = {name: [ms for _, _, each in kept for ms in each[name]] for name in engines}
    return times, sum(each[0] for each in kept) / len(kept)


def percentile(ordered, fraction):
    at = fraction * (len(ordered) - 1)
    low = int(at)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (at - low)


def summary(times):
    ordered = sorted(times)
    at = {"median_ms": 0.5, "min_ms": 0, "p10_ms": 0.1, "p90_ms": 0.9}
    return {**{key: round(percentile(ordered, fraction), 4) for key, fraction in at.items()}, "runs": len(ordered)}


def foreign_cores_of(engines):
    """The second argument of measure_cell, for these engines."""
    pids = [os.getpid()] + [engine.process.pid for engine in engines.values()]

    def measured(work):
        before, start = busy_seconds(pids), time.perf_counter()
        result = work()
        after, seconds = busy_seconds(pids), time.perf_counter() - start
        return result, max(0.0, (after[0] - before[0]) - (after[1] - before[1])) / seconds

    return measured


def agreement(engines, path, folder):
    """{engine: greatest absolute difference from the first engine's answer, and that answer's greatest element}."""
    import numpy as np

    answers = {}
    for name, engine in engines.items():
        out = os.path.join(folder, "answer.bin")
        engine.ask("infer", path, out)
        answers[name] = np.fromfile(out, np.float32)
    reference = next(iter(answers.values()))
    found = {}
    for name, value in answers.items():
        if value.shape != reference.shape:
            raise RuntimeError(f"{name} answers {value.size} elements, {next(iter(answers))} {reference.size}")
        found[name] = {"max_difference": float(np.abs(value - reference).max()),
                       "max_answer": float(np.abs(reference).max())}
    return found


def measure(model, threads, arguments, folder):
    """All cells of one model and thread count: {engine: record}."""
    shapes = [tuple(map(int, cell.split("x"))) for cell in arguments.cells.split(",")]
    first_input = write_inputs(os.path.join(folder, "first.bin"), *FIRST_CELL, padded=False)
    engines, records = {}, {}
    try:
        for name in arguments.engines:
            with Lock(arguments.lock):
                engines[name], records[name] = start_engine(name, model, threads, arguments, first_input)
        for batch, sequence in shapes:
            path = write_inputs(os.path.join(folder, "cell.bin"), batch, sequence, padded=False)
            with Lock(arguments.lock):
                times, foreign = measure_cell(engines, path, arguments.rounds, foreign_cores_of(engines))
            for name, values in times.items():
                records[name]["cells"][f"{batch}x{sequence}"] = {**summary(values), "foreign_cores": round(foreign, 2)}
            told = ", ".join(f"{name} {summary(values)['median_ms']:.2f}" for name, values in times.items())
            print(f"{model} {threads} thread(s) {batch}x{sequence}: {told} ms; foreign {foreign:.2f}", flush=True)
        padded = write_inputs(os.path.join(folder, "padded.bin"), 4, 48, padded=True)
        for name, found in agreement(engines, padded, folder).items():
            records[name]["agreement"] = found
    finally:
        for engine in engines.values():
            engine.close()
    return records


def environment(arguments):
    """What the numbers belong to."""
    lscpu = subprocess.run(["lscpu"], capture_output=True, text=True, env=dict(os.environ, LC_ALL="C")).stdout
    fields = dict(line.split(":", 1) for line in lscpu.splitlines() if ":" in line)
    flags = fields.get("Flags", "").split()
    git = lambda *words: subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True).stdout.strip()
    versions = {}
    for name in arguments.engines:
        engine = Engine(name, 1, arguments)
        versions[name] = engine.ask("version")
        engine.close()
    return {
        "cpu": fields.get("Model name", "").strip(), "cpus": os.cpu_count(),
        "isa": [flag for flag in ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
                                  "amx_int8", "amx_bf16") if flag in flags],
        "commit": git("rev-parse", "--short=12", "HEAD") + ("+changes" if git("status", "--porcelain") else ""),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "versions": versions,
    }


def told_command(words):
    """The command as others can repeat it: without this machine's folders."""
    told = []
    for word in words:
        option, equals, value = word.rpartition("=") if word.startswith("--") else ("", "", word)
        if os.path.isabs(value):
            inside = os.path.relpath(value, ROOT)
            value = os.path.basename(value.rstrip("/")) if inside.startswith("..") else inside
        told.append(option + equals + value)
    return " ".join(["benchmarks/compare.py", *told])


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", default=os.path.join(ROOT, "build", "benchmarks", "neural_engine_worker"))
    parser.add_argument("--engines", default=",".join(DEFAULT_ENGINES), help="of " + ", ".join(ENGINES))
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--models-dir", default=os.path.join(ROOT, ".cache", "benchmark_models"))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--cells", default=CELLS, help="batch x sequence, separated by commas (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lock", help="a file to flock while measuring")
    parser.add_argument("--cpus", help="the CPUs that the engines may run on, such as 0,1")
    parser.add_argument("--output", default=os.path.join(HERE, "results", "compare"), help="prefix of the files written")
    parser.add_argument("--verbose", action="store_true", help="show what the engines print")
    arguments = parser.parse_args()
    arguments.engines = arguments.engines.split(",")
    unknown = set(arguments.engines) - set(ENGINES)
    if unknown:
        parser.error(f"unknown engine {', '.join(sorted(unknown))}; there are {', '.join(ENGINES)}")
    if OURS in arguments.engines and not os.access(arguments.worker, os.X_OK):
        parser.error(f"{arguments.worker} is not an executable: build neural_engine_worker or give --worker")
    return arguments


def main():
    arguments = parse()
    python_env.enter("models")
    import compare_report
    import export_models

    export_models.ensure(arguments.models_dir, arguments.models.split(","))
    result = {"environment": environment(arguments), "command": told_command(sys.argv[1:]),
              "rounds": arguments.rounds, "results": {}}
    os.makedirs(os.path.dirname(os.path.abspath(arguments.output)), exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.models.split(","):
            for threads in map(int, arguments.threads.split(",")):
                result["results"].setdefault(model, {})[str(threads)] = measure(model, threads, arguments, folder)
                # Kept after every block: a long run that is interrupted leaves what it measured.
                with open(arguments.output + ".json", "w") as f:
                    json.dump(result, f, indent=1)
    table = compare_report.markdown(result)
    with open(arguments.output + ".md", "w") as f:
        f.write(table)
    compare_report.plot(result, arguments.output + ".svg")
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
