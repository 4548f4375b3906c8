"""A PDF file's objects, found through its cross-reference tables and streams, the newest first.

Source: ISO 32000-2:2020, 7.5.4 (tables), 7.5.5 (trailer), 7.5.7 (object streams), 7.5.8 (cross-reference streams and
hybrid files), 7.4.4 (Flate and its predictors).
"""

import re
import zlib
from dataclasses import dataclass
from typing import Any

from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer
from safebelt.rooms.labelling.formats.pdf_values import Dictionary, Parser, Reference, past_blank

MAX_SECTIONS = 1024
"""Updates followed back; each is one saving of the file."""
MAX_SUBSECTIONS = 100_000
_INFLATED = 4 * MAX_METADATA_BYTES
_START = re.compile(rb"startxref[\0\t\n\f\r ]+([0-9]{1,20})")
_TAIL = 2048
"""Bytes at the end in which `startxref` must be; readers allow some bytes behind the end of the file."""
_OBJECT = re.compile(rb"([0-9]{1,10})[\0\t\n\f\r ]+([0-9]{1,5})[\0\t\n\f\r ]+obj")
_RANGE = re.compile(rb"[\0\t\n\f\r ]*([0-9]{1,10})[\t ]+([0-9]{1,10})[\t ]*(?:\r\n|\r|\n)")
_STREAM = re.compile(rb"[\0\t\n\f\r ]*stream(?:\r\n|\n|\r)")
_ENTRY = re.compile(rb"([0-9]{10}) ([0-9]{5}) ([nf])")
_ENTRY_SIZE = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is: at an offset in the file, or as one of an object stream."""

    offset: int
    generation: int
    stream: int | None = None


@dataclass(frozen=True, slots=True)
class _Section:
    """A cross-reference section: ranges of numbers, and where the entries of each start, in the file or in `rows`."""

    trailer: Dictionary
    ranges: list[tuple[int, int, int]]
    rows: bytes | None = None
    widths: tuple[int, int, int] = (0, 0, 0)

    def find(self, data: Buffer, number: int) -> Place | None:
        for first, count, at in self.ranges:
            if first <= number < first + count:
                return self._row(at, number - first) if self.rows is not None else _line(data, at, number - first)
        return None

    def _row(self, at: int, index: int) -> Place | None:
        assert self.rows is not None  # noqa: S101  the caller asked
        start, values = at + index * sum(self.widths), list[int]()
        for width in self.widths:
            values.append(int.from_bytes(self.rows[start : start + width]))
            start += width
        kind = values[0] if self.widths[0] else 1
        if kind == 1:
            return Place(values[1], values[2])
        return Place(values[2], 0, stream=values[1]) if kind == 2 else None


class File:
    """A PDF file.

    Args:
        data: The file.

    Attributes:
        base: Where the file begins in the data: offsets count from there.
        start: Offset of the newest cross-reference section.
        trailer: Its dictionary.
        is_stream: Whether it is a stream.

    Raises:
        Broken: The objects cannot be found.
    """

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self.base = max(0, bytes(data[:1024]).find(b"%PDF-"))
        tail = data[max(0, len(data) - _TAIL) :]
        starts = _START.findall(tail)
        if not starts:
            raise Broken("a PDF without the address of its cross-references at its end")
        self.start = int(starts[-1])
        if self.base and not self._is_section(self.base + self.start):
            self.base = 0
        self._sections = list[_Section]()
        self._subsections = 0
        self._contents = dict[int, tuple[bytes, dict[int, int]]]()
        self._load()
        self.trailer = self._sections[0].trailer
        self.is_stream = self._sections[0].rows is not None

    def raw(self, item_start: int, item_end: int) -> bytes:
        """Return bytes of the file."""
        return self._data[item_start:item_end]

    def place(self, number: int) -> Place | None:
        """Return where an object is, or None where the file has none of the number."""
        for section in self._sections:
            place = section.find(self._data, number)
            if place is not None:
                return place
        return None

    def resolved(self, value: Any, depth: int = 0) -> Any:
        """Return what a value is once references are followed; None where they lead nowhere."""
        if not isinstance(value, Reference) or depth > 8:
            return None if isinstance(value, Reference) else value
        found = self.indirect(value)
        return self.resolved(found[0], depth + 1) if found else None

    def indirect(self, reference: Reference) -> tuple[Any, int, bytes] | None:
        """Return an object, where it ends, and the buffer it is in: the file itself or an object stream's content.

        Raises:
            Broken: It is not where the file says.
        """
        place = self.place(reference.number)
        if place is None:
            return None
        if place.stream is None:
            value, end = self._at(self.base + place.offset, reference.number)
            return value, end, b""
        content, offsets = self._object_stream(place.stream)
        if reference.number not in offsets:
            return None
        value, end = Parser(content).value(offsets[reference.number])
        return value, end, content

    def content(self, dictionary: Dictionary, end: int) -> bytes | None:
        """Return what a stream holds, or None where it is not one, or compressed otherwise than by Flate.

        Args:
            dictionary: The stream's dictionary.
            end: Where that ends in the file.
        """
        extent = self.extent(dictionary, end)
        filters = _listed(self.resolved(dictionary.get("Filter")))
        if extent is None or extent[1] - extent[0] > _INFLATED or filters not in ([], ["FlateDecode"]):
            return None
        raw = self._data[extent[0] : extent[1]]
        if not filters:
            return raw
        parameters = _listed(self.resolved(dictionary.get("DecodeParms")))
        try:
            inflated = zlib.decompressobj().decompress(raw, _INFLATED)
        except zlib.error as error:
            raise Broken("a PDF stream that does not inflate") from error
        given = self.resolved(parameters[0]) if parameters else None
        return _unpredicted(inflated, given) if isinstance(given, Dictionary) else inflated

    def extent(self, dictionary: Dictionary, end: int) -> tuple[int, int] | None:
        """Return where a stream's bytes start and end, or None where it is none."""
        stream = _STREAM.match(self._data, end)
        length = self.resolved(dictionary.get("Length"))
        if stream is None or not isinstance(length, int) or not 0 <= length <= len(self._data) - stream.end():
            return None
        return stream.end(), stream.end() + length

    def _is_section(self, at: int) -> bool:
        at = past_blank(self._data, at)
        return self._data[at : at + 4] == b"xref" or _OBJECT.match(self._data, at) is not None

    def _load(self) -> None:
        left, seen = [self.start], set[int]()
        while left:
            offset = left.pop(0)
            if offset in seen:
                continue
            seen.add(offset)
            if len(seen) > MAX_SECTIONS:
                raise Broken("a PDF with too many updates")
            section = self._section(self.base + offset)
            self._sections.append(section)
            left += [value for name in ("XRefStm", "Prev") if isinstance(value := section.trailer.get(name), int)]

    def _section(self, at: int) -> _Section:
        at = past_blank(self._data, at)
        return self._table(at + 4) if self._data[at : at + 4] == b"xref" else self._stream(at)

    def _table(self, at: int) -> _Section:
        ranges = list[tuple[int, int, int]]()
        while match := _RANGE.match(self._data, at):
            count = int(match.group(2))
            ranges.append((int(match.group(1)), count, match.end()))
            at = match.end() + count * _ENTRY_SIZE
            self._subsections += 1
            if at > len(self._data) or self._subsections > MAX_SUBSECTIONS:
                raise Broken("a PDF whose cross-reference table ends beyond the file")
        at = past_blank(self._data, at)
        if self._data[at : at + 7] != b"trailer":
            raise Broken("a PDF whose cross-reference table has no trailer")
        trailer, _end = Parser(self._data).value(at + 7)
        if not isinstance(trailer, Dictionary):
            raise Broken("a PDF whose trailer is no dictionary")
        return _Section(trailer, ranges)

    def _stream(self, at: int) -> _Section:
        dictionary, end = self._at(at, None)
        if not isinstance(dictionary, Dictionary) or dictionary.get("Type") != "XRef":
            raise Broken("a PDF whose cross-references are not where it says")
        rows, widths = self.content(dictionary, end), dictionary.get("W")
        if (
            rows is None
            or not isinstance(widths, list)
            or len(widths) != 3
            or not all(_is_width(one) for one in widths)
        ):
            raise Broken("a PDF whose cross-reference stream cannot be read")
        index = dictionary.get("Index") or [0, dictionary.number("Size")]
        if len(index) % 2 or len(index) > 2 * MAX_SUBSECTIONS or not all(isinstance(one, int) for one in index):
            raise Broken("a PDF whose cross-reference stream has no index")
        ranges, start = list[tuple[int, int, int]](), 0
        for first, count in zip(index[::2], index[1::2], strict=True):
            ranges.append((first, count, start))
            start += count * sum(widths)
        return _Section(dictionary, ranges, rows, (widths[0], widths[1], widths[2]))

    def _at(self, at: int, number: int | None) -> tuple[Any, int]:
        """Return the object at an offset, and where its value ends."""
        match = _OBJECT.match(self._data, past_blank(self._data, at))
        if match is None or (number is not None and int(match.group(1)) != number):
            raise Broken("a PDF object that is not where its cross-reference says")
        return Parser(self._data).value(match.end())

    def _object_stream(self, number: int) -> tuple[bytes, dict[int, int]]:
        """Return an object stream's content, and the offset in it of each of its objects."""
        if number in self._contents:
            return self._contents[number]
        place, dictionary, content = self.place(number), None, None
        if place is not None and place.stream is None:
            dictionary, end = self._at(self.base + place.offset, number)
            content = self.content(dictionary, end) if isinstance(dictionary, Dictionary) else None
        if content is None or not isinstance(dictionary, Dictionary):
            raise Broken("a PDF object stream that cannot be read")
        first = dictionary.number("First")
        words = content[:first].split()[: 2 * min(dictionary.number("N"), MAX_SUBSECTIONS)]
        if not all(word.isdigit() and len(word) <= 10 for word in words):
            raise Broken("a PDF object stream without numbers of its objects")
        offsets = {int(name): first + int(offset) for name, offset in zip(words[::2], words[1::2], strict=False)}
        self._contents[number] = content, offsets
        return content, offsets


def _line(data: Buffer, at: int, index: int) -> Place | None:
    """Read an entry of a table; a free one is none."""
    entry = _ENTRY.match(data, at + index * _ENTRY_SIZE)
    if entry is None:
        raise Broken("a PDF whose cross-reference table has lines that are none")
    return Place(int(entry.group(1)), int(entry.group(2))) if entry.group(3) == b"n" else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_width(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= 8


def _unpredicted(data: bytes, parameters: Dictionary) -> bytes:
    """Undo a PNG predictor (7.4.4.4), of the kind cross-reference streams use: bytes in columns."""
    predictor, columns = parameters.get("Predictor") or 1, parameters.get("Columns") or 1
    if predictor == 1:
        return data
    if not isinstance(predictor, int) or predictor < 10 or not isinstance(columns, int) or not 1 <= columns <= 1024:
        raise Broken("a PDF stream with a predictor that is not used for cross-references")
    made, above = bytearray(), bytes(columns)
    for at in range(0, len(data) - columns, columns + 1):
        above = _row(data[at], data[at + 1 : at + 1 + columns], above)
        made += above
    return bytes(made)


def _row(kind: int, row: bytes, above: bytes) -> bytes:
    if kind == 0:
        return row
    if kind == 2:
        return bytes((one + up) & 255 for one, up in zip(row, above, strict=True))
    made = bytearray()
    for index, one in enumerate(row):
        left, up, corner = (made[-1] if made else 0), above[index], (above[index - 1] if index else 0)
        made.append((one + _predicted(kind, left, up, corner)) & 255)
    return bytes(made)


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    if kind != 4:
        raise Broken("a PDF stream with a row predictor that does not exist")
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))
