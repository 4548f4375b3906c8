"""Signed heads: at most a second after a record, a signature commits to it and to everything before it.

A head is a C2SP tlog-checkpoint (c2sp.org/tlog-checkpoint): origin `<log origin>/belt/<segment>`, size, root.
`heads.log` holds one JSON object per line, `{"n":1,"note":"…"}`, so that any tool can take a note out as it is.
"""

import mmap
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.records.disk import FIRST, heads_name, log_of, raw_lines

Sign = Callable[[str], str]
"""Turns a note's text into a signed note."""

Open = Callable[[str], str]
"""Turns a signed note into its text, or raises Problem where no trusted key signed it."""

ROOT_BYTES = 32


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    n: int
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A signed statement: the first `size` records of `segment` have this root.

    Attributes:
        number: One-based place in `heads.log`.
        segment: Whose head it is.
        size: How many records it commits to.
        root: RFC 6962 root, 32 bytes.
        note: The signed note.
    """

    number: int
    segment: str
    size: int
    root: bytes
    note: str


_decode = msgspec.json.Decoder(_Line).decode


def origin_of(log_origin: str, segment: str) -> str:
    """Return the origin of a segment's heads."""
    return f"{log_origin}/belt/{segment}"


def text_of(log_origin: str, segment: str, size: int, root: bytes) -> str:
    """Return the text that is signed."""
    return f"{origin_of(log_origin, segment)}\n{size}\n{b64encode(root).decode()}\n"


def line_of(number: int, note: str) -> bytes:
    """Return a head's line in `heads.log`."""
    return msgspec.json.encode(_Line(n=number, note=note)) + b"\n"


def parse(raw: bytes) -> Head | None:
    """Read a line of `heads.log` without judging its signature; None where it is not one.  Never raises."""
    if raw[-1:] != b"\n":
        return None
    try:
        line = _decode(raw)
        text, _, _ = line.note.partition("\n\n")
        origin, size, root = text.split("\n")
        head = Head(
            number=line.n,
            segment=origin.rpartition("/")[2],
            size=int(size),
            root=b64decode(root, validate=True),
            note=line.note,
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return head if len(head.root) == ROOT_BYTES and head.size > 0 and str(head.size) == size else None


def is_signed(head: Head, log_origin: str, open_note: Open) -> bool:
    """Whether a trusted key signed exactly this head, for this log and segment."""
    try:
        text = open_note(head.note)
    except Problem:
        return False
    return text == text_of(log_origin, head.segment, head.size, head.root)


def lines(folder: Path, log: str = FIRST) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of each line of a log's heads; none where there is no such file."""
    path = folder / heads_name(log)
    if path.exists():
        with path.open("rb") as file:
            yield from raw_lines(file)


def last_of(folder: Path, segment: str | None = None, *, log: str = FIRST) -> Head | None:
    """Return the last head, of one segment or of all of a log, without reading the file from its start."""
    path = folder / heads_name(log if segment is None else log_of(segment))
    if not path.exists() or path.stat().st_size == 0:
        return None
    needle = b'"n":' if segment is None else f"/belt/{segment}\\n".encode()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        end = len(view)
        while (found := view.rfind(needle, 0, end)) >= 0:
            start = view.rfind(b"\n", 0, found) + 1
            stop = view.find(b"\n", found) + 1 or len(view)
            head = parse(view[start:stop])
            if head is not None and segment in (None, head.segment):
                return head
            end = start
    return None
