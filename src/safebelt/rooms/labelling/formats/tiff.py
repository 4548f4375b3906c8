"""TIFF and BigTIFF: the label in the XMP packet of tag 700 of the first directory; no other offset moves.

Sources: TIFF 6.0 (Adobe 1992), section 2; BigTIFF (AWare Systems' description of the libtiff format); XMP Specification
Part 3 (2020), 1.1.8 (tag 700, type 1 or 7); TC260-PG-20259A (type 7).  A packet that fits goes where the old one was;
otherwise it goes to the end of the file, as does a longer copy of the first directory where the tag is new.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import exif, xmp
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.changes import Change, changed
from safebelt.rooms.labelling.formats.exif import Layout
from safebelt.rooms.labelling.formats.values import as_line, collected

_TAG, _UNDEFINED = 700, 7
_MAX_CLASSIC = 0xFFFF_FFFF
_BROKEN = "a TIFF without a first directory"


@dataclass(frozen=True, slots=True)
class _Packet:
    """A packet: the offset of its entry, where it starts, and how long it is."""

    entry: int
    kind: int
    start: int
    size: int


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(data))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into tag 700; raises `Broken` and `Unwritable`."""
    layout, first = _first(data)
    packet = next(_packets(data, layout, first), None)
    new = xmp.merged(_bytes(data, packet) if packet else None, as_line(value))
    changes = _others(data, layout, first)
    changes += _added(data, layout, first, new) if packet is None else _replaced(data, layout, packet, new)
    return changed(len(data), changes)


def _findings(data: Buffer) -> Iterator[Found]:
    layout, first = _first(data)
    seen = set[int]()
    for directory in exif.directories(data, layout):
        for packet in _packets(data, layout, directory):
            if packet.start in seen:
                continue
            seen.add(packet.start)
            place = "IFD0 XMP" if directory == first else "later IFD XMP"
            yield from xmp.found(_bytes(data, packet), place, packet.start, is_native=directory == first)
    for label in _tagged(data, layout):
        yield Found(
            place=f"IFD {label.tag}", value=label.value, is_native=False, at=label.start, length=label.end - label.start
        )


def _first(data: Buffer) -> tuple[Layout, int]:
    layout = exif.layout_of(data)
    if layout is None:
        raise Broken("no TIFF: it does not begin as one")
    at = layout.number(data, layout.word)
    end = at + layout.head + layout.entry * layout.entries(data, at) + layout.word
    if at < 2 * layout.word or end > len(data) or not layout.entries(data, at):
        raise Broken(_BROKEN)
    return layout, at


def _packets(data: Buffer, layout: Layout, directory: int) -> Iterator[_Packet]:
    for tag, kind, count, field in exif.entries(data, layout, directory):
        if tag == _TAG:
            size = count * (4 if kind in (4, 13) else 1)  # some wrote LONG
            start = field if size <= layout.word else layout.number(data, field)
            if start + size > len(data) or size > MAX_METADATA_BYTES:
                raise Broken("a TIFF whose XMP packet ends beyond the file, or is larger than is looked into")
            yield _Packet(field - 4 - layout.word, kind, start, size)


def _tagged(data: Buffer, layout: Layout) -> list[exif.Tagged]:
    """Return the labels in other tags; a tag that says it reaches into a packet does not have what is there."""
    packets = [packet for at in exif.directories(data, layout) for packet in _packets(data, layout, at)]
    return [
        label
        for label in exif.tagged(data)
        if not any(label.start < one.start + one.size and one.start < label.end for one in packets)
    ]


def _bytes(data: Buffer, packet: _Packet) -> bytes:
    return data[packet.start : packet.start + packet.size].rstrip(b"\0")


def _others(data: Buffer, layout: Layout, first: int) -> list[Change]:
    """Return what takes labels out of other tags and of later pages: blanks, of the same length."""
    changes = [(label.start, label.end, exif.blank(data, label)) for label in _tagged(data, layout)]
    own = {packet.start for packet in _packets(data, layout, first)}
    for directory in exif.directories(data, layout):
        for packet in _packets(data, layout, directory):
            old = _bytes(data, packet)
            if packet.start not in own and xmp.labels_of(old):
                changes.append((packet.start, packet.start + len(old), xmp.without(old).ljust(len(old))))
    return changes


def _added(data: Buffer, layout: Layout, first: int, packet: bytes) -> list[Change]:
    """Return what puts a copy of the first directory with the new tag, and the packet, at the end of the file."""
    count = layout.entries(data, first)
    start, end = first + layout.head, first + layout.head + layout.entry * count
    at = _aligned(len(data), layout)
    size = layout.head + layout.entry * (count + 1) + layout.word
    entry = _entry(layout, len(packet), at + size)
    place = next(
        (start + layout.entry * number for number in range(count) if _tag(data, layout, start, number) > _TAG), end
    )
    head = layout.short(count + 1, layout.head)
    directory = head + data[start:place] + entry + data[place:end] + data[end : end + layout.word]
    return [
        (layout.word, 2 * layout.word, layout.packed(at)),
        (len(data), len(data), b"\0" * (at - len(data)) + directory + _checked(layout, at, size, packet)),
    ]


def _tag(data: Buffer, layout: Layout, start: int, number: int) -> int:
    at = start + layout.entry * number
    return layout.value(data[at : at + 2])


def _replaced(data: Buffer, layout: Layout, old: _Packet, packet: bytes) -> list[Change]:
    """Return what puts a packet where the old one was, or at the end with zeros where the old one was."""
    if packet == data[old.start : old.start + old.size] and old.kind == _UNDEFINED:
        return []
    is_inside = len(packet) <= old.size and old.size > layout.word
    is_last = old.start + old.size >= len(data) and old.size > layout.word
    at = old.start if is_inside or is_last else _aligned(len(data), layout)
    entry = (old.entry, old.entry + layout.entry, _entry(layout, len(packet), at))
    if is_inside or is_last:
        return [entry, (old.start, old.start + old.size, _checked(layout, at, 0, packet).ljust(old.size, b"\0"))]
    changes = [entry, (len(data), len(data), b"\0" * (at - len(data)) + _checked(layout, at, 0, packet))]
    return changes if old.size <= layout.word else [*changes, (old.start, old.start + old.size, b"\0" * old.size)]


def _entry(layout: Layout, count: int, at: int) -> bytes:
    return layout.short(_TAG, 2) + layout.short(_UNDEFINED, 2) + layout.packed(count) + layout.packed(at)


def _aligned(size: int, layout: Layout) -> int:
    at = -size % layout.word + size
    if at > _MAX_CLASSIC and not layout.is_big:
        raise _too_large()
    return at


def _checked(layout: Layout, at: int, size: int, packet: bytes) -> bytes:
    if at + size + len(packet) > _MAX_CLASSIC and not layout.is_big:
        raise _too_large()
    return packet


def _too_large() -> Unwritable:
    return Unwritable(
        Text(
            zh="该 TIFF 已达 4 GB 上限，放不下标识；请先转存为 BigTIFF。",
            en="This TIFF has reached the limit of 4 GB and has no room for the label; save it as BigTIFF first.",
        )
    )
