"""What every carrier of the label speaks: buffers in, findings and edits out.

A carrier is a module with two functions, both pure and without I/O:

    def read(data: Buffer) -> list[Found]
    def write(data: Buffer, value: str) -> Edit

`read` finds every label in a file, in its native place and in the places and shapes seen in the wild.  `write` puts
`value` (the bare seven-key object as one line of JSON) into the native place, takes out every label that was there
before, since a file keeps only one (GB 45438-2025 6.1 c), and leaves everything else as it is, byte by byte.

What comes out of `write` is an *edit*: pieces of the old file and new bytes, in order.  Nothing is copied to make it,
so that a file of gigabytes is labelled by copying it once, in the kernel.
"""

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from safebelt.kernel.text import Text

Buffer = bytes | mmap.mmap
"""A whole file: in memory or mapped.  Slices are `bytes`."""

MAX_LABEL_BYTES = 1 << 16
"""Longest label read or written: seven values of 2,048 characters and their escaping fit several times."""
MAX_FOUND = 64
"""Labels reported of one file; who writes more wants to keep a reader busy."""
MAX_METADATA_BYTES = 16 << 20
"""Longest block of metadata (an XMP packet, a box, a part of a package) that is looked into."""


class Broken(Exception):  # noqa: N818  it says what the file is
    """The file is not whole, or not of the format it seems to be.

    Args:
        what: What was wrong, in English, for a technical reason: "a PNG chunk that ends beyond the file".
    """


class Unwritable(Exception):  # noqa: N818  as above
    """The file is whole, but the label cannot be put into it.

    Attributes:
        why: Why, and what to do, in both languages.
    """

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `[start, end)` of the old file."""

    start: int
    end: int


Edit = Sequence[bytes | Span]
"""The new file, piece by piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A label as it was found.

    Attributes:
        place: Where, as the format calls it: `APP1 XMP TC260:AIGC`, `moov.udta.meta AIGC`, `docProps/custom.xml AIGC`.
        value: What stands there, decoded from the container's own escaping and nothing else.
        is_native: Whether this is the place the practice guides name for the format.
        at: Offset of the block in the file that holds it, in bytes; None where it is compressed or spread.
        length: Length of that block.
    """

    place: str
    value: str
    is_native: bool
    at: int | None = None
    length: int = 0


def applied(data: Buffer, edit: Edit) -> bytes:
    """Return the new file in memory."""
    return b"".join(pieces(data, edit))


def pieces(data: Buffer, edit: Edit) -> list[bytes | memoryview]:
    """Return the new file piece by piece; the old file's are not copied."""
    view = memoryview(data)
    return [piece if isinstance(piece, bytes) else view[piece.start : piece.end] for piece in edit]


def joined(edit: Iterable[bytes | Span]) -> Edit:
    """Return the same edit with empty pieces left out and neighbouring ones made one."""
    pieces = list[bytes | Span]()
    for piece in edit:
        last = pieces[-1] if pieces else None
        if piece == b"" or (isinstance(piece, Span) and piece.start >= piece.end):
            continue
        if isinstance(last, bytes) and isinstance(piece, bytes):
            pieces[-1] = last + piece
        elif isinstance(last, Span) and isinstance(piece, Span) and last.end == piece.start:
            pieces[-1] = Span(last.start, piece.end)
        else:
            pieces.append(piece)
    return pieces
