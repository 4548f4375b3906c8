r"""Reading what a page, an address or a program would show: `&#x7ea2;`, `%E7%BA%A2` and `\u7ea2` are 红, also twice.

A text may hold JSON, whose strings may hold JSON: most tools and many programs write Chinese so.

Works on pieces of a stream: what is not finished waits.  Every character knows the span of the source it came from, so
a finding covers the encoded signs whole.
"""

import re
from collections.abc import Sequence
from html import unescape

_HEX = "[0-9a-fA-F]"
_BAR = r"\\{1,4}"
"""What an escape begins with; each time that it is itself escaped doubles it."""
_WHOLE = f"u(?![dD][89a-fA-F]){_HEX}{{4}}"
_LOW = f"{_BAR}u[dD][c-fC-F]{_HEX}{{2}}"
_HIGH = f"{_BAR}u[dD][89abAB]{_HEX}{{2}}"


def _bytes_after(sign: str) -> str:
    """Return a pattern for one character in UTF-8, each byte in hexadecimal behind a sign."""
    more = f"{sign}[89abAB]{_HEX}"
    return f"{sign}[0-7]{_HEX}|{sign}[cCdD]{_HEX}{more}|{sign}[eE]{_HEX}(?:{more}){{2}}|{sign}[fF][0-7](?:{more}){{3}}"


def _unfinished_after(begun: str, sign: str) -> str:
    """Return a pattern for the beginning of such a character; `begun` is that of a sign."""
    more = f"{sign}[89abAB]{_HEX}"
    part = f"(?:{begun}|{sign}[89abAB]?)"
    return (
        f"{sign}[0-7]?|{sign}[cCdD](?:{_HEX}{part}?)?|{sign}[eE](?:{_HEX}(?:{more})?{part}?)?"
        f"|{sign}[fF](?:[0-7](?:{more}){{0,2}}{part}?)?"
    )


_ITEM = re.compile(
    rf"&#(?:[0-9]{{1,16}}|[xX]{_HEX}{{1,16}});?|&[A-Za-z][A-Za-z0-9]{{1,30}};|{_bytes_after('%')}|%{_WHOLE}"
    rf"|{_HIGH}{_LOW}|{_BAR}{_WHOLE}|{_BAR}u\{{{_HEX}{{1,6}}\}}|{_BAR}U{_HEX}{{8}}|{_bytes_after(_BAR + 'x')}"
)
"""A character reference (HTML); one character in UTF-8, percent-encoded (RFC 3986) or with escapes for its bytes; one
in UTF-16 (JSON, RFC 8259, and what JavaScript's `escape` makes), or by its number (Python, JavaScript)."""
_UNFINISHED = re.compile(
    rf"(?:&(?:#(?:[0-9]{{0,16}}|[xX]{_HEX}{{0,16}})|[A-Za-z][A-Za-z0-9]{{0,30}})?"
    rf"|{_unfinished_after('%', '%')}|%u{_HEX}{{0,3}}"
    rf"|{_HIGH}(?:{_BAR}(?:u(?:[dD](?:[c-fC-F]{_HEX}?)?)?)?)?|{_BAR}(?:u{_HEX}{{0,3}}|u\{{{_HEX}{{0,6}}|U{_HEX}{{0,7}})?"
    rf"|{_unfinished_after(_BAR, _BAR + 'x')})\Z"
)
_LONGEST_UNFINISHED = 33
_ESCAPED = re.compile(r"\\[uUx][0-9a-fA-F{]")

Chars = tuple[str, Sequence[int], Sequence[int]]
"""Characters, and the beginning and end of each in the source."""


def may_be_encoded(text: str) -> bool:
    """Whether a whole text may hold anything that is encoded; a cheap look."""
    return "&" in text or "%" in text or ("\\" in text and _ESCAPED.search(text) is not None)


def _shown(item: str) -> str:
    """Return what an item stands for; itself where it stands for nothing."""
    if item[0] == "&":
        return unescape(item)
    digits = item.replace("%", "").replace("\\", "")
    try:
        if digits[0] in "uU":
            return _by_number(digits[1:].strip("{}"))
        return bytes.fromhex(digits.replace("x", "")).decode()
    except (ValueError, OverflowError):  # bytes that are no character, or a number that is none
        return item


def _by_number(digits: str) -> str:
    """Return the character of a number, or of two halves in UTF-16; raises ValueError where there is none."""
    if "u" in digits:
        return bytes.fromhex(digits.replace("u", "")).decode("utf-16-be")
    char = chr(int(digits, 16))
    char.encode()
    return char


class Decoder:
    """Turns encoded characters into what they stand for."""

    def __init__(self) -> None:
        self._pending: Chars = "", [], []

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits for the next piece."""
        return not self._pending[0]

    def feed(self, chars: str, starts: Sequence[int], ends: Sequence[int], *, is_last: bool = False) -> Chars:
        """Return what is finished; the rest waits for the next piece."""
        if self._pending[0]:
            chars = self._pending[0] + chars
            starts, ends = [*self._pending[1], *starts], [*self._pending[2], *ends]
            self._pending = "", [], []
        if "&" not in chars and "%" not in chars and "\\" not in chars:
            return chars, starts, ends
        if not is_last and (rest := _unfinished(chars)) < len(chars):
            self._pending = chars[rest:], starts[rest:], ends[rest:]
            chars, starts, ends = chars[:rest], starts[:rest], ends[:rest]
        return _decoded(chars, starts, ends)


def _decoded(chars: str, starts: Sequence[int], ends: Sequence[int]) -> Chars:
    out: list[str] = []
    begins: list[int] = []
    stops: list[int] = []
    here = 0
    for item in _ITEM.finditer(chars):
        begin, end = item.span()
        shown = _shown(item.group())
        if shown == item.group():
            continue
        out += chars[here:begin], shown
        begins += [*starts[here:begin], *([starts[begin]] * len(shown))]
        stops += [*ends[here:begin], *([ends[end - 1]] * len(shown))]
        here = end
    if not here:
        return chars, starts, ends
    return "".join([*out, chars[here:]]), [*begins, *starts[here:]], [*stops, *ends[here:]]


def _unfinished(chars: str) -> int:
    """Return where the end begins that more characters may make an item, or a longer one."""
    here = 0
    for item in _ITEM.finditer(chars):
        if item.end() == len(chars) and item.group()[0] == "&" and item.group()[-1] != ";":
            return item.start()
        here = item.end()
    match = _UNFINISHED.search(chars, max(here, len(chars) - _LONGEST_UNFINISHED))
    return match.start() if match else len(chars)
