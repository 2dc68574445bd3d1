#!/usr/bin/env python3
"""Makes the zoo: small networks with random weights, exported to ONNX, with torch's answers.

    tests/zoo/make_zoo.py --output DIR --all            every network in every variant
    tests/zoo/make_zoo.py --output DIR --only bert,t5   the entries with these names (as in --list)
    tests/zoo/make_zoo.py --output tests/data/zoo --selection     the cases that the repository holds

A case is a folder in the layout of the ONNX backend tests, named <network>_<exporter><opset>[_sdpa]. manifest.json says
of each how it was made, which operators it has and by how much ONNX Runtime differs from torch; it also lists what an
exporter refused, and what it exported wrongly: a file that ONNX Runtime refuses or that does not compute torch's answers
is no case.
A case that is there already is kept: delete its folder to make it anew. tests/run_zoo.py runs the engine over it.
"""
import argparse
import collections
import json
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "scripts"))
import python_env  # noqa: E402

# Committed: one of each kind of network, both exporters, old and new opsets.
SELECTION = (
    "albert_answer_dynamo18_sdpa", "bert_script11", "bloom_generate_dynamo18", "conv_text_dynamo20",
    "conv_text_script17", "deberta_v2_script17", "distilbert_dynamo18_sdpa", "dlrm_bag_script13", "dlrm_script11",
    "gpt2_cached_dynamo18_sdpa", "gpt2_generate_script14", "gpt_neox_dynamo20", "gru_dynamo18", "llama_script17_sdpa",
    "lstm_packed_script13", "mobilebert_tag_dynamo18_sdpa", "modernbert_dynamo20", "mpnet_fill_script14",
    "roberta_classify_script14", "t5_encoder_script13", "vit_classify_dynamo18_sdpa",
)


def describe(entry, variant, model, path, differences):
    operators = collections.Counter(
        (node.domain + "::" if node.domain else "") + node.op_type for node in model.graph.node)
    return {
        "network": entry.name, "exporter": variant.exporter, "opset": variant.opset, "attention": variant.attention,
        "ir_version": model.ir_version, "bytes": os.path.getsize(path), "nodes": len(model.graph.node),
        "operators": dict(sorted(operators.items())), "onnxruntime_difference": max(differences),
    }


def make_case(entry, variant, folder):
    """Writes the case into `folder`. Returns ("cases" | "refused" | "wrong", what the manifest says of it)."""
    from exporters import Disagreement, Refused, RuntimeCheck, export, torch_answers
    from onnx_case import write_data_sets

    who = {"exporter": variant.exporter, "opset": variant.opset, "network": entry.name}
    path = os.path.join(folder, "model.onnx")
    try:
        module, model = export(entry, variant, path)
        check = RuntimeCheck(path)
        given = {value.name for value in model.graph.input}
        sets, differences = [], []
        for seed, shape in enumerate(entry.shapes):
            inputs, outputs = torch_answers(module, entry, shape, seed)
            differences.append(check.compare(inputs, outputs))
            # An exporter drops an input that no answer depends on.
            sets.append(({k: v for k, v in inputs.items() if k in given}, outputs))
    except Refused as refusal:
        return "refused", {**who, "error": str(refusal)}
    except Disagreement as disagreement:
        return "wrong", {**who, "error": str(disagreement)}
    write_data_sets(folder, sets)
    return "cases", describe(entry, variant, model, path, differences)


class Manifest:
    """manifest.json, kept after every case so that an interrupted run goes on where it stopped."""
    PARTS = ("cases", "refused", "wrong")

    def __init__(self, folder):
        self.path = os.path.join(folder, "manifest.json")
        self.parts = {part: {} for part in self.PARTS}
        if os.path.exists(self.path):
            with open(self.path) as f:
                self.parts.update({k: v for k, v in json.load(f).items() if k in self.PARTS})

    def has(self, name, folder):
        if name in self.parts["cases"]:
            return os.path.exists(os.path.join(folder, name, "model.onnx"))
        return any(name in self.parts[part] for part in self.PARTS)

    def put(self, part, name, value):
        for other in self.PARTS:
            self.parts[other].pop(name, None)
        self.parts[part][name] = value
        import onnx
        import onnxruntime
        import torch
        import transformers

        made_by = {m.__name__: m.__version__ for m in (torch, transformers, onnx, onnxruntime)}
        content = {"made_by": made_by, **{part: dict(sorted(self.parts[part].items())) for part in self.PARTS}}
        with open(self.path + ".tmp", "w") as f:
            json.dump(content, f, indent=1)
        os.replace(self.path + ".tmp", self.path)


def all_entries():
    import other_entries
    import transformer_entries

    return transformer_entries.entries() + other_entries.entries()


def chosen(arguments):
    """(case name, entry, variant) of what the arguments ask for, TorchScript first: it takes a tenth of the time."""
    names = set(arguments.only.split(",")) if arguments.only else None
    cases = []
    for entry in all_entries():
        for variant in entry.variants:
            name = f"{entry.name}_{variant.suffix()}"
            wanted = name in SELECTION if arguments.selection else names is None or entry.name in names or name in names
            if wanted:
                cases.append((name, entry, variant))
    return sorted(cases, key=lambda case: case[2].exporter == "dynamo")


def make_and_move(output, name, entry, variant):
    """Made aside and moved: a reader of the folder never meets half a case."""
    start = time.time()
    target = os.path.join(output, name)
    with tempfile.TemporaryDirectory(dir=output, prefix=".making-") as making:
        made = os.path.join(making, name)
        part, about = make_case(entry, variant, made)
        shutil.rmtree(target, ignore_errors=True)
        if part == "cases":
            os.rename(made, target)
    return name, part, about, time.time() - start


TASKS = []  # inherited by the forked processes: networks cannot be sent to them


def run_task(index):
    return make_and_move(*TASKS[index])


def in_processes(tasks, jobs):
    """Each export in a process of its own, forked before torch computes anything: torch's exporters keep state, so that
    a second export of an LSTM to another opset is refused where the first is not."""
    TASKS[:] = tasks
    with multiprocessing.get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        yield from pool.imap_unordered(run_task, range(len(tasks)))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", help="folder for the cases")
    parser.add_argument("--all", action="store_true", help="every case")
    parser.add_argument("--only", help="networks or cases, separated by commas")
    parser.add_argument("--selection", action="store_true", help="the cases that the repository holds")
    parser.add_argument("--jobs", type=int, default=1, help="exports at a time")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and stop")
    arguments = parser.parse_args()
    if not arguments.list and (arguments.output is None
                               or [arguments.all, bool(arguments.only), arguments.selection].count(True) != 1):
        parser.error("give --output and one of --all, --only and --selection")
    return arguments


def main():
    arguments = parse()
    python_env.enter("models")
    import transformers

    import exporters  # noqa: F401  loaded once, before the processes are forked

    transformers.logging.set_verbosity_error()
    # The dynamo exporter warns of each operator library that is not installed, for every model.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    cases = chosen(arguments)
    if not cases:
        raise SystemExit(f"no network or case is called {arguments.only}; --list has the names")
    if arguments.list:
        print("\n".join(name for name, _, _ in cases))
        return 0
    os.makedirs(arguments.output, exist_ok=True)
    manifest = Manifest(arguments.output)
    missing = [(arguments.output, *case) for case in cases if not manifest.has(case[0], arguments.output)]
    for name, part, about, seconds in in_processes(missing, arguments.jobs):
        manifest.put(part, name, about)
        print(f"{part:8} {name} ({seconds:.1f} s) {about.get('error', '')}", flush=True)
    counts = {part: len(manifest.parts[part]) for part in Manifest.PARTS}
    print(f"{counts['cases']} cases, {counts['refused']} refused by an exporter, {counts['wrong']} exported wrongly")
    return 0


if __name__ == "__main__":
    sys.exit(main())
