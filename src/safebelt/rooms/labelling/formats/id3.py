"""ID3v2: a tag of frames, where the label is a user text `TXXX` (2.2: `TXX`) described as `AIGC`.

Sources: ID3v2.2.0 (id3v2-00), ID3v2.3.0 (id3v2.3.0), ID3v2.4.0 structure and frames (id3v2.4.0-structure, -frames);
XMP Specification Part 3 (2020), 1.1.4 for the frame `PRIV` of owner `XMP`; TC260-PG-202510A for the label.

A tag that is unsynchronised stays so, a checksum is made anew, and padding is used up before a tag grows.
"""

import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import xmp
from safebelt.rooms.labelling.formats.carrier import (
    MAX_FOUND,
    MAX_LABEL_BYTES,
    MAX_METADATA_BYTES,
    Broken,
    Buffer,
    Found,
    Unwritable,
)
from safebelt.rooms.labelling.formats.patches import is_label_field

HEADER_BYTES = 10
MAX_FRAMES = 1 << 14
_PADDING = 10
"""Zeros behind the frames, at least: some readers look there to tell how long the last frame is (ffmpeg does so)."""
_UNSYNCHRONISED, _EXTENDED, _FOOTED = 0x80, 0x40, 0x10
_NAME = re.compile(rb"[A-Z0-9]{3}[A-Z0-9 \0]?")
"""Names of frames; some writers left those of 2.2, filled up, in later tags."""
_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_OWNER = b"XMP\0"
_TIGHT = re.compile(rb"\xff(?=[\x00\xe0-\xff])")
"""Where unsynchronisation puts a zero (2.4 structure, 6.1)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: its name, all its bytes, and what is in it once flags are undone (empty where it is locked)."""

    name: bytes
    raw: bytes
    content: bytes


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag.

    Attributes:
        start: Offset in the file.
        end: Where the next thing begins; the footer belongs to the tag.
        version: 2, 3 or 4.
        head: Version, revision and flags: the bytes 3 to 5.
        extended: The extended header, as it is.
        frames: What it holds.
        tail: What follows the frames: padding, which is zeros, or what nobody can read.
    """

    start: int
    end: int
    version: int
    head: bytes
    extended: bytes
    frames: Sequence[Frame]
    tail: bytes


def tag_at(data: Buffer, start: int) -> Tag | None:
    """Return the tag that begins at `start`, or None where none does.

    Raises:
        Broken: It ends beyond the file, or a frame beyond it; or it is larger than is looked into.
    """
    header = bytes(data[start : start + HEADER_BYTES])
    if len(header) < HEADER_BYTES or header[:3] != b"ID3" or header[3] not in (2, 3, 4) or max(header[6:]) > 127:
        return None
    size = synchsafe(header[6:10])
    version, flags = header[3], header[5]
    end = start + HEADER_BYTES + size + (HEADER_BYTES if version == 4 and flags & _FOOTED else 0)
    if end > len(data) or size > MAX_METADATA_BYTES:
        raise Broken("an ID3 tag that ends beyond the file, or is larger than is looked into")
    body = bytes(data[start + HEADER_BYTES : start + HEADER_BYTES + size])
    if version == 2 and flags & _EXTENDED:  # 2.2, 3.1: compression, which nobody ever defined
        return Tag(start, end, version, header[3:6], b"", (), body)
    if version < 4 and flags & _UNSYNCHRONISED:
        body = body.replace(b"\xff\0", b"\xff")
    at = _extended_bytes(body, version) if version > 2 and flags & _EXTENDED else 0
    frames, stop = _frames(body, at, version, is_unsynchronised=bool(version == 4 and flags & _UNSYNCHRONISED))
    return Tag(start, end, version, header[3:6], body[:at], frames, body[stop:])


def labels(raw: bytes, place: str, at: int | None, *, is_native: bool) -> list[Found]:
    """Return every label of the tag that stands at the beginning of a block at offset `at`."""
    tag = tag_at(raw, 0)
    return [] if tag is None else labels_of(tag, place, at, is_native=is_native)


def labels_of(tag: Tag, place: str, at: int | None, *, is_native: bool) -> list[Found]:
    """Return every label of a tag."""
    found, seen = list[Found](), at
    length = tag.end - tag.start
    for frame in tag.frames:
        if _is_packet(frame):
            found += xmp.found(frame.content[len(_OWNER) :], f"{place} PRIV XMP", seen, is_native=False)
        for name, value in _texts(frame):
            if is_label_field(name, value):
                native = is_native and frame.name in (b"TXXX", b"TXX") and name == "AIGC"
                called = f"{place} {frame.name.decode()}:{name}".rstrip(":")
                found.append(Found(place=called, value=value, is_native=native, at=seen, length=length))
        if len(found) >= MAX_FOUND:
            break
    return found[:MAX_FOUND]


def without(raw: bytes) -> bytes:
    """Return a block that begins with a tag, of the same length, without any label."""
    tag = tag_at(raw, 0)
    if tag is None:
        return raw
    new = rewritten(tag, None) + raw[tag.end :]
    if len(new) > len(raw):
        raise Broken("an ID3 tag that says it is unsynchronised and is not")
    return new.ljust(len(raw), b"\0")


def rewritten(tag: Tag, line: str | None) -> bytes:
    """Return a tag with one label, or with none; of the old length where padding allows.

    Raises:
        Unwritable: The tag is compressed as a whole, or holds what nobody can read.
    """
    frames = [new for frame in tag.frames if (new := _cleaned(frame))]
    if line is not None:
        if tag.version == 2 and tag.head[2] & _EXTENDED:
            raise Unwritable(
                Text(
                    zh="该 ID3v2.2 标签声明了未定义的压缩方式，无法改写；请先用其他工具重写标签。",
                    en="The ID3v2.2 tag says it is compressed, in a way nobody defined; rewrite the tag first.",
                )
            )
        frames.append(_label(line, tag.version))
    elif frames == [frame.raw for frame in tag.frames]:
        return _assembled(tag, b"".join(frames), tag.tail)
    body, has_footer = b"".join(frames), tag.version == 4 and tag.head[2] & _FOOTED
    if tag.tail.strip(b"\0"):
        raise Unwritable(
            Text(
                zh="ID3 标签中有既不是帧也不是填充的内容，其中可能还有标识；请先用其他工具重写标签。",
                en="The ID3 tag holds what is neither frame nor padding, maybe another label; rewrite the tag first.",
            )
        )
    if has_footer:  # such a tag has no padding (2.4 structure, 3.4)
        return _assembled(tag, body, b"")
    room = sum(len(frame.raw) for frame in tag.frames) + len(tag.tail)
    least = 0 if line is None else _PADDING
    padding = max(room - len(body), least)
    over = len(_assembled(tag, body, bytes(padding))) - (tag.end - tag.start)  # unsynchronisation lengthens
    return _assembled(tag, body, bytes(max(padding - max(over, 0), least)))


def fresh(line: str) -> bytes:
    """Return a new tag with a label: of version 2.3, which more players and file managers read than 2.4."""
    return _assembled(Tag(0, 0, 3, b"\3\0\0", b"", (), b""), _label(line, 3), bytes(_PADDING))


def synchsafe(raw: bytes) -> int:
    """Return a number of seven bits per byte."""
    number = 0
    for byte in raw:
        number = number << 7 | byte & 127
    return number


def as_synchsafe(number: int, length: int = 4) -> bytes:
    """Return a number as seven bits per byte."""
    return bytes(number >> 7 * place & 127 for place in reversed(range(length)))


# ------------------------------------------------------------------------------------------------ frames


def _extended_bytes(body: bytes, version: int) -> int:
    """Return the length of the extended header (2.3: 3.2; 2.4: 3.2)."""
    size = int.from_bytes(body[:4]) + 4 if version == 3 else synchsafe(body[:4])
    if not 6 <= size <= len(body):
        raise Broken("an extended header of ID3 that ends beyond its tag")
    return size


def _frames(body: bytes, at: int, version: int, *, is_unsynchronised: bool) -> tuple[list[Frame], int]:
    """Return the frames, and where what follows them begins."""
    frames, head, letters = list[Frame](), 6 if version == 2 else 10, 3 if version == 2 else 4
    while at + head <= len(body) and _NAME.fullmatch(body[at : at + letters]):
        size = _size(body, at, version)
        if at + head + size > len(body) or len(frames) >= MAX_FRAMES:
            raise Broken("a frame of ID3 that ends beyond its tag, or too many of them")
        raw = body[at : at + head + size]
        frames.append(Frame(raw[:letters], raw, _content(raw, version, is_unsynchronised=is_unsynchronised)))
        at += head + size
    return frames, at


def _size(body: bytes, at: int, version: int) -> int:
    if version == 2:
        return int.from_bytes(body[at + 3 : at + 6])
    plain = int.from_bytes(body[at + 4 : at + 8])
    if version == 3:
        return plain
    safe = synchsafe(body[at + 4 : at + 8])
    if plain == safe:
        return safe
    # Some writers (an iTunes of 2005) put plain sizes into 2.4: what lands on a frame is right.
    is_plain = max(body[at + 4 : at + 8]) > 127 or not _lands(body, at + 10 + safe)
    return plain if is_plain and _lands(body, at + 10 + plain) else safe


def _lands(body: bytes, at: int) -> bool:
    return at == len(body) or (at < len(body) and (body[at] == 0 or bool(_NAME.fullmatch(body[at : at + 4]))))


def _content(raw: bytes, version: int, *, is_unsynchronised: bool) -> bytes:
    """Return what is in a frame, its flags undone (2.3: 3.3.1; 2.4: 4.1); empty where it is encrypted."""
    if version == 2:
        return raw[6:]
    flags, content = raw[9], raw[10:]
    grouped, compressed, encrypted, unsynchronised, sized = (
        (flags & 0x20, flags & 0x80, flags & 0x40, 0, flags & 0x80)
        if version == 3
        else (flags & 0x40, flags & 0x08, flags & 0x04, flags & 0x02 or is_unsynchronised, flags & 0x01)
    )
    if encrypted:
        return b""
    content = content[(4 if sized else 0) + (1 if grouped else 0) :]
    if unsynchronised:
        content = content.replace(b"\xff\0", b"\xff")
    return _inflated(content) if compressed else content


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, 4 * MAX_LABEL_BYTES)
    except zlib.error:
        return b""


def _texts(frame: Frame) -> Iterator[tuple[str, str]]:
    """Yield the texts of a frame: description and value."""
    name, content = frame.name, frame.content[: 4 * MAX_LABEL_BYTES]
    if not content or content[0] >= len(_CODECS):
        return
    codec = _CODECS[content[0]]
    if name in (b"TXXX", b"TXX"):
        description, value = _split(content[1:], codec)
        yield description, value
    elif name in (b"COMM", b"COM"):
        description, value = _split(content[4:], codec)
        yield description, value
    elif name.startswith(b"T"):
        yield "", _text(content[1:], codec)


def _split(content: bytes, codec: str) -> tuple[str, str]:
    """Split description from text at the first NUL of the encoding."""
    if not codec.startswith("utf-16"):
        description, _, value = content.partition(b"\0")
        return _text(description, codec), _text(value, codec)
    at = next((at for at in range(0, len(content) - 1, 2) if content[at : at + 2] == b"\0\0"), len(content))
    return _text(content[:at], codec), _text(content[at + 2 :], codec)


def _text(raw: bytes, codec: str) -> str:
    return raw.decode(codec, "replace").strip("\0")[:MAX_LABEL_BYTES]


def _is_packet(frame: Frame) -> bool:
    return frame.name == b"PRIV" and frame.content.startswith(_OWNER)


def _cleaned(frame: Frame) -> bytes:
    """Return a frame without labels: nothing of one that is a label, and a packet at its old length."""
    if any(is_label_field(name, value) for name, value in _texts(frame)):
        return b""
    if _is_packet(frame) and frame.raw.endswith(frame.content):
        packet = frame.content[len(_OWNER) :]
        if xmp.labels(packet):
            return frame.raw[: len(frame.raw) - len(packet)] + xmp.without(packet).ljust(len(packet))
    return frame.raw


def _label(line: str, version: int) -> bytes:
    """Return our frame: Latin-1 where that holds it, else UTF-8 (2.4) or UTF-16, which 2.3 has instead."""
    if line.isascii():
        body = b"\0AIGC\0" + line.encode()
    elif version == 4:
        body = b"\3AIGC\0" + line.encode()
    else:
        body = b"\1" + "AIGC".encode("utf-16") + b"\0\0" + line.encode("utf-16")
    if version == 2:
        return b"TXX" + len(body).to_bytes(3) + body
    size = as_synchsafe(len(body)) if version == 4 else struct.pack(">I", len(body))
    return b"TXXX" + size + b"\0\0" + body


# ------------------------------------------------------------------------------------------------ the tag as bytes


def _assembled(tag: Tag, frames: bytes, padding: bytes) -> bytes:
    """Return the bytes of a tag."""
    extended = _EXTENDERS[tag.version](tag.extended, frames, padding) if tag.extended else b""
    body, flags = extended + frames + padding, tag.head[2]
    if tag.version < 4 and flags & _UNSYNCHRONISED:
        body = _TIGHT.sub(b"\xff\0", body) + (b"\0" if body.endswith(b"\xff") else b"")
    if len(body) >= 1 << 28:
        raise Broken("an ID3 tag that would be longer than a tag can be")
    rest = tag.head + as_synchsafe(len(body))
    footer = b"3DI" + rest if tag.version == 4 and flags & _FOOTED else b""
    return b"ID3" + rest + body + footer


def _extended_3(old: bytes, frames: bytes, padding: bytes) -> bytes:
    """Renew size of padding and checksum of frames (2.3, 3.2)."""
    is_checked = len(old) >= 14 and old[4] & 0x80
    renewed = old[:6] + struct.pack(">I", len(padding)) + old[10:]
    return renewed[:10] + struct.pack(">I", zlib.crc32(frames)) + renewed[14:] if is_checked else renewed[: len(old)]


def _extended_4(old: bytes, frames: bytes, padding: bytes) -> bytes:
    """Renew the checksum of frames and padding (2.4, 3.2): flag data in order, each with its length before it."""
    if old[4] != 1 or not old[5] & 0x20:
        return old
    at = 6 + (1 if old[5] & 0x40 else 0)
    if old[at : at + 1] != b"\5" or len(old) < at + 6:
        raise Broken("an extended header of ID3 whose checksum has no length")
    return old[: at + 1] + as_synchsafe(zlib.crc32(frames + padding), 5) + old[at + 6 :]


_EXTENDERS: dict[int, Callable[[bytes, bytes, bytes], bytes]] = {3: _extended_3, 4: _extended_4}
