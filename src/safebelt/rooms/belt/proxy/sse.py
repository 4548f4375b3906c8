"""Server-sent events as the model interfaces use them: split the bytes, keep each event byte-exact."""

from dataclasses import dataclass

_MAX_EVENT = 4 * 1024 * 1024
"""An event larger than this is no token of any model; it is a flood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SseEvent:
    """One event.

    Attributes:
        raw: Its bytes with the blank line, exactly as received.
        data: The joined `data:` lines; empty for comments and heartbeats.
    """

    raw: bytes
    data: bytes


class SseSplitter:
    """Cuts a byte stream into events wherever the pieces fall; line ends may be LF or CRLF (WHATWG HTML 9.2.5)."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._seen = 0

    def feed(self, data: bytes) -> list[SseEvent]:
        """Return the events that are now whole.

        Raises:
            ValueError: One event exceeds 4 MiB.
        """
        self._rest += data
        events = []
        while (end := self._boundary()) >= 0:
            events.append(_event(bytes(self._rest[:end])))
            del self._rest[:end]
            self._seen = 0
        if len(self._rest) > _MAX_EVENT:
            raise ValueError("an event of more than 4 MiB")
        return events

    def close(self) -> list[SseEvent]:
        """Return what stands without a final blank line."""
        rest, self._rest = bytes(self._rest), bytearray()
        return [_event(rest + b"\n\n")] if rest.strip() else []

    def _boundary(self) -> int:
        """Return the index behind the next blank line, or -1; never looks twice at what it has seen."""
        start = max(0, self._seen - 3)
        found = [(self._rest.find(mark, start), len(mark)) for mark in (b"\n\n", b"\r\n\r\n", b"\r\r")]
        ends = [at + length for at, length in found if at >= 0]
        self._seen = len(self._rest)
        return min(ends) if ends else -1


def _event(raw: bytes) -> SseEvent:
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return SseEvent(raw=raw, data=b"\n".join(data))


def write_event(data: bytes) -> bytes:
    """Return one event of one data line."""
    return b"data: " + data + b"\n\n"
