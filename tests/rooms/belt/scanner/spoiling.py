"""Feeds the loops in C with texts, bytes and spoiled tables, to be run under a sanitizer: `python spoiling.py SEED SECONDS`."""

import contextlib
import random
import sys
import time

from safebelt.rooms.belt.scanner import _fast, native
from safebelt.rooms.belt.scanner.fold import fold_by_arrays, fold_whole
from safebelt.rooms.belt.scanner.pairs import Pairs

TRICKY = "aB1 ,务运行\u200b\u00ad\u0301ß…ﷺ🅰Ａ㍿\U000e0061\ud800\U0010ffff\n\t*é"
PAIRS = {"务运", "ab", "é务", "1B"}
GAP = 8


def text(draw: random.Random) -> str:
    size = draw.choice((0, 1, 2, 7, 60, 400))
    is_tricky = draw.random() < 0.6
    return "".join(draw.choice(TRICKY) if is_tricky else chr(draw.randrange(0x110000)) for _ in range(size))


def spoiled(table: bytes, draw: random.Random) -> bytes:
    out = bytearray(table[: draw.randrange(len(table) + 1)] if draw.random() < 0.3 else table)
    for _ in range(5 if out else 0):
        out[draw.randrange(len(out))] = draw.randrange(256)
    return bytes(out)


def look(draw: random.Random, fast: Pairs, plain: Pairs) -> None:
    one = text(draw)
    in_c, by_arrays = fold_whole(one), fold_by_arrays(one)
    assert (in_c.data, in_c.classes, in_c.is_moved) == (by_arrays.data, by_arrays.classes, by_arrays.is_moved)
    assert fast.are_in(in_c) == plain.are_in(in_c)
    table = list(native.packed())
    which = draw.randrange(len(table))
    table[which] = spoiled(table[which], draw)
    classes = bytes(draw.choice(b"hwspo\xff") for _ in range(draw.randrange(80)))
    marked = native.MarkedPairs(PAIRS, GAP)
    for ask in (
        lambda: marked.are_in(draw.randbytes(draw.randrange(80)), classes),
        lambda: _fast.fold(*table, draw.choice((0, 3, 63)), one),
    ):
        with contextlib.suppress(ValueError):  # refused, not followed
            ask()


def main() -> None:
    draw, end, count = random.Random(int(sys.argv[1])), time.monotonic() + float(sys.argv[2]), 0
    fast, plain = Pairs(PAIRS, GAP), Pairs(PAIRS, GAP, fast=False)
    while time.monotonic() < end:
        look(draw, fast, plain)
        count += 1
    print(count)


if __name__ == "__main__":
    main()
