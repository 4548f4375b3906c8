"""PNG: the label in the XMP packet of an uncompressed iTXt chunk, right after the header; image data is not looked at.

Sources: PNG third edition (W3C 2025): 5.3 chunk layout, 5.6 order, 11.3.3 textual information, 11.3.3.7 eXIf; XMP
Specification Part 3 (2020), 1.1.5 (`XML:com.adobe.xmp`); TC260-PG-20259A for the place.  Seen in the wild and read as
well: a text chunk named `AIGC`, compressed or not, EXIF, a label within another text, and XMP after the image data.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from safebelt.rooms.labelling.formats import exif, xmp
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.changes import Change, changed
from safebelt.rooms.labelling.formats.values import collected, in_text

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEYWORD = "XML:com.adobe.xmp"
_LABEL = "aigc"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
MAX_TEXTS = 10_000
"""Texts and EXIF blocks of one file; programs write dozens."""
_MAX_INFLATED = MAX_METADATA_BYTES
"""Bytes that all texts of a file together may inflate to."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A chunk's type, where it starts with its length, and where it ends with its checksum."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Text:
    """A text chunk taken apart.

    Attributes:
        keyword: Its name.
        head: Everything before the text: keyword, flags, language.
        raw: The text's bytes, inflated.
        is_compressed: Whether they were deflated.
    """

    keyword: str
    head: bytes
    raw: bytes
    is_compressed: bool


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(data))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the XMP packet before the image data; raises `Broken` and `Unwritable`."""
    chunks = _chunks(data)
    image = next((chunk.start for chunk in chunks if chunk.kind == b"IDAT"), len(data))
    changes, kept = list[Change](), None
    for chunk, text in _texts(data, chunks):
        if kept is None and text.keyword == _KEYWORD:
            kept = chunk, text.raw
        elif (new := _cleaned(chunk, text)) is not None:
            changes.append((chunk.start, chunk.end, new))
    changes += [change for chunk in chunks if chunk.kind == b"eXIf" for change in _exif(data, chunk)]
    packet = _chunk(b"iTXt", _KEYWORD.encode() + b"\0" * 5 + xmp.merged(kept[1] if kept else None, value))
    at = kept[0].start if kept and kept[0].start < image else chunks[0].end
    changes += [(at, at, packet), *([(kept[0].start, kept[0].end, b"")] if kept else [])]
    return changed(len(data), changes)


def _findings(data: Buffer) -> Iterator[Found]:
    chunks = _chunks(data, is_whole=False)
    for chunk in chunks:
        for label in exif.tagged(_payload(data, chunk)) if chunk.kind == b"eXIf" else ():
            yield Found(
                place=f"eXIf {label.tag}", value=label.value, is_native=False, at=chunk.start + 8 + label.start,
                length=label.end - label.start,
            )  # fmt: skip
    for chunk, text in _texts(data, chunks):
        yield from _in_text(chunk, text)
    _chunks(data)  # says whether the file is whole


def _in_text(chunk: _Chunk, text: _Text) -> Iterator[Found]:
    kind, at, length = chunk.kind.decode(), chunk.start, chunk.end - chunk.start
    if text.keyword == _KEYWORD:
        is_native = kind == "iTXt" and not text.is_compressed
        yield from xmp.found(text.raw, f"{kind} {_KEYWORD}", at, is_native=is_native)
    elif text.keyword.lower() == _LABEL:
        yield Found(place=f"{kind} {text.keyword}", value=_decoded(text.raw), is_native=False, at=at, length=length)
    else:
        yield from (
            Found(place=f"{kind} {text.keyword}", value=loose.value, is_native=False, at=at, length=length)
            for loose in in_text(_decoded(text.raw))
        )
        yield from xmp.found(_profile(text) or b"", f"{kind} {text.keyword}", at, is_native=False)


def _chunks(data: Buffer, *, is_whole: bool = True) -> list[_Chunk]:
    """Return the chunks that matter here: header, texts, EXIF, and where the image data starts.

    Args:
        data: The file.
        is_whole: Whether it must be; else the chunks before the break are returned.

    Raises:
        Broken: A chunk ends beyond the file, or the first is not the header.
    """
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR":
        raise Broken("no PNG: signature and header are not what they must be")
    at, size, kind, kept = 8, len(data), b"", list[_Chunk]()
    wanted = {b"IHDR", b"IDAT", b"eXIf", *_TEXTS}
    while kind != b"IEND":
        head = data[at : at + 8]
        kind, end = head[4:], at + 12 + int.from_bytes(head[:4])
        if end > size or len(kept) > MAX_TEXTS:
            if not is_whole:
                break
            raise Broken("a PNG chunk that ends beyond the file, or more texts than are looked into")
        if kind in wanted:
            kept.append(_Chunk(kind, at, end))
            wanted -= {b"IHDR", b"IDAT"} & {kind}
        at = end
    return kept


def _payload(data: Buffer, chunk: _Chunk) -> bytes:
    return data[chunk.start + 8 : chunk.end - 4]


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return len(payload).to_bytes(4) + kind + payload + zlib.crc32(payload, zlib.crc32(kind)).to_bytes(4)


def _texts(data: Buffer, chunks: Iterable[_Chunk]) -> Iterator[tuple[_Chunk, _Text]]:
    """Yield the text chunks taken apart.

    Raises:
        Broken: They inflate to more than is looked into.
    """
    budget = _MAX_INFLATED
    for chunk in chunks:
        if chunk.kind not in _TEXTS or chunk.end - chunk.start > MAX_METADATA_BYTES:
            continue
        text = _text(data, chunk, budget)
        if text is None:
            continue
        budget -= len(text.raw) if text.is_compressed else 0
        if budget <= 0:
            raise Broken("a PNG whose texts inflate beyond what is looked into")
        yield chunk, text


def _text(data: Buffer, chunk: _Chunk, budget: int) -> _Text | None:
    """Take a text chunk apart, or return None where it is none."""
    payload = _payload(data, chunk)
    keyword, separator, rest = payload.partition(b"\0")
    if not separator or len(keyword) > 79:
        return None
    deflated, length = chunk.kind == b"zTXt", len(keyword) + 1
    if chunk.kind == b"iTXt":
        language, _, translated = rest[2:].partition(b"\0")
        deflated = rest[:1] == b"\1"
        length += 2 + len(language) + 1 + len(translated.partition(b"\0")[0]) + 1
    elif deflated:
        length += 1
    raw = payload[length:]
    inflated = _inflated(raw, budget) if deflated else raw
    return None if inflated is None else _Text(keyword.decode("latin-1"), payload[:length], inflated, deflated)


def _inflated(raw: bytes, budget: int) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(raw, budget)
    except zlib.error:
        return None


def _decoded(raw: bytes) -> str:
    """Return a text; tEXt and zTXt are Latin-1 by the standard and UTF-8 by those who put Chinese into them."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _profile(text: _Text) -> bytes | None:
    """Return the packet that ImageMagick and others put in a text: name, length, and lines of hexadecimal."""
    if text.keyword.lower() not in ("raw profile type xmp", "raw profile type app1"):
        return None
    try:
        raw = bytes.fromhex(b"".join(text.raw.split(b"\n")[3:]).decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None
    return raw.removeprefix(b"http://ns.adobe.com/xap/1.0/\0")


def _cleaned(chunk: _Chunk, text: _Text) -> bytes | None:
    """Return what stands for a text chunk once labels are out of it, or None where it holds none."""
    if text.keyword.lower() == _LABEL or xmp.labels_of(_profile(text) or b""):
        return b""
    if text.keyword == _KEYWORD:
        return _rewritten(chunk, text, xmp.without(text.raw)) if xmp.labels_of(text.raw) else None
    decoded = _decoded(text.raw)
    labels = in_text(decoded)
    rest = decoded
    for label in reversed(labels):
        rest = rest[: label.start] + rest[label.end :]
    if not labels or not rest.strip():
        return b"" if labels else None
    codec = "utf-8" if decoded.encode() == text.raw else "latin-1"
    return _rewritten(chunk, text, rest.encode(codec))


def _rewritten(chunk: _Chunk, text: _Text, raw: bytes) -> bytes:
    return _chunk(chunk.kind, text.head + (zlib.compress(raw) if text.is_compressed else raw))


def _exif(data: Buffer, chunk: _Chunk) -> list[Change]:
    payload = _payload(data, chunk)
    labels = list(exif.tagged(payload))
    return [(chunk.start, chunk.end, _chunk(b"eXIf", exif.blanked(payload, labels)))] if labels else []
