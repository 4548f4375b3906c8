"""Reading what a page or an address would show: `&#x7ea2;` and `%E7%BA%A2` are 红, also when encoded twice.

Works on pieces of a stream: what is not finished waits.  Every character knows the span of the source it came from, so
a finding covers the encoded signs whole.
"""

import re
from collections.abc import Sequence
from html import unescape

_HEX = "[0-9a-fA-F]"
_MORE = f"%[89abAB]{_HEX}"
_ITEM = re.compile(
    rf"&#(?:[0-9]{{1,16}}|[xX]{_HEX}{{1,16}});?|&[A-Za-z][A-Za-z0-9]{{1,30}};"
    rf"|%[0-7]{_HEX}|%[cCdD]{_HEX}{_MORE}|%[eE]{_HEX}(?:{_MORE}){{2}}|%[fF][0-7](?:{_MORE}){{3}}"
)
"""A character reference (HTML), or one character in UTF-8, percent-encoded (RFC 3986)."""
_PART = f"%(?:[89abAB]{_HEX}?)?"
_UNFINISHED = re.compile(
    rf"&(?:#(?:[0-9]{{0,16}}|[xX]{_HEX}{{0,16}})|[A-Za-z][A-Za-z0-9]{{0,30}})?\Z"
    rf"|%[0-7]?\Z|%[cCdD](?:{_HEX}(?:{_PART})?)?\Z|%[eE](?:{_HEX}(?:{_MORE})?(?:{_PART})?)?\Z"
    rf"|%[fF](?:[0-7](?:{_MORE}){{0,2}}(?:{_PART})?)?\Z"
)

Chars = tuple[str, Sequence[int], Sequence[int]]
"""Characters, and the beginning and end of each in the source."""


def _shown(item: str) -> str:
    """Return what an item stands for; itself where it stands for nothing."""
    if item[0] == "&":
        return unescape(item)
    try:
        return bytes.fromhex(item.replace("%", "")).decode()
    except UnicodeDecodeError:
        return item


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
        if "&" not in chars and "%" not in chars:
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
    match = _UNFINISHED.search(chars, max(here, len(chars) - 33))
    return match.start() if match else len(chars)
