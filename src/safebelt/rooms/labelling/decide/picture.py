"""Where in a file its marks stand, as a drawing needs it.  Pure."""

from dataclasses import dataclass

from safebelt.rooms.labelling.model.checks import Checked

_LEAST_PERCENT = 0.6
"""Narrowest block that can still be seen, in per cent of the bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A mark on the bar that stands for the file.

    Attributes:
        start, width: Per cent of the bar.
        place: Where it is, as the format calls it.
        at: Offset in the file, in bytes.
        length: Its length in bytes.
    """

    start: float
    width: float
    place: str
    at: int
    length: int


def marks_on(found: Checked) -> tuple[Block, ...]:
    """Return the blocks of a file in which labels were found; those that are compressed have no place on the bar."""
    blocks = list[Block]()
    for label in found.labels:
        if label.at is None or not found.size:
            continue
        width = max(_LEAST_PERCENT, 100 * min(label.length, found.size) / found.size)
        start = min(100 * min(label.at, found.size) / found.size, 100 - width)
        blocks.append(
            Block(start=round(start, 2), width=round(width, 2), place=label.place, at=label.at, length=label.length)
        )
    return tuple(blocks)
