"""JPEG: the label in the XMP packet of an APP1 segment; everything from the first scan on is copied as it is.

Sources: ITU-T T.81 (annex B: markers and segments); XMP Specification Part 3 (2020), 1.1.3 (APP1, extended XMP); CIPA
DC-007 (multi-picture format: offsets count from its own header); TC260-PG-20259A for the place.  Seen in the wild and
read as well: EXIF, comments, and `AIGC{…}` glued into another segment.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import exif, mpf, xmp
from safebelt.rooms.labelling.formats.carrier import (
    MAX_METADATA_BYTES,
    Broken,
    Buffer,
    Edit,
    Found,
    Unwritable,
)
from safebelt.rooms.labelling.formats.changes import Change, changed
from safebelt.rooms.labelling.formats.values import Loose, collected, in_bytes

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF = b"Exif\0"
MAX_SEGMENTS = 100_000
"""Segments before the first scan; the longest metadata looked into takes 250."""
_MAX_PAYLOAD = 65533
"""T.81 B.1.1.4: a length of two bytes, which counts itself."""
_MAX_PACKET = _MAX_PAYLOAD - len(_XMP)
_CHUNK = 65400
"""Bytes of an extended packet per segment (XMP Part 3 allows 65,458)."""
_APP0, _APP1, _APP2, _APP11, _APP15, _COM, _SOS, _EOI = 0xE0, 0xE1, 0xE2, 0xEB, 0xEF, 0xFE, 0xDA, 0xD9
_ALONE = (*range(0xD0, 0xD9), 0x01)
_STRUCTURED = (b"ICC_PROFILE\0", b"JP", b"MPF\0", _XMP, _EXTENSION)
"""Payloads without loose text: colour profiles, JUMBF (C2PA's manifests may quote a label), and what is read apart."""


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment: its marker, where it starts with it, where its payload starts, and where it ends."""

    marker: int
    start: int
    inner: int
    end: int


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(data))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the XMP packet; raises `Broken` and `Unwritable`."""
    segments = list(application_segments(data))
    packets = [segment for segment in segments if _is(data, segment, _XMP)]
    main, extension = _packets(data, value, segments, packets)
    changes = list[Change]()
    for segment in segments:
        if (new := _cleaned(data, segment)) is not None:
            changes.append((segment.start, segment.end, new))
    for segment in packets[1:]:
        packet = xmp.without(_payload(data, segment)[len(_XMP) :])
        changes.append((segment.start, segment.end, _app1(_XMP + packet)))
    if extension is not None:
        changes += [(one.start, one.end, b"") for one in segments if _is(data, one, _EXTENSION)]
    at = packets[0].start if packets else _place(data, segments)
    changes.append((at, packets[0].end if packets else at, _app1(_XMP + main) + (extension or b"")))
    return _edit(data, changes, segments)


def _findings(data: Buffer) -> Iterator[Found]:
    extensions = dict[bytes, list[tuple[int, bytes]]]()
    for segment in application_segments(data):
        payload = _payload(data, segment)
        if payload.startswith(_XMP):
            yield from xmp.found(payload[len(_XMP) :], "APP1 XMP", segment.start)
        elif payload.startswith(_EXTENSION):
            _collect(extensions, payload)
        else:
            yield from _others(segment, payload)
    for chunks in extensions.values():
        yield from xmp.found(_assembled(chunks), "APP1 extended XMP", None, is_native=False)


def _others(segment: _Segment, payload: bytes) -> Iterator[Found]:
    if segment.marker == _APP1 and payload.startswith(_EXIF):
        for label in exif.tagged(payload[6:]):
            at = segment.inner + 6 + label.start
            yield Found(
                place=f"APP1 EXIF {label.tag}",
                value=label.value,
                is_native=False,
                at=at,
                length=label.end - label.start,
            )
    else:
        for loose in _loose(segment, payload):
            yield Found(
                place=f"{_name(segment.marker)} text", value=loose.value, is_native=False,
                at=segment.inner + loose.start, length=loose.end - loose.start,
            )  # fmt: skip


def _name(marker: int) -> str:
    return "COM" if marker == _COM else f"APP{marker - _APP0}"


def application_segments(data: Buffer) -> Iterator[_Segment]:
    """Yield the application segments and comments up to the first scan.

    Raises:
        Broken: A segment ends beyond the file, or is no segment.
    """
    if data[:2] != b"\xff\xd8":
        raise Broken("no JPEG: it does not begin with SOI")
    at = 2
    for _number in range(MAX_SEGMENTS):
        marker, inner = _marker(data, at)
        if marker in (_SOS, _EOI):
            return
        end = inner if marker in _ALONE else inner + int.from_bytes(data[inner : inner + 2])
        if end > len(data) or (end < inner + 2 and marker not in _ALONE):
            raise Broken("a JPEG segment that ends beyond the file")
        if marker >= _APP0:
            yield _Segment(marker, at, inner + 2, end)
        at = end
    raise Broken("a JPEG with more segments than are looked at")


def _marker(data: Buffer, at: int) -> tuple[int, int]:
    """Return the marker at an offset and where it ends, past fill bytes (T.81 B.1.1.2)."""
    size = len(data)
    if at + 2 > size or data[at] != 0xFF:
        raise Broken("a JPEG without a segment where one must be")
    while at + 2 < size and data[at + 1] == 0xFF:
        at += 1
    return data[at + 1], at + 2


def _payload(data: Buffer, segment: _Segment) -> bytes:
    return data[segment.inner : segment.end]


def _is(data: Buffer, segment: _Segment, signature: bytes) -> bool:
    return segment.marker == _APP1 and data[segment.inner : segment.inner + len(signature)] == signature


def _collect(extensions: dict[bytes, list[tuple[int, bytes]]], payload: bytes) -> None:
    """Sort a segment of an extended packet to its digest: after it stand full length and offset, 32 bits each."""
    at = len(_EXTENSION)
    guid, offset, chunk = payload[at : at + 32], int.from_bytes(payload[at + 36 : at + 40]), payload[at + 40 :]
    if len(extensions) < 8 or guid in extensions:
        extensions.setdefault(guid, []).append((offset, chunk))


def _assembled(chunks: list[tuple[int, bytes]]) -> bytes:
    if sum(len(chunk) for _offset, chunk in chunks) > MAX_METADATA_BYTES:
        return b""
    return b"".join(chunk for _offset, chunk in sorted(chunks))


def _packets(data: Buffer, value: str, segments: list[_Segment], packets: list[_Segment]) -> tuple[bytes, bytes | None]:
    """Return the main packet with the label, and the extended packet's segments where these change."""
    old = _payload(data, packets[0])[len(_XMP) :] if packets else None
    extensions = dict[bytes, list[tuple[int, bytes]]]()
    for segment in segments:
        if _is(data, segment, _EXTENSION):
            _collect(extensions, _payload(data, segment))
    made = xmp.shrunk(xmp.merged(old, value), _MAX_PACKET)
    guid = xmp.extended_guid(made)
    extended = _assembled(extensions.get(guid, [])) if guid else b""
    if any(xmp.labels_of(_assembled(chunks)) for chunks in extensions.values()):
        cleaned = xmp.without(extended)
        made, guid = xmp.renamed(made, guid or b"\0" * 32, cleaned)
        return _fitting(made), _extension(cleaned, guid)
    if len(made) <= _MAX_PACKET or old is None or extensions:
        return _fitting(made), None
    made, extended, guid = xmp.outsourced(old, value)
    return _fitting(made), _extension(extended, guid)


def _fitting(packet: bytes) -> bytes:
    if len(packet) > _MAX_PACKET:
        raise Unwritable(
            Text(
                zh="该 JPEG 的 XMP 元数据已满（64 KB），放不下标识；请先精简其 XMP 元数据。",
                en="This JPEG's XMP metadata is full (64 KB) and has no room for the label; reduce it first.",
            )
        )
    return packet


def _extension(extended: bytes, guid: bytes) -> bytes:
    head = _EXTENSION + guid + len(extended).to_bytes(4)
    return b"".join(_app1(head + at.to_bytes(4) + extended[at : at + _CHUNK]) for at in range(0, len(extended), _CHUNK))


def _app1(payload: bytes) -> bytes:
    return b"\xff\xe1" + (len(payload) + 2).to_bytes(2) + payload


def _place(data: Buffer, segments: list[_Segment]) -> int:
    """Return where a new packet goes: after JFIF's APP0 and EXIF's APP1, which must come first."""
    at = 2
    for segment in segments:
        if segment.start != at or not (segment.marker == _APP0 or _is(data, segment, _EXIF)):
            break
        at = segment.end
    return at


def _loose(segment: _Segment, payload: bytes) -> list[Loose]:
    if payload.startswith(_STRUCTURED) or (segment.marker == _APP1 and payload.startswith(_EXIF)):
        return []
    return in_bytes(payload)


def _cleaned(data: Buffer, segment: _Segment) -> bytes | None:
    """Return what stands for a segment once the labels beside XMP are out of it, or None where it has none."""
    payload = _payload(data, segment)
    head = data[segment.start : segment.inner]
    if segment.marker == _APP1 and payload.startswith(_EXIF):
        labels = list(exif.tagged(payload[6:]))
        return head + payload[:6] + exif.blanked(payload[6:], labels) if labels else None
    labels_ = _loose(segment, payload)
    if not labels_:
        return None
    return _without(segment.marker, head, payload, labels_)


def _without(marker: int, head: bytes, payload: bytes, labels: list[Loose]) -> bytes:
    """Cut labels out of free text, blank them where a structure counts bytes, and drop what was nothing but a label."""
    rest = bytearray(payload)
    for label in reversed(labels):
        del rest[label.start : label.end]
    if not rest.strip(b"\0 \t\r\n"):
        return b""
    if marker in (_APP0, _COM):
        return head[:-2] + (len(rest) + 2).to_bytes(2) + bytes(rest)
    same = bytearray(payload)
    for label in labels:
        same[label.start : label.end] = b" " * (label.end - label.start)
    return head + bytes(same)


def _edit(data: Buffer, changes: list[Change], segments: list[_Segment]) -> Edit:
    """Order the changes, and correct the multi-picture index, whose offsets count across them."""
    shifts = [(start, len(new) - (end - start)) for start, end, new in changes]
    for segment in segments:
        if segment.marker == _APP2 and data[segment.inner : segment.inner + 4] == b"MPF\0":
            after = sum(shift for start, shift in shifts if start > segment.start)
            new = mpf.shifted(_payload(data, segment), after, sum(shift for _start, shift in shifts))
            changes.append((segment.inner, segment.end, new))
    return changed(len(data), changes)
