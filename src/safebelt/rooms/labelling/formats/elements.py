"""The elements of a small XML part, each with its bytes: enough to cut, replace and add without a serialiser.

Source: XML 1.0 (fifth edition).  No document type is accepted, hence no entity; the number of elements is bounded.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from safebelt.rooms.labelling.formats.carrier import Broken

MAX_ELEMENTS = 200_000
"""Elements of one part; properties, relationships and packages have tens to thousands."""
_MAX_TEXT_DEPTH = 8
"""Depth from which on an element's text is not its parents' any more: each level copies it."""
_TAG = re.compile(rb"<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*\s*/?>")


@dataclass(slots=True)
class Element:
    """An element.

    Attributes:
        name: Its name without prefix.
        prefix: Its prefix with the colon, or nothing.
        attributes: Its attributes, by raw name.
        start: Where its start tag begins.
        opened: Where that ends.
        depth: 0 for the root.
        closing: Where its end tag begins; `opened` for an empty element.
        end: Where it ends.
        text: Its own characters and those of the elements in it (of the root only its own).
    """

    name: str
    prefix: str
    attributes: dict[str, str]
    start: int
    opened: int
    depth: int
    closing: int = 0
    end: int = 0
    text: str = ""
    pieces: list[str] = field(default_factory=list[str])

    @property
    def is_empty(self) -> bool:
        """Whether it is one tag: `<a/>`."""
        return self.end == self.opened

    def attribute(self, name: str) -> str:
        """Return an attribute by its name without prefix; empty where there is none."""
        return next((value for key, value in self.attributes.items() if key.rpartition(":")[2] == name), "")

    def appended(self, new: bytes) -> tuple[int, int, bytes]:
        """Return the change that puts something in as the last of the element."""
        if not self.is_empty:
            return self.closing, self.closing, new
        return self.opened - 2, self.opened, b">" + new + f"</{self.prefix}{self.name}>".encode()


def elements(xml: bytes, what: str) -> list[Element]:
    """Return a part's elements in the order of their start tags.

    Args:
        xml: The part, in UTF-8.
        what: What it is, for the error.

    Raises:
        Broken: It is not well-formed, or has a document type.
    """
    return _Parse(xml, what).elements


class _Parse:
    def __init__(self, xml: bytes, what: str) -> None:
        self._xml, self._what = xml, what
        self.elements = list[Element]()
        self._open = list[Element]()
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        self._parser = parser
        try:
            parser.Parse(xml, True)
        except (expat.ExpatError, UnicodeError) as error:
            raise Broken(f"{what} that is not well-formed: {error}") from error

    def _start(self, raw: str, attributes: dict[str, str]) -> None:
        at = self._parser.CurrentByteIndex
        tag = _TAG.match(self._xml, at)
        if tag is None or len(self.elements) >= MAX_ELEMENTS:
            raise Broken(f"{self._what} with too many elements")
        prefix, colon, name = raw.rpartition(":")
        element = Element(name, prefix + colon, attributes, at, tag.end(), len(self._open))
        self.elements.append(element)
        self._open.append(element)

    def _end(self, _raw: str) -> None:
        element, at = self._open.pop(), self._parser.CurrentByteIndex
        is_tag = not self._xml.endswith(
            b"/>", element.start, element.opened
        )  # at a lone tag's end stands what follows it
        element.closing = at if is_tag else element.opened
        element.end = self._xml.index(b">", at) + 1 if is_tag else element.opened
        element.text = "".join(element.pieces)
        element.pieces.clear()
        if self._open and 2 <= element.depth <= _MAX_TEXT_DEPTH:
            self._open[-1].pieces.append(element.text)

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].pieces.append(text)

    def _refuse(self, *_args: object) -> None:
        raise Broken(f"{self._what} with a document type")
