#!/usr/bin/env bash
# Sets up, builds a release, and classifies real texts with a real model: accuracy and speed.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/install_packages.sh
cmake --preset release -DNE_BUILD_TESTS=OFF -DNE_BUILD_BENCHMARKS=OFF >/dev/null
cmake --build --preset release --target neural_engine_tool
engine=build/release/neural_engine
model=models/tiny_a/model.onnx

echo
echo "== Which section of a distribution does a package belong to?"
"$engine" run --model="$model" --max_length=64 --text="command line tool that converts images between formats"
"$engine" run --model="$model" --max_length=64 --text="Python bindings for a linear algebra library"
"$engine" run --model="$model" --max_length=64 --text="turn-based strategy game with online multiplayer"
echo
echo "== Accuracy and speed on the labelled texts of models/tiny_a/test.tsv"
"$engine" evaluate --model="$model" --data=models/tiny_a/test.tsv --metric=accuracy --max_length=64 --target=0.5
echo
echo "== Latency at batch 1, 64 tokens"
"$engine" benchmark --model="$model" --batch_size=1 --seq_len=64 --iterations=200
