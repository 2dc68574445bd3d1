#!/usr/bin/env python3
"""Tests of the scripts that run cases through the engine; a stand-in plays the engine. Standard library only."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests"), os.path.join(ROOT, "scripts")]
import make_operators_doc  # noqa: E402
import onnx_summary  # noqa: E402
import run_node_cases  # noqa: E402
import run_zoo  # noqa: E402

FAKE = os.path.join(HERE, "fake_engine.py")


def field(number, value):
    """A protobuf field: an integer, or bytes of less than 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    key = [number << 3 | 2] if number < 16 else [(number << 3 | 2) & 0x7F | 0x80, number >> 4]
    return bytes([*key, len(value)]) + value


def node(op_type, domain="", subgraph=b""):
    attribute = field(5, field(6, subgraph)) if subgraph else b""
    return field(1, field(4, op_type.encode()) + (field(7, domain.encode()) if domain else b"") + attribute)


def model(*nodes, opset=17):
    return field(1, 8) + field(7, b"".join(nodes)) + field(8, field(1, b"") + field(2, opset))


def make_case(root, name, content=model(node("Add"))):
    folder = os.path.join(root, name)
    os.makedirs(os.path.join(folder, "test_data_set_0"))
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(content)


def call(module, *arguments):
    """(exit status, lines on stdout) of a script's main()."""
    out = io.StringIO()
    with mock.patch.object(sys, "argv", ["script", *arguments]), contextlib.redirect_stdout(out):
        status = module.main()
    return status, out.getvalue().splitlines()


class OnnxSummary(unittest.TestCase):
    def summarize(self, content):
        with tempfile.NamedTemporaryFile() as f:
            f.write(content)
            f.flush()
            return onnx_summary.summarize(f.name)

    def test_finds_operators_of_all_domains_and_depths(self):
        inner = node("Loop", subgraph=node("Mul")) + node("Gelu", "com.microsoft")
        found = self.summarize(model(node("If", subgraph=inner), node("Add", "ai.onnx"), opset=13))
        self.assertEqual(found.opsets, {"": 13})
        self.assertEqual(found.operators, [("", "Add"), ("", "If"), ("", "Loop"), ("", "Mul"), ("com.microsoft", "Gelu")])

    def test_finds_operators_of_functions(self):
        function = field(25, field(7, field(4, b"Erf")))
        self.assertEqual(self.summarize(model(node("Mine", "my")) + function).operators, [("", "Erf"), ("my", "Mine")])

    def test_refuses_what_is_no_protobuf(self):
        with self.assertRaisesRegex(ValueError, "no ONNX model"):
            self.summarize(b"\x0f\x00")


class NodeCases(unittest.TestCase):
    def run_cases(self, names, *arguments):
        with tempfile.TemporaryDirectory() as data:
            for name in names:
                make_case(os.path.join(data, "node"), name)
            result = os.path.join(data, "result.json")
            status, lines = call(run_node_cases, f"--binary={FAKE}", f"--data={data}", f"--result={result}",
                                 "--minimum=1", *arguments)
            with open(result) as f:
                return status, lines, json.load(f)

    def test_all_pass(self):
        status, lines, result = self.run_cases(["a", "b"])
        self.assertEqual((status, lines[-1]), (0, "2 passed, 0 failed, 0 skipped"))
        self.assertEqual(result["cases"][0]["operators"], [["", "Add"]])
        self.assertEqual(result["cases"][0]["opset"], 17)

    def test_a_refusal_is_skipped_and_grouped_by_reason(self):
        status, lines, _ = self.run_cases(["a", "refused_1", "refused_2"])
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed, 2 skipped"))
        self.assertIn("    2  node (Foo): N is too much", lines)

    def test_a_wrong_answer_fails(self):
        status, lines, _ = self.run_cases(["a", "wrong_1"])
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed, 0 skipped"))

    def test_goes_on_after_crashes(self):
        status, lines, result = self.run_cases(["a", "b_crash", "c", "d_crash", "e_crash", "f", "g_error"])
        self.assertEqual((status, lines[-1]), (1, "3 passed, 4 failed, 0 skipped"))
        fates = {case["name"]: case["status"] for case in result["cases"]}
        self.assertEqual(fates, {"a": "pass", "b_crash": "crash", "c": "pass", "d_crash": "crash", "e_crash": "crash",
                                 "f": "pass", "g_error": "error"})

    def test_fails_below_the_minimum(self):
        status, lines, _ = self.run_cases(["a", "refused"], "--minimum=2")
        self.assertEqual(status, 1)
        self.assertIn("1 cases pass; at least 2 must", lines)

    def test_answers_of_a_random_generator_are_not_compared(self):
        status, lines, _ = self.run_cases(["a", "test_bernoulli_wrong", "test_training_dropout_wrong"])
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed, 2 skipped"))


class Zoo(unittest.TestCase):
    def run_zoo(self, names, *arguments):
        with tempfile.TemporaryDirectory() as zoo:
            for name in names:
                make_case(zoo, name)
            return call(run_zoo, f"--binary={FAKE}", f"--zoo={zoo}", *arguments)

    def test_all_pass(self):
        status, lines = self.run_zoo(["a", "b"])
        self.assertEqual((status, lines), (0, ["passed   a", "passed   b", "2 passed, 0 failed"]))

    def test_tells_what_failed(self):
        status, lines = self.run_zoo(["a", "b_wrong", "c_crash", "d_refused"])
        self.assertEqual(status, 1)
        self.assertIn("wrong    b_wrong  test_data_set_0: first line | is wrong", lines)
        self.assertTrue(any(line.startswith("crashed  c_crash  test_data_set_0: signal 11") for line in lines))
        self.assertEqual(lines[-1], "1 passed, 3 failed")

    def test_refusals_can_be_allowed(self):
        status, lines = self.run_zoo(["a", "b_refused"], "--allow-refused")
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed, 1 refused"))

    def test_can_choose_by_name(self):
        _, lines = self.run_zoo(["a", "b"], "--only=b", "--jobs=2", "--failures-only")
        self.assertEqual(lines, ["1 passed, 0 failed"])


class OperatorsDoc(unittest.TestCase):
    def test_writes_and_checks(self):
        record = dict(kind="node", opset=17, message="")
        result = {"suite": "onnx 1.17.0", "kinds": ["node"], "cases": [
            dict(record, name="test_add", status="pass", operators=[["", "Add"]]),
            dict(record, name="test_odd", status="refused", operators=[["", "Add"], ["", "Odd"]],
                 message="operator a|b of opset 17")]}
        with tempfile.TemporaryDirectory() as folder:
            source, output = os.path.join(folder, "r.json"), os.path.join(folder, "docs", "OPERATORS.md")
            with open(source, "w") as f:
                json.dump(result, f)
            arguments = [f"--binary={FAKE}", f"--result={source}", f"--output={output}"]
            self.assertEqual(call(make_operators_doc, *arguments)[0], 0)
            self.assertEqual(call(make_operators_doc, *arguments, "--check")[0], 0)
            with open(output) as f:
                text = f.read()
            with open(output, "a") as f:
                f.write("more\n")
            self.assertEqual(call(make_operators_doc, *arguments, "--check")[0], 1)
        self.assertIn("1 of 2 cases pass, 1 are refused, 0 fail.", text)
        self.assertIn("| Add | 7-23 | 1 / 2 |\n| Gelu | 20-23 | none |\n| com.microsoft::Gelu | 1 | none |", text)
        self.assertIn("not supported\n\nOdd\n", text)
        self.assertIn("| operator a\\|b of opset N | test_odd |", text)


if __name__ == "__main__":
    unittest.main()
