"""WAV and AVI: chunks in a RIFF, where the label is a chunk `AIGC` (WAV) or one of the list `INFO` (AVI).

Sources: Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), RIFF, WAVE and INFO; EBU
Tech 3306 (RF64) and ITU-R BS.2088 (BW64) for `ds64`; OpenDML AVI File Format Extensions 1.02 for `indx` and `AVIX`;
XMP Specification Part 3 (2020), 1.1.5 and 1.1.6 for `_PMX`; TC260-PG-202510A (WAV) and 20257A (AVI) for the label.

WAV has no offsets, so chunks come and go.  In AVI what stands before the frames keeps its length, out of `JUNK`, so
that no index has to change; where there is no room the list goes behind the index of the first RIFF, and the offsets
into later ones are moved.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import id3, xmp
from safebelt.rooms.labelling.formats.carrier import (
    MAX_FOUND,
    MAX_METADATA_BYTES,
    Broken,
    Buffer,
    Edit,
    Found,
    Unwritable,
)
from safebelt.rooms.labelling.formats.patches import Change, Moves, edited, is_label_field, text_of
from safebelt.rooms.labelling.formats.values import as_line

MAX_CHUNKS = 1 << 16
"""Chunks looked at in one list; frames lie deeper and are not."""
_UNKNOWN = (0, 0xFFFFFFFF)
"""Sizes that writers leave who cannot go back (streams), and the mark of RF64."""
_INDEX_OF_INDEXES, _INDEX_OF_CHUNKS = 0, 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk.

    Attributes:
        kind: Its four characters; of a list (`RIFF`, `LIST`) those of the list's form.
        start: Offset of its header.
        body: Offset of its content; of a list, of the first chunk in it.
        stop: Where its content ends.
        end: Where the next begins (content is padded to an even length).
        is_list: Whether it holds chunks.
        is_open: Whether its size is not known and it reaches to the end.
    """

    kind: bytes
    start: int
    body: int
    stop: int
    end: int
    is_list: bool = False
    is_open: bool = False


def chunks(data: Buffer, start: int, end: int, sizes: dict[bytes, int] | None = None) -> Iterator[Chunk]:
    """Yield the chunks in `[start, end)`.

    Args:
        data: The file.
        start: Where the first begins.
        end: Where the last must have ended.
        sizes: Lengths from `ds64` for chunks of 4 GB and more.

    Raises:
        Broken: One ends beyond `end`, or there are too many.
    """
    at, count = start, 0
    while at + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, at)
        is_open = False
        if size == 0xFFFFFFFF and sizes and kind in sizes:
            size = sizes[kind]
        elif size in _UNKNOWN and _is_streamable(data, at, kind):
            is_open = size != 0 or _is_streamed(data)
            size = end - at - 8 if is_open else size
        stop = at + 8 + size
        count += 1
        if stop > end or count > MAX_CHUNKS:
            raise Broken("a RIFF chunk that ends beyond what holds it, or too many of them")
        is_list = kind in (b"RIFF", b"RF64", b"BW64", b"LIST") and size >= 4
        after = min(stop + (size & 1), end)
        if is_list:
            yield Chunk(bytes(data[at + 8 : at + 12]), at, at + 12, stop, after, is_list=True, is_open=is_open)
        else:
            yield Chunk(kind, at, at + 8, stop, after, is_open=is_open)
        at = after


def _is_streamable(data: Buffer, at: int, kind: bytes) -> bool:
    """Whether a chunk holds sound or frames, whose length a writer may not know."""
    return kind == b"data" or (kind == b"LIST" and bytes(data[at + 8 : at + 12]) == b"movi")


def _is_streamed(data: Buffer) -> bool:
    """Whether the writer left the size of the whole open, so that a `data` of 0 means what it does there."""
    return struct.unpack_from("<I", data, 4)[0] in _UNKNOWN


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    riffs = _riffs(data)
    is_wave = riffs[0].kind == b"WAVE"
    found = list[Found]()
    for riff in riffs:
        for chunk in _inside(data, riff):
            found += _labels(data, chunk, is_wave=is_wave)
            if len(found) >= MAX_FOUND:
                return found[:MAX_FOUND]
    return found


def write(data: Buffer, value: str) -> Edit:
    """Put the label into its chunk."""
    line = as_line(value)
    riffs = _riffs(data)
    changes = _wave(data, riffs[0], line) if riffs[0].kind == b"WAVE" else _avi(data, riffs, line)
    return edited(len(data), changes)


def made(kind: bytes, body: bytes) -> bytes:
    """Return a chunk."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


# ------------------------------------------------------------------------------------------------ what holds chunks


def _riffs(data: Buffer) -> list[Chunk]:
    """Return the RIFFs of a file: one, or in OpenDML the first and those that continue it."""
    if bytes(data[:4]) not in (b"RIFF", b"RF64", b"BW64") or bytes(data[8:12]) not in (b"WAVE", b"AVI "):
        raise Broken("a RIFF without its beginning, or of a form that is neither WAVE nor AVI")
    size = struct.unpack_from("<I", data, 4)[0]
    if bytes(data[:4]) != b"RIFF" and size == 0xFFFFFFFF:
        size = _long_sizes(data).get(b"RIFF", 0)
    stop = len(data) if size in _UNKNOWN else 8 + size
    if stop > len(data) or stop < 12:
        raise Broken("a RIFF that says it is longer than the file")
    first = Chunk(bytes(data[8:12]), 0, 12, stop, min(stop + (stop & 1), len(data)), True, size in _UNKNOWN)
    return [first, *_continued(data, first)]


def _continued(data: Buffer, first: Chunk) -> Iterator[Chunk]:
    at = first.end
    while first.kind == b"AVI " and bytes(data[at : at + 4]) == b"RIFF" and bytes(data[at + 8 : at + 12]) == b"AVIX":
        stop = at + 8 + struct.unpack_from("<I", data, at + 4)[0]
        if stop > len(data):
            raise Broken("a RIFF of an AVI that says it is longer than the file")
        yield Chunk(b"AVIX", at, at + 12, stop, min(stop + (stop & 1), len(data)), True)
        at = min(stop + (stop & 1), len(data))


def _long_sizes(data: Buffer) -> dict[bytes, int]:
    """Return the lengths that `ds64` keeps: of the RIFF, of `data`, and of what its table names."""
    if bytes(data[12:16]) != b"ds64" or len(data) < 48:
        raise Broken("an RF64 without ds64")
    riff, sound, _samples, count = struct.unpack_from("<QQQI", data, 20)
    sizes = {b"RIFF": riff, b"data": sound}
    room = (struct.unpack_from("<I", data, 16)[0] - 28) // 12
    for number in range(min(count, room, MAX_CHUNKS, (len(data) - 48) // 12)):
        kind, size = struct.unpack_from("<4sQ", data, 48 + number * 12)
        sizes.setdefault(kind, size)
    return sizes


def _inside(data: Buffer, riff: Chunk) -> list[Chunk]:
    sizes = _long_sizes(data) if bytes(data[:4]) != b"RIFF" and bytes(data[12:16]) == b"ds64" else None
    return list(chunks(data, riff.body, riff.stop, sizes))


# ------------------------------------------------------------------------------------------------ reading


def _labels(data: Buffer, chunk: Chunk, *, is_wave: bool) -> list[Found]:
    if chunk.is_list and chunk.kind == b"INFO":
        fields = [field for field in chunks(data, chunk.body, chunk.stop) if _is_label(data, field)]
        return [_found(data, "LIST/INFO", field, is_native=not is_wave and field.kind == b"AIGC") for field in fields]
    if chunk.is_list or chunk.stop - chunk.body > MAX_METADATA_BYTES:
        return []
    if chunk.kind == b"_PMX":
        return xmp.found(data[chunk.body : chunk.stop], "RIFF _PMX", chunk.start, is_native=False)
    if chunk.kind in (b"id3 ", b"ID3 "):
        return id3.labels(data[chunk.body : chunk.stop], f"RIFF {chunk.kind.decode()}", chunk.start, is_native=False)
    if chunk.kind.upper() == b"AIGC":
        return [_found(data, "RIFF", chunk, is_native=is_wave and chunk.kind == b"AIGC")]
    return []


def _is_label(data: Buffer, field: Chunk) -> bool:
    return not field.is_list and is_label_field(field.kind.decode("latin-1"), text_of(data[field.body : field.stop]))


def _found(data: Buffer, place: str, chunk: Chunk, *, is_native: bool) -> Found:
    name = chunk.kind.decode("latin-1")
    value = text_of(data[chunk.body : chunk.stop])
    return Found(
        place=f"{place} {name}", value=value, is_native=is_native, at=chunk.start, length=chunk.end - chunk.start
    )


# ------------------------------------------------------------------------------------------------ writing


def _wave(data: Buffer, riff: Chunk, line: str) -> list[Change]:
    """Take labels out, and put ours behind the last chunk; before the sound, where that has no known end."""
    inside = _inside(data, riff)
    changes = list[Change]()
    for chunk in inside:
        if chunk.kind.upper() == b"AIGC" and not chunk.is_list:
            changes.append(Change(chunk.start, chunk.end, b""))
        else:
            changes += _cleaned(data, chunk)
    new = made(b"AIGC", line.encode())
    sound = next((chunk for chunk in inside if chunk.is_open), None)
    if sound is not None:
        return [*changes, Change(sound.start, sound.start, new)]
    at = max([chunk.end for chunk in inside], default=riff.body)
    pad = b"\0" * ((at - riff.body) & 1)  # the last chunk's, which some writers leave out
    changes.append(Change(at, at, pad + new))
    return [*changes, *_resized(data, riff, sum(change.growth for change in changes))]


def _cleaned(data: Buffer, chunk: Chunk) -> list[Change]:
    """Take labels out of a chunk of metadata; the chunk keeps its length but for lists, which shrink."""
    if chunk.is_list and chunk.kind == b"INFO":
        gone = [field for field in chunks(data, chunk.body, chunk.stop) if _is_label(data, field)]
        taken = sum(field.end - field.start for field in gone)
        length = Change(chunk.start + 4, chunk.start + 8, struct.pack("<I", chunk.stop - chunk.start - 8 - taken))
        return [*(Change(field.start, field.end, b"") for field in gone), length] if gone else []
    if chunk.is_list or not _labels(data, chunk, is_wave=True):
        return []
    old = data[chunk.body : chunk.stop]
    new = xmp.without(old).ljust(len(old)) if chunk.kind == b"_PMX" else id3.without(old)
    return [Change(chunk.body, chunk.stop, new)]


def _resized(data: Buffer, riff: Chunk, growth: int) -> list[Change]:
    """Change what a RIFF says of its length."""
    if not growth or riff.is_open:
        return []
    size = riff.stop - riff.start - 8 + growth
    if riff.start == 0 and bytes(data[:4]) != b"RIFF" and struct.unpack_from("<I", data, 4)[0] == 0xFFFFFFFF:
        return [Change(20, 28, struct.pack("<Q", size))]
    if size >= 0xFFFFFFFF:
        raise Unwritable(
            Text(
                zh="文件已接近 RIFF 的 4 GB 上限，放不下标识；请改用 RF64 或拆分文件。",
                en="The file is at the 4 GB limit of RIFF and has no room for the label; use RF64, or split it.",
            )
        )
    return [Change(riff.start + 4, riff.start + 8, struct.pack("<I", size))]


def _avi(data: Buffer, riffs: list[Chunk], line: str) -> list[Change]:
    inside = _inside(data, riffs[0])
    later = [chunk for riff in riffs[1:] for chunk in _inside(data, riff)]
    places = list(_rooms(inside))
    target = next((place for place in places if _fits(data, place, line)), None)
    last = inside[-1:] if inside and inside[-1].is_list and inside[-1].kind == b"INFO" else []
    taken = {chunk.start for chunk in target or last}
    changes = [change for chunk in [*inside, *later] if chunk.start not in taken for change in _still(data, chunk)]
    if target is not None:
        return [*changes, *_filled(data, target, line)]
    return [*changes, *_appended(data, riffs[0], inside, line)]


def _rooms(inside: list[Chunk]) -> Iterator[tuple[Chunk, ...]]:
    """Yield where an INFO list can stand: one that is there, with the JUNK behind it; then any JUNK."""
    for chunk, after in zip_longest(inside, inside[1:]):
        if chunk.is_list and chunk.kind == b"INFO":
            yield (chunk, after) if after is not None and after.kind == b"JUNK" else (chunk,)
    yield from ((chunk,) for chunk in inside if chunk.kind == b"JUNK" and not chunk.is_list)


def _list(data: Buffer, place: tuple[Chunk, ...], line: str) -> bytes:
    info = place[0]
    kept = chunks(data, info.body, info.stop) if info.is_list else ()
    fields = [data[field.start : field.end] for field in kept if not _is_label(data, field)]
    return made(b"LIST", b"".join([b"INFO", *fields, made(b"AIGC", line.encode())]))


def _fits(data: Buffer, place: tuple[Chunk, ...], line: str) -> bool:
    room = place[-1].end - place[0].start - len(_list(data, place, line))
    return room == 0 or (room >= 8 and room % 2 == 0)


def _filled(data: Buffer, place: tuple[Chunk, ...], line: str) -> list[Change]:
    """Put the list into its room, and keep of the JUNK what is left over."""
    new, end = _list(data, place, line), place[-1].end
    if len(new) == place[0].end - place[0].start:
        return [Change(place[0].start, place[0].end, new)]
    room = end - place[0].start - len(new)
    kept = min(max(0, end - place[-1].body), max(0, room - 8)) if place[-1].kind == b"JUNK" else 0
    junk = b"JUNK" + struct.pack("<I", room - 8) + b"\0" * (room - 8 - kept) if room else b""
    return [Change(place[0].start, end - kept, new + junk)]


def _still(data: Buffer, chunk: Chunk) -> list[Change]:
    """Take labels out of a chunk such that nothing behind it moves."""
    changes = _cleaned(data, chunk)
    growth = sum(change.growth for change in changes)
    return [*changes, Change(chunk.end, chunk.end, made(b"JUNK", b"\0" * (-growth - 8)))] if growth else changes


def _appended(data: Buffer, riff: Chunk, inside: list[Chunk], line: str) -> list[Change]:
    """Put a list behind the last chunk of the first RIFF, and move what points beyond it."""
    if any(chunk.is_open for chunk in inside) or riff.is_open:
        raise Unwritable(
            Text(
                zh="该 AVI 文件未写完（长度未知），也没有预留空间，无法写入标识；请先重新封装。",
                en="The AVI was not finished (its length is open) and keeps no room for a label; remux it first.",
            )
        )
    last = inside[-1] if inside else riff
    at = last.end if inside else riff.body
    pad = b"\0" * ((at - riff.start) & 1)
    if inside and last.is_list and last.kind == b"INFO":
        new, start = _list(data, (last,), line), last.start
    else:
        new, start = made(b"LIST", b"INFO" + made(b"AIGC", line.encode())), at
    put = Change(start, at, (pad if start == at else b"") + new)
    return [put, *_resized(data, riff, put.growth), *_indexes(data, inside, Moves([put]))]


def _indexes(data: Buffer, inside: Iterable[Chunk], moves: Moves) -> Iterator[Change]:
    """Yield the changes to OpenDML's indexes, which hold offsets into the file."""
    for header in (chunk for chunk in inside if chunk.is_list and chunk.kind == b"hdrl"):
        for stream in chunks(data, header.body, header.stop):
            fields = chunks(data, stream.body, stream.stop) if stream.is_list and stream.kind == b"strl" else ()
            for field in fields:
                if field.kind == b"indx" and field.stop - field.body >= 24:
                    yield from _index(data, field, moves, depth=0)


def _index(data: Buffer, chunk: Chunk, moves: Moves, depth: int) -> Iterator[Change]:
    words, _sub, kind, used = struct.unpack_from("<HBBI", data, chunk.body)
    if kind == _INDEX_OF_CHUNKS:
        yield from _moved(data, chunk.body + 12, moves)
    elif kind == _INDEX_OF_INDEXES and words >= 2 and depth == 0:
        for number in range(min(used, (chunk.stop - chunk.body - 24) // (4 * words), MAX_CHUNKS)):
            at = chunk.body + 24 + number * 4 * words
            yield from _moved(data, at, moves)
            start = struct.unpack_from("<Q", data, at)[0]
            if start + 32 <= len(data):
                size = struct.unpack_from("<I", data, start + 4)[0]
                part = Chunk(b"ix", start, start + 8, min(start + 8 + size, len(data)), 0)
                yield from _index(data, part, moves, depth + 1) if part.stop - part.body >= 24 else ()


def _moved(data: Buffer, at: int, moves: Moves) -> Iterator[Change]:
    old = struct.unpack_from("<Q", data, at)[0]
    if moves(old) != old:
        yield Change(at, at + 8, struct.pack("<Q", moves(old)))
