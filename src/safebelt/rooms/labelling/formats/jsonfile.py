"""JSON: the label as the member `AIGC` of the top-level object; every other byte stays as it is.

Sources: RFC 8259; GB 45438-2025 annex E b) (an object under the name `AIGC`).  The guides name no place in JSON: this
one is our own choice.  An array or a single value has no members: there the label goes into a file beside it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, Broken, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.changes import Change
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import as_line, is_label_object

_BLANK = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb"\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}]+")
_STEP = re.compile(rb"[\[{]|[\]}]|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_NAME = "AIGC"


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of the top-level object: its name, and where name and value start and the value ends."""

    name: str
    start: int
    value: int
    end: int


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    text, members = _checked(data)
    if members is None or _NAME not in members:
        return []
    found = list[Found]()
    for member in _members(text.utf8):
        raw = text.utf8[member.value : member.end].decode()
        if member.name == _NAME and is_label_object(json.loads(raw)):
            value = json.loads(raw) if raw.startswith('"') else raw
            at, length = text.offset(member.start), member.end - member.start
            found.append(Found(place="member AIGC", value=value, is_native=True, at=at, length=length))
        if len(found) >= MAX_FOUND:
            break
    return found


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the top-level object; raises `Broken` and `Unwritable`."""
    text, members = _checked(data)
    line = as_line(value)
    if members is None:
        raise Unwritable(
            Text(
                zh="该 JSON 的顶层不是对象，没有位置写入标识；请随附同名的 .aigc.json 文件。",
                en="This JSON is no object and has no member for the label; put a .aigc.json file beside it.",
            )
        )
    try:
        new = line.encode() if isinstance(msgspec.json.decode(line), dict) else b""
    except (msgspec.DecodeError, RecursionError):
        new = b""
    if not new:
        raise Unwritable(Text(zh="标识的取值必须是一个 JSON 对象。", en="The label's value must be a JSON object."))
    return text.edit(_changes(text.utf8, new, has_label=_NAME in members, is_empty=not members))


def _checked(data: Buffer) -> tuple[TextFile, dict[str, msgspec.Raw] | None]:
    """Return the text, and the members of its object; None where it is none.

    Raises:
        Broken: It is no JSON.
    """
    text = TextFile.of(data, "a JSON file", _wide(bytes(data[:4])))
    at = _past_blank(text.utf8, 0)
    try:
        text.utf8.decode()  # members are taken raw, and would not be looked into
        if text.utf8[at : at + 1] == b"{":
            return text, msgspec.json.decode(text.utf8, type=dict[str, msgspec.Raw])
        msgspec.json.decode(text.utf8, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Broken(f"no JSON: {error}") from error
    return text, None


def _wide(start: bytes) -> str | None:
    """Return the encoding of JSON of wide characters (RFC 4627, 3: the pattern of zero bytes)."""
    zeros = "".join("0" if byte == 0 else "x" for byte in start)
    return {"000x": "utf-32-be", "0x0x": "utf-16-be", "x000": "utf-32-le", "x0x0": "utf-16-le"}.get(zeros)


def _changes(text: bytes, new: bytes, *, has_label: bool, is_empty: bool) -> list[Change]:
    """Return what puts the member in: where the first of its name was, or before all others, indented as these are."""
    start = _past_blank(text, 0) + 1
    if not has_label:
        blank = text[start : _past_blank(text, start)]
        return [(start, start, (b"" if is_empty else blank) + b'"AIGC":' + new + (b"" if is_empty else b","))]
    members = list(_members(text))
    labels = [number for number, member in enumerate(members) if member.name == _NAME]
    changes: list[Change] = [(members[labels[0]].value, members[labels[0]].end, new)]
    return changes + [(members[number - 1].end, members[number].end, b"") for number in labels[1:]]


def _members(text: bytes) -> Iterator[_Member]:
    """Yield the members of the top-level object of JSON that is known to be valid, up to the last that can be ours."""
    at = _past_blank(text, _past_blank(text, 0) + 1)
    while text[at : at + 1] == b'"':
        name = _STRING.match(text, at)
        assert name is not None  # noqa: S101  it is valid
        value = _past_blank(text, _past_blank(text, name.end()) + 1)
        end = _value_end(text, value)
        yield _Member(json.loads(name.group()), at, value, end)
        if text.find(b'AIGC"', end) < 0 and text.find(b"\\u00", end) < 0:
            return  # no name to come can be ours, however it is escaped
        at = _past_blank(text, end)
        at = _past_blank(text, at + 1) if text[at : at + 1] == b"," else len(text)


def _value_end(text: bytes, at: int) -> int:
    if text[at : at + 1] not in (b"{", b"["):
        match = _STRING.match(text, at) or _SCALAR.match(text, at)
        return match.end() if match else at
    depth = 0
    for step in _STEP.finditer(text, at):
        depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(step.group(), 0)
        if depth == 0:
            return step.end()
    return len(text)


def _past_blank(text: bytes, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
