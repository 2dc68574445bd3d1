#!/usr/bin/env python3
"""Writes unicode_tables.inc: the character properties that Hugging Face's tokenizers sees, asked from the package itself.

That package mixes Unicode versions: its regular expressions know Unicode 16, lower-casing and numbers are Rust's
(Unicode 17), punctuation, control characters and non-spacing marks are those of Unicode 8, normal forms those of
Unicode 9. No single library gives the same answers, so each property is probed, code point by code point.

    python3 -m venv venv && venv/bin/pip install 'tokenizers==0.22.2'
    venv/bin/python make_unicode_tables.py > unicode_tables.inc
"""
import sys
import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
ALL = "".join(map(chr, CODE_POINTS))
CATEGORIES = "Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cs".split()
FLAGS = ["kWhitespace", "kRegexWord", "kWord", "kNumeric", "kPunctuation", "kControl", "kNonspacingMark",
         "kCombiningMark", "kNormalizes"]


def kept(pre_tokenizer, text=ALL):
    """The code points of `text` that are inside some piece."""
    return {ord(c) for _, (a, b) in pre_tokenizer.pre_tokenize_str(text) for c in text[a:b]}


def matched(pattern):
    return kept(pre_tokenizers.Split(Regex(pattern), "removed", invert=True))


def emptied(normalizer):
    return {c for c in CODE_POINTS if normalizer.normalize_str(chr(c)) == ""}


def bert(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on})


def numeric():
    """Digits(False) alternates pieces without and with numbers; U+0000, the first, is none."""
    pieces = pre_tokenizers.Digits(False).pre_tokenize_str(ALL)
    return {ord(c) for i, (_, (a, b)) in enumerate(pieces) if i % 2 for c in ALL[a:b]}


def rust_word():
    """`\\w` of Rust's regex crate: a character that joins the letter before it into one piece."""
    pieces = pre_tokenizers.Whitespace().pre_tokenize_str("".join(" a" + chr(c) for c in CODE_POINTS))
    return {ord(t[1]) for t, _ in pieces if len(t) == 2 and t[0] == "a"}


def normalizes():
    """Code points that decompose, or that canonical ordering moves (their combining class is not 0)."""
    nfd, nfkd = normalizers.NFD().normalize_str, normalizers.NFKD().normalize_str
    result = set()
    for c in CODE_POINTS:
        decomposed = nfkd(chr(c)) != chr(c)
        # A class other than 0 lets one of these marks (classes 240 and 1) pass, or be passed by, the character.
        moved = nfd("a\u0345" + chr(c)) != "a\u0345" + chr(c) or nfd("a" + chr(c) + "\u0334") != "a" + chr(c) + "\u0334"
        if decomposed or moved or c in (0x345, 0x334):
            result.add(c)
    return result


def properties():
    category = {}
    for i, name in enumerate(CATEGORIES):
        if name not in ("Cn", "Cs"):
            category.update((c, i) for c in matched(r"\p{%s}+" % name))
    everything = set(CODE_POINTS)
    space = everything - kept(pre_tokenizers.WhitespaceSplit())
    assert space == matched(r"\s+")
    assert matched(r"\d+") == {c for c, i in category.items() if CATEGORIES[i] == "Nd"}
    flags = [space, matched(r"\w+"), rust_word(), numeric(),
             everything - kept(pre_tokenizers.Punctuation("removed")),
             emptied(bert(clean_text=True)), emptied(bert(strip_accents=True)),
             emptied(normalizers.StripAccents()), normalizes()]
    table = [CATEGORIES.index("Cs")] * 0x110000
    for c in CODE_POINTS:
        table[c] = category.get(c, 0)
        for bit, members in enumerate(flags):
            if c in members:
                table[c] |= 1 << (5 + bit)
    return table


def lower_runs():
    """(first, last, step, difference) of code points whose lower case is one other code point."""
    lower = normalizers.Lowercase().normalize_str
    pairs = [(c, lower(chr(c))) for c in CODE_POINTS if lower(chr(c)) != chr(c)]
    assert [hex(c) for c, low in pairs if len(low) != 1] == ["0x130"]
    runs = []
    for c, low in pairs:
        if len(low) != 1:
            continue
        difference = ord(low) - c
        if runs and runs[-1][3] == difference:
            first, last, step, _ = runs[-1]
            if c - last in (1, 2) and step in (0, c - last):
                runs[-1] = (first, c, c - last, difference)
                continue
        runs.append((c, c, 0, difference))
    return [(a, b, s or 1, d) for a, b, s, d in runs]


def rows(items):
    line = ""
    for item in items:
        if len(line) + len(item) > 118:
            yield line.rstrip()
            line = ""
        line += item + " "
    yield line.rstrip()


def main():
    table = properties()
    runs = []
    for value in table:
        if runs and runs[-1][1] == value:
            runs[-1][0] += 1
        else:
            runs.append([1, value])
    out = sys.stdout
    out.write(f"// Made by make_unicode_tables.py from tokenizers {tokenizers.__version__}; do not edit.\n")
    out.write("// {length, properties} of the runs of code points from U+0000 to U+10FFFF.\n")
    out.write("constexpr uint32_t kPropertyRuns[][2] = {\n")
    out.write("\n".join(rows("{%d,%d}," % tuple(r) for r in runs)))
    out.write("\n};\n// {first, last, step, difference to the lower case}. U+0130 is not here: its lower case is two.\n")
    out.write("constexpr int32_t kLowerRuns[][4] = {\n")
    out.write("\n".join(rows("{%d,%d,%d,%d}," % r for r in lower_runs())))
    out.write("\n};\n")


if __name__ == "__main__":
    main()
