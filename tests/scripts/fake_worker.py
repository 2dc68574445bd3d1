#!/usr/bin/env python3
"""Stands in for an engine's worker where benchmarks/compare.py is tested. Asked to load "dies", it does."""
import sys


def answer(words):
    if words[0] == "load":
        if words[1] == "dies":
            sys.exit(1)
        if words[1] == "refused":
            return "err Error: no such model"
        return "ok "
    if words[0] == "bench":
        return "ok " + " ".join(str(100.0 + i) for i in range(int(words[3])))
    return {"rss": "ok 2048 0", "version": "ok fake 1.0"}.get(words[0], "err unknown request")


for line in sys.stdin:
    if line.strip() == "quit":
        break
    print(answer(line.split()), flush=True)
