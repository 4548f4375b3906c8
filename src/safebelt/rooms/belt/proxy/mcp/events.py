"""The events of an MCP stream with what they are resumed by: an id each, and how long to wait before asking again."""

import re
from typing import NamedTuple

from safebelt.rooms.belt.proxy.sse import SseSplitter

PLAIN = re.compile(rb"[\x21-\x7e]{1,256}")
"""What a session or an event may be called through the belt."""
_WAIT = re.compile(rb"\d{1,9}")
_LINE_END = re.compile(rb"\r\n|\n|\r")


class Event(NamedTuple):
    """One event.

    Attributes:
        data: The message; empty for a heartbeat, and for an event that only says where to resume from.
        id: What a stream is resumed after; empty for none.
        retry: Milliseconds to wait before resuming; empty where it does not say.
    """

    data: bytes
    id: bytes = b""
    retry: bytes = b""

    def written(self) -> bytes:
        """Return it as bytes of a stream."""
        fields = ((b"id", self.id), (b"retry", self.retry))
        told = b"".join(b"%b: %b\n" % (name, value) for name, value in fields if value)
        return told + b"data: " + self.data + b"\n\n"


class Events(SseSplitter):
    """Cuts a stream into events, and keeps of their fields what resuming needs."""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[tuple[bytes, bytes]] = []

    def read(self, piece: bytes) -> list[Event]:
        """Return the events that are now whole; raises ValueError as `feed` does."""
        return self._joined(self.feed(piece))

    def rest(self) -> list[Event]:
        """Return what stands without a final blank line."""
        return self._joined(self.close())

    def _joined(self, data: list[bytes]) -> list[Event]:
        told, self._told = self._told or [(b"", b"")] * len(data), []
        return [Event(each, *fields) for each, fields in zip(data, told, strict=True)]

    def _event(self, raw: bytes) -> bytes:
        data = super()._event(raw)
        lines = _LINE_END.split(raw)
        self._told.append((_last(lines, b"id:", PLAIN), _last(lines, b"retry:", _WAIT)))
        return data


def _last(lines: list[bytes], name: bytes, form: re.Pattern[bytes]) -> bytes:
    """Return the last value of a field; empty where it is not of its form."""
    values = [line.removeprefix(name).removeprefix(b" ") for line in lines if line.startswith(name)]
    return values[-1] if values and form.fullmatch(values[-1]) else b""
