#!/usr/bin/env python3
"""What a busy neighbour costs: two threads of which one's core is taken by another process, beside one thread alone.

    python3 benchmarks/busy_neighbour.py --binary=build/release/neural_engine --model=models/tiny_a/model.onnx

Runs the engine's benchmark with one thread on a free core, then with two threads on that core and on one where another
process spins, in turn; prints the medians over the rounds and their ratio as JSON. Exit status 1 above --limit (1.3).
"""
import argparse
import json
import os
import statistics
import subprocess
import sys


def latency_ms(args, cpus):
    command = [args.binary, "benchmark", f"--model={args.model}", "--batch_size=1", f"--seq_len={args.seq_len}",
               f"--iterations={args.iterations}", f"--threads={len(cpus)}", "--json"]
    run = subprocess.run(["taskset", "-c", ",".join(map(str, cpus)), *command], capture_output=True, text=True,
                         check=True)
    report = json.loads(run.stdout)
    if report["threads"] != len(cpus):
        sys.exit(f"{report['threads']} threads ran, {len(cpus)} were asked for")
    return report["latency_ms"]["mean"]


def beside_neighbour(args, cpus):
    spin = subprocess.Popen(["taskset", "-c", str(cpus[-1]), sys.executable, "-c", "while True: pass"])
    try:
        return latency_ms(args, cpus)
    finally:
        spin.kill()
        spin.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--seq_len", type=int, default=128)
    parser.add_argument("--iterations", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.3)
    args = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))[:2]
    if len(cpus) < 2:
        sys.exit("needs two CPUs")
    # The mean, not the median: a stall of a scheduler's slice in one run of twenty is what is looked for.
    alone, beside, free = [], [], []
    for _ in range(args.rounds):
        alone.append(latency_ms(args, cpus[:1]))
        beside.append(beside_neighbour(args, cpus))
        free.append(latency_ms(args, cpus))
    ratio = statistics.median(beside) / statistics.median(alone)
    print(json.dumps({"model": args.model, "seq_len": args.seq_len, "one_thread_ms": statistics.median(alone),
                      "two_threads_free_ms": statistics.median(free),
                      "two_threads_beside_busy_ms": statistics.median(beside), "ratio": ratio}))
    return 0 if ratio <= args.limit else 1


if __name__ == "__main__":
    sys.exit(main())
