"""One answer on its way to the client.  Model output passes the gate of its `Line`; see `control/line.py`."""

from typing import Protocol

from safebelt.kernel.text import Lang
from safebelt.rooms.belt.control.line import ClientSide, Line
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.wire import LAST_CHUNK, Headers, chunk, head

_SLICE = 64 * 1024
"""Bytes handed over at a time: a slow client is given up only if it takes less than this in `write_seconds`, and a
pause finds no more than this still in our own buffer."""


class Connection(ClientSide, Protocol):
    """What a reply needs of the client's connection."""

    async def drain(self) -> None:
        """Wait until the client takes more."""


class Reply:
    """Writes one response to one client, in order, under back-pressure."""

    def __init__(self, connection: Connection, *, is_http_1_0: bool, is_last: bool, is_head: bool = False) -> None:
        self._connection, self._is_chunked, self._is_head = connection, not is_http_1_0, is_head
        self.is_last = is_last or is_http_1_0
        self.is_begun = self.is_whole = False
        self.line: Line | None = None
        self.lang: Lang = "en"

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a complete response."""
        self.is_begun = True
        close: Headers = ((b"connection", b"close"),) if self.is_last else ()
        fields = (*headers, (b"content-length", b"%d" % len(body)), *close)
        await self._send(head(status, fields) + (b"" if self._is_head else body))
        self.is_whole = True

    async def as_it_is(self, data: bytes) -> None:
        """Send a complete response whose head is written already."""
        self.is_begun = True
        await self._send(data)
        self.is_whole = True

    async def sent(self) -> None:
        """Wait until the client has taken a complete response that was written already."""
        self.is_begun = True
        await self._connection.drain()
        self.is_whole = True

    async def error(self, error: errors.BeltError, extra: Headers = ()) -> None:
        """Send an error, or break off where the response has already begun."""
        if self.is_begun:
            self._connection.abort()
            return
        await self.whole(error.status, (*error.headers(), *extra), error.body(self.lang))

    async def begin(self, status: int, headers: Headers) -> None:
        """Send the head of a streamed response."""
        await self._send(self.begun(status, headers))

    def begun(self, status: int, headers: Headers) -> bytes:
        """Return the head of a streamed response, which whoever asks for it sends."""
        self.is_begun = True
        framing: Headers = ((b"transfer-encoding", b"chunked"),) if self._is_chunked else ()
        close: Headers = ((b"connection", b"close"),) if self.is_last else ()
        return head(status, (*headers, *framing, *close))

    async def resume(self, data: bytes) -> None:
        """Send what is framed already of a streamed response, and wait until the client takes more."""
        await self._send(data)
        await self._connection.drain()

    async def write(self, data: bytes) -> None:
        """Send a piece of a streamed response."""
        if data:
            await self._send(chunk(data) if self._is_chunked else data)

    async def end(self, data: bytes = b"") -> None:
        """Send the last piece and close the response."""
        await self._send((chunk(data) + LAST_CHUNK) if self._is_chunked else data)
        self.is_whole = True

    def open_line(self, line: Line) -> None:
        """From here on everything passes the line's gate."""
        self.line = line
        line.attach(self._connection)

    def wait_with(self, line: Line) -> None:
        """Tie a line to the client before anything is said, so that a cut ends a request that waits."""
        line.attach(self._connection)

    async def _send(self, data: bytes) -> None:
        for at in range(0, len(data), _SLICE):
            piece = data[at : at + _SLICE]
            if self.line is None:
                if self._connection.is_closing:
                    raise ConnectionResetError("the client has gone")
                self._connection.write(piece)
            else:
                await self.line.send(piece)
            await self._connection.drain()
