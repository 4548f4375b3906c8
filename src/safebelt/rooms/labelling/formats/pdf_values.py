"""PDF's values as they stand in a file: parsed with the bytes they take, so that what is not changed is copied raw.

Source: ISO 32000-2:2020, 7.2 (lexical conventions), 7.3 (objects), 7.9.2 (text strings).
"""

import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from safebelt.rooms.labelling.formats.carrier import Broken, Buffer

MAX_DEPTH = 32
MAX_VALUES = 50_000
"""Values within one object that is looked into: Info dictionaries and catalogues have dozens."""
_BLANK = re.compile(rb"(?:[\0\t\n\f\r ]+|%[^\r\n]*)*")
_REGULAR = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_NAME = re.compile(rb"/(" + _REGULAR + rb"*)")
_REFERENCE = re.compile(rb"([0-9]{1,10})[\0\t\n\f\r ]+([0-9]{1,5})[\0\t\n\f\r ]+R(?!" + _REGULAR + rb")")
_WORD = re.compile(_REGULAR + rb"+")
_HEX = re.compile(rb"<([0-9A-Fa-f\0\t\n\f\r ]*)>")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_IN_STRING = re.compile(rb"[()\\]")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)|\r\n?", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\r": b"", b"\n": b"", b"\r\n": b""}


class Name(str):
    """A name object, without its slash."""

    __slots__ = ()


class Reference(NamedTuple):
    """A reference to an indirect object."""

    number: int
    generation: int


class Item(NamedTuple):
    """A value of a dictionary, and where its key starts, and where the value starts and ends."""

    value: Any
    key: int
    start: int
    end: int


@dataclass(slots=True)
class Dictionary:
    """A dictionary.

    Attributes:
        items: Its values, by name.
        start: Where it starts.
        end: Where it ends.
    """

    start: int
    end: int = 0
    items: dict[str, Item] = field(default_factory=dict[str, Item])

    def get(self, name: str) -> Any:
        """Return a value, or None."""
        item = self.items.get(name)
        return item.value if item else None

    def number(self, name: str) -> int:
        """Return a whole number.

        Raises:
            Broken: There is none.
        """
        value = self.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Broken(f"a PDF whose /{name} is no number")
        return value


class Parser:
    """Reads values out of a buffer.

    Args:
        data: The buffer.
    """

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._left = MAX_VALUES

    def value(self, at: int, depth: int = 0) -> tuple[Any, int]:
        """Return the value at an offset, and where it ends.

        Raises:
            Broken: There is none, or it is nested too deep.
        """
        at = past_blank(self._data, at)
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise Broken("a PDF object that is too deep or too large")
        two = self._data[at : at + 2]
        if two == b"<<":
            return self._dictionary(at, depth)
        one = two[:1]
        if one == b"[":
            return self._array(at, depth)
        if one == b"(":
            return self._string(at)
        return self._atom(at)

    def _atom(self, at: int) -> tuple[Any, int]:
        if name := _NAME.match(self._data, at):
            return _name(name.group(1)), name.end()
        if text := _HEX.match(self._data, at):
            digits = re.sub(rb"\s|\0", b"", text.group(1))
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode()), text.end()
        if reference := _REFERENCE.match(self._data, at):
            return Reference(int(reference.group(1)), int(reference.group(2))), reference.end()
        if word := _WORD.match(self._data, at):
            return _word(word.group()), word.end()
        raise Broken("a PDF object where none can be read")

    def _dictionary(self, at: int, depth: int) -> tuple[Dictionary, int]:
        made, at = Dictionary(at), at + 2
        while True:
            at = past_blank(self._data, at)
            if self._data[at : at + 2] == b">>":
                made.end = at + 2
                return made, made.end
            name = _NAME.match(self._data, at)
            if name is None:
                raise Broken("a PDF dictionary without a name where one must be")
            start = past_blank(self._data, name.end())
            value, end = self.value(start, depth + 1)
            made.items[_name(name.group(1))] = Item(value, at, start, end)
            at = end

    def _array(self, at: int, depth: int) -> tuple[list[Any], int]:
        values, at = list[Any](), past_blank(self._data, at + 1)
        while self._data[at : at + 1] != b"]":
            value, at = self.value(at, depth + 1)
            values.append(value)
            at = past_blank(self._data, at)
        return values, at + 1

    def _string(self, at: int) -> tuple[bytes, int]:
        depth, place = 0, at
        while found := _IN_STRING.search(self._data, place):
            place = found.end() + (found.group() == b"\\")
            depth += {b"(": 1, b")": -1}.get(found.group(), 0)
            if depth == 0:
                return _ESCAPE.sub(_unescaped, self._data[at + 1 : found.start()]), found.end()
        raise Broken("a PDF string that does not end")


def past_blank(data: Buffer, at: int) -> int:
    """Return where the next token starts, past white space and comments."""
    match = _BLANK.match(data, at)
    return match.end() if match else at


def as_text(value: Any) -> str | None:
    """Return what a text string says (7.9.2.2), or None where the value is none."""
    if not isinstance(value, bytes):
        return None
    for mark, codec in ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"), (b"\xef\xbb\xbf", "utf-8")):
        if value.startswith(mark):
            return value[len(mark) :].decode(codec, errors="replace")
    try:
        return value.decode()  # not by the standard, but what many write
    except UnicodeDecodeError:
        return value.decode("latin-1")


def from_text(text: str) -> bytes:
    """Return a text as a string object: in parentheses where it is ASCII, else as UTF-16 in hexadecimal."""
    if text.isascii():
        return b"(" + re.sub(rb"[()\\]", lambda found: b"\\" + found.group(), text.encode()) + b")"
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"


def _name(raw: bytes) -> Name:
    plain = _ESCAPED.sub(lambda found: bytes([int(found.group(1), 16)]), raw)
    return Name(plain.decode("latin-1"))


def _word(raw: bytes) -> Any:
    known = {b"true": True, b"false": False, b"null": None}
    if raw in known:
        return known[raw]
    try:
        return int(raw) if len(raw) < 20 else 0
    except ValueError:
        return Name(raw.decode("latin-1"))  # reals and operators: nothing here depends on what they are


def _unescaped(found: re.Match[bytes]) -> bytes:
    escape = found.group(1)
    if escape is None:
        return b"\n"  # 7.3.4.2: an end of line in a string is one line feed
    if escape[:1].isdigit() and escape[:1] < b"8":
        return bytes([int(escape, 8) & 255])
    return _ESCAPES.get(escape, escape)
