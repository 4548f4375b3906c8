"""HEIF and AVIF: an XMP packet as an item of type `mime` that describes the primary image.

Sources: ISO/IEC 23008-12:2022 (HEIF), A.3 XMP metadata, 6.5 `cdsc`; ISO/IEC 14496-12:2022, 8.11.3 iloc, 8.11.4 pitm,
8.11.6 iinf, 8.11.12 iref; AV1 Image File Format 1.1; TC260-PG-20259A for the label.

A packet that still fits stays where it is.  Else the new one goes to the end of the file, in an `mdat` of its own, the
old one is blanked, and only the table that says where items are is changed, with the offsets of what moved.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import itemlist, offsets, xmp
from safebelt.rooms.labelling.formats.boxes import Box, Surgery, boxes, content, inside, listed_end, made
from safebelt.rooms.labelling.formats.carrier import (
    MAX_FOUND,
    MAX_METADATA_BYTES,
    Broken,
    Buffer,
    Edit,
    Found,
    Unwritable,
)
from safebelt.rooms.labelling.formats.offsets import Item
from safebelt.rooms.labelling.formats.patches import Change, edited
from safebelt.rooms.labelling.formats.values import as_line
from safebelt.rooms.labelling.formats.webp import exif_labels, without_exif_labels

_PACKET, _PICTURE = b"application/rdf+xml", b"Exif"
_PLACE = "meta item application/rdf+xml"
_IN_FILE, _IN_IDAT = 0, 1
_MAX_NUMBER = 0xFFFF
_NO_ROOM = Text(
    zh="该图像的条目表没有可用的字段来放置新条目，无法写入标识；请先用其他工具重新保存。",
    en="The image's table of items has no fields in which a new item could be placed; save the image anew first.",
)


@dataclass(frozen=True, slots=True)
class _Image:
    """The boxes of an image file.

    Attributes:
        top: Those of the file.
        meta: The one with the items, and below it the tables by kind.
        primary: Number of the primary item.
        numbers: Numbers in use.
        packets: The XMP items with where they are.
        pictures: The same of items of EXIF.
    """

    top: tuple[Box, ...]
    meta: Box
    tables: dict[bytes, Box]
    primary: int
    numbers: frozenset[int]
    packets: tuple[Item, ...]
    pictures: tuple[Item, ...]


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    image = _image(data)
    found = list[Found]()
    for item in image.packets:
        spans = _spans(data, image, item)
        found += xmp.found(_joined(data, spans), _PLACE, spans[0][0] if spans else None)
    for item in image.pictures:
        spans = _spans(data, image, item)
        found += exif_labels(_joined(data, spans), "meta item Exif", spans[0][0] if spans else None)
    return [*found, *itemlist.labels(data, image.top)][:MAX_FOUND]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the packet; the item is made where there is none."""
    line = as_line(value)
    image = _image(data)
    surgery = Surgery(data)
    for holder in itemlist.holders(data, image.top):
        itemlist.cleaned(data, holder, surgery)
    for item in image.packets[1:]:
        _cleaned(data, image, item, surgery, xmp.without)
    for item in image.pictures:
        _cleaned(data, image, item, surgery, without_exif_labels)
    first = image.packets[0] if image.packets else None
    spans = _spans(data, image, first) if first is not None else []
    packet = xmp.merged(_joined(data, spans) if first is not None else None, line).rstrip(b" ")
    start, end = spans[0] if len(spans) == 1 else (0, 0)
    packet = xmp.shrunk(packet, end - start) if end > start else packet
    if len(packet) <= end - start:
        surgery.put(Change(start, end, packet.ljust(end - start)), ())
        return _finished(data, image, surgery, None, b"")
    for start, end in spans:
        surgery.put(Change(start, end, b" " * (end - start)), ())
    entry = _entry_of(data, image, first) if first is not None else _new_item(data, image, surgery)
    return _finished(data, image, surgery, entry, packet)


# ------------------------------------------------------------------------------------------------ structure


def _image(data: Buffer) -> _Image:
    top = tuple(boxes(data, 0, len(data), is_file=True))
    meta = next((box for box in top if box.kind == b"meta"), None)
    if meta is None:
        raise Broken("an image file without a table of items")
    held = inside(data, meta, offsets.meta_prefix(data, meta))
    tables = {box.kind: box for box in reversed(held)}
    if b"iinf" not in tables or b"iloc" not in tables:
        raise Broken("an image file without a table of items")
    places = {item.number: item for item in offsets.items(data, tables[b"iloc"])}
    listed = list(_items(data, tables[b"iinf"]))
    primary = _primary(data, tables.get(b"pitm"))
    chosen = [number for number, kind in listed if kind == _PACKET and number in places]
    pictures = [places[number] for number, kind in listed if kind == _PICTURE and number in places]
    described = _describing(data, tables.get(b"iref"), primary)
    chosen.sort(key=lambda number: number not in described)
    numbers = frozenset((*places, *(number for number, _kind in listed)))
    packets = tuple(places[number] for number in chosen[:MAX_FOUND])
    image = _Image(top, meta, tables, primary, numbers, packets, tuple(pictures[:MAX_FOUND]))
    spans = [span for item in (*image.packets, *image.pictures) for span in _spans(data, image, item)]
    if sum(end - start for start, end in spans) > MAX_METADATA_BYTES:  # items may share their bytes
        raise Broken("items of metadata that are together larger than is looked into")
    return image


def _items(data: Buffer, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Yield number and kind of each item; of a `mime` that is a plain XMP packet, its content type."""
    start = min(iinf.body + (8 if _version(data, iinf) else 6), iinf.end)
    for number, infe in enumerate(boxes(data, start, iinf.end)):
        if number >= offsets.MAX_ITEMS:
            raise Broken("too many items")
        version = _version(data, infe)
        if infe.kind != b"infe" or version not in (2, 3):
            continue
        raw = content(data, infe)
        wide = 2 if version == 2 else 4
        rest = raw[4 + wide + 2 :]
        fields = rest[4:].split(b"\0")  # name, content type, encoding
        is_packet = rest[:4] == b"mime" and fields[1:2] == [_PACKET] and not any(fields[2:3])
        yield int.from_bytes(raw[4 : 4 + wide]), _PACKET if is_packet else rest[:4]


def _version(data: Buffer, box: Box) -> int:
    if box.body + 4 > box.end:
        raise Broken("a box without version and flags")
    return data[box.body]


def _primary(data: Buffer, pitm: Box | None) -> int:
    if pitm is None:
        raise Broken("an image file without a primary image")
    wide = 4 if _version(data, pitm) else 2
    return int.from_bytes(data[pitm.body + 4 : min(pitm.body + 4 + wide, pitm.end)])


def _describing(data: Buffer, iref: Box | None, primary: int) -> set[int]:
    """Return the items that describe the primary image."""
    if iref is None:
        return set()
    wide = 4 if _version(data, iref) else 2
    numbers = set[int]()
    for reference in inside(data, iref, 4):
        raw = content(data, reference)
        targets = [int.from_bytes(raw[at : at + wide]) for at in range(wide + 2, len(raw) - wide + 1, wide)]
        if reference.kind == b"cdsc" and primary in targets:
            numbers.add(int.from_bytes(raw[:wide]))
    return numbers


def _spans(data: Buffer, image: _Image, item: Item) -> list[tuple[int, int]]:
    """Return where an item's bytes are in the file.

    Raises:
        Broken: They end beyond it, or are more than is looked into.
    """
    if item.method not in (_IN_FILE, _IN_IDAT):
        raise Broken("a packet that is made of other items")
    idat = image.tables.get(b"idat")
    if item.method == _IN_IDAT and idat is None:
        raise Broken("a packet in a box that is not there")
    base, limit = (idat.body, idat.end) if item.method == _IN_IDAT and idat else (0, len(data))
    spans = list[tuple[int, int]]()
    for extent in item.extents:
        start = base + item.base + extent.offset
        spans.append((start, start + extent.length if extent.length else limit))
    if any(not start <= end <= limit for start, end in spans) or sum(e - s for s, e in spans) > MAX_METADATA_BYTES:
        raise Broken("an item that ends beyond the file, or is larger than is looked into")
    return spans


def _joined(data: Buffer, spans: Sequence[tuple[int, int]]) -> bytes:
    return b"".join(bytes(data[start:end]) for start, end in spans)


# ------------------------------------------------------------------------------------------------ changes


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where in the table an item's entry is put, and of which item."""

    start: int
    end: int
    number: int


def _cleaned(data: Buffer, image: _Image, item: Item, surgery: Surgery, without: Callable[[bytes], bytes]) -> None:
    """Take labels out of another item, which keeps its length."""
    spans = _spans(data, image, item)
    old = _joined(data, spans)
    new, at = without(old).ljust(len(old)), 0
    if new == old:
        return
    for start, end in spans:
        surgery.put(Change(start, end, new[at : at + end - start]), ())
        at += end - start


def _entry_of(data: Buffer, image: _Image, item: Item) -> _Entry:
    _widths(data, image)
    return _Entry(item.start, item.end, item.number)


def _widths(data: Buffer, image: _Image) -> tuple[int, tuple[int, int, int, int]]:
    version, widths = offsets.shape(data, image.tables[b"iloc"])
    if not widths[1] or not (widths[0] or widths[2]):
        raise Unwritable(_NO_ROOM)
    return version, widths


def _new_item(data: Buffer, image: _Image, surgery: Surgery) -> _Entry:
    """Make an item: in the list, in the table of places, and as what describes the primary image."""
    version, _shape = _widths(data, image)
    number = _free_number(image)
    iinf, iloc, iref = image.tables[b"iinf"], image.tables[b"iloc"], image.tables.get(b"iref")
    infe = b"\2\0\0\0" + struct.pack(">HH", number, 0) + b"mime" + b"XMP\0" + _PACKET + b"\0"
    wide = 4 if _version(data, iinf) else 2
    _count(data, iinf.body + 4, wide, surgery)
    listed = list(boxes(data, min(iinf.body + 4 + wide, iinf.end), iinf.end))
    at = listed_end(iinf, listed, 4 + wide)
    surgery.put(Change(at, at, made(b"infe", infe)), (image.meta, iinf))
    _count(data, iloc.body + 6, 4 if version == 2 else 2, surgery)
    if iref is None:
        new = made(b"cdsc", struct.pack(">HHH", number, 1, image.primary & _MAX_NUMBER))
        hdlr = image.tables.get(b"hdlr")  # the first; behind it nothing else grows
        at = hdlr.end if hdlr else image.meta.body + offsets.meta_prefix(data, image.meta)
        surgery.put(Change(at, at, made(b"iref", bytes(4) + new)), (image.meta,))
    else:
        form = ">IHI" if _version(data, iref) else ">HHH"
        at = listed_end(iref, inside(data, iref, 4), 4)
        reference = made(b"cdsc", struct.pack(form, number, 1, image.primary))
        surgery.put(Change(at, at, reference), (image.meta, iref))
    items = offsets.items(data, iloc)
    at = items[-1].end if items else iloc.body + 6 + (4 if version == 2 else 2)
    return _Entry(at, at, number)


def _free_number(image: _Image) -> int:
    number = max(image.numbers, default=0) + 1
    if number <= _MAX_NUMBER:
        return number
    free = next((number for number in range(1, _MAX_NUMBER + 1) if number not in image.numbers), None)
    if free is None:
        raise Unwritable(_NO_ROOM)
    return free


def _count(data: Buffer, at: int, wide: int, surgery: Surgery) -> None:
    count = int.from_bytes(data[at : at + wide]) + 1
    if count >= 1 << 8 * wide:
        raise Unwritable(_NO_ROOM)
    surgery.put(Change(at, at + wide, count.to_bytes(wide)), ())


def _finished(data: Buffer, image: _Image, surgery: Surgery, entry: _Entry | None, packet: bytes) -> Edit:
    """Return the edit, with the packet behind all else where it has an entry."""
    iloc, number = image.tables[b"iloc"], len(surgery.changes)
    if entry is not None:  # its length is known before its offset, which depends on all the others
        placeholder = _located(data, iloc, entry.number, 0, len(packet))
        surgery.put(Change(entry.start, entry.end, placeholder), (image.meta, iloc))
    after = image.top[image.top.index(image.meta) + 1 :]
    surgery.give(image.meta, after[0] if after else None)
    tables = offsets.moved_where(data, image.top, surgery.changes)
    if entry is None:
        return edited(len(data), [*surgery.changes, *surgery.lengths(), *tables])
    end = image.top[-1].end
    at = end + sum(change.growth for change in surgery.changes) + 8
    surgery.changes[number] = Change(entry.start, entry.end, _located(data, iloc, entry.number, at, len(packet)))
    tables = [change for change in tables if not entry.start <= change.start < entry.end]
    last = Change(end, end, made(b"mdat", packet))
    return edited(len(data), [*surgery.changes, *surgery.lengths(), *tables, *_closed(image.top[-1], surgery), last])


def _located(data: Buffer, iloc: Box, number: int, offset: int, length: int) -> bytes:
    """Return an entry of the table of places, of one extent in the file."""
    version, (offset_width, length_width, base_width, index_width) = offsets.shape(data, iloc)
    if max(offset, length) >= 1 << 8 * min(offset_width or base_width, length_width):
        raise Unwritable(_NO_ROOM)
    method = bytes(2) if version else b""
    base = (0 if offset_width else offset).to_bytes(base_width)
    place = (offset if offset_width else 0).to_bytes(offset_width)
    extent = bytes(index_width) + place + length.to_bytes(length_width)
    return number.to_bytes(4 if version == 2 else 2) + method + bytes(2) + base + b"\0\1" + extent


def _closed(last: Box, surgery: Surgery) -> list[Change]:
    """Say how long the last box is, where it reached to the end of the file without saying so."""
    if not last.is_open:
        return []
    size = last.end - last.start + surgery.growth(last)
    if size > 0xFFFFFFFF:
        raise Unwritable(_NO_ROOM)
    return [Change(last.start, last.start + 4, struct.pack(">I", size))]
