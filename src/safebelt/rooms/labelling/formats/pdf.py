"""PDF: the label as `/AIGC` of the document information, by an incremental update; what is there stays, byte by byte.

Sources: ISO 32000-2:2020, 14.3.3 (document information), 7.5.6 (incremental updates), 7.5.8 (cross-reference streams),
12.8.2.2 (DocMDP: what a certified document permits), 14.3.2 (metadata streams); TC260-PG-20258A for the place.

An update leaves the byte ranges of earlier signatures as they are: they stay intact, and say that something was added
later.  In a file without signatures what is replaced is blanked where it stood, so that the file holds one label only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import xmp
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Edit, Found, Span, Unwritable
from safebelt.rooms.labelling.formats.changes import Change, changed
from safebelt.rooms.labelling.formats.pdf_file import File
from safebelt.rooms.labelling.formats.pdf_values import Dictionary, Reference, as_text, from_text
from safebelt.rooms.labelling.formats.values import as_line, collected, in_text

_KEY = "AIGC"
_OWN = ("Prev", "XRefStm", "Size", "Info", "Type", "W", "Index", "Filter", "DecodeParms", "Length", "DL")
"""Entries of a trailer or cross-reference stream that belong to itself, and are not taken over."""
_NO_CHANGES = 1


@dataclass(frozen=True, slots=True)
class _Info:
    """The document information: its number, its dictionary, the buffer that is in, and whether that is the file."""

    reference: Reference | None
    dictionary: Dictionary | None
    buffer: Buffer
    is_plain: bool


@dataclass(frozen=True, slots=True)
class _Packet:
    """The catalogue's XMP packet: its object, what it says, and where it stands if it stands there as it is."""

    reference: Reference
    content: bytes
    extent: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Object:
    """An object of the update."""

    number: int
    generation: int
    body: bytes


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(File(data), data))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the document information; raises `Broken` and `Unwritable`."""
    file, line = File(data), as_line(value)
    refuse(file)
    info = _info(file, data)
    labels, packet = list(_in_info(info)), _metadata(file)
    is_marked = packet is not None and bool(xmp.labels_of(packet.content))
    if [name for name, _value in labels] == [_KEY] and labels[0][1] == line and not is_marked:
        return [Span(0, len(data))]
    size = file.trailer.number("Size")
    reference = info.reference or Reference(size, 0)
    objects = [Object(*reference, _information(info, line))]
    is_signed = bool(labels or is_marked) and data.find(b"/ByteRange") >= 0  # asked only where there is what to blank
    changes = [] if is_signed else _blanks(info)
    if packet is not None and is_marked:
        cleaned = xmp.without(packet.content)
        if packet.extent is not None and not is_signed:
            changes.append((*packet.extent, cleaned.ljust(len(packet.content))))
        else:
            objects.append(Object(*packet.reference, _stream_of(cleaned)))
    end = len(data)
    changes.append((end, end, update(file, data, objects, reference, max(size, reference.number + 1))))
    return changed(end, changes)


def _findings(file: File, data: Buffer) -> Iterator[Found]:
    packet = _metadata(file)
    if packet is not None:
        yield from xmp.found(packet.content, "catalog XMP", is_native=False)
    if file.trailer.get("Encrypt") is not None:
        raise Broken("an encrypted PDF, whose document information cannot be read")
    info = _info(file, data)
    for name, value in _in_info(info):
        item = info.dictionary.items[name] if info.dictionary and info.is_plain else None
        at, length = (item.start, item.end - item.start) if item else (None, 0)
        yield Found(place=f"Info /{name}", value=value, is_native=name == _KEY, at=at, length=length)


def _info(file: File, data: Buffer) -> _Info:
    given = file.trailer.get("Info")
    if isinstance(given, Dictionary):
        return _Info(None, given, data, is_plain=True)
    if not isinstance(given, Reference) or given.number == 0:
        return _Info(None, None, data, is_plain=False)
    found = file.indirect(given)
    place = file.place(given.number)
    reference = Reference(given.number, place.generation if place else given.generation)
    if found is None or not isinstance(found[0], Dictionary):
        return _Info(reference, None, data, is_plain=False)
    return _Info(reference, found[0], found[2] or data, is_plain=not found[2])


def _in_info(info: _Info) -> Iterator[tuple[str, str]]:
    """Yield the entries that hold labels, and the labels."""
    for name, item in (info.dictionary.items if info.dictionary else {}).items():
        text = as_text(item.value)
        if text is None:
            continue
        if name.upper() == _KEY:
            yield name, text
        else:
            yield from ((name, loose.value) for loose in in_text(text))


def _information(info: _Info, line: str) -> bytes:
    """Return the information with the label: every other entry as it stands, but for labels in its text."""
    entries = list[bytes]()
    for name, item in (info.dictionary.items if info.dictionary else {}).items():
        if name.upper() != _KEY:
            key = info.buffer[item.key : item.start].rstrip()
            value = _without(item.value)
            entries.append(key + b" " + (info.buffer[item.start : item.end] if value is None else value))
    return b"<<" + b"\n".join([*entries, b"/AIGC " + from_text(line)]) + b">>"


def _without(value: Any) -> bytes | None:
    """Return a text string without the labels in it, or None where it has none."""
    text = as_text(value)
    labels = in_text(text) if text is not None else []
    if text is None or not labels:
        return None
    for label in reversed(labels):
        text = text[: label.start] + text[label.end :]
    return from_text(text)


def _metadata(file: File) -> _Packet | None:
    """Return the catalogue's XMP packet, or None where there is none that can be read."""
    catalogue = file.resolved(file.trailer.get("Root"))
    reference = catalogue.get("Metadata") if isinstance(catalogue, Dictionary) else None
    found = file.indirect(reference) if isinstance(reference, Reference) else None
    if not isinstance(reference, Reference) or found is None or found[2] or not isinstance(found[0], Dictionary):
        return None
    packet = file.content(found[0], found[1])
    if packet is None or len(packet) > MAX_METADATA_BYTES:
        return None
    return _Packet(reference, packet, None if found[0].get("Filter") else file.extent(found[0], found[1]))


def _stream_of(packet: bytes) -> bytes:
    return b"<</Type/Metadata/Subtype/XML/Length %d>>\nstream\n" % len(packet) + packet + b"\nendstream"


def refuse(file: File) -> None:
    """Refuse what must not be changed.

    Raises:
        Unwritable: The file is encrypted, or certified such that nothing may be added.
    """
    if file.trailer.get("Encrypt") is not None:
        raise Unwritable(
            Text(
                zh="该 PDF 已加密；请先去除密码或权限限制并另存，再写入标识。",
                en="This PDF is encrypted; save it without password and restrictions first, then label it.",
            )
        )
    if _permission(file) == _NO_CHANGES:
        raise Unwritable(
            Text(
                zh="该 PDF 的认证签名不允许任何改动；请在签名之前写入标识。",
                en="This PDF's certifying signature allows no change at all; label it before it is signed.",
            )
        )


def _permission(file: File) -> int | None:
    """Return what a certified document permits (12.8.2.2, table 257), or None where it is not certified."""
    signature = file.resolved(file.trailer.get("Root"))
    for name in ("Perms", "DocMDP", "Reference"):
        signature = file.resolved(signature.get(name)) if isinstance(signature, Dictionary) else None
    for one in signature if isinstance(signature, list) else []:
        reference = file.resolved(one)
        if isinstance(reference, Dictionary) and reference.get("TransformMethod") == "DocMDP":
            parameters = file.resolved(reference.get("TransformParams"))
            permission = file.resolved(parameters.get("P")) if isinstance(parameters, Dictionary) else None
            return permission if isinstance(permission, int) else 2
    return None


def _blanks(info: _Info) -> list[Change]:
    """Return what blanks the label that is replaced, unless it is compressed."""
    return [
        (item.key, item.end, b" " * (item.end - item.key))
        for name, item in (info.dictionary.items if info.dictionary and info.is_plain else {}).items()
        if name.upper() == _KEY
    ]


def update(file: File, data: Buffer, objects: list[Object], info: Reference | None, size: int) -> bytes:
    """Return an incremental update: the objects, and cross-references of the kind the file has.

    Args:
        file: The file.
        data: The same, as bytes.
        objects: What is new or changed.
        info: The document information; None to leave it as it is.
        size: One more than the highest number in use.
    """
    made = b"" if data[len(data) - 1 :] in (b"\n", b"\r") else b"\n"
    offsets = dict[int, tuple[int, int]]()
    for one in objects:
        offsets[one.number] = len(data) + len(made) - file.base, one.generation
        made += b"%d %d obj\n" % (one.number, one.generation) + one.body + b"\nendobj\n"
    start = len(data) + len(made) - file.base
    kept = b"".join(
        file.raw(item.key, item.start).rstrip() + b" " + file.raw(item.start, item.end) + b"\n"
        for name, item in file.trailer.items.items()
        if name not in _OWN or (name == "Info" and info is None)
    )
    common = kept + (b"/Info %d %d R\n" % info if info else b"") + b"/Prev %d\n" % file.start
    made += _stream(offsets, start, size, common) if file.is_stream else _table(offsets, size, common)
    return made + b"startxref\n%d\n%%%%EOF\n" % start


def _table(offsets: dict[int, tuple[int, int]], size: int, common: bytes) -> bytes:
    if any(offset > 9_999_999_999 for offset, _generation in offsets.values()):
        raise Broken("a PDF longer than its cross-reference table can count")
    lines = b"".join(b"%d 1\n%010d %05d n \n" % (number, *offsets[number]) for number in sorted(offsets))
    return b"xref\n" + lines + b"trailer\n<<" + common + b"/Size %d>>\n" % size


def _stream(offsets: dict[int, tuple[int, int]], start: int, size: int, common: bytes) -> bytes:
    """Return a cross-reference stream, uncompressed; it lists itself."""
    listed = {**offsets, size: (start, 0)}
    rows = b"".join(
        b"\1" + offset.to_bytes(8) + generation.to_bytes(2) for _n, (offset, generation) in sorted(listed.items())
    )
    index = b" ".join(b"%d 1" % number for number in sorted(listed))
    head = b"/Type/XRef\n/W [1 8 2]\n/Index [%b]\n/Size %d\n/Length %d>>\n" % (index, size + 1, len(rows))
    return b"%d 0 obj\n<<" % size + common + head + b"stream\n" + rows + b"\nendstream\nendobj\n"
