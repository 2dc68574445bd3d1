#!/usr/bin/env python3
"""Tests of benchmarks/compare.py and its report; a stand-in plays the engines. Standard library only."""
import argparse
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "benchmarks"), os.path.join(ROOT, "scripts")]
import compare  # noqa: E402
import compare_report  # noqa: E402

ARGUMENTS = argparse.Namespace(worker=os.path.join(HERE, "fake_worker.py"), verbose=False, cpus=None, models_dir="m")


class Engines(unittest.TestCase):
    def test_starts_and_measures(self):
        engine, record = compare.start_engine(compare.OURS, "bert", 2, ARGUMENTS, "first.bin")
        self.addCleanup(engine.close)
        self.assertEqual((record["first_ms"], record["peak_mib"]), (100.0, 2.0))
        self.assertEqual(engine.ask("version"), "fake 1.0")
        # 600 ms a turn at 100 ms a run: six runs in each of two turns.
        self.assertEqual(len(compare.measure_cell({"a": engine}, "cell.bin", rounds=2)["a"]), 12)

    def test_tells_what_an_engine_refuses(self):
        with self.assertRaisesRegex(RuntimeError, "neural_engine: err Error: no such model .asked: load"):
            compare.start_engine(compare.OURS, "refused", 1, ARGUMENTS, "first.bin")

    def test_tells_that_an_engine_died(self):
        with self.assertRaisesRegex(RuntimeError, "its process died"):
            compare.start_engine(compare.OURS, "dies", 1, ARGUMENTS, "first.bin")

    def test_order_is_reversed_every_round(self):
        asked = []

        class Recorder:
            def __init__(self, name):
                self.name = name

            def bench(self, _path, warmup, runs):
                if runs > 1:
                    asked.append(self.name)
                return [1.0] * runs

        compare.measure_cell({name: Recorder(name) for name in "abc"}, "cell.bin", rounds=3)
        self.assertEqual("".join(asked), "abccbaabc")


class Report(unittest.TestCase):
    def result(self):
        def record(median, foreign=0.0):
            cell = {"median_ms": median, "min_ms": median / 2, "runs": 5, "foreign_cores": foreign}
            return {"start_s": 0.1, "load_s": 0.2, "first_ms": 3.0, "peak_mib": 100.0, "cells": {"1x16": cell},
                    "agreement": {"max_difference": 1e-6, "max_answer": 2.0}}

        return {
            "environment": {"cpu": "A CPU", "cpus": 2, "isa": ["avx2"], "commit": "abc", "date": "today",
                            "versions": {"onnxruntime": "ORT 1", "neural_engine": "ne 1"}},
            "command": "benchmarks/compare.py", "rounds": 5,
            "results": {"bert": {"1": {"onnxruntime": record(10.0), "neural_engine": record(4.0, foreign=0.5)}}},
        }

    def test_summary(self):
        self.assertEqual(compare.summary([3.0, 1.0, 2.0]), {"median_ms": 2.0, "min_ms": 1.0, "runs": 3})
        self.assertEqual(compare.summary([4.0, 1.0])["median_ms"], 2.5)

    def test_table_marks_the_fastest_and_the_disturbed(self):
        text = compare_report.markdown(self.result())
        self.assertIn("### bert, 1 thread\n", text)
        self.assertIn("| onnxruntime | 10.00 (5.00) |", text)
        self.assertIn("| neural_engine | **4.00 (2.00) 2.50x** * |", text)

    def test_tells_memory_agreement_and_where_it_was_measured(self):
        text = compare_report.markdown(self.result())
        self.assertIn("| bert | 1 | neural_engine | 0.10 | 0.20 | 3.0 | 100 | 1.0e-06 of 2 |", text)
        self.assertIn("CPU: A CPU, 2 CPUs (avx2). ORT 1; ne 1. Commit abc, today.", text)


if __name__ == "__main__":
    unittest.main()
