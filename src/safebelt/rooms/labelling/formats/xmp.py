"""XMP packets: the label as `TC260:AIGC`, put in and taken out by byte surgery, so that all else stays as it is.

Sources: ISO 16684-1:2019 (XMP: packets, RDF serialisation, padding); XMP Specification Part 3 (2020), 1.1.3.1 (extended
XMP in JPEG); TC260-PG-20259A for element, prefix and namespace.  Several implementations look for the bare start tag
`<TC260:AIGC>`; so the namespace is declared on a description of its own, and the element carries no attribute.

A packet is foreign and may be hostile: no document type and no entity is accepted, and sizes are bounded.
"""

import hashlib
import html
import re
from collections.abc import Iterable
from xml.sax.saxutils import escape

from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_METADATA_BYTES, Broken, Found
from safebelt.rooms.labelling.formats.values import as_line, is_label
from safebelt.rooms.labelling.formats.xmp_scan import META, OPEN, RDF, Label, Scan, description

PROPERTY = "TC260:AIGC"
_NOTE = "http://ns.adobe.com/xmp/note/"
_BLANK = b"\0 \t\r\n"
_GUID = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})")
_LOOSE_ELEMENT = re.compile(r"<(?:[\w.-]{1,64}:)?AIGC(?:\s[^<>]*)?>(?:<!\[CDATA\[)?([^<]*)")
_LOOSE_ATTRIBUTE = re.compile(r"\s(?:[\w.-]{1,64}:)AIGC\s{0,8}=\s{0,8}(?:\"([^\"<]*)\"|'([^'<]*)')")
_CODECS = (
    (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"), (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"), (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)  # fmt: skip
"""How a packet of wide characters begins, with and without a byte order mark (XML 1.0, appendix F)."""


def merged(packet: bytes | None, value: str) -> bytes:
    """Return the packet with exactly one label.

    Args:
        packet: The packet that is there, in any encoding of Unicode; None where there is none.
        value: The label's bare object, one line of JSON.

    Returns:
        The packet; everything else of it stays byte by byte: foreign properties, wrapper, padding.

    Raises:
        Broken: It is no XMP: not well-formed, with a document type, or too large.
        Unwritable: The value is no line of JSON.
    """
    line = as_line(value)
    if packet is None or not packet.strip(_BLANK):
        return _minimal(line)
    body = _Body(packet)
    scan = Scan(body.xml)
    kept = next((mark for mark in scan.marks if mark.inner >= 0), None)
    edits = [(mark.start, mark.end, b"") for mark in scan.marks if mark is not kept]
    if kept is not None:
        edits.append((kept.inner, kept.inner_end, escape(line).encode()))
    else:
        edits.append(scan.place_for(line))
    made = _edited(body.xml, edits)
    if [mark.label for mark in Scan(made).marks] != [Label(line, is_element=True)]:
        raise Broken("an XMP packet whose parts do not fit together")
    return body.rewrapped(made)


def without(packet: bytes) -> bytes:
    """Return the packet without any label.

    Raises:
        Broken: It is no XMP.
    """
    body = _Body(packet)
    if b"AIGC" not in body.xml:
        return packet
    return body.rewrapped(_edited(body.xml, [(mark.start, mark.end, b"") for mark in Scan(body.xml).marks]))


def labels(packet: bytes) -> list[str]:
    """Return the value of every label in a packet, also in one that is not well-formed."""
    return [label.value for label in labels_of(packet)]


def labels_of(packet: bytes) -> list[Label]:
    """Return every label in a packet.  One that is not well-formed is searched by its text."""
    if (own := _own(packet)) is not None:
        return [own]
    if b"A\0I\0G\0C" not in packet and b"AIGC" not in packet and b"A\0\0\0I\0\0\0G" not in packet:
        return []
    try:
        return [mark.label for mark in Scan(_Body(packet).xml).marks][:MAX_FOUND]
    except Broken:
        return _loose(packet[:MAX_METADATA_BYTES])


def found(packet: bytes, place: str, at: int | None = None, *, is_native: bool = True) -> list[Found]:
    """Return every label in a packet as carriers report it.

    Args:
        packet: The packet.
        place: What the format calls the packet's place: `APP1 XMP`.
        at: Offset of the packet's block in the file.
        is_native: Whether the place is the format's own for XMP.
    """
    return [
        Found(
            place=f"{place} {PROPERTY if label.is_element else 'AIGC (attribute or foreign form)'}",
            value=label.value, is_native=is_native and label.is_element, at=at, length=len(packet),
        )
        for label in labels_of(packet)
    ]  # fmt: skip


def extended_guid(packet: bytes) -> bytes | None:
    """Return the digest by which a JPEG's packet names its extended packet, as 32 characters, or None."""
    guid = _GUID.search(packet)
    return guid.group(1) if guid else None


def renamed(packet: bytes, old: bytes, extended: bytes) -> tuple[bytes, bytes]:
    """Return the packet naming another extended packet, and that one's digest (XMP Part 3, 1.1.3.1: MD5)."""
    guid = _digest(extended)
    return packet.replace(old, guid), guid


def outsourced(packet: bytes, value: str) -> tuple[bytes, bytes, bytes]:
    """Split a packet that is too long for a JPEG's segment.

    Returns:
        A small packet with the label, the extended one with all the rest, and the digest that names it.

    Raises:
        Broken: It is no XMP.
    """
    xml = _Body(without(packet)).xml
    start = xml.find(b"<", xml.find(b"?>") + 2) if xml.startswith(b"<?xpacket") else 0
    end = xml.rfind(b"<?xpacket end")
    extended = xml[start : end if end > 0 else len(xml)].rstrip()
    guid = _digest(extended)
    note = f' xmlns:xmpNote="{_NOTE}" xmpNote:HasExtendedXMP="{guid.decode()}">'.encode()
    return _minimal(as_line(value)).replace(b">" + OPEN, note + OPEN, 1), extended, guid


def shrunk(packet: bytes, limit: int) -> bytes:
    """Return the packet with less padding, as much as it takes to keep to `limit` bytes (ISO 16684-1, 7.3.2)."""
    over, end = len(packet) - limit, packet.rfind(b"<?xpacket end")
    if over <= 0 or end < 0:
        return packet
    padding = end - len(packet[:end].rstrip(b" \t\r\n"))
    return packet[: end - min(over, padding)] + packet[end:]


def as_utf8(packet: bytes) -> bytes:
    """Return the packet in UTF-8.

    Raises:
        Broken: It is no Unicode.
    """
    return _Body(packet).plain


def _minimal(line: str) -> bytes:
    return b"".join((_BEFORE, escape(line).encode(), _AFTER))


_BEFORE, _AFTER = (
    f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="{META}"><rdf:RDF xmlns:rdf="{RDF}">'
    f'{description("|", "rdf:RDF")}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
).encode().split(b"|")  # fmt: skip
"""A packet that holds nothing but a label, before and after the label."""
_PLAIN = re.compile(rb"[ -%'-;=?-~]*")
"""ASCII that XML takes as it stands: no `&`, `<`, `>`."""


def _own(packet: bytes) -> Label | None:
    """Return the label of a packet that `_minimal` makes, byte for byte: nearly every one that a house meets.

    Between bytes that are known, text without markup can be one thing only; to have a parser find that takes longer
    than to sign a content.
    """
    if len(packet) > MAX_METADATA_BYTES or not (packet.startswith(_BEFORE) and packet.endswith(_AFTER)):
        return None
    inner = packet[len(_BEFORE) : -len(_AFTER)]
    return Label(inner.decode("ascii").strip(), is_element=True) if _PLAIN.fullmatch(inner) else None


def _digest(extended: bytes) -> bytes:
    return hashlib.md5(extended, usedforsecurity=False).hexdigest().upper().encode()


def _edited(xml: bytes, edits: Iterable[tuple[int, int, bytes]]) -> bytes:
    pieces, at = list[bytes](), 0
    for start, end, new in sorted(edits):
        pieces += [xml[at:start], new]
        at = end
    return b"".join([*pieces, xml[at:]])


def _loose(packet: bytes) -> list[Label]:
    text = packet.decode(_codec(packet) or "utf-8", errors="replace")
    values = [match.group(1) for match in _LOOSE_ELEMENT.finditer(text)]
    values += [match.group(1) or match.group(2) or "" for match in _LOOSE_ATTRIBUTE.finditer(text)]
    return [Label(html.unescape(value).strip(), is_element=False) for value in values if is_label(value)][:MAX_FOUND]


def _codec(packet: bytes) -> str | None:
    return next((codec for start, codec in _CODECS if packet.startswith(start)), None)


class _Body:
    """A packet as UTF-8, and the way back to what it was.

    Attributes:
        plain: All of it.
        xml: The document, from its first character to its last.
    """

    def __init__(self, packet: bytes) -> None:
        if len(packet) > MAX_METADATA_BYTES:
            raise Broken("an XMP packet larger than is looked into")
        self._codec = _codec(packet.lstrip(b" \t\r\n"))
        self.plain = plain = packet if self._codec is None else self._as_utf8(packet)
        inner = plain.lstrip(_BLANK).removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
        self._head = plain[: len(plain) - len(inner)]
        self.xml = inner.rstrip(_BLANK)
        self._tail = inner[len(self.xml) :]

    def _as_utf8(self, packet: bytes) -> bytes:
        try:
            return packet.decode(str(self._codec)).encode()
        except UnicodeError as error:
            raise Broken("an XMP packet that is not the Unicode it begins with") from error

    def rewrapped(self, xml: bytes) -> bytes:
        plain = self._head + xml + self._tail
        return plain if self._codec is None else plain.decode().encode(self._codec)
