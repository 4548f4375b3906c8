"""Tables of boxes that hold offsets into the file: what must change in them when something moves.

Sources: ISO/IEC 14496-12:2022, 8.7.5 (stco, co64), 8.7.9 (saio), 8.7.2 (dref), 8.8.7 (tfhd), 8.8.10 (tfra), 8.16.3
(sidx), 8.11.3 (iloc); their numbers stay where they are, and only those change whose target moves.
"""

import struct
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.boxes import Box, boxes, inside
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.patches import Change, Moves

_HOLDERS = {
    b"moov": (b"trak", b"meta"), b"trak": (b"mdia", b"meta"), b"mdia": (b"minf",), b"minf": (b"stbl",),
    b"moof": (b"traf",),
}  # fmt: skip
_MAX_TABLE_BYTES = 4 * MAX_METADATA_BYTES
MAX_ITEMS = 1 << 16
_SELF_CONTAINED = 1


def moved(data: Buffer, top: Iterable[Box], moves: Moves) -> Iterator[Change]:
    """Yield the changes to every table below the boxes of the file.

    Raises:
        Broken: A table ends beyond its box.
        Unwritable: A number would not hold the new offset.
    """
    for box in top:
        if box.kind == b"mfra":
            for table in (inner for inner in inside(data, box) if inner.kind == b"tfra"):
                yield from _tfra(data, table, moves)
        elif box.kind == b"sidx":
            yield from _sidx(data, box, moves)
        else:
            yield from _below(data, box, moves)


def moved_where(data: Buffer, top: Sequence[Box], changes: Sequence[Change]) -> list[Change]:
    """Return the changes to every table that those changes make necessary; none where no box behind one moves."""
    moves = Moves(changes)
    starts = [box.body for box in top if box.kind not in (b"free", b"skip", b"wide")]
    first = min((change.start for change in changes), default=0)
    if all(moves(start) == start for start in starts if start > first):
        return []
    return list(moved(data, top, moves))


def _below(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    if box.kind in _HOLDERS:
        held = inside(data, box)
        if box.kind == b"minf" and _is_elsewhere(data, held):
            return
        for inner in held:
            if inner.kind in _HOLDERS[box.kind]:
                yield from _below(data, inner, moves)
    elif box.kind in _TABLES:
        for inner in inside(data, box, _prefix(data, box)):
            table = _TABLES[box.kind].get(inner.kind)
            if table is not None:
                yield from table(data, inner, moves)


def _prefix(data: Buffer, box: Box) -> int:
    """Return how many bytes stand before the boxes in a `meta`: QuickTime has none there, ISO four."""
    return meta_prefix(data, box) if box.kind == b"meta" else 0


def meta_prefix(data: Buffer, meta: Box) -> int:
    """Return 4 where a `meta` has version and flags, and 0 where QuickTime left them out."""
    return 0 if bytes(data[meta.body + 4 : meta.body + 8]) == b"hdlr" else 4


def _is_elsewhere(data: Buffer, held: Iterable[Box]) -> bool:
    """Whether a track's samples are all in other files: then its offsets count there."""
    flags = [
        int.from_bytes(data[entry.body + 1 : entry.body + 4])
        for dinf in held if dinf.kind == b"dinf"
        for dref in inside(data, dinf) if dref.kind == b"dref"
        for entry in boxes(data, min(dref.body + 8, dref.end), dref.end)
    ]  # fmt: skip
    return bool(flags) and not any(flag & _SELF_CONTAINED for flag in flags)


def _table(data: Buffer, box: Box, at: int, width: int, moves: Moves) -> Iterator[Change]:
    """Yield the change to a table: its count, and numbers of four or eight bytes."""
    count, at = _number(data, at, 4, box), at + 4
    end = at + count * width
    if end > box.end or count * width > _MAX_TABLE_BYTES:
        raise Broken("a table of offsets that ends beyond its box, or is larger than is looked into")
    old = array("I" if width == 4 else "Q", bytes(data[at:end]))
    if sys.byteorder == "little":
        old.byteswap()
    new = [moves(offset) for offset in old]
    if new == old.tolist():
        return
    yield Change(at, end, _packed(new, width))


def _packed(numbers: list[int], width: int) -> bytes:
    if max(numbers) >= 1 << 8 * width or min(numbers) < 0:
        raise Unwritable(_TOO_FAR)
    return struct.pack(f">{len(numbers)}{'I' if width == 4 else 'Q'}", *numbers)


_TOO_FAR = Text(
    zh="写入标识后，文件内的某个偏移量将超出其字段所能表示的范围；请先重新封装（使用 64 位偏移量）。",
    en="With the label an offset in the file would no longer fit its field; remux the file with offsets of 64 bits.",
)


def _number(data: Buffer, at: int, width: int, box: Box) -> int:
    if at + width > box.end:
        raise Broken("a table that ends beyond its box")
    return int.from_bytes(data[at : at + width])


def _one(data: Buffer, at: int, width: int, box: Box, moves: Moves) -> Iterator[Change]:
    old = _number(data, at, width, box)
    if moves(old) != old:
        yield Change(at, at + width, _packed([moves(old)], width))


def _stco(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    return _table(data, box, box.body + 4, 4, moves)


def _co64(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    return _table(data, box, box.body + 4, 8, moves)


def _saio(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    at = box.body + 4 + (8 if _number(data, box.body + 1, 3, box) & 1 else 0)
    width = 8 if _number(data, box.body, 1, box) else 4
    return _table(data, box, at, width, moves)


def _tfhd(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    """Move the base of a fragment where it is given; its other offsets count from there."""
    return _one(data, box.body + 8, 8, box, moves) if _number(data, box.body + 1, 3, box) & 1 else iter(())


def _tfra(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    width = 8 if _number(data, box.body, 1, box) else 4
    lengths, count = _number(data, box.body + 8, 4, box), _number(data, box.body + 12, 4, box)
    step = 2 * width + sum((lengths >> shift & 3) + 1 for shift in (4, 2, 0))
    if box.body + 16 + count * step > box.end:
        raise Broken("a table of fragments that ends beyond its box")
    for number in range(count):
        yield from _one(data, box.body + 16 + number * step + width, width, box, moves)


def _sidx(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    """Move the distance from an index to what it is of."""
    width = 8 if _number(data, box.body, 1, box) else 4
    at = box.body + 12 + width
    old = _number(data, at, width, box)
    new = moves(box.end + old) - moves(box.end)
    if new != old:
        yield Change(at, at + width, _packed([new], width))


# ------------------------------------------------------------------------------------------------ items


@dataclass(frozen=True, slots=True)
class Extent:
    """A piece of an item: offset and length, where the offset's field is and how wide."""

    offset: int
    length: int
    at: int
    width: int


@dataclass(frozen=True, slots=True)
class Item:
    """Where an item is: 0 in the file, 1 in the box `idat`, 2 in another item; the base counts for all extents."""

    start: int
    end: int
    number: int
    method: int
    base: int
    base_at: int
    base_width: int
    extents: tuple[Extent, ...]


def items(data: Buffer, iloc: Box) -> list[Item]:
    """Return the entries of a table of items.

    Raises:
        Broken: It ends beyond its box, or holds too many.
    """
    version, widths = shape(data, iloc)
    wide = 4 if version == 2 else 2
    count, at = _number(data, iloc.body + 6, wide, iloc), iloc.body + 6 + wide
    found, extents = list[Item](), 0
    for _entry in range(count):
        item, at = _item(data, iloc, at, version, widths)
        extents += 1 + len(item.extents)
        if extents > MAX_ITEMS:
            raise Broken("too many items")
        found.append(item)
    return found


def shape(data: Buffer, iloc: Box) -> tuple[int, tuple[int, int, int, int]]:
    """Return the version of a table of items, and the widths of its offsets, lengths, bases and indexes."""
    version, sizes = _number(data, iloc.body, 1, iloc), _number(data, iloc.body + 4, 2, iloc)
    widths = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15 if version else 0)
    if version > 2 or any(width not in (0, 4, 8) for width in widths):
        raise Broken("a table of items of a kind that is not known")
    return version, widths


def _item(data: Buffer, iloc: Box, at: int, version: int, widths: tuple[int, ...]) -> tuple[Item, int]:
    offset_width, length_width, base_width, index_width = widths
    wide = 4 if version == 2 else 2
    entry, number, at = at, _number(data, at, wide, iloc), at + wide
    method = _number(data, at, 2, iloc) & 15 if version else 0
    base_at = at + (4 if version else 2)  # behind the method and the number of the data reference
    base, at = _number(data, base_at, base_width, iloc), base_at + base_width
    count, at = _number(data, at, 2, iloc), at + 2
    extents = list[Extent]()
    step = index_width + offset_width + length_width
    if at + count * step > iloc.end:
        raise Broken("a table of items that ends beyond its box")
    for start in range(at + index_width, at + index_width + count * step, step) if step else ():
        offset = _number(data, start, offset_width, iloc)
        length = _number(data, start + offset_width, length_width, iloc)
        extents.append(Extent(offset, length, start, offset_width))
    end = at + count * step
    return Item(entry, end, number, method, base, base_at, base_width, tuple(extents)), end


def _iloc(data: Buffer, box: Box, moves: Moves) -> Iterator[Change]:
    """Move extents one by one, or the base of all of them where they have no offsets of their own."""
    for item in items(data, box):
        if item.method:
            continue
        shifts = [moves(item.base + extent.offset) - item.base - extent.offset for extent in item.extents]
        shifted = [extent.offset + shift for extent, shift in zip(item.extents, shifts, strict=True)]
        if not any(shifts):
            continue
        if all(extent.width and number >= 0 for extent, number in zip(item.extents, shifted, strict=True)):
            for extent, number in zip(item.extents, shifted, strict=True):
                if number != extent.offset:
                    yield Change(extent.at, extent.at + extent.width, _packed([number], extent.width))
        elif item.base_width and len(set(shifts)) == 1:
            yield Change(
                item.base_at, item.base_at + item.base_width, _packed([item.base + shifts[0]], item.base_width)
            )
        else:
            raise Unwritable(_TOO_FAR)


_Table = Callable[[Buffer, Box, Moves], Iterator[Change]]
_TABLES: dict[bytes, dict[bytes, _Table]] = {
    b"stbl": {b"stco": _stco, b"co64": _co64, b"saio": _saio},
    b"traf": {b"tfhd": _tfhd},
    b"meta": {b"iloc": _iloc},
}
