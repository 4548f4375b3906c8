"""Boxes: what MP4, QuickTime and HEIF are made of, and how one is changed such that those around it stay right.

Sources: ISO/IEC 14496-12:2022 (ISO base media file format), 4.2; QuickTime File Format Specification (Apple), atoms.
"""

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.patches import Change

MAX_BOXES = 1 << 18
"""Boxes looked at in one other; a day of fragments of a second has 180,000."""
_LONG = 1
_FREE = (b"free", b"skip")


@dataclass(frozen=True, slots=True)
class Box:
    """A box.

    Attributes:
        kind: Its four characters.
        start: Offset of its header.
        body: Offset of its content, behind the long length and the identifier of `uuid` where there are such.
        end: Where it ends.
        is_long: Whether its length takes eight bytes.
        is_open: Whether it reaches to the end of the file without saying so.
    """

    kind: bytes
    start: int
    body: int
    end: int
    is_long: bool = False
    is_open: bool = False


def boxes(data: Buffer, start: int, end: int, *, is_file: bool = False) -> Iterator[Box]:
    """Yield the boxes in `[start, end)`; less than a header at the end, or a zero as QuickTime ends lists, is left.

    Args:
        data: The file.
        start: Where the first begins.
        end: Where the last must have ended.
        is_file: Whether these are the boxes of the file itself, the last of which may be open.

    Raises:
        Broken: One ends beyond `end` or is shorter than its header, or there are too many.
    """
    at = start
    for _number in range(MAX_BOXES):
        if at + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        body, is_long, is_open = at + 8, size == _LONG and at + 16 <= end, size == 0
        if is_long:
            size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        elif is_open:
            if not is_file:
                return
            size = end - at
        if kind == b"uuid":
            body += 16
        if size < body - at or at + size > end:
            raise Broken("a box that is shorter than its header, or ends beyond what holds it")
        yield Box(kind, at, body, at + size, is_long, is_open)
        at += size
    raise Broken("too many boxes")


def inside(data: Buffer, box: Box, skip: int = 0) -> list[Box]:
    """Return the boxes in a box, `skip` bytes behind its header."""
    return list(boxes(data, box.body + skip, box.end))


def listed_end(box: Box, held: Sequence[Box], skip: int = 0) -> int:
    """Return where a box can take another one: behind its last."""
    return held[-1].end if held else min(box.body + skip, box.end)


def content(data: Buffer, box: Box) -> bytes:
    """Return what is in a box.

    Raises:
        Broken: It is more than is looked into.
    """
    if box.end - box.body > MAX_METADATA_BYTES:
        raise Broken("a box larger than is looked into")
    return bytes(data[box.body : box.end])


def made(kind: bytes, body: bytes) -> bytes:
    """Return a box."""
    return struct.pack(">I4s", len(body) + 8, kind) + body


class Surgery:
    """Changes to boxes; the lengths of those around them follow.

    Attributes:
        changes: What was changed so far, without the lengths.
    """

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._growth: defaultdict[Box, int] = defaultdict(int)
        self.changes = list[Change]()

    def put(self, change: Change, around: Sequence[Box]) -> None:
        """Change something that lies in the boxes `around`."""
        self.changes.append(change)
        for box in around:
            self._growth[box] += change.growth

    def growth(self, box: Box) -> int:
        """Return by how much a box grows."""
        return self._growth[box]

    def give(self, box: Box, after: Box | None) -> None:
        """Let the free space behind a top-level box take up its growth, where there is enough, so that nothing moves.

        Args:
            box: The box that grows or shrinks.
            after: What follows it, or None at the end of the file.
        """
        growth = self._growth[box]
        if not growth or after is None:
            return
        if after.kind in _FREE and not after.is_long and not after.is_open:
            left = after.end - after.start - growth
            if left == 0 or 8 <= left <= 0xFFFFFFFF:
                head = struct.pack(">I4s", left, after.kind) if left else b""
                gone = after.end if not left else after.start + 8 + max(growth, 0)
                self.changes.append(Change(after.start, gone, head + bytes(max(-growth, 0))))
        elif growth <= -8:
            self.changes.append(Change(box.end, box.end, made(b"free", bytes(-growth - 8))))

    def lengths(self) -> list[Change]:
        """Return the changes to lengths.

        Raises:
            Unwritable: A length of four bytes would not hold it.
        """
        return [self._resized(box, growth) for box, growth in self._growth.items() if growth and not box.is_open]

    def _resized(self, box: Box, growth: int) -> Change:
        size = box.end - box.start + growth
        if box.is_long:
            return Change(box.start + 8, box.start + 16, struct.pack(">Q", size))
        if size > 0xFFFFFFFF:
            raise Unwritable(
                Text(
                    zh="文件中的一个容器已接近 4 GB，其长度字段放不下标识；请先重新封装。",
                    en="A box of the file is close to 4 GB, and its length cannot grow by the label; remux the file.",
                )
            )
        return Change(box.start, box.start + 4, struct.pack(">I", size))
