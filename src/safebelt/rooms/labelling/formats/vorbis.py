"""Vorbis comments: a vendor, and a list of `NAME=value` in UTF-8, where the label is `AIGC=`.

Source: Ogg Vorbis I format specification, comment field and header specification (Xiph.Org); names are compared
without regard to case.  What follows the list (a framing bit, the padding of Opus) belongs to whoever holds it.
"""

import struct
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, Broken, Found
from safebelt.rooms.labelling.formats.patches import is_label_field, text_of

MAX_COMMENTS = 1 << 16


@dataclass(frozen=True, slots=True)
class Comments:
    """A block of comments: what stands before the number of entries, the entries, and what follows them."""

    vendor: bytes
    entries: tuple[bytes, ...]
    rest: bytes


def parsed(block: bytes) -> Comments:
    """Return the comments of a block.

    Raises:
        Broken: An entry ends beyond the block, or there are too many.
    """
    start = 4 + _number(block, 0)
    count, at = _number(block, start), start + 4
    if count > MAX_COMMENTS:
        raise Broken("too many Vorbis comments")
    entries = list[bytes]()
    for _entry in range(count):
        end = at + 4 + _number(block, at)
        if end > len(block):
            raise Broken("a Vorbis comment that ends beyond its block")
        entries.append(block[at + 4 : end])
        at = end
    return Comments(block[:start], tuple(entries), block[at:])


def labels(block: bytes, place: str, at: int | None, *, is_native: bool = True) -> list[Found]:
    """Return every label of a block."""
    found = list[Found]()
    for entry in parsed(block).entries:
        name, value = _split(entry)
        if is_label_field(name, value):
            is_ours = is_native and name == "AIGC"
            found.append(Found(place=f"{place} {name}", value=value, is_native=is_ours, at=at, length=len(block)))
    return found[:MAX_FOUND]


def rewritten(block: bytes, line: str | None) -> bytes:
    """Return a block with one label, as the last entry, or with none."""
    old = parsed(block)
    entries = [entry for entry in old.entries if not is_label_field(*_split(entry))]
    if line is not None:
        entries.append(b"AIGC=" + line.encode())
    return _made(old.vendor, entries) + old.rest


def replaced(block: bytes, other: bytes) -> bytes:
    """Return a block with the entries of another one, and its own vendor."""
    mine = parsed(block)
    return _made(mine.vendor, list(parsed(other).entries)) + mine.rest


def fresh(line: str) -> bytes:
    """Return a new block with a label; the vendor is nobody."""
    return _made(struct.pack("<I", 0), [b"AIGC=" + line.encode()])


def _made(vendor: bytes, entries: list[bytes]) -> bytes:
    pieces = [vendor, struct.pack("<I", len(entries))]
    for entry in entries:
        pieces += [struct.pack("<I", len(entry)), entry]
    return b"".join(pieces)


def _split(entry: bytes) -> tuple[str, str]:
    name, _, value = entry.partition(b"=")
    return text_of(name), text_of(value)


def _number(block: bytes, at: int) -> int:
    if at + 4 > len(block):
        raise Broken("Vorbis comments that end too early")
    return int.from_bytes(block[at : at + 4], "little")
