"""Ogg with Vorbis, Opus, FLAC, Speex or Theora: the Vorbis comment `AIGC` in the packet of comments.

Sources: RFC 3533 (Ogg: pages, lacing, checksum); Vorbis I, 4.2 and 5; RFC 7845, 5.2 (OpusTags); Ogg mapping of FLAC
(RFC 9639, 10.1); Speex manual; Theora specification, 6.3; TC260-PG-202510A for the label.

The pages that hold the comments, and what shares them, are laced anew into as many pages as before: then no other page
changes.  Only where they do not hold it (65,025 bytes each) are all later pages of the stream numbered anew, which
costs a checksum over each of them, once.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import vorbis
from safebelt.rooms.labelling.formats.carrier import (
    MAX_FOUND,
    MAX_METADATA_BYTES,
    Broken,
    Buffer,
    Edit,
    Found,
    Unwritable,
)
from safebelt.rooms.labelling.formats.patches import Change, edited
from safebelt.rooms.labelling.formats.values import as_line

_HEAD = struct.Struct("<4sBBqIIIB")
_FRESH, _FIRST = 1, 2
_MAGIC = b"OggS"
_FLAGS_AT, _COUNT_AT = 5, 26
_WINDOW = 1 << 16
_SEGMENTS = 255
_NO_PACKET_ENDS = -1
_MAX_STREAMS = 256
_MAX_PAGES = 1 << 22
"""Pages of one file: 16 GB of usual ones."""
_MAX_HEADER_PAGES = 1 << 12
"""Pages, of all streams, among which comments are looked for: they stand right behind the first ones."""
_CODECS: tuple[tuple[bytes, bytes], ...] = (
    (b"\x01vorbis", b"\x03vorbis"),
    (b"OpusHead", b"OpusTags"),
    (b"\x7fFLAC", b""),
    (b"Speex   ", b""),
    (b"\x80theora", b"\x81theora"),
)
"""How the first packet of a codec begins, and the packet of comments, which is the second."""
_FLAC_BLOCK = 4
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True, slots=True)
class Page:
    """A page: header, lacing values, and where its content is."""

    start: int
    body: int
    end: int
    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """The pages of a stream that hold its comments.

    Attributes:
        codec: How its first packet begins.
        pages: From the second to the one with which a packet ends at or after the comments' end.
        packets: What they hold.
        prefix: Bytes before the comments in the first packet.
    """

    codec: bytes
    pages: tuple[Page, ...]
    packets: tuple[bytes, ...]
    prefix: int

    @property
    def comments(self) -> bytes:
        """The block of comments, with what follows it in the packet."""
        return self.packets[0][self.prefix :]


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    found = list[Found]()
    for number, header in enumerate(_headers(data)):
        place = f"{_name(header.codec)} comment"
        found += vorbis.labels(header.comments, place, header.pages[0].start, is_native=number == 0)
        if len(found) >= MAX_FOUND:
            break
    return found[:MAX_FOUND]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the comments of the first stream, and take it out of the others."""
    line = as_line(value)
    headers = list(_headers(data))
    if not headers:
        raise Unwritable(
            Text(
                zh="该 Ogg 文件中没有可携带注释的流（Vorbis、Opus、FLAC、Speex、Theora）。",
                en="The Ogg file holds no stream with comments (Vorbis, Opus, FLAC, Speex, Theora).",
            )
        )
    changes = _rewritten(data, headers[0], vorbis.rewritten(headers[0].comments, line))
    for header in headers[1:]:
        if vorbis.labels(header.comments, "", None):
            changes += _rewritten(data, header, vorbis.rewritten(header.comments, None))
    return edited(len(data), changes)


def with_comments_of(data: Buffer, other: Buffer) -> Edit:
    """Put the comments of another file's first stream into the first of this one; who encoded it, stays.

    Raises:
        Broken: One of them has no stream with comments.
    """
    mine, theirs = next(_headers(data), None), next(_headers(other), None)
    if mine is None or theirs is None:
        raise Broken("an Ogg file without comments")
    return edited(len(data), _rewritten(data, mine, vorbis.replaced(mine.comments, theirs.comments)))


def checksum(page: bytes) -> int:
    """Return the checksum of a page whose own is zero (RFC 3533, 6: polynomial 04c11db7, bits not mirrored).

    It is the usual CRC-32 of mirrored bytes, mirrored: which the standard library computes in the machine's own code.
    """
    mirrored = zlib.crc32(page.translate(_MIRROR), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_MIRROR))


# ------------------------------------------------------------------------------------------------ pages


def _page(data: Buffer, at: int) -> Page:
    """Return the page at an offset.

    Raises:
        Broken: There is none, or it ends beyond the file.
    """
    if at + _HEAD.size > len(data):
        raise Broken("an Ogg page that ends beyond the file")
    magic, version, flags, granule, serial, number, _crc, count = _HEAD.unpack_from(data, at)
    lacing = bytes(data[at + _HEAD.size : at + _HEAD.size + count])
    body = at + _HEAD.size + count
    end = body + sum(lacing)
    if magic != b"OggS" or version != 0 or end > len(data):
        raise Broken("an Ogg page that does not begin as one, or ends beyond the file")
    return Page(at, body, end, flags, granule, serial, number, lacing)


def _later(data: Buffer, page: Page, limit: int) -> Iterator[Page]:
    """Yield the pages of the same stream behind a page, until the stream ends or another of its number begins.

    Raises:
        Broken: There are more pages, of all streams, than `limit`.
    """
    at = page.end
    for _number in range(limit):
        if at >= len(data):
            return
        later = _page(data, at)
        at = later.end
        if later.serial == page.serial:
            if later.flags & _FIRST:
                return
            yield later
    raise Broken("more Ogg pages than are looked into")


def _beginnings(data: Buffer) -> Iterator[Page]:
    """Yield the first page of every stream, also of those chained behind others.

    Raises:
        Broken: The file does not begin with one.
    """
    first = _whole(data, 0)
    if first is None or not first.flags & _FIRST:
        raise Broken("an Ogg file that does not begin with the first page of a stream")
    at, seen = 0, 0
    while 0 <= at < len(data) - _HEAD.size and seen < _MAX_STREAMS:
        head = bytes(data[at : at + _HEAD.size + _SEGMENTS])
        if not head.startswith(_MAGIC):
            at = _next_mark(data, at + 1)  # what is damaged is passed over, as players do
            continue
        page = _whole(data, at) if head[_FLAGS_AT] & _FIRST else None
        if page is not None:
            seen += 1
            yield page
        at += _HEAD.size + head[_COUNT_AT] + sum(head[_HEAD.size : _HEAD.size + head[_COUNT_AT]])


def _next_mark(data: Buffer, start: int) -> int:
    """Return where the mark of a page comes next, or -1; by windows, as maps are searched slowly."""
    for at in range(start, len(data), _WINDOW):
        found = bytes(data[at : at + _WINDOW + len(_MAGIC) - 1]).find(_MAGIC)
        if found >= 0:
            return at + found
    return -1


def _whole(data: Buffer, at: int) -> Page | None:
    """Return the page at an offset if its checksum holds: what looks like one may be sound."""
    try:
        page = _page(data, at)
    except Broken:
        return None
    raw = bytes(data[page.start : page.end])
    return page if checksum(raw[:22] + bytes(4) + raw[26:]) == struct.unpack_from("<I", raw, 22)[0] else None


def _headers(data: Buffer) -> Iterator[Header]:
    for first in _beginnings(data):
        begins = bytes(data[first.body : min(first.end, first.body + 16)])
        codec = next((codec for codec in _CODECS if begins.startswith(codec[0])), None)
        if codec is not None:
            yield _header(data, first, *codec)


def _header(data: Buffer, first: Page, codec: bytes, mark: bytes) -> Header:
    """Gather the pages with the comments.

    Raises:
        Broken: They end too early, or are larger than is looked into, or hold something else.
    """
    pages, packets, rest, size = list[Page](), list[bytes](), b"", 0
    for page in _later(data, first, _MAX_HEADER_PAGES):
        pages.append(page)
        size += page.end - page.start
        if size > MAX_METADATA_BYTES:
            raise Broken("Ogg comments larger than are looked into")
        whole, rest = _packets(data, page, rest)
        packets += whole
        if packets and not rest and page.lacing[-1:] != b"\xff":
            break
    else:
        raise Broken("an Ogg stream that ends in its headers")
    is_flac = codec == b"\x7fFLAC"
    if not packets[0].startswith(mark) or (is_flac and packets[0][:1] and packets[0][0] & 127 != _FLAC_BLOCK):
        raise Broken("an Ogg stream whose second packet does not hold comments")
    return Header(codec, tuple(pages), tuple(packets), 4 if is_flac else len(mark))


def _packets(data: Buffer, page: Page, begun: bytes) -> tuple[list[bytes], bytes]:
    """Return the packets that end in a page, the first of which began before, and what begins in it."""
    packets, pieces, at, size = list[bytes](), [begun], page.body, 0
    for value in page.lacing:
        size += value
        if value < _SEGMENTS:
            pieces.append(bytes(data[at : at + size]))
            packets.append(b"".join(pieces))
            pieces, at, size = [], at + size, 0
    return packets, b"".join([*pieces, bytes(data[at : at + size])])


def _name(codec: bytes) -> str:
    return codec.strip(b"\x01\x7f\x80 ").removesuffix(b"Head").decode().capitalize()


# ------------------------------------------------------------------------------------------------ writing


def _rewritten(data: Buffer, header: Header, comments: bytes) -> list[Change]:
    first, last = header.pages[0], header.pages[-1]
    if any(page.granule not in (0, _NO_PACKET_ENDS) for page in header.pages):
        raise Unwritable(
            Text(
                zh="该 Ogg 流把声音数据与头部放在同一页，无法改写注释；请先重新封装。",
                en="The Ogg stream keeps sound on a page of its headers, which cannot be changed then; remux it first.",
            )
        )
    packets = (header.packets[0][: header.prefix] + comments, *header.packets[1:])
    if header.codec == b"\x7fFLAC":
        packets = (_flac_block(header.packets[0], comments), *packets[1:])
    new = _laced(packets, first, len(header.pages))
    between = _others(data, header)
    count = len(new)
    changes = _placed(header, new, between)
    if count != len(header.pages):
        changes += _renumbered(data, last, count - len(header.pages))
    return changes


def _flac_block(old: bytes, comments: bytes) -> bytes:
    if len(comments) >= 1 << 24:
        raise Broken("a FLAC block that would be longer than a block can be")
    return old[:1] + len(comments).to_bytes(3) + comments


def _others(data: Buffer, header: Header) -> bool:
    """Whether pages of other streams stand between."""
    return any(page.end != after.start for page, after in zip(header.pages, header.pages[1:], strict=False))


def _placed(header: Header, new: list[bytes], is_mixed: bool) -> list[Change]:
    """Put new pages where the old were: one for one where others stand between, and what is over at the last."""
    pages = header.pages
    if not is_mixed:
        return [Change(pages[0].start, pages[-1].end, b"".join(new))]
    changes = [Change(page.start, page.end, b"") for page in pages]
    for number, page in enumerate(pages):
        mine = new[number:] if number == len(pages) - 1 else new[number : number + 1]
        changes[number] = Change(page.start, page.end, b"".join(mine))
    return changes


def _laced(packets: tuple[bytes, ...], first: Page, count: int) -> list[bytes]:
    """Return pages with packets: as many as asked for where that is possible.

    Args:
        packets: What goes in; the last ends the last page.
        first: The page that the first one replaces: flags, stream and number are taken from it.
        count: How many there were.
    """
    segments = [
        packet[at : at + _SEGMENTS] for packet in packets for at in range(0, len(packet) // 255 * 255 + 1, _SEGMENTS)
    ]
    ends = [len(segment) < _SEGMENTS for segment in segments]
    needed = -(-len(segments) // _SEGMENTS)
    count = min(max(count, needed), len(segments))
    pages, at = list[bytes](), 0
    for number in range(count):
        share = min(_SEGMENTS, len(segments) - at - (count - number - 1))
        flags = (_FRESH if at and not ends[at - 1] else 0) | (first.flags & ~_FRESH if number == 0 else 0)
        granule = 0 if any(ends[at : at + share]) else _NO_PACKET_ENDS
        lacing = bytes(len(segment) for segment in segments[at : at + share])
        place = (first.number + number) & 0xFFFFFFFF
        head = _HEAD.pack(b"OggS", 0, flags, granule, first.serial, place, 0, share) + lacing
        pages.append(_summed(head + b"".join(segments[at : at + share])))
        at += share
    return pages


def _summed(page: bytes) -> bytes:
    return page[:22] + struct.pack("<I", checksum(page)) + page[26:]


def _renumbered(data: Buffer, last: Page, by: int) -> list[Change]:
    """Number the later pages of a stream anew."""
    changes = list[Change]()
    for page in _later(data, last, _MAX_PAGES):
        number = struct.pack("<I", (page.number + by) & 0xFFFFFFFF)
        raw = bytes(data[page.start : page.start + 18]) + number + bytes(4) + bytes(data[page.start + 26 : page.end])
        changes.append(Change(page.start + 18, page.start + 26, number + struct.pack("<I", checksum(raw))))
    return changes
