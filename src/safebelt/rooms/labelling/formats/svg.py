"""SVG: the label in an XMP packet within `<metadata>`; a drawing of any size is searched, not parsed.

Sources: SVG 2 (W3C), 21 (metadata); XMP Specification Part 3 (2020), 1.1.7 (an element `metadata` holds the packet);
TC260-PG-20259A for the element.  An RDF that is there already takes the label in, whatever else it says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.rooms.labelling.formats import xmp
from safebelt.rooms.labelling.formats.carrier import MAX_LABEL_BYTES, Broken, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.changes import Change
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import as_line, collected, in_bytes
from safebelt.rooms.labelling.formats.xmp_scan import Scan

_QUOTED = rb"\"[^\"]*\"|'[^']*'|<!--.*?-->|<(?!!--)"
_PROLOG = re.compile(
    rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE(?:[^\[<>\"']|" + _QUOTED
    + rb"|\[(?:[^\]<\"']|" + _QUOTED + rb")*\])*>\s*)*",
    re.DOTALL,
)  # fmt: skip
_ROOT = re.compile(rb"<((?:[\w.-]+:)?svg)(?:\s+[^\s=/>]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*\s*(/?)>")
_OUTER = (b"xmpmeta", b"RDF")
_BEFORE = re.compile(rb"<(?:[\w.-]{1,60}:)?\Z")
_TRIES = 16
_LAST = 4096
_REACH = 64
"""Bytes before the letters that a label in loose text may begin at: its outer brace and blanks."""
_NEAR = re.compile(rb"AIGC[\\\"'=:\s]{0,16}\{")
_VAIN = 16
"""Places looked at in vain before the rest of a drawing is taken for a text about labels."""
_HIDES = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"))


@dataclass(frozen=True, slots=True)
class _Label:
    """A label's place and bytes."""

    place: str
    value: str
    start: int
    end: int
    is_native: bool


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    text = TextFile.of(data, "an SVG")
    return collected(
        Found(
            place=label.place, value=label.value, is_native=label.is_native, at=text.offset(label.start),
            length=label.end - label.start,
        )
        for label in _checked(text.utf8)
    )  # fmt: skip


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the drawing's packet; raises `Broken` and `Unwritable`."""
    text = TextFile.of(data, "an SVG")
    packet = _packet(text.utf8)
    changes: list[Change] = [
        (label.start, label.end, b"")
        for label in _labels(text.utf8)
        if packet is None or label.start not in range(*packet)
    ]
    if packet is None:
        changes.append(_added(text.utf8, xmp.merged(None, as_line(value))))
    else:
        changes.append((*packet, xmp.merged(text.utf8[packet[0] : packet[1]], as_line(value))))
    return text.edit(changes)


def _checked(svg: bytes) -> Iterator[_Label]:
    yield from _labels(svg)
    if _root(svg) is None:
        raise Broken("an SVG without its root element")


def _labels(svg: bytes) -> Iterator[_Label]:
    """Yield the labels: those of the packet, and, where the letters stand elsewhere too, those of the whole drawing."""
    if b"AIGC" not in svg:
        return
    packet = _packet(svg)
    if packet is not None:
        for one in xmp.labels_of(svg[packet[0] : packet[1]]):
            yield _Label("metadata XMP TC260:AIGC", one.value, *packet, one.is_element)
    start, end = packet or (0, 0)
    if svg.find(b"AIGC", 0, start) < 0 and svg.find(b"AIGC", end) < 0:
        return
    taken = [(start, end)]
    for label in _marked(svg):
        if not start <= label.start < end:
            taken.append((label.start, label.end))
            yield label
    yield from _loose(svg, taken)


def _marked(svg: bytes) -> Iterator[_Label]:
    try:
        marks = Scan(svg, is_packet=False).marks
    except Broken:
        return
    for mark in marks:
        yield _Label("AIGC outside the packet", mark.label.value, mark.start, mark.end, is_native=False)


def _loose(svg: bytes, taken: list[tuple[int, int]]) -> Iterator[_Label]:
    done, vain = 0, 0
    for near in _NEAR.finditer(svg):
        base = max(done, near.start() - _REACH)
        if near.start() < done or vain >= _VAIN:
            continue
        vain += 1
        for label in in_bytes(svg[base : near.start() + MAX_LABEL_BYTES])[:1]:
            start, stop = base + label.start, base + label.end
            if start <= near.end() and not any(start < last and first < stop for first, last in taken):
                done, vain = stop, 0
                yield _Label("text", label.value, start, stop, is_native=False)


def _packet(svg: bytes) -> tuple[int, int] | None:
    """Return where the drawing's packet is: its `x:xmpmeta`, or else its RDF."""
    start = svg.find(b"metadata")  # where it must be; to look for one word in a large drawing is all that is quick
    if start < 0:
        return None
    return next((span for name in _OUTER for span in _elements(svg, name, start)), None)


def _elements(svg: bytes, name: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Yield where elements of a name are that are neither commented out nor character data, whatever their prefix."""
    at = svg.find(name, at)
    for _try in range(_TRIES):
        if at < 0:
            return
        before = _BEFORE.search(svg[max(0, at - 64) : at])
        end = svg.find(b"</" + before.group()[1:] + name, at) if before else -1
        close = svg.find(b">", end) if end >= 0 else -1
        if before and close >= 0 and not _is_hidden(svg, at):
            yield at - len(before.group()), close + 1
        at = svg.find(name, max(close, at + len(name)))


def _is_hidden(svg: bytes, at: int) -> bool:
    """Whether a place lies in a comment or in character data of the drawing."""
    root = _root(svg)
    start = root.end() if root else 0
    return any(svg.rfind(opening, start, at) > svg.rfind(closing, start, at) for opening, closing in _HIDES)


def _root(svg: bytes) -> re.Match[bytes] | None:
    prolog = _PROLOG.match(svg)
    return _ROOT.match(svg, prolog.end() if prolog else 0)


def _added(svg: bytes, packet: bytes) -> Change:
    """Return what puts a new packet in as the root's first child."""
    root = _root(svg)
    if root is None or not (root.group(2) or svg[-_LAST:].rstrip().endswith(b">")):
        raise Broken("an SVG without its root element")
    name = root.group(1)
    prefix = name[: -len(b"svg")]
    inside = b"<" + prefix + b"metadata>" + packet + b"</" + prefix + b"metadata>"
    if root.group(2):
        return root.end() - 2, root.end(), b">" + inside + b"</" + name + b">"
    return root.end(), root.end(), inside
