r"""Reading JSON source as its reader will: `\u0041` is an A, so that an escape cannot hide anything.

Works on pieces of a stream.  Quotes and brackets pass as they are; every character knows the source span it came from.
"""

import re

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]|\\", re.DOTALL
)
_UNFINISHED = re.compile(
    r"\\(?:u[0-9a-fA-F]{0,3})?\Z|\\u[dD][89abAB][0-9a-fA-F]{2}(?:\\(?:u(?:[dD](?:[c-fC-F][0-9a-fA-F]?)?)?)?)?\Z"
)
_MAX_UNFINISHED = 11  # `\ud83d\ude0`: one digit short of a pair
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _decode(escape: str) -> str:
    if len(escape) == 12:
        high, low = int(escape[2:6], 16), int(escape[8:], 16)
        return chr(0x10000 + (high - 0xD800 << 10) + low - 0xDC00)
    if len(escape) == 6:
        return chr(int(escape[2:], 16))
    return _SHORT.get(escape[1:], escape[1:] or "\\")


class Unescaper:
    """Turns pieces of JSON source into characters with their source spans."""

    def __init__(self) -> None:
        self._pending = ""
        self._at = 0

    def feed(self, source: str, *, is_last: bool = False) -> tuple[str, list[int], list[int]]:
        """Return characters, starts and ends of what is finished; an unfinished escape waits for the next piece."""
        source = self._pending + source
        self._pending = "" if is_last else self._unfinished(source)
        source = source[: len(source) - len(self._pending)]
        chars: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        here = 0
        for match in (*_ESCAPE.finditer(source), None):
            plain_end = match.start() if match else len(source)
            chars.append(source[here:plain_end])
            starts.extend(range(self._at + here, self._at + plain_end))
            ends.extend(range(self._at + here + 1, self._at + plain_end + 1))
            if match:
                here = match.end()
                chars.append(_decode(match.group()))
                starts.append(self._at + match.start())
                ends.append(self._at + here)
        self._at += len(source)
        return "".join(chars), starts, ends

    @staticmethod
    def _unfinished(source: str) -> str:
        """Return the tail of the source that may still become an escape, or part of one."""
        tail = source[-_MAX_UNFINISHED:]
        if "\\" not in tail:
            return ""
        here = len(source) - len(tail)
        run = len(source[:here]) - len(source[:here].rstrip("\\"))
        position = here - run
        while position < len(source):
            match = _ESCAPE.match(source, position)
            rest = _UNFINISHED.match(source, position)
            if rest:
                return source[position:]
            position = match.end() if match else position + 1
        return ""
