"""One pass over an XMP packet: where its labels are, and where one would go.

Sources: ISO 16684-1:2019 (RDF serialisation of XMP); XML 1.0 and Namespaces in XML.  A packet is foreign and may be
hostile: no document type and no entity is accepted, and the number of elements is bounded.
"""

import re
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import escape

from safebelt.rooms.labelling.formats.carrier import Broken
from safebelt.rooms.labelling.formats.values import is_label

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""TC260-PG-20259A."""
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
META = "adobe:ns:meta/"
MAX_ELEMENTS = 200_000
"""Elements of one packet; the largest seen in the wild (editing histories) have tens of thousands."""

_USUAL = {"tc260": NAMESPACE, "rdf": RDF, "x": META}
_ABOUT_NOTHING = b'""'
OPEN = b"<TC260:AIGC>"
_ATTRIBUTE = re.compile(rb"\s+([^\s=/>]+)\s*=\s*(\"[^\"]*\"|'[^']*')")
_NAME = re.compile(rb"<[^\s/>]+")


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
class Mark:
    """A label's bytes: `[start, end)` all of it, `[inner, inner_end)` its content where it is our plain element."""

    start: int
    end: int
    label: Label
    inner: int = -1
    inner_end: int = -1


def description(line: str, rdf_name: str, about: str = '""') -> str:
    """Return the description that holds a label.

    Args:
        line: The label.
        rdf_name: What the RDF's element is called; under another prefix than `rdf` this declares its own.
        about: What the packet's other descriptions are about, quoted: all must say the same.
    """
    declared = "" if rdf_name == "rdf:RDF" else f' xmlns:rdf="{RDF}"'
    return (
        f'<rdf:Description{declared} rdf:about={about} xmlns:TC260="{NAMESPACE}">'
        f"<TC260:AIGC>{escape(line)}</TC260:AIGC></rdf:Description>"
    )


class Scan:
    """One pass over a packet: where its labels are, and where one would go.

    Args:
        xml: The packet's document, in UTF-8.
        is_packet: Whether it is one; a whole document around one may have a document type.  Entities are never
            fetched, and what they expand to is bounded by the parser (expat 2.4 and later).

    Attributes:
        marks: The labels, in order; none lies in another.

    Raises:
        Broken: It is not well-formed, or too large.
    """

    def __init__(self, xml: bytes, *, is_packet: bool = True) -> None:
        self._is_packet = is_packet
        self._xml = xml
        self.marks = list[Mark]()
        self._scopes: dict[str, list[str]] = {"xml": ["http://www.w3.org/XML/1998/namespace"]}
        self._path = list[tuple[str, tuple[str, ...]]]()  # kind of each open element, and the prefixes it declares
        self._count = 0
        self._open: tuple[int, int, int, str] | None = None  # start, end of the tag, depth, namespace
        self._text = list[str]()
        self._rdf: tuple[str, int, int] | None = None  # raw name, start of its tag, start of its end tag (-1: none)
        self._root: tuple[str, str, int] | None = None  # namespace, raw name, start of its end tag
        self._about = _ABOUT_NOTHING
        self._parser = self._made()
        self._run()

    def _made(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        if self._is_packet:
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
            if namespace != META:
                raise Broken("XML that is no XMP: it has no RDF")
            rdf = f'<rdf:RDF xmlns:rdf="{RDF}">{description(line, "rdf:RDF")}</rdf:RDF>'
            return self._inside(name, 0 if end < 0 else end, rdf, is_empty=end < 0)
        name, start, end = self._rdf
        return self._inside(
            name, start if end < 0 else end, description(line, name, self._about.decode()), is_empty=end < 0
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
            self._open = (at, self._tag_end(at), len(self._path), namespace)
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
        """Return a prefix's namespace; one that nobody bound in what is seen means what it usually does."""
        scope = self._scopes.get(prefix)
        return scope[-1] if scope else _USUAL.get(prefix.lower(), "")

    def _kind(self, namespace: str, local: str, name: str, at: int, attributes: list[str]) -> str:
        """Say what an element is to us, and note the root, the RDF, and what the RDF is about."""
        if not self._path:
            self._root = (namespace, name, -1)
        if namespace != RDF or local not in ("RDF", "Description"):
            return ""
        if local == "RDF" and self._rdf is None:
            self._rdf = (name, at, -1)
            return "RDF"
        is_described = local == "Description" and bool(self._path) and self._path[-1][0] == "RDF"
        if is_described and self._about == _ABOUT_NOTHING and any(key.endswith("about") for key in attributes[::2]):
            self._about = next((raw for key, raw, _s, _e in self._raw(at) if key.endswith(b"about")), _ABOUT_NOTHING)
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
        end = at + 2 + len(name.encode())
        return self._xml.startswith(f"</{name}".encode(), at) and self._xml[end : end + 1] in b"> \t\r\n"

    def _attributes(self, at: int, values: list[str]) -> None:
        for (key, _raw, start, end), value in zip(self._raw(at), values, strict=True):
            prefix, _, local = key.decode().rpartition(":")
            if local == "AIGC" and prefix and self._is_ours(self._namespace(prefix), value):
                self._mark(Mark(start, end, Label(value.strip(), is_element=False)))

    def _close(self, at: int) -> None:
        assert self._open is not None  # noqa: S101  the caller asked
        start, inner, depth, namespace = self._open
        self._open = None
        value = "".join(self._text).strip()
        if not self._is_ours(namespace, value):
            return
        is_closed = not self._xml.endswith(b"/>", start, inner)  # at a lone tag's end stands what follows it
        end = self._xml.index(b">", at) + 1 if is_closed else inner
        is_element = namespace == NAMESPACE and depth >= 2 and self._path[-1][0] == "Description"
        is_bound = bool(self._scopes.get("TC260"))  # within what is seen, so that it stays bound whatever is around
        is_bare = self._xml[start:inner] == OPEN and b"<" not in self._xml[inner:at]
        is_plain = is_element and is_closed and is_bound and is_bare
        inside = (inner, at) if is_plain else (-1, -1)
        self._mark(Mark(start, end, Label(value, is_element=is_element), *inside))

    def _is_ours(self, namespace: str, value: str) -> bool:
        return "tc260" in namespace.lower() or is_label(value)

    def _mark(self, mark: Mark) -> None:
        if len(self.marks) >= MAX_ELEMENTS // 10:
            raise Broken("an XMP packet with too many labels")
        self.marks.append(mark)


def _refuse(*_args: object) -> None:
    raise Broken("an XMP packet with a document type")
