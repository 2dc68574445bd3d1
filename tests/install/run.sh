#!/usr/bin/env bash
# Installs a build to a scratch folder, builds the program beside this file against it with CMake and with pkg-config, and
# runs both. usage: run.sh BUILD_DIR
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$1" --prefix "$scratch/prefix" >/dev/null
cmake -S "$source_dir/tests/install" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$scratch/build"
"$scratch/build/user" "$source_dir/models/tiny_a/model.onnx" | tee "$scratch/answer"
grep -q '^games ' "$scratch/answer"

export PKG_CONFIG_PATH="$scratch/prefix/lib/pkgconfig:$scratch/prefix/lib/x86_64-linux-gnu/pkgconfig"
sed -i "s|^prefix=.*|prefix=$scratch/prefix|" "$scratch"/prefix/lib*/pkgconfig/neural_engine.pc "$scratch"/prefix/lib/*/pkgconfig/neural_engine.pc 2>/dev/null || true
g++ "$source_dir/tests/install/main.cpp" $(pkg-config --cflags neural_engine) -o "$scratch/user" $(pkg-config --libs --static neural_engine)
"$scratch/user" "$source_dir/models/tiny_a/model.onnx" | grep -q '^games '
test -s "$scratch/prefix/share/bash-completion/completions/neural_engine"
"$scratch/prefix/bin/neural_engine" --version
