"""Feeds what cuts bodies and counts words in C with bodies and with what is none, to be run under a sanitizer.

`python spoiling.py SEED SECONDS` prints how many it fed.
"""

import contextlib
import json
import random
import sys
import time
from typing import Any

from safebelt.rooms.belt.proxy._shapes import part
from safebelt.rooms.labelling.decide._lang import counts

NAMES = (b"content", b"text", b"id")
PIECES = [
    b'"content"', b'"id"', b'"text"', b'"a"', b":", b" : ", b'"', b"\\", b"\\u", b"d83d", b"\\ude00", b"00e9", b"{", b"}",
    b"[", b"]", b",", b"1", b"0", b"123456789012345", b"1.5", b"e3", b"-", b"\x00", b"\x01", b"\x02", b"\n", b" ",
    b"\xff", b"\xe4\xbd\xa0", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80",
]  # fmt: skip
JUNK: tuple[Any, ...] = (None, "x", 1, [], (), (b"a",) * 5, ("a",), b"x", True, bytearray(b"{}"))


def body(draw: random.Random) -> bytes:
    """JSON, JSON cut or changed somewhere, or pieces of it in any order."""
    if draw.random() < 0.5:
        return b"".join(draw.choices(PIECES, k=draw.choice((0, 1, 4, 20, 300))))
    text = "".join(draw.choices('ab"\\\n\x00é务🅰', k=draw.choice((0, 1, 30, 2_000))))
    made = json.dumps(
        {"id": text, "n": draw.randrange(10**18), "m": [{"content": text}]}, ensure_ascii=draw.random() < 0.5
    )
    raw = bytearray(made.encode())
    for _ in range(draw.choice((0, 0, 1, 3))):
        raw[draw.randrange(len(raw))] = draw.randrange(256)
    return bytes(raw[: draw.choice((len(raw), draw.randrange(len(raw))))])


def main(seed: int, seconds: float) -> None:
    draw, fed, until = random.Random(seed), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        raw, with_numbers = body(draw), draw.random() < 0.5
        parted = part(raw, NAMES, with_numbers)
        if parted is not None:
            cuts = iter(parted[2])
            assert b"".join(next(cuts) if byte in (1, 2) else bytes([byte]) for byte in parted[0]) == raw
        asked: list[Any] = [raw, NAMES, with_numbers]
        asked[draw.randrange(3)] = draw.choice(JUNK)
        with contextlib.suppress(TypeError, ValueError):
            part(*asked[: draw.choice((2, 3, 3, 3))])
        counts("".join(draw.choices("aZ 1é你\ud800🅰", k=draw.choice((0, 1, 7, 500)))))
        fed += 1
    sys.stdout.write(str(fed))


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
