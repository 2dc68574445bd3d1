#!/usr/bin/env python3
"""Writes docs/OPERATORS.md: the operators of ONNX and TensorFlow that the engine takes, and what the ONNX suite says.

    tests/make_operators_doc.py --binary build/neural_engine [--result build/node_cases.json] [--output docs/OPERATORS.md]

The opsets come from the engine itself (`neural_engine inspect --operators --json`), the cases from the result that
tests/run_node_cases.py wrote. With --check nothing is written: exit status 1 when the file is not what it would be.
"""
import argparse
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests"))
from run_node_cases import reason  # noqa: E402

HEAD = """# Operators

What ONNX files may use comes first, what TensorFlow's may use is [below](#tensorflow).

Made by `tests/make_operators_doc.py`; do not edit by hand.

*Opsets* are the versions of the operator set whose form of the operator the engine honours; a model of another version
is refused when it is loaded, as is an attribute, a type or a form that a case below names. *Cases* are those of the ONNX
backend test suite ({suite}; {kinds}) whose graph has the operator: passed of all, compared with rtol 1e-3 and atol 1e-7.

{passed} of {total} cases pass, {refused} are refused, {failed} fail.
"""


def listed_operators(binary):
    command = [binary, "inspect", "--operators", "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def supported_ranges(listed):
    """{(domain, operator): [(since, until), ...]}, merged where they touch."""
    ranges = collections.defaultdict(list)
    for op in listed:
        for form in op.get("onnx", []):
            domain = form.get("domain", op.get("domain", ""))
            ranges["" if domain == "ai.onnx" else domain, form["op_type"]].append((form["since"], form["until"]))
    return {key: merge(found) for key, found in ranges.items()}


def merge(ranges):
    merged = []
    for since, until in sorted(ranges):
        if merged and since <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
        else:
            merged.append((since, until))
    return merged


def cases_by_operator(records):
    found = collections.defaultdict(list)
    for record in records:
        for domain, op_type in record["operators"]:
            found[domain, op_type].append(record)
    return found


def title(key):
    domain, op_type = key
    return f"{domain}::{op_type}" if domain else op_type


def tally(records):
    return f"{sum(record['status'] == 'pass' for record in records)} / {len(records)}" if records else "none"


def escape(text):
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def operator_table(ranges, by_operator):
    lines = ["## Supported operators", "", "| Operator | Opsets | Cases |", "|---|---|---|"]
    for key in sorted(ranges, key=lambda k: (k[0], k[1].lower())):
        opsets = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges[key])
        lines.append(f"| {title(key)} | {opsets} | {tally(by_operator.get(key, []))} |")
    return lines


def refused_list(records):
    """Refused cases by reason, the most frequent first."""
    groups = collections.defaultdict(list)
    for record in records:
        if record["status"] == "refused":
            groups[reason(record["message"])].append(record["name"])
    lines = ["## Refused cases", "", "`N` stands for a number or a shape.", "", "| Reason | Cases |", "|---|---|"]
    for text, names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"| {escape(text)} | {', '.join(names)} |")
    return lines


def unsupported_list(ranges, by_operator):
    missing = sorted((key for key in by_operator if key not in ranges), key=lambda k: (k[0], k[1].lower()))
    return ["## Operators of the suite that are not supported", "", ", ".join(map(title, missing)) or "None."]


def tensorflow_table(listed):
    families = collections.defaultdict(list)
    for op in listed:
        if "tensorflow" in op:
            families[op["tensorflow"]].append(op["name"])
    lines = ["## TensorFlow", "", "Attributes and dtypes that an operator here does not honour are refused with its name.",
             "", "| Family | Operators |", "|---|---|"]
    return lines + [f"| {family} | {', '.join(sorted(names, key=str.lower))} |" for family, names in families.items()]


def document(listed, result):
    ranges = supported_ranges(listed)
    records = result["cases"]
    counts = collections.Counter(record["status"] for record in records)
    head = HEAD.format(suite=result["suite"], kinds=", ".join(result["kinds"]), passed=counts["pass"],
                       total=len(records), refused=counts["refused"],
                       failed=len(records) - counts["pass"] - counts["refused"])
    by_operator = cases_by_operator(records)
    parts = [operator_table(ranges, by_operator), unsupported_list(ranges, by_operator), refused_list(records), tensorflow_table(listed)]
    return head + "\n" + "\n\n".join("\n".join(part) for part in parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "neural_engine"))
    parser.add_argument("--result", default=os.path.join(ROOT, "build", "node_cases.json"))
    parser.add_argument("--output", default=os.path.join(ROOT, "docs", "OPERATORS.md"))
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is out of date")
    arguments = parser.parse_args()
    with open(arguments.result) as f:
        text = document(listed_operators(arguments.binary), json.load(f))
    if arguments.check:
        with open(arguments.output) as f:
            same = f.read() == text
        print("up to date" if same else f"{arguments.output} is out of date: run tests/make_operators_doc.py")
        return 0 if same else 1
    os.makedirs(os.path.dirname(os.path.abspath(arguments.output)), exist_ok=True)
    with open(arguments.output, "w") as f:
        f.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
