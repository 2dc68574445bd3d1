#!/usr/bin/env python3
"""Trains the small tokenizers of tests/data/tokenizer: bpe.json, spm.json, clip.json, prefix.json, unigram.json.

    venv/bin/python train_test_tokenizers.py FOLDER TEXT...

Only the models of these files matter; the other parts come from variants.json. Training is not deterministic (ties go by
hash order), so goldens.txt has to be made anew after it.
"""
import json
import pathlib
import sys
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hostile_text


def corpus(folder, paths):
    lines = (folder / "real.txt").read_text(encoding="utf-8").splitlines()
    for line in lines:
        yield from [line] * 8
    raw = [line.encode() for line in lines]
    for index in range(1, 4000):
        yield hostile_text.make(index, raw).decode("utf-8", "replace")
    for path in paths:
        yield from pathlib.Path(path).read_text(encoding="utf-8").splitlines()


def save(tokenizer, path):
    value = json.loads(tokenizer.to_str())
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main():
    folder, paths = pathlib.Path(sys.argv[1]), sys.argv[2:]
    texts = list(corpus(folder, paths))

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=2000, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    save(bpe, folder / "bpe.json")

    spm = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    spm.pre_tokenizer = pre_tokenizers.Metaspace()
    spm.decoder = decoders.Metaspace()
    spm.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=1500, special_tokens=["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)],
        limit_alphabet=300, show_progress=False))
    save(spm, folder / "spm.json")

    clip = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=False))
    clip.normalizer = normalizers.Lowercase()
    clip.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    clip.decoder = decoders.BPEDecoder()
    clip.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<unk>"], end_of_word_suffix="</w>", limit_alphabet=150, show_progress=False))
    save(clip, folder / "clip.json")

    prefix = Tokenizer(models.BPE(unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True))
    prefix.normalizer = normalizers.NFC()
    prefix.pre_tokenizer = pre_tokenizers.Whitespace()
    prefix.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    prefix.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=600, special_tokens=["<unk>"], continuing_subword_prefix="##", limit_alphabet=120,
        show_progress=False))
    save(prefix, folder / "prefix.json")

    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.decoder = decoders.Metaspace()
    few_letters = [text for text in texts if max(map(ord, text), default=0) < 0x250]
    unigram.train_from_iterator(few_letters, trainers.UnigramTrainer(
        vocab_size=1200, special_tokens=["<unk>", "<s>"], unk_token="<unk>", show_progress=False, max_piece_length=12))
    save(unigram, folder / "unigram.json")


if __name__ == "__main__":
    main()
