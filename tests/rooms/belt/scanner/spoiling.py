"""Feeds the loops in C with texts, words, bytes and spoiled tables, to be run under a sanitizer: `python spoiling.py SEED SECONDS`."""

import contextlib
import random
import sys
import time

from safebelt.rooms.belt.scanner import _fast, _words, arrays, native
from safebelt.rooms.belt.scanner.fold import fold_whole
from safebelt.rooms.belt.scanner.terms import LEET_BYTES
from safebelt.rooms.belt.scanner.views import Reading, plain_words
from safebelt.rooms.belt.scanner.words import Words

TRICKY = "aB1 ,务运行\u200b\u00ad\u0301ß…ﷺ🅰Ａ㍿\U000e0061\ud800\U0010ffff\n\t*é"
LETTERS = "ab1 务运行é.<"
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


def words(draw: random.Random) -> list[str]:
    """Words that share beginnings, of any length and any character; none with a blank at an end."""
    made = {
        "".join(draw.choices(LETTERS, k=draw.choice((1, 2, 2, 3, 5, 70)))).strip()
        for _ in range(draw.choice((0, 1, 3, 90)))
    }
    made |= {one + chr(draw.randrange(0x110000)) for one in made if draw.random() < 0.2}
    return sorted(one for one in made if one.strip() == one and "  " not in one and one)


def look(draw: random.Random) -> None:
    one, listed = text(draw), words(draw)
    in_c, by_arrays = fold_whole(one), arrays.fold_whole(one)
    assert (in_c.data, in_c.classes, in_c.is_moved) == (by_arrays.data, by_arrays.classes, by_arrays.is_moved)
    assert not in_c.is_moved or list(in_c.origin) == list(by_arrays.origin)
    tree, known = native.tree(listed, GAP), Words({word: (word,) for word in listed}, lambda _: 0)
    shown = (in_c.data, True) if in_c.entries is None else (in_c.entries, False)
    found = {(listed[word], start, end) for word, start, end in tree.find(*shown)}
    assert found == set(plain_words(known, Reading(in_c.text)))
    runs, data = tree.spelled(*shown), in_c.data.replace(b"\n", b" ").replace(b"\t", b" ")
    assert native.glance(tree, tree)(one) == (None if in_c.is_moved or found or runs else data)
    table = list(native.have_table())
    which = draw.randrange(len(table))
    table[which] = spoiled(table[which], draw)
    leet, junk = (
        native.tree(listed, draw.choice((0, 1, 8, 4_000_000_000)), LEET_BYTES),
        draw.randbytes(draw.randrange(300)),
    )
    for ask in (
        lambda: tree.find(junk, True),
        lambda: tree.find(junk, False),
        lambda: tree.spelled(junk, draw.random() < 0.5),
        lambda: tree.spelled(*shown),
        lambda: leet.find(*shown),
        lambda: leet.find(junk, draw.random() < 0.5),
        lambda: leet.spelled(*shown),
        lambda: native.tree(listed[::-1], GAP),
        lambda: _fast.fold(*table, draw.choice((0, 3, 63)), one),
        lambda: _fast.origins(*table, draw.choice((0, 3, 63)), one),
        lambda: _fast.classes(junk),
        lambda: _words.Glance(*table, tree, tree).look(one),
    ):
        with contextlib.suppress(ValueError):  # refused, not followed
            ask()


def main() -> None:
    draw, end, count = random.Random(int(sys.argv[1])), time.monotonic() + float(sys.argv[2]), 0
    while time.monotonic() < end:
        look(draw)
        count += 1
    print(count)


if __name__ == "__main__":
    main()
