#!/usr/bin/env bash
# The runner as a user calls it: answers, exit statuses, messages, and files that appear whole or not at all.
# usage: runner_test.sh NEURAL_ENGINE
set -uo pipefail
engine=$1
root=$(cd "$(dirname "$0")/../.." && pwd)
model=$root/models/tiny_a/model.onnx
case_dir=$root/tests/data/zoo/$(ls "$root/tests/data/zoo" | grep -v '\.json$' | head -n 1)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# expect STATUS PATTERN COMMAND...: the exit status, and a pattern in standard output or standard error.
expect() {
  local status=$1 pattern=$2 found
  shift 2
  "$@" >"$scratch/out" 2>&1
  found=$?
  if [ "$found" -ne "$status" ] || { [ -n "$pattern" ] && ! grep -qE -- "$pattern" "$scratch/out"; }; then
    echo "FAILED: $*: status $found (expected $status), no /$pattern/ in:"
    cat "$scratch/out"
    failures=$((failures + 1))
  fi
}

# Answers.
expect 0 '^games	0\.' "$engine" run --model="$model" --text="a chess game for the terminal"
printf 'a chess game\npython bindings for a library\n' >"$scratch/texts"
expect 0 '^python	' "$engine" run --model="$model" --text_file="$scratch/texts" --batch_size=2
expect 0 '"name":"games"' "$engine" run --model="$model" --text="a chess game for the terminal" --json
expect 0 '^accuracy 0\.[5-7]' "$engine" evaluate --model="$model" --data="$root/models/tiny_a/test.tsv" --batch_size=8
expect 1 'is missed' "$engine" evaluate --model="$model" --data="$root/models/tiny_a/test.tsv" --target=0.99
expect 0 'as expected' "$engine" run --model="$case_dir/model.onnx" --inputs="$case_dir/test_data_set_0" \
  --expect="$case_dir/test_data_set_0" --atol=1e-4
expect 0 'latency ms' "$engine" benchmark --model="$model" --seq_len=16 --iterations=3 --w=1
expect 0 '"p99"' "$engine" benchmark --model="$model" --seq_len=16 --iterations=3 --warmup=1 --json --instances=1
expect 0 'sum of the steps' "$engine" benchmark --model="$model" --seq_len=16 --iterations=3 --warmup=1 --roofline
expect 2 'one instance' "$engine" benchmark --model="$model" --roofline --instances=2
expect 0 'kernel ' "$engine" inspect --model="$model" --explain --seq_len=16 --trace="$scratch/trace.json"
expect 0 'traceEvents' cat "$scratch/trace.json"
expect 0 'return "logits"' "$engine" inspect --model="$model" --graph
expect 0 'Softmax' "$engine" inspect --operators
# Memory is predicted, and a run keeps to it: 24 MiB for the program and its libraries.
expect 0 'released [1-9].* predicted peak [1-9]' "$engine" inspect --model="$model" --seq_len=16
"$engine" benchmark --model="$model" --seq_len=16 --iterations=3 --json >"$scratch/memory.json"
read -r predicted resident \
  < <(sed -nE 's/.*"predicted_peak":([0-9]+),"peak_resident":([0-9]+).*/\1 \2/p' "$scratch/memory.json")
expect 0 '' test "${predicted:-0}" -gt 1000000 -a "${resident:-0}" -gt 1000000
expect 0 '' test "${resident:-0}" -lt $((predicted + 24 * 1048576))

# Random inputs, outputs written and read again.
expect 0 'logits' "$engine" run --model="$model" --seq_len=8 --output_dir="$scratch/answers"
expect 0 'NUMPY' head -c 8 "$scratch/answers/logits.npy"

# .ne: the same answers, and the same bytes when it is converted again.
expect 0 'parameters' "$engine" convert --model="$model" --output="$scratch/a.ne"
expect 0 'parameters' "$engine" convert --model="$scratch/a.ne" --output="$scratch/b.ne"
expect 0 '' cmp "$scratch/a.ne" "$scratch/b.ne"
expect 0 'logits' "$engine" run --model="$scratch/a.ne" --seq_len=8 --output_dir="$scratch/again"
expect 0 '' cmp "$scratch/answers/logits.npy" "$scratch/again/logits.npy"

# 8 bits: .ne and ONNX of one calibration compute the same; the model is not touched; the tokenizer goes along.
cp "$model" "$scratch/before.onnx"
mkdir "$scratch/small" && cut -f 2 "$root/models/tiny_a/test.tsv" >"$scratch/texts.tsv"
expect 0 '[0-9]+ of [0-9]+ operations in fewer bits' "$engine" quantize --model="$model" --calibration="$scratch/texts.tsv" \
  --samples=16 --max_length=64 --output="$scratch/small/model.ne"
expect 0 '"precision":"int8"' "$engine" quantize --model="$model" --calibration="$scratch/texts.tsv" --json \
  --samples=16 --max_length=64 --output="$scratch/small/model.onnx"
expect 0 '' cmp "$model" "$scratch/before.onnx"
expect 0 '^games	0\.' "$engine" run --model="$scratch/small/model.ne" --text="a chess game for the terminal"
expect 0 'agreement 100.00 %' "$engine" compare --model="$scratch/small/model.ne" --with="$scratch/small/model.onnx" \
  --data="$scratch/texts.tsv" --rows=8 --min_cosine=0.9999
expect 0 '^accuracy .* points' "$engine" compare --model="$model" --with="$scratch/small/model.ne" --rows=20 \
  --data="$root/models/tiny_a/test.tsv"
expect 1 'first layer with a cosine below' "$engine" compare --model="$model" --with="$scratch/small/model.ne" --rows=4 \
  --data="$root/models/tiny_a/test.tsv" --min_cosine=0.9999999
printf 'version: 1\nops: [{name: "layer.1.attention", precision: fp32}]\n' >"$scratch/recipe.yaml"
expect 0 'fp32  /Add_7' "$engine" quantize --model="$model" --config="$scratch/recipe.yaml" --approach=dynamic \
  --output="$scratch/small/dynamic.ne"
printf 'version: 1\nops: [{name: "decoder", precision: fp32}]\n' >"$scratch/recipe.yaml"
expect 3 '"decoder" matches no operation' "$engine" quantize --model="$model" --config="$scratch/recipe.yaml" \
  --approach=dynamic --output="$scratch/small/none.ne"
expect 3 'was not run on any input' "$engine" quantize --model="$model" --output="$scratch/small/none.ne"
expect 2 'is neither a .ne nor an .onnx' "$engine" quantize --model="$model" --output="$scratch/small/none.txt"
expect 1 '' test -e "$scratch/small/none.ne"

# Tuning: a report, nothing left behind; a goal that cannot be met writes nothing.
mkdir "$scratch/tuned"
expect 0 'tuned/model.ne: trial' "$engine" tune --model="$model" --data="$root/models/tiny_a/test.tsv" --rows=40 --samples=16 \
  --max_length=64 --max_loss=10% --output="$scratch/tuned/model.ne" --report="$scratch/tuned/report"
expect 0 '"best": 1' cat "$scratch/tuned/report/report.json"
expect 0 '</html>' cat "$scratch/tuned/report/report.html"
expect 1 '' test -e "$scratch/tuned/model.ne.journal"
expect 1 'nothing was written' "$engine" tune --model="$model" --data="$root/models/tiny_a/test.tsv" --rows=40 --samples=16 \
  --max_length=64 --target=0.999 --max_trials=1 --output="$scratch/tuned/none.ne"
expect 1 '' test -e "$scratch/tuned/none.ne"
expect 2 'is not a number' "$engine" tune --model="$model" --data="$root/models/tiny_a/test.tsv" --max_loss=much --output="$scratch/x.ne"
expect 3 'there is no strategy' "$engine" tune --model="$model" --data="$root/models/tiny_a/test.tsv" --rows=8 --samples=8 \
  --strategy=none --output="$scratch/x.ne"

# Ctrl-C keeps the best so far, and the journal, from which the same command goes on.
tune_all=("$engine" tune --model="$model" --data="$root/models/tiny_a/test.tsv" --rows=16 --samples=8 --max_length=64
  --max_loss=90% --strategy=exhaustive --output="$scratch/tuned/stopped.ne")
"${tune_all[@]}" --max_trials=0 >"$scratch/stopped.txt" 2>"$scratch/stopped.err" &
search=$!
for _ in $(seq 600); do
  grep -q 'trial 2: .*meets the goal' "$scratch/stopped.err" && break
  sleep 0.2
done
kill -INT "$search"
expect 0 '' wait "$search"
expect 0 'interrupted after' cat "$scratch/stopped.txt"
expect 0 '' test -s "$scratch/tuned/stopped.ne"
expect 0 'trial 2: .*from the journal' "${tune_all[@]}" --max_trials=2
expect 1 '' test -e "$scratch/tuned/stopped.ne.journal"

# 1: a comparison fails.
mkdir "$scratch/wrong" && cp "$case_dir"/test_data_set_0/*.pb "$scratch/wrong"
expect 1 'NOT as expected' "$engine" run --model="$case_dir/model.onnx" --inputs="$case_dir/test_data_set_0" \
  --expect="$case_dir/test_data_set_0" --rtol=0 --atol=-1

# 2: wrong usage.
expect 2 'there is no command "fly"' "$engine" fly
expect 2 '--model is missing' "$engine" run
expect 2 'has no flag --metric' "$engine" benchmark --model="$model" --metric=f1
expect 2 'cannot be "many"' "$engine" benchmark --model="$model" --iterations=many
expect 2 'no input "ids"' "$engine" run --model="$model" --shapes=ids=1x2
expect 2 'is none of' "$engine" evaluate --model="$model" --data=x --metric=luck

expect 2 '--max_memory is "4Q"' "$engine" run --model="$model" --max_memory=4Q
expect 2 '--max_memory is "0"' "$engine" convert --model="$model" --output="$scratch/x.ne" --max_memory=0

# 3: model or data refused; nothing is left behind.
expect 3 'constants of [0-9]+ bytes, the limit is 1024 bytes' "$engine" convert --model="$model" --output="$scratch/x.ne" --max_memory=1K
expect 3 'a run with inputs of shape .*the limit is' "$engine" benchmark --model="$model" --batch_size=64 --seq_len=128 --max_memory=30M
expect 1 '' test -e "$scratch/x.ne"
head -c 1000000 "$model" >"$scratch/short.onnx"
expect 3 'short.onnx' "$engine" run --model="$scratch/short.onnx"
expect 3 'No such file|cannot be opened|cannot open' "$engine" run --model="$scratch/none.onnx"
head -c 1000 "$scratch/a.ne" >"$scratch/short.ne"
expect 3 'short.ne.*long' "$engine" inspect --model="$scratch/short.ne"
printf 'label\tname\n1\tx\n' >"$scratch/bad.tsv"
expect 3 'line 1: the header' "$engine" evaluate --model="$model" --data="$scratch/bad.tsv"
printf 'label\ttext\n1\tx\nsix\ty\n' >"$scratch/bad.tsv"
expect 3 'line 3: label "six"' "$engine" evaluate --model="$model" --data="$scratch/bad.tsv"
expect 3 'cannot create a file' "$engine" convert --model="$model" --output="$scratch/no/such/folder.ne"
expect 1 '' test -e "$scratch/no"

[ "$failures" -eq 0 ] && echo "the runner does what docs/CLI.md says"
exit $((failures > 0))
