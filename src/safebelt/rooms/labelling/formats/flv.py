"""FLV: the string `AIGC` in the script data `onMetaData`.

Sources: Adobe Flash Video File Format Specification 10.1, annex E (tags, E.4.4 script data) and AMF0 specification
(2007); TC260-PG-20257A for the label.  Writers keep offsets into the file in that very tag (`keyframes.filepositions`,
`lastkeyframelocation`) and the length of the file (`filesize`); they are moved with what they point to.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_METADATA_BYTES, Broken, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.patches import Change, Moves, edited, is_label_field, text_of
from safebelt.rooms.labelling.formats.values import as_line

_SCRIPT = 18
_ENCRYPTED = 0x20
_MAX_TAGS = 4096
"""Tags looked at: `onMetaData` is the first, and what follows is sound and pictures."""
_MAX_VALUES, _MAX_DEPTH, _MAX_SCRIPTS = 1 << 18, 16, 16
"""Values in one tag (a key frame a second for a day is 86,400 twice, in lists of numbers, which count as one)."""
_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL, _UNDEFINED, _REFERENCE = 0, 1, 2, 3, 5, 6, 7
_ARRAY, _END, _STRICT, _DATE, _LONG = 8, 9, 10, 11, 12
_FIXED = {_NUMBER: 8, _BOOLEAN: 1, _NULL: 0, _UNDEFINED: 0, _REFERENCE: 2, _DATE: 10}
"""Lengths of values that have no length of their own (AMF0, 2)."""
_EVENT = b"\x02\x00\x0aonMetaData"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of script data: where its header, its content and its end are."""

    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Property:
    """A property: its name, and where it begins, its value's mark stands, and it ends."""

    name: str
    start: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class Script:
    """An `onMetaData`: its tag, the offset of the count (-1: an object has none), properties, and where they end."""

    tag: Tag
    count: int
    properties: tuple[Property, ...]
    end: int


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    found = list[Found]()
    for number, script in enumerate(_scripts(data)):
        for item in script.properties:
            value = _string(data, item)
            if value is not None and is_label_field(item.name, value):
                is_native = number == 0 and item.name == "AIGC"
                length = item.end - item.start
                place = f"onMetaData {item.name}"
                found.append(Found(place=place, value=value, is_native=is_native, at=item.start, length=length))
    return found[:MAX_FOUND]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the first `onMetaData`, which is made where there is none."""
    line = as_line(value)
    scripts = _scripts(data)
    changes = list[Change]()
    for number, script in enumerate(scripts):
        changes += _rewritten(data, script, line if number == 0 else None)
    if not scripts:
        at = _start(data)
        changes.append(Change(at, at, _tag(_EVENT + b"\x08" + struct.pack(">I", 1) + _property(line) + b"\0\0\x09")))
    moves, growth = Moves(changes), sum(change.growth for change in changes)
    if growth:
        for script in scripts:
            changes += _offsets(data, script, moves, growth)
    return edited(len(data), changes)


# ------------------------------------------------------------------------------------------------ tags


def _start(data: Buffer) -> int:
    """Return where the first tag begins, behind the header and the length of no tag before it."""
    if len(data) < 13 or bytes(data[:3]) != b"FLV":
        raise Broken("an FLV without its beginning")
    start = int.from_bytes(data[5:9]) + 4
    if not 13 <= start <= len(data):
        raise Broken("an FLV whose header ends beyond the file")
    return start


def _tags(data: Buffer) -> Iterator[Tag]:
    """Yield the tags of script data among the first."""
    at = _start(data)
    for _number in range(_MAX_TAGS):
        if at + 11 > len(data):
            return
        body, end = at + 11, at + 11 + int.from_bytes(data[at + 1 : at + 4])
        if end > len(data):
            raise Broken("an FLV tag that ends beyond the file")
        if data[at] & 0x1F == _SCRIPT and not data[at] & _ENCRYPTED:
            yield Tag(at, body, end)
        at = end + 4


def _scripts(data: Buffer) -> list[Script]:
    scripts = list[Script]()
    for tag in _tags(data):
        begins = bytes(data[tag.body : min(tag.body + len(_EVENT) + 5, tag.end)])
        if not begins.startswith(_EVENT) or len(begins) <= len(_EVENT):
            continue
        mark, at = begins[len(_EVENT)], tag.body + len(_EVENT) + 1
        if mark == _ARRAY and len(begins) == len(_EVENT) + 5:
            properties, end = _properties(data, at + 4, tag.end)
            scripts.append(Script(tag, at, properties, end))
        elif mark == _OBJECT:
            properties, end = _properties(data, at, tag.end)
            scripts.append(Script(tag, -1, properties, end))
        if len(scripts) > _MAX_SCRIPTS:
            raise Broken("an FLV with too many onMetaData")
    return scripts


def _tag(body: bytes) -> bytes:
    head = bytes((_SCRIPT,)) + len(body).to_bytes(3) + bytes(7)
    return head + body + struct.pack(">I", 11 + len(body))


# ------------------------------------------------------------------------------------------------ AMF0


def _properties(data: Buffer, at: int, end: int) -> tuple[tuple[Property, ...], int]:
    """Return the properties from an offset, and where they end: at the mark of the end, or with the tag."""
    properties, budget = list[Property](), iter(range(_MAX_VALUES))
    while at + 3 <= end and bytes(data[at : at + 3]) != b"\0\0\x09":
        value = at + 2 + int.from_bytes(data[at : at + 2])
        after = _after(data, value, end, budget, 0)
        properties.append(Property(text_of(bytes(data[at + 2 : value])), at, value, after))
        at = after
    return tuple(properties), at


def _after(data: Buffer, at: int, end: int, budget: Iterator[int], depth: int) -> int:
    """Return where a value ends.

    Raises:
        Broken: Beyond the tag, or too deep, or of a kind that AMF0 does not know.
    """
    if at >= end or depth > _MAX_DEPTH or next(budget, None) is None:
        raise Broken("script data that ends too early, is too deep, or holds too many values")
    mark, at = data[at], at + 1
    if mark in _FIXED:
        after = at + _FIXED[mark]
    elif mark in (_STRING, _LONG):
        width = 2 if mark == _STRING else 4
        after = at + width + int.from_bytes(data[at : at + width])
    elif mark == _STRICT:
        after = _after_list(data, at, end, budget, depth)
    elif mark in (_OBJECT, _ARRAY):
        after = _after_object(data, at + (4 if mark == _ARRAY else 0), end, budget, depth)
    else:
        raise Broken("script data of a kind that is not known")
    if after > end:
        raise Broken("script data that ends beyond its tag")
    return after


def _after_list(data: Buffer, at: int, end: int, budget: Iterator[int], depth: int) -> int:
    count, at = int.from_bytes(data[at : at + 4]), at + 4
    if at + count * 9 <= end and bytes(data[at : at + count * 9 : 9]) == bytes(count):
        return at + count * 9  # numbers, as in lists of offsets
    for _number in range(count):
        at = _after(data, at, end, budget, depth + 1)
    return at


def _after_object(data: Buffer, at: int, end: int, budget: Iterator[int], depth: int) -> int:
    while at + 3 <= end and bytes(data[at : at + 3]) != b"\0\0\x09":
        at = _after(data, at + 2 + int.from_bytes(data[at : at + 2]), end, budget, depth + 1)
    return at + 3


def _string(data: Buffer, item: Property) -> str | None:
    mark = data[item.value]
    if mark not in (_STRING, _LONG) or item.end - item.value > MAX_METADATA_BYTES:
        return None
    return text_of(bytes(data[item.value + (3 if mark == _STRING else 5) : item.end]))


def _property(line: str) -> bytes:
    raw = line.encode()
    is_long = len(raw) > 0xFFFF
    mark = b"\x0c" + struct.pack(">I", len(raw)) if is_long else b"\x02" + struct.pack(">H", len(raw))
    return b"\0\x04AIGC" + mark + raw


# ------------------------------------------------------------------------------------------------ writing


def _rewritten(data: Buffer, script: Script, line: str | None) -> list[Change]:
    gone = [
        item
        for item in script.properties
        if (value := _string(data, item)) is not None and is_label_field(item.name, value)
    ]
    if line is None and not gone:
        return []
    changes = [Change(item.start, item.end, b"") for item in gone]
    if line is not None:
        changes.append(Change(script.end, script.end, _property(line)))
    added = (line is not None) - len(gone)
    if script.count >= 0 and added:
        count = struct.unpack_from(">I", data, script.count)[0] + added
        changes.append(Change(script.count, script.count + 4, struct.pack(">I", max(count, 0) & 0xFFFFFFFF)))
    growth, tag = sum(change.growth for change in changes), script.tag
    size = tag.end - tag.body + growth
    if size >= 1 << 24:
        raise Broken("an FLV tag that would be longer than a tag can be")
    changes.append(Change(tag.start + 1, tag.start + 4, size.to_bytes(3)))
    if tag.end + 4 <= len(data):
        changes.append(Change(tag.end, tag.end + 4, struct.pack(">I", 11 + size)))
    return changes


def _offsets(data: Buffer, script: Script, moves: Moves, growth: int) -> Iterator[Change]:
    """Yield the changes to what counts bytes of the file."""
    for item in script.properties:
        if item.name == "filesize" and data[item.value] == _NUMBER:
            if _number(data, item.value + 1) == len(data):
                yield Change(item.value + 1, item.value + 9, struct.pack(">d", len(data) + growth))
        elif item.name == "lastkeyframelocation" and data[item.value] == _NUMBER:
            yield from _moved(data, item.value + 1, 1, moves)
        elif item.name == "keyframes" and data[item.value] == _OBJECT:
            for inner in _properties(data, item.value + 1, item.end)[0]:
                if inner.name == "filepositions" and data[inner.value] == _STRICT:
                    count = int.from_bytes(data[inner.value + 1 : inner.value + 5])
                    yield from _moved(data, inner.value + 6, count if _is_of_numbers(inner, count) else 0, moves)


def _is_of_numbers(item: Property, count: int) -> bool:
    return item.end - item.value == 5 + 9 * count


def _moved(data: Buffer, at: int, count: int, moves: Moves) -> Iterator[Change]:
    """Yield changes to numbers, each nine bytes behind the other with its mark between."""
    for place in range(at, at + 9 * count, 9):
        old = _number(data, place)
        if data[place - 1] == _NUMBER and 0 < old <= len(data) and old == int(old):
            yield Change(place, place + 8, struct.pack(">d", float(moves(int(old)))))


def _number(data: Buffer, at: int) -> float:
    number: float = struct.unpack_from(">d", data, at)[0]
    return number
