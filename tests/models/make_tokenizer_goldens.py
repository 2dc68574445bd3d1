#!/usr/bin/env python3
"""Writes tests/data/tokenizer/goldens.txt: what Hugging Face's tokenizers says to real and hostile strings, as hashes.

    python3 -m venv venv && venv/bin/pip install 'tokenizers==0.22.2'
    venv/bin/python make_tokenizer_goldens.py REPOSITORY            # all tokenizers of variants.json
    venv/bin/python make_tokenizer_goldens.py REPOSITORY --only bpe_gpt2 --dump 100 103   # what it says, in words

A line of the file is a chunk of strings: a hash of the ids (with type ids and mask), of the offsets, and of the text that
the ids decode to. tests/models/tokenizer_golden_test.cpp makes the same strings and compares.

With --external FOLDER it does the same for other texts and tokenizers: FOLDER/texts.txt (a string a line) and
FOLDER/tokenizer.json or vocab.txt give FOLDER/goldens.txt, which the test reads when NE_TOKENIZER_GOLDENS names FOLDER.
"""
import argparse
import array
import json
import multiprocessing
import pathlib
import sys

import tokenizers
from tokenizers import Tokenizer
from tokenizers.implementations import BertWordPieceTokenizer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hostile_text

COUNT = 30_000  # where variants.json does not say more
CHUNK = 500
PRIME = (1 << 61) - 1
FACTOR = 0x9E3779B97F4A7C15


def mix(h, data):
    """A polynomial hash modulo a Mersenne prime: of the bytes as one number, and of what was before."""
    return (h * FACTOR + int.from_bytes(data, "little") + len(data)) % PRIME


def load(root, variant):
    data = root / "tests/data/tokenizer"
    if variant["base"] == "vocab.txt":
        options = dict(variant["options"])
        bert = BertWordPieceTokenizer(str(root / "models/tiny_a/vocab.txt"), lowercase=options.pop("lowercase", True))
        if options:
            bert._tokenizer.enable_truncation(**options)
        return bert._tokenizer
    value = json.loads((data / variant["base"]).read_text(encoding="utf-8"))
    value.update(variant.get("set", {}))
    value["model"].update(variant.get("model", {}))
    return Tokenizer.from_str(json.dumps(value))


def encodings(tokenizer, texts, pairs):
    # One at a time: a batch would be padded to its longest row.
    for i in range(0, len(texts)):
        yield tokenizer.encode(texts[i], texts[i + 1]) if pairs and i + 1 < len(texts) else tokenizer.encode(texts[i])


def hash_chunk(tokenizer, texts, pairs):
    ids_hash = offsets_hash = text_hash = 0
    for e in encodings(tokenizer, texts, pairs):
        ids = e.ids
        rows = array.array("Q", [i | t << 32 | m << 40 for i, t, m in zip(ids, e.type_ids, e.attention_mask)])
        ids_hash = mix(ids_hash, rows.tobytes())
        offsets_hash = mix(offsets_hash, array.array("Q", [a | b << 32 for a, b in e.offsets]).tobytes())
        text_hash = mix(text_hash, tokenizer.decode(ids, skip_special_tokens=False).encode())
    return ids_hash, offsets_hash, text_hash


def lines_of(path):
    return [line for line in path.read_bytes().split(b"\n") if line]


def strings(root, first, last):
    lines = lines_of(root / "tests/data/tokenizer/real.txt")
    return [hostile_text.make(i, lines).decode("utf-8", "replace") for i in range(first, last)]


def run(job):
    """The hashes of one range of strings, by variant; nothing for variants that have less strings."""
    root, variants, first, last = job
    texts = [strings(root, i, min(i + CHUNK, last)) for i in range(first, last, CHUNK)]
    result = []
    for v in variants:
        used = texts if first < v["strings"] else []
        tokenizer = load(root, v) if used else None
        result.append([hash_chunk(tokenizer, chunk, v.get("pairs", False)) for chunk in used])
    return result


def write(path, results):
    with open(path, "w") as out:
        out.write(f"tokenizers {tokenizers.__version__} chunk {CHUNK}\n")
        for name, count, hashes in results:
            out.write(f"{name} {count}\n")
            for row in hashes:
                out.write(" ".join(f"{h:x}" for h in row) + "\n")


def external(folder):
    path = folder / "tokenizer.json"
    tokenizer = (Tokenizer.from_file(str(path)) if path.exists()
                 else BertWordPieceTokenizer(str(folder / "vocab.txt"))._tokenizer)
    texts = [line.decode("utf-8", "replace") for line in lines_of(folder / "texts.txt")]
    hashes = [hash_chunk(tokenizer, texts[i:i + CHUNK], False) for i in range(0, len(texts), CHUNK)]
    write(folder / "goldens.txt", [("external", len(texts), hashes)])


def dump(root, variant, first, last):
    tokenizer = load(root, variant)
    texts = strings(root, first, last)
    for i, e in enumerate(encodings(tokenizer, texts, variant.get("pairs", False))):
        print(first + i, ascii(texts[i]), e.ids, e.offsets, ascii(tokenizer.decode(e.ids, skip_special_tokens=False)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--only")
    parser.add_argument("--dump", type=int, nargs=2)
    parser.add_argument("--count", type=int, help="strings for each, a multiple of 2000")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--external", type=pathlib.Path)
    args = parser.parse_args()
    if args.external:
        return external(args.external)
    variants = json.loads((args.root / "tests/data/tokenizer/variants.json").read_text(encoding="utf-8"))
    variants = [v for v in variants if args.only in (None, v["name"])]
    if args.dump:
        return dump(args.root, variants[0], *args.dump)
    for v in variants:
        v["strings"] = args.count or v.get("strings", COUNT)
    step = 4 * CHUNK
    jobs = [(args.root, variants, i, i + step) for i in range(0, max(v["strings"] for v in variants), step)]
    with multiprocessing.Pool() as pool:
        parts = pool.map(run, jobs, chunksize=1)
    results = [(v["name"], v["strings"], [h for part in parts for h in part[n]]) for n, v in enumerate(variants)]
    write(args.out or args.root / "tests/data/tokenizer/goldens.txt", results)


if __name__ == "__main__":
    main()
