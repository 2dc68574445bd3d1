#!/usr/bin/env python3
"""What 8 bits cost in accuracy: quantizes a text classifier in several ways and compares its answers with fp32's.

    python3 benchmarks/int8_accuracy.py --binary build/release/neural_engine --model minilm_a=MODEL.onnx \
        --calibration calib.tsv --data dev.tsv test.tsv [--ways default percentile ...] --json results.json

Prints a Markdown table: accuracy, loss against fp32 in points on the mean of the data sets with the 95 % margin of paired
predictions, agreement of predictions. Answers that --json has already are not computed again.
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

OBSERVERS = ["min_max", "moving_average", "percentile", "entropy", "mse"]
SMOOTH = "version: 1\nsmooth_quant: {enabled: true, alpha: %s}\n"
# name -> (flags of `quantize`, recipe)
WAYS = {"default": ([], ""), "default, padded": (["--pad_multiple=64"], "")}
for observer in OBSERVERS:
    WAYS[observer] = ([f"--observer={observer}"], "")
    WAYS[observer + ", padded"] = ([f"--observer={observer}", "--pad_multiple=64"], "")
WAYS |= {
    "smooth 0.5": ([], SMOOTH % "0.5"),
    "smooth per_layer": ([], SMOOTH % "per_layer"),
    "bias_correction": ([], "version: 1\nbias_correction: true\n"),
    "residuals too": ([], "version: 1\nop_types: {Residual: {precision: int8}}\n"),
    "per_tensor weights": ([], "version: 1\nglobal: {weight: {granularity: per_tensor}}\n"),
    "7 bits": ([], "version: 1\nglobal: {activation: {reduce_range: true}, weight: {reduce_range: true}}\n"),
    "dynamic": (["--approach=dynamic"], ""),
    "dynamic_per_token": (["--approach=dynamic_per_token"], ""),
    "bf16": ([], "version: 1\nglobal: {precision: bf16}\n"),
}


def read_rows(path):
    with open(path, encoding="utf-8") as file:
        header = file.readline().rstrip("\n").split("\t")
        rows = [line.rstrip("\n").split("\t") for line in file]
    label, text = header.index("label"), header.index("text")
    return [int(row[label]) for row in rows], [row[text] for row in rows]


def answers(args, model, texts, folder):
    path = os.path.join(folder, "texts.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(text + "\n" for text in texts))
    command = [args.binary, "run", f"--model={model}", f"--text_file={path}", f"--max_length={args.max_length}",
               "--batch_size=16", "--json"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [json.loads(line)["label"] for line in lines]


def quantize(args, model, way, folder):
    flags, recipe = WAYS[way]
    output = os.path.join(folder, "model.ne")
    command = [args.binary, "quantize", f"--model={model}", f"--output={output}", f"--max_length={args.max_length}",
               f"--samples={args.samples}", f"--calibration={args.calibration}"] + flags
    if recipe:
        path = os.path.join(folder, "recipe.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(recipe)
        command.append(f"--config={path}")
    subprocess.run(command, check=True, capture_output=True)
    return output


def row(name, labels, reference, found):
    """labels, reference and found: a list per data set."""
    def rate(a, b):
        return sum(x == y for x, y in zip(a, b)) / len(a)
    accuracy = [rate(a, b) for a, b in zip(found, labels)]
    baseline = [rate(a, b) for a, b in zip(reference, labels)]
    flat = [(x, y, z) for a, b, c in zip(labels, reference, found) for x, y, z in zip(a, b, c)]
    lost = sum(y == x != z for x, y, z in flat) / len(flat)
    gained = sum(z == x != y for x, y, z in flat) / len(flat)
    margin = 1.96 * math.sqrt((lost + gained - (lost - gained) ** 2) / len(flat))
    loss = sum(baseline) / len(baseline) - sum(accuracy) / len(accuracy)
    agreement = sum(y == z for _, y, z in flat) / len(flat)
    each = " / ".join(f"{100 * value:.2f}" for value in accuracy)
    return f"| {name} | {each} | {100 * loss:+.2f} ± {100 * margin:.2f} | {100 * agreement:.1f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--model", required=True, help="NAME=PATH")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--max_length", type=int, default=64)
    parser.add_argument("--json", required=True, help="answers are kept here")
    args = parser.parse_args()
    name, path = args.model.split("=", 1)
    sets = [read_rows(each) for each in args.data]
    labels = [each[0] for each in sets]
    kept = {}
    if os.path.exists(args.json):
        with open(args.json, encoding="utf-8") as file:
            kept = json.load(file)
    found = kept.setdefault(name, {})
    for way in ["fp32"] + args.ways:
        missing = [i for i in range(len(sets)) if i >= len(found.setdefault(way, []))]
        with tempfile.TemporaryDirectory() as folder:
            model = path if way == "fp32" or not missing else quantize(args, path, way, folder)
            for i in missing:
                found[way].append(answers(args, model, sets[i][1], folder))
                with open(args.json + ".new", "w", encoding="utf-8") as file:
                    json.dump(kept, file)
                os.replace(args.json + ".new", args.json)
        print(row(way, labels, found["fp32"], found[way]), file=sys.stderr)
    print(f"| {name} | accuracy % | loss, points | agreement % |\n|---|---|---|---|")
    for way in ["fp32"] + args.ways:
        print(row(way, labels, found["fp32"], found[way]))


if __name__ == "__main__":
    main()
