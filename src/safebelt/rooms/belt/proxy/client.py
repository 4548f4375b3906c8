"""The model's side: pooled keep-alive connections to one upstream, and the answers that come over them."""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from safebelt.rooms.belt.proxy.connection import Connection, Unreached, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.helpings import helpings
from safebelt.rooms.belt.proxy.request_head import request_head
from safebelt.rooms.belt.proxy.turns import Turns
from safebelt.rooms.belt.proxy.wire import HOP_BY_HOP, Headers

__all__ = [
    "ACCEPTED",
    "After",
    "Answer",
    "Connection",
    "MayGo",
    "Ready",
    "Rerouted",
    "Unreached",
    "Upstream",
    "UpstreamBroke",
    "UpstreamDown",
    "UpstreamSlow",
    "always",
]

_CONNECT_SECONDS = 10.0
ACCEPTED = b"application/json, text/event-stream"
_WITH_BODY = ("POST", "PUT", "PATCH")
_POOL = 64
"""Idle connections kept; more are closed."""


MayGo = Callable[[], bool]


class Rerouted(Exception):  # noqa: N818  not an error: a person's order
    """What was about to be sent is to go elsewhere, or nowhere; nothing of it was sent."""


def always() -> bool:
    """Nobody orders it elsewhere."""
    return True


class Ready:
    """A kept connection to an upstream that may be asked at once."""

    __slots__ = ("connection", "upstream")

    def __init__(self, upstream: "Upstream", connection: Connection) -> None:
        self.upstream, self.connection = upstream, connection

    def answered(self, _status: int) -> bool:
        """Hear that it answered; say whether the answer is one to pass on, where another could be asked."""
        return True

    def failed(self) -> None:
        """Hear that it failed."""


class After(NamedTuple):
    """What one upstream said already: an answer that sends on to the next, or how it failed."""

    upstream: "Upstream"
    said: "Answer | Exception"


class Answer:
    """An upstream's answer: the head at once, the body as it comes.

    Attributes:
        status: HTTP status.
        served_by: Host and port of whoever answered.
    """

    def __init__(self, connection: Connection, upstream: "Upstream") -> None:
        self._connection, self._upstream = connection, upstream
        self.served_by = upstream.authority
        self.status = connection.status
        self._is_given_back = False
        self._fields = connection.fields

    @property
    def headers(self) -> Headers:
        """The fields without the hop-by-hop ones."""
        return tuple([pair for pair in self._fields if pair[0] not in HOP_BY_HOP])

    def header(self, name: bytes) -> bytes:
        """Return the first field of that lower-case name, or nothing."""
        return next((value for key, value in self.headers if key == name), b"")

    def taken(self) -> bytes:
        """Return the body of an answer that is whole, and give its connection back."""
        body = self._connection.body
        raw = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        self._is_given_back = True
        self._upstream.give_back(self._connection)
        return raw

    def pieces(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, in helpings; raises as `helpings`."""
        return helpings(self._connection, self._upstream.turns, self._upstream.answer_seconds, self._ended)

    def _ended(self, is_whole: bool) -> None:
        if is_whole:
            self._is_given_back = True
            self._upstream.give_back(self._connection)
        else:
            self._upstream.on_broken()

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
        asked_again: How often a kept connection had just been closed, and a fresh one was asked instead.
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
        self.asked_again = 0
        self.on_broken: Callable[[], None] = _nothing
        self._idle: deque[Connection] = deque()
        self._begins: dict[str, bytes] = {}  # as many as there are endpoints of plain exchanges

    async def send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        content_type: bytes = b"application/json",
        may_repeat: bool = False,
        after: After | None = None,
        may_go: MayGo = always,
        record: str = "",
        accept: bytes = ACCEPTED,
    ) -> Answer:
        """Send a request and return the answer once its head is here.

        Args:
            method: HTTP method.
            path: The client's path, starting with `/v1`.
            body: What is sent, or nothing.
            content_type: Its media type; empty says none.
            may_repeat: As of `Upstreams.send`; of no meaning where there is no other to ask.
            after: What it said already; then it is not asked again.
            may_go: Asked just before anything is sent.
            record: Id of the exchange, told as `X-Request-Id`, so that the upstream's log names our record.
            accept: Media types that are wanted.

        Raises:
            Rerouted: It may not go.
            UpstreamDown: It cannot be reached.
            UpstreamBroke: Its bytes are not HTTP.
            UpstreamSlow: It did not answer in time.
        """
        if after is not None:
            if isinstance(after.said, Exception):
                raise after.said
            return after.said
        target = self._path + path.removeprefix("/v1")
        return await self._sent(self._request(method, target, body, content_type, accept=accept, record=record), may_go)

    def at_once(self) -> Ready | None:
        """Return a kept connection, if there is one."""
        connection = self.idle()
        return Ready(self, connection) if connection is not None else None

    def ask_at_once(
        self, connection: Connection, path: str, body: bytes, listener: Callable[[], None], record: bytes
    ) -> None:
        """Send a JSON request over a kept connection, and have something called whenever there is news of it."""
        begin = self._begins.get(path)
        if begin is None:
            target = self._path + path.removeprefix("/v1")
            begin = self._begins[path] = request_head("POST", target, self._authority, ACCEPTED, self._key)
        connection.listen(listener, self.answer_seconds)
        connection.transport.write(
            b"%bx-request-id: %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (begin, record, len(body), body)
        )

    async def get(self, target: str) -> Answer:
        """Return the answer to a GET for any target at the upstream's host, for example `/pictures/1.png?v=2`.

        Raises:
            UpstreamDown, UpstreamBroke, UpstreamSlow: As `send`.
        """
        return await self._sent(self._request("GET", target, b"", accept=b"*/*"))

    async def _sent(self, request: bytes, may_go: MayGo = always) -> Answer:
        while True:
            connection = self.idle() or await self._connect()
            try:
                if not may_go():
                    raise Rerouted
                await connection.write(request, self.answer_seconds)
                while not connection.has_head:
                    if connection.error or connection.is_lost:
                        raise connection.error or UpstreamDown("the upstream closed before it answered")
                    await connection.news(self.answer_seconds)
            except UpstreamDown:
                if connection.is_reused and not connection.has_bytes:
                    self.asked_again += 1
                    continue  # it had closed an idle connection just as we used it; a fresh one tells
                raise
            except BaseException:
                connection.transport.abort()
                raise
            return Answer(connection, self)

    def give_back(self, connection: Connection) -> None:
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

    def idle(self) -> Connection | None:
        """Take a kept connection that is still good, if there is one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_lost and not connection.has_bytes:
                return connection
            connection.transport.abort()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await asyncio.wait_for(
                loop.create_connection(Connection, self._host, self._port, ssl=self._tls), _CONNECT_SECONDS
            )
        except (OSError, TimeoutError) as error:
            raise Unreached(str(error)) from error
        return connection

    def _request(
        self,
        method: str,
        target: str,
        body: bytes,
        content_type: bytes = b"",
        *,
        accept: bytes = ACCEPTED,
        record: str = "",
    ) -> bytes:
        begin = request_head(method, target, self._authority, accept, self._key)
        if record:
            begin = b"%bx-request-id: %b\r\n" % (begin, record.encode("ascii"))
        if not body:  # RFC 9110 section 8.6: whoever might send a body says that there is none
            return begin + (b"content-length: 0\r\n\r\n" if method in _WITH_BODY else b"\r\n")
        if not content_type:
            return b"%bcontent-length: %d\r\n\r\n%b" % (begin, len(body), body)
        return b"%bcontent-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (begin, content_type, len(body), body)


def _nothing() -> None:
    """Nobody asks how it went."""
