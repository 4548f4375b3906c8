"""GIF: the label in the XMP application extension; pictures are copied as they are.

Sources: GIF89a specification (CompuServe 1990: blocks, 26 application extension); XMP Specification Part 3 (2020),
1.1.2 (the packet stands there raw, before a *magic trailer* that leads readers of sub-blocks to its end);
TC260-PG-20259A for the place.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import xmp
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.changes import Change, changed
from safebelt.rooms.labelling.formats.values import Loose, collected, in_bytes

_APPLICATION = b"XMP DataXMP"
_REPETITION = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_TRAILER = b"\1" + bytes(range(255, -1, -1)) + b"\0"
MAX_BLOCKS = 200_000
"""Pictures and extensions of one file: an hour of animation at 25 pictures a second has 180,000."""
_EXTENSION, _IMAGE, _END = 0x21, 0x2C, 0x3B
_IS_APPLICATION, _IS_COMMENT, _IS_PLAIN_TEXT = 0xFF, 0xFE, 0x01


@dataclass(frozen=True, slots=True)
class _Block:
    """An extension: its label, where it starts, where its sub-blocks start, and where it ends."""

    label: int
    start: int
    inner: int
    end: int


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(data))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the XMP extension; raises `Broken` and `Unwritable`."""
    extensions = list(_extensions(data))
    packets = [block for block in extensions if _is_xmp(data, block)]
    old = _packet(data, packets[0]) if packets else None
    packet = xmp.as_utf8(xmp.merged(old, value))
    if b"\0" in packet:
        raise Broken("an XMP packet with a zero byte in a GIF")
    at = packets[0].start if packets else _place(data, extensions)
    changes = [(0, 6, b"GIF89a"), (at, packets[0].end if packets else at, _extension(packet))]
    for block in packets[1:]:
        if xmp.labels_of(other := _packet(data, block)):
            changes.append((block.start, block.end, _extension(xmp.without(other))))
    changes += [change for block in extensions if block not in packets for change in _cleaned(data, block)]
    return changed(len(data), changes)


def kept(data: Buffer) -> bytes:
    """Return the extensions that a GIF keeps when its pictures are drawn anew: comments, and applications' data.

    Raises:
        Broken: It is no whole GIF.
        Unwritable: It holds text that is drawn by whoever shows it, which would be lost.
    """
    pieces = list[bytes]()
    for block in _extensions(data):
        if block.label == _IS_PLAIN_TEXT:
            raise Unwritable(
                Text(
                    zh="GIF 中有由显示程序绘制的文字，不重新绘制。",
                    en="The GIF holds text blocks, which would be lost.",
                )
            )
        if block.label == _IS_COMMENT or (block.label == _IS_APPLICATION and not _repeats(data, block)):
            pieces.append(bytes(data[block.start : block.end]))
    return b"".join(pieces)


def with_kept(made: bytes, pieces: bytes) -> bytes:
    """Return a GIF with extensions of another put in, after the application extensions that come first."""
    at = _place(made, list(_extensions(made)))
    return b"".join((b"GIF89a", made[6:at], pieces, made[at:]))


def _repeats(data: Buffer, block: _Block) -> bool:
    """Whether an application extension says how often the pictures are shown again."""
    return bytes(data[block.inner + 1 : block.inner + 12]) in _REPETITION


def _findings(data: Buffer) -> Iterator[Found]:
    for block in _extensions(data):
        if _is_xmp(data, block):
            yield from xmp.found(_packet(data, block), "application extension XMP", block.start)
        elif block.label in (_IS_COMMENT, _IS_APPLICATION):
            name = "comment" if block.label == _IS_COMMENT else "application extension"
            for loose in _loose(data, block):
                yield Found(
                    place=name, value=loose.value, is_native=False, at=block.start, length=block.end - block.start
                )


def _extensions(data: Buffer) -> Iterator[_Block]:
    """Yield every extension.

    Raises:
        Broken: A block ends beyond the file, or is none.
    """
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        raise Broken("no GIF: signature and screen descriptor are not what they must be")
    at = 13 + _colours(data[10])
    for _number in range(MAX_BLOCKS):
        kind = _byte(data, at)
        if kind == _END:
            return
        if kind == _EXTENSION:
            end = _past_sub_blocks(data, at + 2)
            yield _Block(_byte(data, at + 1), at, at + 2, end)
        elif kind == _IMAGE:
            end = _past_sub_blocks(data, at + 10 + _colours(_byte(data, at + 9)) + 1)
        else:
            raise Broken("a GIF block that is neither picture nor extension")
        at = end
    raise Broken("a GIF with more blocks than are looked at")


def _byte(data: Buffer, at: int) -> int:
    if at >= len(data):
        raise Broken("a GIF that ends within a block")
    return data[at]


def _colours(packed: int) -> int:
    """Return the bytes of the colour table that a descriptor's packed field announces."""
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _past_sub_blocks(data: Buffer, at: int) -> int:
    size = len(data)
    while at < size:
        length = data[at]
        at += length + 1
        if not length:
            return at
    raise Broken("a GIF that ends within a block")


def _place(data: Buffer, extensions: list[_Block]) -> int:
    """Return where a new packet goes: after the application extensions that come first, as NETSCAPE's loop must."""
    at = 13 + _colours(data[10])
    for block in extensions:
        if block.start != at or block.label != _IS_APPLICATION:
            break
        at = block.end
    return at


def _extension(packet: bytes) -> bytes:
    return b"\x21\xff\x0b" + _APPLICATION + packet + _TRAILER


def _is_xmp(data: Buffer, block: _Block) -> bool:
    return block.label == _IS_APPLICATION and data[block.inner : block.inner + 12] == b"\x0b" + _APPLICATION


def _packet(data: Buffer, block: _Block) -> bytes:
    """Return the packet: raw before the trailer, or, as some wrote it, in sub-blocks."""
    raw = data[block.inner + 12 : block.end]
    if len(raw) > MAX_METADATA_BYTES:
        raise Broken("an XMP packet larger than is looked into")
    return raw[: -len(_TRAILER)] if raw.endswith(_TRAILER) else _joined(raw)


def _joined(raw: bytes) -> bytes:
    pieces, at = list[bytes](), 0
    while at < len(raw) and raw[at]:
        pieces.append(raw[at + 1 : at + 1 + raw[at]])
        at += raw[at] + 1
    return b"".join(pieces)


def _text_start(data: Buffer, block: _Block) -> int:
    """Return where a block's text starts: an application's first sub-block is its name."""
    return block.inner + 1 + data[block.inner] if block.label == _IS_APPLICATION and data[block.inner] else block.inner


def _loose(data: Buffer, block: _Block) -> list[Loose]:
    if block.label not in (_IS_COMMENT, _IS_APPLICATION) or block.end - block.start > MAX_METADATA_BYTES:
        return []
    start = _text_start(data, block)
    return in_bytes(_joined(data[start : block.end]))


def _cleaned(data: Buffer, block: _Block) -> list[Change]:
    """Return the change that takes labels out of a comment, or an application's whole block if it is one."""
    labels = _loose(data, block)
    if not labels:
        return []
    start = _text_start(data, block)
    rest = bytearray(_joined(data[start : block.end]))
    for label in reversed(labels):
        del rest[label.start : label.end]
    if not rest.strip(b"\0 \t\r\n"):
        return [(block.start, block.end, b"")]
    pieces = b"".join(bytes([len(rest[at : at + 255])]) + rest[at : at + 255] for at in range(0, len(rest), 255))
    return [(start, block.end, pieces + b"\0")]
