#!/usr/bin/env python3
"""Runs the engine over a folder of cases and compares with the answers that lie beside them.

    tests/run_zoo.py --binary build/neural_engine [--zoo tests/data/zoo] [--only PART] [--jobs N]

A case is a folder with a model and test_data_set_<n>/{input_<i>.pb,output_<i>.pb}. The model is model.onnx (made by
tests/zoo/make_zoo.py), model.pb (a frozen TensorFlow graph), or the folder itself: saved_model.pb (a SavedModel; both by
tests/tensorflow/make_cases.py), config.json (a model of Hugging Face's) or conf.yaml.
Each data set runs in a process of its own, so that a crash costs one case. A refusal counts as a failure unless
--allow-refused is given: what the zoo holds is what users export. Exit status 1 when a case fails.

The tolerance is |found - expected| <= atol + rtol * |expected|, rtol 1e-3 and atol 1e-4. The answers are torch's in
fp32. Another order of summation moves these small networks by about 1e-6 (ONNX Runtime differs from torch by at most
5e-6 on all of them), and polynomials in place of libm's functions may add some 1e-5. The weights keep answers near 1, so
that a wrong mask, axis or scale moves them by more than 1e-2. The limits stand between the two.

Needs Python's standard library only: the answers are compared by the binary.
"""
import argparse
import collections
import concurrent.futures
import glob
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Exit statuses of `neural_engine run`.
STATUS = {0: "passed", 1: "wrong", 2: "usage", 3: "refused"}
TIMEOUT_S = 120

Result = collections.namedtuple("Result", "case status message")


def run_data_set(arguments, case, data_set):
    files = [os.path.join(case, name) for name in ("model.onnx", "model.pb")]
    model = next((path for path in files if os.path.exists(path)), case)
    command = [arguments.binary, "run", f"--model={model}", f"--inputs={data_set}",
               f"--expect={data_set}", f"--rtol={arguments.rtol}", f"--atol={arguments.atol}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return "hung", f"no answer in {TIMEOUT_S} s"
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    # Of a model with many outputs, those that differ.
    said = [line for line in said if "NOT as expected" in line] or said
    message = " | ".join(" ".join(line.split()) for line in said[-3:])
    if done.returncode < 0:
        return "crashed", f"signal {-done.returncode}; {message}"
    return STATUS.get(done.returncode, "crashed"), message


def run_case(arguments, case):
    """The first data set that does not pass speaks for the case."""
    sets = sorted(glob.glob(os.path.join(case, "test_data_set_*")))
    if not sets:
        return Result(os.path.basename(case), "usage", "the case has no test_data_set_*")
    for data_set in sets:
        status, message = run_data_set(arguments, case, data_set)
        if status != "passed":
            return Result(os.path.basename(case), status, f"{os.path.basename(data_set)}: {message}")
    return Result(os.path.basename(case), "passed", "")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "neural_engine"))
    parser.add_argument("--zoo", default=os.path.join(ROOT, "tests", "data", "zoo"))
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--rtol", default="1e-3")
    parser.add_argument("--atol", default="1e-4")
    parser.add_argument("--jobs", type=int, default=1, help="cases at a time")
    parser.add_argument("--allow-refused", action="store_true", help="a refusal is no failure")
    parser.add_argument("--failures-only", action="store_true", help="print no line for a case that passed")
    arguments = parser.parse_args()
    if not os.access(arguments.binary, os.X_OK):
        parser.error(f"{arguments.binary} is not an executable; give --binary")
    return parser, arguments


def main():
    parser, arguments = parse()
    models = [path for name in ("model.onnx", "model.pb", "saved_model.pb", "config.json", "conf.yaml")
              for path in glob.glob(os.path.join(arguments.zoo, "*", name))]
    cases = [case for case in sorted({os.path.dirname(path) for path in models}) if arguments.only in os.path.basename(case)]
    if not cases:
        parser.error(f"no cases in {arguments.zoo}" + (f" with {arguments.only} in their name" if arguments.only else ""))
    counts = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for result in pool.map(lambda case: run_case(arguments, case), cases):
            counts[result.status] += 1
            if result.status != "passed" or not arguments.failures_only:
                print(f"{result.status:8} {result.case}  {result.message}".rstrip(), flush=True)
    refused = counts["refused"] if arguments.allow_refused else 0
    failed = sum(counts.values()) - counts["passed"] - refused
    print(f"{counts['passed']} passed, {failed} failed" + (f", {refused} refused" if arguments.allow_refused else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
