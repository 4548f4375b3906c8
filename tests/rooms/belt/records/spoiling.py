"""Feeds the lines in C with groups and with what is no group, to be run under a sanitizer: `python spoiling.py SEED SECONDS`."""

import contextlib
import random
import sys
import time
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from safebelt.rooms.belt.records import _lines, lines
from safebelt.rooms.belt.records.draft import Draft
from safebelt.rooms.belt.records.line import SALT_BYTES

LETTERS = 'ab"\\\n\x00\x1f\x7fé务🅰\ud800'
JUNK: tuple[Any, ...] = (None, b"x", "x", 1, -1, 1 << 70, 1.5, [], (), {}, {"a": ("s", -1)}, [b"short"], object())


def text(draw: random.Random, *, is_whole: bool = True) -> str:
    made = "".join(draw.choices(LETTERS, k=draw.choice((0, 1, 3, 30, 200))))
    return made.replace("\ud800", "") if is_whole else made


def group(draw: random.Random) -> list[Any]:
    """Arguments of `lines`."""
    ids = [text(draw) for _ in range(3)]
    drafts = [
        Draft(
            draw.choice(("intent", "outcome", "outcome", "note", text(draw))),  # type: ignore[arg-type]
            draw.choice(ids),
            draw.randbytes(draw.choice((0, 1, 60, 500))),
            draw.choice((None, draw.randbytes(draw.choice((0, 47, 48, 900, 120_000))))),
        )
        for _ in range(draw.choice((0, 1, 2, 9)))
    ]
    edge = [draw.choice((None, draw.randbytes(32))) for _ in range(draw.choice((0, 1, 4, 62)))]
    intents = {draw.choice(ids): (text(draw), draw.randrange(1 << 60))} if draw.random() < 0.5 else {}
    salts = draw.randbytes(SALT_BYTES * len(drafts))
    place = (text(draw), draw.randrange(1 << 40), draw.randrange(1 << 40), text(draw), text(draw))
    return [drafts, salts, *place, draw.randrange(1 << 40), intents, edge]


def spoil(draw: random.Random, asked: list[Any]) -> None:
    """Put something else in the place of one argument, of one draft, or of one thing in a draft."""
    if draw.random() < 0.5:
        asked[draw.randrange(len(asked))] = draw.choice(JUNK)
    else:
        one = {"type": text(draw, is_whole=False), "id": "i", "facts": b"", "data": None}
        one[draw.choice(list(one))] = draw.choice(JUNK)
        asked[0] = [*asked[0], draw.choice((SimpleNamespace(**one), *JUNK))]
        asked[1] += draw.randbytes(draw.choice((SALT_BYTES, SALT_BYTES, 3)))


def look(draw: random.Random) -> None:
    asked = group(draw)
    assert _lines.lines(*asked) == lines.plain(*asked)
    parts = tuple(draw.randbytes(draw.randrange(150)) for _ in range(draw.randrange(4)))
    for is_by_sums in (False, True):
        assert _lines.digest(parts, is_by_sums) == sha256(b"".join(parts)).digest()
    for _ in range(5):
        spoilt = list(asked)
        spoil(draw, spoilt)
        with contextlib.suppress(TypeError, ValueError, OverflowError, AttributeError):  # refused
            _lines.lines(*spoilt)


def main() -> None:
    draw, end, count = random.Random(int(sys.argv[1])), time.monotonic() + float(sys.argv[2]), 0
    while time.monotonic() < end:
        look(draw)
        count += 1
    print(count)


if __name__ == "__main__":
    main()
