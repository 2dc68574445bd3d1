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
        times, foreign = compare.measure_cell({"a": engine}, "cell.bin", 2, lambda work: (work(), 0.0))
        self.assertEqual((len(times["a"]), foreign), (12, 0.0))

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

        compare.measure_cell({name: Recorder(name) for name in "abc"}, "cell.bin", 3, lambda work: (work(), 0.0))
        self.assertEqual("".join(asked), "abccbaabc")

    def test_keeps_the_quietest_rounds(self):
        class Counter:
            def __init__(self):
                self.turn = 0.0

            def bench(self, _path, _warmup, runs):
                if runs > 1:
                    self.turn += 1
                return [self.turn] * runs

        noise = iter([0.5, 0.0, 0.9, 0.1])
        times, foreign = compare.measure_cell({"a": Counter()}, "cell.bin", 2, lambda work: (work(), next(noise)))
        self.assertEqual((set(times["a"]), foreign), ({2.0, 4.0}, 0.05))
        # On a machine that is never quiet it ends, with the least disturbed.
        noise = iter([0.5, 0.4, 0.9, 0.8, 0.7, 0.6])
        times, foreign = compare.measure_cell({"a": Counter()}, "cell.bin", 2, lambda work: (work(), next(noise)))
        self.assertEqual(set(times["a"]), {1.0, 2.0})
        self.assertAlmostEqual(foreign, 0.45)

    def test_command_names_no_folder_of_this_machine(self):
        words = ["--worker", "/elsewhere/build/neural_engine_worker", "--models-dir=/data/models", "--threads", "1,2",
                 os.path.join(ROOT, "build", "worker")]
        self.assertEqual(compare.told_command(words), "benchmarks/compare.py --worker neural_engine_worker "
                         "--models-dir=models --threads 1,2 build/worker")


class Report(unittest.TestCase):
    def result(self):
        def record(median, foreign=0.0):
            cell = {"median_ms": median, "min_ms": median / 2, "p10_ms": median * 0.9, "p90_ms": median * 1.2, "runs": 5,
                    "foreign_cores": foreign}
            return {"start_s": 0.1, "load_s": 0.2, "first_ms": 3.0, "peak_mib": 100.0, "cells": {"1x16": cell},
                    "agreement": {"max_difference": 1e-6, "max_answer": 2.0}}

        return {
            "environment": {"cpu": "A CPU", "cpus": 2, "isa": ["avx2"], "commit": "abc", "date": "today",
                            "versions": {"onnxruntime": "ORT 1", "neural_engine": "ne 1"}},
            "command": "benchmarks/compare.py", "rounds": 5,
            "results": {"bert": {"1": {"onnxruntime": record(10.0), "neural_engine": record(4.0, foreign=0.5)}}},
        }

    def test_summary(self):
        self.assertEqual(compare.summary([3.0, 1.0, 2.0]),
                         {"median_ms": 2.0, "min_ms": 1.0, "p10_ms": 1.2, "p90_ms": 2.8, "runs": 3})
        self.assertEqual(compare.summary([4.0, 1.0])["median_ms"], 2.5)

    def test_table_marks_the_fastest_and_the_disturbed(self):
        text = compare_report.markdown(self.result())
        self.assertIn("### bert, 1 thread\n", text)
        self.assertIn("| onnxruntime | 10.00 (5.00; -10..+20 %) |", text)
        self.assertIn("| neural_engine | **4.00 (2.00; -10..+20 %) 2.50x** * |", text)

    def test_tells_ratios_to_the_best_peer(self):
        text = compare_report.markdown(self.result())
        self.assertIn("| bert | 1 | 2.50 (onnxruntime) | 1.00 (onnxruntime) | 1.00 (onnxruntime) | 1.00 (onnxruntime) |",
                      text)

    def test_tells_memory_agreement_and_where_it_was_measured(self):
        text = compare_report.markdown(self.result())
        self.assertIn("| bert | 1 | neural_engine | 0.10 | 0.20 | 3.0 | 100 | 1.0e-06 of 2 |", text)
        self.assertIn("CPU: A CPU, 2 CPUs (avx2). ORT 1; ne 1. Commit abc, today.", text)


if __name__ == "__main__":
    unittest.main()
