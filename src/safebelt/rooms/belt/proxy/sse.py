"""Server-sent events as the model interfaces use them: split the bytes into events, keep only their data."""

import re

_MAX_EVENT = 4 * 1024 * 1024
"""An event larger than this is no token of any model; it is a flood."""
_MARK = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?!\n|\Z))")
"""Two line ends in a row, each LF, CRLF or CR.  A CR at the very end may yet be the first half of a CRLF."""


class SseSplitter:
    """Cuts a byte stream into events wherever the pieces fall (WHATWG HTML, section 9.2.5 and 9.2.6).

    Attributes:
        is_between: Nothing of an event is here: what comes next begins one, and is not the first of the stream.
    """

    def __init__(self) -> None:
        self.is_between = False
        self._rest = bytearray()
        self._seen = 0
        self._is_first = True

    def feed(self, data: bytes) -> list[bytes]:
        """Return the data of the events that are now whole; empty for comments and heartbeats.

        Raises:
            ValueError: One event exceeds 4 MiB.
        """
        if self.is_between and _is_one_event(data):
            return [data[6:-2]]
        self._rest += data
        events, begin = [], 0
        while found := _BLANK_LINE.search(self._rest, max(begin, self._seen - 3)):
            events.append(self._event(bytes(self._rest[begin : found.start()])))
            begin = self._seen = found.end()
        del self._rest[:begin]
        self._seen = len(self._rest)
        self.is_between = not (self._rest or self._is_first)
        if len(self._rest) > _MAX_EVENT:
            raise ValueError("an event of more than 4 MiB")
        return events

    def close(self) -> list[bytes]:
        """Return what stands without a final blank line."""
        rest, self._rest = bytes(self._rest), bytearray()
        return [self._event(rest)] if rest.strip() else []

    def _event(self, raw: bytes) -> bytes:
        if self._is_first:
            raw, self._is_first = raw.removeprefix(_MARK), False
        lines = _LINE_END.split(raw)
        return b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))


def _is_one_event(piece: bytes) -> bool:
    """Whether a piece is one event of one data line, ended by LF: what most upstreams send for each token."""
    return (
        piece.startswith(b"data: ")
        and piece.find(b"\n") == len(piece) - 2
        and piece[-1:] == b"\n"
        and b"\r" not in piece
    )


def write_event(data: bytes) -> bytes:
    """Return one event of one data line."""
    return b"data: " + data + b"\n\n"
