#!/usr/bin/env bash
# Passes the tests: a release (g++) with the ONNX node cases, the zoo's selection, an install and the unit tests whose code
# the optimizer or long runs matter for; then every unit test under ASan and UBSan (clang), and a short run of every
# fuzzer (NE_FUZZ_SECONDS each, 8 by default). --all also makes and runs the whole zoo (needs torch: minutes). The last
# line says how many passed.
set -uo pipefail
cd "$(dirname "$0")/.."

all=no
case "${1:-}" in
  "") ;;
  --all) all=yes ;;
  *) echo "usage: bash tests/run.sh [--all]" >&2; exit 2 ;;
esac
export fuzz_seconds=${NE_FUZZ_SECONDS:-8}

passed=0 failed=0 skipped=0
# Adds the counts of a line "N passed, N failed[, N skipped]"; a step that printed none counts as one failure.
count() {
  local line
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -n 1)
  if [ -z "$line" ]; then
    failed=$((failed + 1))
    echo "FAILED: $2 gave no result"
    return
  fi
  passed=$((passed + $(sed -E 's/^([0-9]+) passed.*/\1/' <<<"$line")))
  failed=$((failed + $(sed -E 's/.* ([0-9]+) failed.*/\1/' <<<"$line")))
  skipped=$((skipped + $(sed -nE 's/.* ([0-9]+) skipped.*/\1/p' <<<"$line" | grep . || echo 0)))
}

log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
step() { echo; echo "== $1 (at $SECONDS s)"; }

bash scripts/install_packages.sh --tests || exit 1

# ctest's own summary, as our closing line has it.
run_ctest() {
  ctest --test-dir "$1" --output-on-failure -j "$(nproc)" >"$log/ctest" 2>&1
  grep -E 'Failed|\*\*\*|tests passed|% tests' "$log/ctest"
  local total bad skip
  total=$(sed -nE 's/.*tests failed out of ([0-9]+)/\1/p' "$log/ctest")
  bad=$(sed -nE 's/.*tests passed, ([0-9]+) tests failed.*/\1/p' "$log/ctest")
  skip=$(grep -c 'Skipped' "$log/ctest")
  [ "${bad:-1}" = 0 ] || cat "$log/ctest" | tail -n 200
  echo "$((${total:-0} - ${bad:-1} - skip)) passed, ${bad:-1} failed, $skip skipped" >"$log/result"
  count "$log/result" "$2"
}

step "release build"
cmake --preset release -DNE_BUILD_TESTS=ON -DNE_BUILD_BENCHMARKS=ON \
  "-DNE_TEST_FOLDERS=kernels;models;executor;compressor;save" >/dev/null && cmake --build --preset release || exit 1

step "unit tests of the release: kernels, executor, tokenizers, compressor; install, runner, scripts"
run_ctest build/release "unit tests"

step "ONNX backend cases"
python3 tests/run_node_cases.py --binary build/release/neural_engine --kinds node,simple,light,pytorch-operator,pytorch-converted --result build/node_cases.json | tee "$log/nodes"
count "$log/nodes" "node cases"

step "zoo of exports: the selection in the repository"
python3 tests/run_zoo.py --binary build/release/neural_engine --zoo tests/data/zoo | tee "$log/zoo"
count "$log/zoo" "zoo"

if [ "$all" = yes ]; then
  step "zoo of exports: all"
  python3 tests/zoo/make_zoo.py --all --output build/zoo && python3 tests/run_zoo.py --binary build/release/neural_engine --zoo build/zoo | tee "$log/all"
  count "$log/all" "whole zoo"
fi

step "ASan and UBSan build (clang), with the fuzzers"
cmake --preset sanitize >/dev/null && cmake --build --preset sanitize || exit 1

# One folder's tests in one process (starting one per test would take longer than the tests): a line "FOLDER: N passed,
# N failed, N skipped", after the messages of what failed. A process that dies counts as one failure.
sanitized() {
  local name out bad
  name=$(basename "$1" _tests)
  out=$log/sanitized_$name
  "$1" --gtest_brief=1 >"$out" 2>&1
  local status=$?
  number() { sed -nE "s/^\\[  $1 *\\] ([0-9]+) tests?.*/\\1/p" "$out" | head -n 1; }
  bad=$(number FAILED)
  [ "$status" -eq 0 ] || bad=${bad:-1}
  [ -z "$bad" ] || tail -n 100 "$out"
  passed=$(number PASSED) skipped=$(number SKIPPED)
  echo "$name: ${passed:-0} passed, ${bad:-0} failed, ${skipped:-0} skipped"
}
export log
export -f sanitized

step "unit tests under ASan and UBSan"
printf '%s\n' build/sanitize/tests/*_tests | xargs -P "$(nproc)" -I{} bash -c 'sanitized {}' | tee "$log/sanitized"
for line in $(sed -nE 's/^[a-z_]+: ([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1,\2,\3/p' "$log/sanitized"); do
  IFS=, read -r good bad skip <<<"$line"
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
done

step "fuzzers, $fuzz_seconds s each"
# One target: a line "NAME: no finding in N runs", or the end of its log and "FAILED: NAME".
fuzz() {
  local name
  name=$(basename "$1" _fuzzer)
  mkdir -p "build/fuzz/$name"
  if "$1" -max_total_time="$fuzz_seconds" -rss_limit_mb=4096 -timeout=20 -artifact_prefix="build/fuzz/$name-" \
    "build/fuzz/$name" "tests/fuzz/corpus/$name" >"$log/$name" 2>&1; then
    echo "$name: no finding in $(sed -nE 's/^Done ([0-9]+) runs.*/\1/p' "$log/$name") runs"
  else
    tail -n 40 "$log/$name"
    echo "FAILED: $name"
  fi
}
export -f fuzz
printf '%s\n' build/sanitize/tests/fuzz/*_fuzzer | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}' | tee "$log/fuzz"
passed=$((passed + $(grep -c ': no finding in' "$log/fuzz")))
failed=$((failed + $(grep -c '^FAILED: ' "$log/fuzz")))

echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
