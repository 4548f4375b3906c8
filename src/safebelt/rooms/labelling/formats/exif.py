"""Labels in EXIF, where the guide's annex and some producers put them: found, and blanked in place.

Sources: CIPA DC-008 (Exif 2.32: 4.6.2 structure, 4.6.4 image description, 4.6.5 user comment); TIFF 6.0, section 2;
TC260-PG-20259A annex B (UserComment).  Offsets in EXIF are absolute and producers' notes hide more of them, so a label
is blanked, not cut: nothing else in the block moves.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Buffer
from safebelt.rooms.labelling.formats.values import in_bytes, in_text

MAX_ENTRIES = 4096
"""Entries of one directory that are looked at; Exif defines fewer than 400 tags."""
_LEAST_BUDGET = 1 << 16
"""Bytes of values looked into, beside four times the block: values of a hostile block may all overlap."""
_NAMES = {
    0x010E: "ImageDescription", 0x0131: "Software", 0x013B: "Artist", 0x8298: "Copyright", 0x9286: "UserComment",
    0x927C: "MakerNote", 0x9C9B: "XPTitle", 0x9C9C: "XPComment", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject",
    0xA430: "CameraOwnerName",
}  # fmt: skip
_TEXTS = (1, 2, 7, 129)
"""Field types that carry text: BYTE (the XP tags), ASCII, UNDEFINED, UTF-8 (Exif 3.0)."""
MAX_DIRECTORIES = 1024
"""Directories followed; one is a page."""
_LEAST_TEXT = 8
"""Longest value that stands in its own entry: too short for a label."""
_SUBDIRECTORY = 0x8769
_SKIPPED = (0x02BC, 0x8649, 0x8773, 0x935C, 0x0201)
"""XMP, Photoshop's resources, colour profile, layers, thumbnail: structured; XMP is its own carrier's matter."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """A label in a tag.

    Attributes:
        tag: The tag's name.
        value: The label.
        start: Offset of its text in the block.
        end: Where it ends.
        is_wide: Whether a character takes two bytes.
    """

    tag: str
    value: str
    start: int
    end: int
    is_wide: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """How a TIFF structure counts: byte order, and 32 or, in BigTIFF, 64 bits.

    Attributes:
        order: `<` or `>`.
        is_big: Whether it is BigTIFF.
    """

    order: str
    is_big: bool

    @property
    def entry(self) -> int:
        """Bytes of an entry."""
        return 20 if self.is_big else 12

    @property
    def head(self) -> int:
        """Bytes of the number before the entries."""
        return 8 if self.is_big else 2

    @property
    def word(self) -> int:
        """Bytes of an offset, and of a value that stands in its entry."""
        return 8 if self.is_big else 4

    def value(self, raw: bytes) -> int:
        """Read a number of any width."""
        return int.from_bytes(raw, "little" if self.order == "<" else "big")

    def number(self, block: Buffer, at: int) -> int:
        """Read an offset or a count; what lies outside is 0."""
        return self.value(block[at : at + self.word])

    def entries(self, block: Buffer, at: int) -> int:
        """Read the number of entries of the directory at an offset."""
        return self.value(block[at : at + self.head])

    def packed(self, value: int) -> bytes:
        """Write an offset or a count."""
        return self.short(value, self.word)

    def short(self, value: int, width: int) -> bytes:
        """Write a number of a width in bytes."""
        return value.to_bytes(width, "little" if self.order == "<" else "big")


_LAYOUTS = {
    b"II*\0": Layout("<", is_big=False), b"MM\0*": Layout(">", is_big=False),
    b"II+\0": Layout("<", is_big=True), b"MM\0+": Layout(">", is_big=True),
}  # fmt: skip


def layout_of(block: Buffer) -> Layout | None:
    """Return how a structure counts, or None where it is none."""
    return _LAYOUTS.get(bytes(block[:4]))


def directories(block: Buffer, layout: Layout) -> Iterator[int]:
    """Yield the offsets of the directories of a structure, in the order of their chain."""
    at, seen = layout.number(block, layout.word), set[int]()
    while 8 <= at <= len(block) - layout.head and at not in seen and len(seen) < MAX_DIRECTORIES:
        seen.add(at)
        yield at
        at = layout.number(block, at + layout.head + layout.entry * layout.entries(block, at))


def entries(block: Buffer, layout: Layout, at: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, count and the offset of the value field of each entry of the directory at an offset."""
    for number in range(min(layout.entries(block, at), MAX_ENTRIES)):
        entry = at + layout.head + layout.entry * number
        if entry + layout.entry > len(block):
            return
        tag, kind = struct.unpack_from(layout.order + "HH", block, entry)
        yield tag, kind, layout.number(block, entry + 4), entry + 4 + layout.word


def tagged(block: Buffer) -> Iterator[Tagged]:
    """Yield the labels of a TIFF structure, as EXIF holds one.

    Args:
        block: The structure, from its byte order mark.  One that is broken yields what was seen before.
    """
    layout = layout_of(block)
    if layout is None:
        return
    budget = min(MAX_METADATA_BYTES, _LEAST_BUDGET + 4 * len(block))
    for tag, start, size in _texts(block, layout):
        budget -= size
        if budget < 0:
            return
        yield from _labels(block, tag, start, size)


def blanked(block: bytes, labels: list[Tagged]) -> bytes:
    """Return the structure with spaces where the labels were."""
    made = bytearray(block)
    for label in labels:
        made[label.start : label.end] = blank(block, label)
    return bytes(made)


def blank(block: Buffer, label: Tagged) -> bytes:
    """Return the spaces that stand for a label."""
    size = label.end - label.start
    if not label.is_wide:
        return b" " * size
    return (b" \0" if block[label.start + 1] == 0 else b"\0 ") * (size // 2)


def _texts(block: Buffer, layout: Layout) -> Iterator[tuple[int, int, int]]:
    """Yield tag, offset and size of every text in the directories and in EXIF's own below them."""
    for directory in directories(block, layout):
        below = list[int]()
        for tag, kind, count, field in entries(block, layout, directory):
            if tag == _SUBDIRECTORY:
                below.append(layout.number(block, field))
            elif _is_text(tag, kind, count):
                yield tag, layout.number(block, field), count
        for at in below[:1]:
            for tag, kind, count, field in entries(block, layout, at):
                if _is_text(tag, kind, count):
                    yield tag, layout.number(block, field), count


def _is_text(tag: int, kind: int, count: int) -> bool:
    return kind in _TEXTS and count > _LEAST_TEXT and tag not in _SKIPPED


def _labels(block: Buffer, tag: int, start: int, size: int) -> Iterator[Tagged]:
    raw = bytes(block[start : start + size])
    name = _NAMES.get(tag, f"0x{tag:04X}")
    for loose in in_bytes(raw):
        yield Tagged(name, loose.value, start + loose.start, start + loose.end)
    for wide, codec in ((b"L\0a\0b\0e\0l\0", "utf-16-le"), (b"\0L\0a\0b\0e\0l", "utf-16-be")):
        if wide in raw:
            skipped = raw.index(wide) % 2
            text = raw[skipped : skipped + (len(raw) - skipped) // 2 * 2].decode(codec, errors="replace")
            exact = len(text.encode(codec, errors="replace")) == (len(raw) - skipped) // 2 * 2
            for loose in in_text(text) if exact else []:
                begin = start + skipped + len(text[: loose.start].encode(codec))
                yield Tagged(name, loose.value, begin, begin + len(text[loose.start : loose.end].encode(codec)), True)
