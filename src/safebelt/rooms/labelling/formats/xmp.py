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
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape

from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_METADATA_BYTES, Broken, Found
from safebelt.rooms.labelling.formats.values import as_line, is_label

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""TC260-PG-20259A."""
PROPERTY = "TC260:AIGC"
ABOUT_NOTHING = b'""'
MAX_ELEMENTS = 500_000
"""Elements of one packet; the largest seen in the wild (editing histories) have tens of thousands."""

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "adobe:ns:meta/"
_NOTE = "http://ns.adobe.com/xmp/note/"
_BLANK = b"\0 \t\r\n"
_OPEN = b"<TC260:AIGC>"
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_NAME = re.compile(rb"<[^\s/>]+")
_PADDING = re.compile(rb"\s{2,}(?=<\?xpacket end=)")
_GUID = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})")
_LOOSE_ELEMENT = re.compile(r"<(?:[\w.-]{1,64}:)?AIGC(?:\s[^<>]*)?>(?:<!\[CDATA\[)?([^<]*)")
_LOOSE_ATTRIBUTE = re.compile(r"\s(?:[\w.-]{1,64}:)AIGC\s{0,8}=\s{0,8}(?:\"([^\"<]*)\"|'([^'<]*)')")
_CODECS = (
    (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"), (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"), (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"), (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)  # fmt: skip
"""How a packet of wide characters begins, with and without a byte order mark (XML 1.0, appendix F)."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label in a packet.

    Attributes:
        value: Its text.
        is_element: Whether it is the element of the guide, at its place; else an attribute, or in another namespace.
    """

    value: str
    is_element: bool


@dataclass(frozen=True, slots=True)
class _Mark:
    """A label's bytes: `[start, end)` all of it, `[inner, inner_end)` its content where it is our plain element."""

    start: int
    end: int
    label: Label
    inner: int = -1
    inner_end: int = -1


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
    scan = _Scan(body.xml)
    kept = next((mark for mark in scan.marks if mark.inner >= 0), None)
    edits = [(mark.start, mark.end, b"") for mark in scan.marks if mark is not kept]
    if kept is not None:
        edits.append((kept.inner, kept.inner_end, escape(line).encode()))
    else:
        edits.append(scan.place_for(line))
    made = _edited(body.xml, edits)
    if [mark.label for mark in _Scan(made).marks] != [Label(line, is_element=True)]:
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
    return body.rewrapped(_edited(body.xml, [(mark.start, mark.end, b"") for mark in _Scan(body.xml).marks]))


def labels(packet: bytes) -> list[str]:
    """Return the value of every label in a packet, also in one that is not well-formed."""
    return [label.value for label in labels_of(packet)]


def labels_of(packet: bytes) -> list[Label]:
    """Return every label in a packet.  One that is not well-formed is searched by its text."""
    if b"A\0I\0G\0C" not in packet and b"AIGC" not in packet and b"A\0\0\0I\0\0\0G" not in packet:
        return []
    try:
        return [mark.label for mark in _Scan(_Body(packet).xml).marks][:MAX_FOUND]
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
    return _minimal(as_line(value)).replace(b">" + _OPEN, note + _OPEN, 1), extended, guid


def shrunk(packet: bytes, limit: int) -> bytes:
    """Return the packet with less padding, as much as it takes to keep to `limit` bytes (ISO 16684-1, 7.3.2)."""
    over = len(packet) - limit
    padding = _PADDING.search(packet) if over > 0 else None
    if padding is None:
        return packet
    return packet[: padding.start()] + packet[padding.start() + min(over, len(padding.group())) :]


def _minimal(line: str) -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        f'<x:xmpmeta xmlns:x="{_META}"><rdf:RDF xmlns:rdf="{_RDF}">{_description(line, "rdf:RDF")}</rdf:RDF>'
        '</x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def _description(line: str, rdf_name: str, about: str = '""') -> str:
    declared = "" if rdf_name == "rdf:RDF" else f' xmlns:rdf="{_RDF}"'
    return (
        f'<rdf:Description{declared} rdf:about={about} xmlns:TC260="{NAMESPACE}">'
        f"<TC260:AIGC>{escape(line)}</TC260:AIGC></rdf:Description>"
    )


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
        xml: The document, from its first character to its last.
    """

    def __init__(self, packet: bytes) -> None:
        if len(packet) > MAX_METADATA_BYTES:
            raise Broken("an XMP packet larger than is looked into")
        self._codec = _codec(packet.lstrip(b" \t\r\n"))
        plain = packet if self._codec is None else self._as_utf8(packet)
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


class _Scan:
    """One pass over a packet: where its labels are, and where one would go.

    Attributes:
        marks: The labels, in order; none lies in another.
    """

    def __init__(self, xml: bytes) -> None:
        self._xml = xml
        self.marks = list[_Mark]()
        self._scopes: dict[str, list[str]] = {"xml": ["http://www.w3.org/XML/1998/namespace"]}
        self._path = list[tuple[str, tuple[str, ...]]]()  # kind of each open element, and the prefixes it declares
        self._count = 0
        self._open: tuple[int, int, int, str, str] | None = None  # start, end of the tag, depth, name, namespace
        self._text = list[str]()
        self._rdf: tuple[str, int, int] | None = None  # raw name, start of its tag, start of its end tag (-1: none)
        self._root: tuple[str, str, int] | None = None  # namespace, raw name, start of its end tag
        self._about = ABOUT_NOTHING
        self._parser = self._made()
        self._run()

    def _made(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        return parser

    def _run(self) -> None:
        try:
            self._parser.Parse(self._xml, True)
        except (expat.ExpatError, UnicodeError) as error:
            raise Broken(f"an XMP packet that is not well-formed: {error}") from error

    def place_for(self, line: str) -> tuple[int, int, bytes]:
        """Return where a description with the label goes: the last of the RDF, which is made where there is none."""
        if self._rdf is None:
            namespace, name, end = self._root or ("", "", -1)
            if namespace != _META:
                raise Broken("XML that is no XMP: it has no RDF")
            rdf = f'<rdf:RDF xmlns:rdf="{_RDF}">{_description(line, "rdf:RDF")}</rdf:RDF>'
            return self._inside(name, 0 if end < 0 else end, rdf, is_empty=end < 0)
        name, start, end = self._rdf
        return self._inside(
            name, start if end < 0 else end, _description(line, name, self._about.decode()), is_empty=end < 0
        )

    def _inside(self, name: str, at: int, new: str, *, is_empty: bool) -> tuple[int, int, bytes]:
        """Put text before an end tag at `at`, or into the empty element whose tag starts after `at`."""
        if not is_empty:
            return at, at, new.encode()
        start = self._xml.index(f"<{name}".encode(), at)
        end = self._tag_end(start)
        return end - 2, end, f">{new}</{name}>".encode()

    def _start(self, name: str, attributes: list[str]) -> None:
        at = self._parser.CurrentByteIndex
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Broken("an XMP packet with too many elements")
        declared = self._declare(attributes)
        prefix, _, local = name.rpartition(":")
        namespace = self._namespace(prefix)
        self._path.append((self._kind(namespace, local, name, at, attributes), declared))
        if self._open is not None:
            return
        if local == "AIGC":
            self._open = (at, self._tag_end(at), len(self._path), name, namespace)
            self._text = []
        elif any(key.endswith("AIGC") for key in attributes[::2]):
            self._attributes(at, attributes[1::2])

    def _end(self, name: str) -> None:
        at = self._parser.CurrentByteIndex
        depth = len(self._path)
        kind, declared = self._path.pop()
        if self._open is not None and self._open[2] == depth:
            self._close(at)
        if kind == "RDF" and self._rdf is not None and self._rdf[2] < 0 and self._is_end_tag(at, name):
            self._rdf = (self._rdf[0], self._rdf[1], at)
        if not self._path and self._root is not None and self._is_end_tag(at, name):
            self._root = (self._root[0], self._root[1], at)
        for prefix in declared:
            self._scopes[prefix].pop()

    def _characters(self, text: str) -> None:
        if self._open is not None:
            self._text.append(text)

    def _declare(self, attributes: list[str]) -> tuple[str, ...]:
        declared = list[str]()
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            if key == "xmlns" or key.startswith("xmlns:"):
                prefix = key[6:]
                self._scopes.setdefault(prefix, []).append(value)
                declared.append(prefix)
        return tuple(declared)

    def _namespace(self, prefix: str) -> str:
        """Return a prefix's namespace; a prefix of that name that nobody bound means ours, as its writer did."""
        scope = self._scopes.get(prefix)
        return scope[-1] if scope else (NAMESPACE if prefix.lower() == "tc260" else "")

    def _kind(self, namespace: str, local: str, name: str, at: int, attributes: list[str]) -> str:
        """Say what an element is to us, and note the root, the RDF, and what the RDF is about."""
        if not self._path:
            self._root = (namespace, name, -1)
        if namespace != _RDF or local not in ("RDF", "Description"):
            return ""
        if local == "RDF" and self._rdf is None:
            self._rdf = (name, at, -1)
            return "RDF"
        is_described = local == "Description" and bool(self._path) and self._path[-1][0] == "RDF"
        if is_described and self._about == ABOUT_NOTHING and any(key.endswith("about") for key in attributes[::2]):
            self._about = next((raw for key, raw, _s, _e in self._raw(at) if key.endswith(b"about")), ABOUT_NOTHING)
        return "Description" if is_described else ""

    def _raw(self, at: int) -> list[tuple[bytes, bytes, int, int]]:
        """Return the attributes of the tag at `at`: name, quoted value, and span with the blank before."""
        name = _NAME.match(self._xml, at)
        found_, end = list[tuple[bytes, bytes, int, int]](), name.end() if name else at
        while match := _ATTRIBUTE.match(self._xml, end):
            found_.append((match.group(1), match.group(2), match.start(), match.end()))
            end = match.end()
        return found_

    def _tag_end(self, at: int) -> int:
        raw = self._raw(at)
        name = _NAME.match(self._xml, at)
        end = raw[-1][3] if raw else (name.end() if name else at)
        return self._xml.index(b">", end) + 1

    def _is_end_tag(self, at: int, name: str) -> bool:
        return self._xml.startswith(f"</{name}".encode(), at)

    def _attributes(self, at: int, values: list[str]) -> None:
        for (key, _raw, start, end), value in zip(self._raw(at), values, strict=True):
            prefix, _, local = key.decode().rpartition(":")
            if local == "AIGC" and prefix and self._is_ours(self._namespace(prefix), value):
                self._mark(_Mark(start, end, Label(value.strip(), is_element=False)))

    def _close(self, at: int) -> None:
        assert self._open is not None  # noqa: S101  the caller asked
        start, inner, depth, name, namespace = self._open
        self._open = None
        value = "".join(self._text).strip()
        if not self._is_ours(namespace, value):
            return
        is_closed = self._is_end_tag(at, name) and at >= inner
        end = self._xml.index(b">", at) + 1 if is_closed else inner
        is_element = namespace == NAMESPACE and depth >= 2 and self._path[-1][0] == "Description"
        is_plain = is_element and is_closed and self._xml[start:inner] == _OPEN and b"<" not in self._xml[inner:at]
        inside = (inner, at) if is_plain else (-1, -1)
        self._mark(_Mark(start, end, Label(value, is_element=is_element), *inside))

    def _is_ours(self, namespace: str, value: str) -> bool:
        return "tc260" in namespace.lower() or is_label(value)

    def _mark(self, mark: _Mark) -> None:
        if len(self.marks) >= MAX_ELEMENTS // 10:
            raise Broken("an XMP packet with too many labels")
        self.marks.append(mark)


def _refuse(*_args: object) -> None:
    raise Broken("an XMP packet with a document type")
