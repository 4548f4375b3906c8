"""The model's side: pooled keep-alive connections to one upstream, llhttp framing, back-pressure, time-outs."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import cast
from urllib.parse import urlsplit

import httptools

from safebelt.rooms.belt.proxy.request_head import request_head
from safebelt.rooms.belt.proxy.turns import Turns
from safebelt.rooms.belt.proxy.wire import HOP_BY_HOP, Headers

_CONNECT_SECONDS = 10.0
_HIGH_WATER = 256 * 1024
"""Bytes of an answer that may wait for a slow client before the upstream is read no further."""
_HELPING = 1024
"""Bytes of a body that a stream hands on before it is the next one's turn: some eight tokens, 2 ms of screening."""
_MAX_HEAD = 256 * 1024
"""Bytes of an answer's head; no honest one comes near it."""
_ACCEPTED = b"application/json, text/event-stream"
_POOL = 64
"""Idle connections kept; more are closed."""


class UpstreamDown(Exception):  # noqa: N818  told apart from a broken answer
    """The upstream cannot be reached, or closed before it answered."""


class Unreached(UpstreamDown):
    """No connection came about: nothing was sent."""


class UpstreamBroke(Exception):  # noqa: N818
    """The upstream broke off in the middle, or its bytes are not HTTP."""


class UpstreamSlow(Exception):  # noqa: N818
    """The upstream did not answer, or stalled, beyond the time-out."""


class _Connection(asyncio.Protocol):
    """One socket to the upstream, serving one exchange at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.is_lost = False
        self.is_reused = False
        self._is_writable = True
        self._has_news = False
        self._waiter: asyncio.Future[None] | None = None
        self.start()

    def start(self) -> None:
        """Make ready for the next answer."""
        self.parser = httptools.HttpResponseParser(self)
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: deque[bytes] = deque()
        self.waiting = 0
        self.has_head = self.is_complete = self.has_bytes = self.is_spoiled = self.may_serve_again = False
        self.head_size = self.status = 0
        self.error: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from asyncio's

    def data_received(self, data: bytes) -> None:
        """Feed llhttp."""
        self.has_bytes = True
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.error = UpstreamBroke(str(error))
            self.transport.abort()
        if self.waiting > _HIGH_WATER:
            self.transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end; an answer framed by the end of the connection is complete with it."""
        self.is_lost = True
        if self.has_head and not self.is_complete and error is None and not self._is_framed():
            self.is_complete = True
        self._is_writable = True
        self._wake()

    def pause_writing(self) -> None:
        """The upstream reads slower than we send."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """The upstream has caught up."""
        self._is_writable = True
        self._wake()

    def _wake(self) -> None:
        self._has_news = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _give_up(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(UpstreamSlow())

    def on_message_begin(self) -> None:
        """A second answer that nobody asked for must not pass for the next exchange's, or for more of this one."""
        self.is_spoiled = self.has_head

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect one field of the head; what trails behind the body is not passed on."""
        if self.has_head:
            return
        self.head_size += len(name) + len(value)
        if self.head_size > _MAX_HEAD:
            raise UpstreamBroke("the upstream's head is too large")
        self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is here, unless it is only an interim one (1xx)."""
        if self.is_spoiled:
            return
        if sum(name in (b"content-length", b"transfer-encoding") for name, _ in self.fields) > 1:
            raise UpstreamBroke("the upstream contradicts itself about the length of its answer")
        if self.parser.get_status_code() >= 200:
            self.status, self.has_head = self.parser.get_status_code(), True
        else:
            self.fields = []

    def on_body(self, data: bytes) -> None:
        """Queue a piece of the body."""
        if self.is_spoiled:
            return
        self.body.append(data)
        self.waiting += len(data)

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self.has_head and not self.is_spoiled:
            self.is_complete = True
            self.may_serve_again = self.parser.should_keep_alive()  # llhttp forgets it once the message is over

    async def news(self, seconds: float) -> None:
        """Wait for bytes or the end.

        Raises:
            UpstreamSlow: Neither came in time.
        """
        if not self._has_news:
            self._waiter = self._loop.create_future()
            timer = self._loop.call_later(seconds, self._give_up)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        self._has_news = False

    async def write(self, data: bytes, seconds: float) -> None:
        """Send, under back-pressure.

        Raises:
            UpstreamSlow: It did not take the request in time.
        """
        self.transport.write(data)
        deadline = self._loop.time() + seconds
        while not self._is_writable:
            await self.news(deadline - self._loop.time())

    def take(self) -> bytes:
        """Return the next piece of the body and read on."""
        piece = self.body.popleft()
        self.waiting -= len(piece)
        if self.waiting <= _HIGH_WATER // 2 and not self.is_lost:
            self.transport.resume_reading()
        return piece

    def _is_framed(self) -> bool:
        names = {name for name, _ in self.fields}
        return b"content-length" in names or b"transfer-encoding" in names


class Answer:
    """An upstream's answer: the head at once, the body as it comes.

    Attributes:
        status: HTTP status.
        headers: Fields without the hop-by-hop ones.
        served_by: Host and port of whoever answered.
    """

    def __init__(self, connection: _Connection, upstream: "Upstream") -> None:
        self._connection, self._upstream = connection, upstream
        self.served_by = upstream.authority
        self.status = connection.status
        self._is_given_back = False
        self.headers: Headers = tuple(pair for pair in connection.fields if pair[0] not in HOP_BY_HOP)

    def header(self, name: bytes) -> bytes:
        """Return the first field of that lower-case name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; where more is here than one helping, each further one waits its turn.

        Raises:
            UpstreamBroke: It broke off.
            UpstreamSlow: It stalled.
        """
        connection, turns = self._connection, self._upstream.turns
        while True:
            left = 0 if turns.is_crowded else _HELPING
            while connection.body:
                if left <= 0:
                    await turns.mine()
                    left = _HELPING
                piece = connection.take()
                left -= len(piece)
                yield piece
            if connection.is_complete:
                break
            if connection.error or connection.is_lost:
                self._upstream.on_broken()
                raise connection.error or UpstreamBroke("the connection closed in the middle of an answer")
            await connection.news(self._upstream.answer_seconds)
        self._is_given_back = True
        self._upstream.give_back(connection)

    async def read(self, limit: int) -> bytes:
        """Return the whole body.

        Raises:
            UpstreamBroke: It broke off or is larger than `limit` bytes.
            UpstreamSlow: It stalled.
        """
        parts, size = [], 0
        async for piece in self.pieces():
            parts.append(piece)
            size += len(piece)
            if size > limit:
                self.close()
                raise UpstreamBroke(f"the answer is larger than {limit} bytes")
        return b"".join(parts)

    async def finish(self, seconds: float) -> None:
        """Read what little is left of an answer that has said all it will, so that its connection can serve again."""
        try:
            async with asyncio.timeout(seconds):
                async for _ in self.pieces():
                    pass
        except (TimeoutError, UpstreamBroke, UpstreamSlow):
            self.close()

    def close(self) -> None:
        """Break off: the upstream sees the connection close and can stop computing."""
        if not self._is_given_back:
            self._connection.transport.abort()


class Upstream:
    """An OpenAI-compatible upstream.

    Args:
        base_url: Ends in `/v1`, for example `https://host/v1`.
        key: Bearer key sent to it; empty sends none.
        tls: Context for https.
        answer_seconds: Longest silence before and within an answer; large models think long.
        turns: The line in which long answers wait for the loop; one for all upstreams of a loop.

    Attributes:
        authority: Host and port as addressed.
        on_broken: Called where an answer that had begun breaks off.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: str,
        tls: ssl.SSLContext,
        answer_seconds: float = 300.0,
        turns: Turns | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http(s) address: {base_url!r}")
        self._host, self._tls = parts.hostname, tls if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        self._authority = parts.netloc.rpartition("@")[2].encode("idna" if not parts.netloc.isascii() else "ascii")
        self._key = key.encode()
        self.answer_seconds, self.turns = answer_seconds, turns or Turns()
        self.authority = self._authority.decode("ascii")
        self.on_broken: Callable[[], None] = _nothing
        self._idle: deque[_Connection] = deque()

    async def send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        content_type: bytes = b"application/json",
        may_repeat: bool = False,
    ) -> Answer:
        """Send a request and return the answer once its head is here.

        Args:
            method: HTTP method.
            path: The client's path, starting with `/v1`.
            body: What is sent, or nothing.
            content_type: Its media type.
            may_repeat: As of `Upstreams.send`; of no meaning where there is no other to ask.

        Raises:
            UpstreamDown: It cannot be reached.
            UpstreamBroke: Its bytes are not HTTP.
            UpstreamSlow: It did not answer in time.
        """
        return await self._sent(self._request(method, self._path + path.removeprefix("/v1"), body, content_type))

    async def get(self, target: str) -> Answer:
        """Return the answer to a GET for any target at the upstream's host, for example `/pictures/1.png?v=2`.

        Raises:
            UpstreamDown, UpstreamBroke, UpstreamSlow: As `send`.
        """
        return await self._sent(self._request("GET", target, b"", accept=b"*/*"))

    async def _sent(self, request: bytes) -> Answer:
        while True:
            connection = self._take_idle() or await self._connect()
            try:
                await connection.write(request, self.answer_seconds)
                while not connection.has_head:
                    if connection.error or connection.is_lost:
                        raise connection.error or UpstreamDown("the upstream closed before it answered")
                    await connection.news(self.answer_seconds)
            except UpstreamDown:
                if connection.is_reused and not connection.has_bytes:
                    continue  # it had closed an idle connection just as we used it; a fresh one tells
                raise
            except BaseException:
                connection.transport.abort()
                raise
            return Answer(connection, self)

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection for the next exchange, if both sides may."""
        is_sound = not (connection.is_lost or connection.is_spoiled)
        may_keep = is_sound and connection.may_serve_again and len(self._idle) < _POOL
        if may_keep:
            connection.start()
            connection.is_reused = True
            self._idle.append(connection)
        else:
            connection.transport.close()

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().transport.close()

    def _take_idle(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_lost and not connection.has_bytes:
                return connection
            connection.transport.abort()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await asyncio.wait_for(
                loop.create_connection(_Connection, self._host, self._port, ssl=self._tls), _CONNECT_SECONDS
            )
        except (OSError, TimeoutError) as error:
            raise Unreached(str(error)) from error
        return connection

    def _request(
        self, method: str, target: str, body: bytes, content_type: bytes = b"", *, accept: bytes = _ACCEPTED
    ) -> bytes:
        begin = request_head(method, target, self._authority, accept, self._key)
        if not body:
            return begin + b"\r\n"
        return b"%bcontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (begin, content_type, len(body), body)


def _nothing() -> None:
    """Nobody asks how it went."""
