#!/usr/bin/env bash
# Sets up, builds a release, classifies real texts with a real model, and compresses it: accuracy, size and latency before
# and after.
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
echo "== The same model in 8 bits, calibrated on the 100 texts of models/tiny_a/calib.tsv"
small=build/demo/tiny_a.ne
mkdir -p build/demo
"$engine" quantize --model="$model" --calibration=models/tiny_a/calib.tsv --max_length=64 --output="$small" | tail -n 1
"$engine" run --model="$small" --max_length=64 --text="turn-based strategy game with online multiplayer"

for each in "$model" "$small"; do
  echo
  echo "== $each: $(($(stat -c %s "$each") / 1000)) kB"
  echo "-- accuracy on the labelled texts of models/tiny_a/test.tsv"
  "$engine" evaluate --model="$each" --data=models/tiny_a/test.tsv --metric=accuracy --max_length=64 --target=0.5
  echo "-- latency at batch 1, 64 tokens"
  "$engine" benchmark --model="$each" --batch_size=1 --seq_len=64 --iterations=200
done
