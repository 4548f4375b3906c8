"""APEv2: a tag at the end of a file of sound, from which labels are taken out.

Source: APEv2 specification and APE tag items (Hydrogenaudio Knowledgebase): a footer of 32 bytes, `APETAGEX`, with the
length of items and footer and the number of items; the same as a header before them where bit 31 of the flags says so.
"""

import struct
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_METADATA_BYTES, Broken, Buffer, Found
from safebelt.rooms.labelling.formats.patches import Change, is_label_field, text_of

_ENDS = 32
_HAS_HEADER = 1 << 31
_MAX_ITEMS = 1 << 12


@dataclass(frozen=True, slots=True)
class _Item:
    start: int
    end: int
    key: str
    value: str


def labels(data: Buffer, end: int) -> list[Found]:
    """Return every label of the tag that ends at `end`."""
    return [
        Found(place=f"APEv2 {item.key}", value=item.value, is_native=False, at=item.start, length=item.end - item.start)
        for item in _labels(data, end)
    ][:MAX_FOUND]


def removals(data: Buffer, end: int) -> list[Change]:
    """Return the changes that take every label out of the tag that ends at `end`."""
    gone = _labels(data, end)
    if not gone:
        return []
    version, size, count, flags = struct.unpack_from("<IIII", data, end - _ENDS + 8)
    size -= sum(item.end - item.start for item in gone)
    counts = struct.pack("<II", size, count - len(gone))
    changes = [Change(item.start, item.end, b"") for item in gone]
    changes.append(Change(end - _ENDS + 12, end - _ENDS + 20, counts))
    header = end - struct.unpack_from("<I", data, end - _ENDS + 12)[0] - _ENDS
    if version >= 2000 and flags & _HAS_HEADER and header >= 0 and bytes(data[header : header + 8]) == b"APETAGEX":
        changes.append(Change(header + 12, header + 20, counts))
    return changes


def _labels(data: Buffer, end: int) -> list[_Item]:
    if end < _ENDS or bytes(data[end - _ENDS : end - _ENDS + 8]) != b"APETAGEX":
        return []
    _version, size, count = struct.unpack_from("<III", data, end - _ENDS + 8)
    start = end - size
    if not _ENDS <= size <= min(end, MAX_METADATA_BYTES) or count > _MAX_ITEMS:
        raise Broken("an APE tag that begins before the file, or holds too much")
    return [item for item in _items(data, start, end - _ENDS, count) if is_label_field(item.key, item.value)]


def _items(data: Buffer, at: int, end: int, count: int) -> list[_Item]:
    items = list[_Item]()
    for _number in range(count):
        if at + 9 > end:
            raise Broken("an item of an APE tag that ends beyond it")
        size = struct.unpack_from("<I", data, at)[0]
        key, mark, _rest = bytes(data[at + 8 : min(at + 8 + 256, end)]).partition(b"\0")
        start = at + 8 + len(key) + 1
        if not mark or start + size > end:
            raise Broken("an item of an APE tag that ends beyond it")
        items.append(_Item(at, start + size, text_of(key), text_of(data[start : start + size])))
        at = start + size
    return items
