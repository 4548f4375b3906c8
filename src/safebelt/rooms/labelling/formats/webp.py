"""WebP: an XMP packet in the RIFF's chunk `XMP `, which the chunk `VP8X` announces.

Sources: RFC 9649 (WebP), 2.7 extended file format, 2.7.1.4 metadata; RFC 6386, 9.1 (the frame header of VP8); WebP
Lossless Bitstream Specification, 3 (RIFF header); TC260-PG-20259A for the label.  A file of one bare image gets the
`VP8X` that the packet needs, with the canvas its image says.
"""

import struct

from safebelt.rooms.labelling.formats import exif, xmp
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_METADATA_BYTES, Broken, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.patches import Change, edited
from safebelt.rooms.labelling.formats.riff import Chunk, chunks, made

_HAS_XMP, _HAS_ALPHA = 0x04, 0x10
_KEY_FRAME_START = b"\x9d\x01\x2a"
_LOSSLESS_SIGN = 0x2F


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    inside, found = _chunks(data), list[Found]()
    for chunk in _packets(data, inside):
        found += xmp.found(data[chunk.body : chunk.stop], "RIFF XMP", chunk.start)
        if len(found) >= MAX_FOUND:
            break
    for chunk in _pictures(inside):
        found += exif_labels(bytes(data[chunk.body : chunk.stop]), "RIFF EXIF", chunk.start)
    return found[:MAX_FOUND]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the packet; the packet and what announces it are made where they are missing."""
    inside = _chunks(data)
    if not inside:
        raise Broken("a WebP without an image")
    packets = _packets(data, inside)
    changes = _announced(data, inside[0])
    for chunk in _pictures(inside):
        old = bytes(data[chunk.body : chunk.stop])
        new = without_exif_labels(old)
        changes += [Change(chunk.body, chunk.stop, new)] if new != old else []
    if packets:
        first = packets[0]
        packet = xmp.merged(data[first.body : first.stop], value)
        changes.append(Change(first.start, first.end, made(b"XMP ", packet)))
        changes += [_cleaned(data, chunk) for chunk in packets[1:]]
    else:
        at = inside[-1].end
        pad = b"\0" * (at & 1)  # of the last chunk, where its writer left it out
        changes.append(Change(at, at, pad + made(b"XMP ", xmp.merged(None, value))))
    size = struct.unpack_from("<I", data, 4)[0] + sum(change.growth for change in changes)
    if size > 0xFFFFFFFE:
        raise Broken("a WebP that is longer than RIFF allows")
    return edited(len(data), [*changes, Change(4, 8, struct.pack("<I", size))])


def _chunks(data: Buffer) -> list[Chunk]:
    if bytes(data[:4]) != b"RIFF" or bytes(data[8:12]) != b"WEBP":
        raise Broken("a WebP without its beginning")
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data) or end < 12:
        raise Broken("a WebP that says it is longer than the file")
    return list(chunks(data, 12, end))


def _packets(data: Buffer, inside: list[Chunk]) -> list[Chunk]:
    """Return the chunks with a packet; some writers have padded the name with a NUL, and readers took it."""
    packets = [chunk for chunk in inside if chunk.kind in (b"XMP ", b"XMP\0")]
    if any(chunk.stop - chunk.body > MAX_METADATA_BYTES for chunk in packets):
        raise Broken("an XMP packet larger than is looked into")
    return packets


def _pictures(inside: list[Chunk]) -> list[Chunk]:
    return [chunk for chunk in inside if chunk.kind == b"EXIF" and chunk.stop - chunk.body <= MAX_METADATA_BYTES]


def exif_labels(block: bytes, place: str, at: int | None) -> list[Found]:
    """Return every label in a block of EXIF (TC260-PG-20259A, annex B: in the user's comment)."""
    start = _tiff_start(block)
    return [
        Found(place=f"{place} {label.tag}", value=label.value, is_native=False, at=at, length=len(block))
        for label in exif.tagged(block[start:])
    ]


def without_exif_labels(block: bytes) -> bytes:
    """Return a block of EXIF, of the same length, with spaces where the labels were."""
    start = _tiff_start(block)
    labels = list(exif.tagged(block[start:]))
    return block[:start] + exif.blanked(block[start:], labels) if labels else block


def _tiff_start(block: bytes) -> int:
    """Return where the structure begins: some writers put a marker before it, and HEIF an offset."""
    starts = [at for sign in (b"II*\0", b"MM\0*") if (at := block.find(sign, 0, 64)) >= 0]
    return min(starts, default=0)


def _cleaned(data: Buffer, chunk: Chunk) -> Change:
    return Change(chunk.start, chunk.end, made(chunk.kind, xmp.without(data[chunk.body : chunk.stop])))


def _announced(data: Buffer, first: Chunk) -> list[Change]:
    """Return the change that makes `VP8X` say that there is a packet."""
    if first.kind == b"VP8X" and first.stop - first.body >= 10:
        flags = data[first.body]
        return [] if flags & _HAS_XMP else [Change(first.body, first.body + 1, bytes((flags | _HAS_XMP,)))]
    width, height, has_alpha = _canvas(data, first)
    flags = _HAS_XMP | (_HAS_ALPHA if has_alpha else 0)
    body = bytes((flags, 0, 0, 0)) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return [Change(first.start, first.start, made(b"VP8X", body))]


def _canvas(data: Buffer, image: Chunk) -> tuple[int, int, bool]:
    """Return width and height in pixels, and whether there is transparency, as the image itself says."""
    head = bytes(data[image.body : min(image.body + 10, image.stop)])
    if image.kind == b"VP8 " and len(head) == 10 and head[3:6] == _KEY_FRAME_START:
        width, height = struct.unpack("<HH", head[6:10])
        width, height, has_alpha = width & 0x3FFF, height & 0x3FFF, False
    elif image.kind == b"VP8L" and len(head) >= 5 and head[0] == _LOSSLESS_SIGN:
        bits = int.from_bytes(head[1:5], "little")
        width, height, has_alpha = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    else:
        raise Broken("a WebP whose first chunk is no image")
    if not (width and height):
        raise Broken("a WebP of no size")
    return width, height, has_alpha
