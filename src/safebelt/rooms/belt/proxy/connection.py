"""One socket to an upstream: llhttp framing, back-pressure, what it says heard by one listener or awaited."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from safebelt.rooms.belt.proxy.heads import AnswerHeads

_HIGH_WATER = 256 * 1024
"""Bytes of an answer that may wait for a slow client before the upstream is read no further."""
_MAX_HEAD = 256 * 1024
"""Bytes of an answer's head; no honest one comes near it."""


class UpstreamDown(Exception):  # noqa: N818  told apart from a broken answer
    """The upstream cannot be reached, or closed before it answered."""


class Unreached(UpstreamDown):
    """No connection came about: nothing was sent."""


class UpstreamBroke(Exception):  # noqa: N818
    """The upstream broke off in the middle, or its bytes are not HTTP."""


class UpstreamSlow(Exception):  # noqa: N818
    """The upstream did not answer, or stalled, beyond the time-out."""


class Connection(asyncio.Protocol):
    """One socket to the upstream, serving one exchange at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.is_lost = False
        self.is_reused = False
        self._is_writable = True
        self._is_reading = True
        self._has_news = False
        self._waiter: asyncio.Future[None] | None = None
        self._listener: Callable[[], None] | None
        self._chunks: Callable[[bytes], bool] | None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = self._heard_at = 0.0
        self.parser = httptools.HttpResponseParser(self)  # for all answers: after a whole one it expects the next
        self._heads = AnswerHeads()
        self.start()

    def start(self) -> None:
        """Make ready for the next answer; nobody listens."""
        self._listener = self._chunks = None
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: deque[bytes] = deque()
        self.waiting = 0
        self.has_head = self.is_complete = self.has_bytes = self.is_spoiled = self.may_serve_again = False
        self._is_between = False
        self.head_size = self.status = self._unheard = 0
        self.error: Exception | None = None
        self.about: dict[str, bytes] | None = None  # of a head that is known: what was found in it before

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from asyncio's

    def data_received(self, data: bytes) -> None:
        """Feed llhttp, where the head is not known, and nobody takes what came as one whole chunk."""
        if self._is_between and self._chunks is not None and self._chunks(data):
            self._heard_at = self._loop.time()
            return
        is_begin, self.has_bytes = not self.has_bytes, True
        body = self._heads.again(data) if is_begin else None
        if body is not None:
            self._take_whole(body)
        else:
            self._feed(data)
            if is_begin and self.is_complete and self.may_serve_again:
                self._heads.learn_from(data, self.status, self.fields, self.waiting)
        if self.waiting > _HIGH_WATER and self._is_reading:
            self._is_reading = False
            self.transport.pause_reading()
        self._heard_at = self._loop.time()
        if self._listener is not None:
            self._listener()
        else:
            self._wake()

    def _feed(self, data: bytes) -> None:
        self._unheard += len(data)
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._break(str(error))
        if self._unheard > _MAX_HEAD:  # half a field, answers before the answer, extensions of chunks, trailers
            self._break("the upstream sends what says nothing, without end")
        self._is_between = self._is_between and data.endswith(b"\r\n") and not self.is_complete

    def _break(self, why: str) -> None:
        self.error = UpstreamBroke(why)
        self.transport.abort()

    def _take_whole(self, body: bytes) -> None:
        """Take an answer that came at once under the head of the last one."""
        self.status, self.fields, self.about = self._heads.status, self._heads.fields(body), self._heads.about
        self.has_head = self.is_complete = self.may_serve_again = True
        if body:
            self.body.append(body)
            self.waiting = len(body)

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end; an answer framed by the end of the connection is complete with it."""
        self.is_lost = True
        if self.has_head and not self.is_complete and error is None and not self._is_framed():
            self.is_complete = True
        self._is_writable = True
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def pause_writing(self) -> None:
        """The upstream reads slower than we send."""
        self._is_writable = False

    def resume_writing(self) -> None:
        """The upstream has caught up."""
        self._is_writable = True
        self._wake()

    def listen(
        self, listener: Callable[[], None], seconds: float, chunks: Callable[[bytes], bool] | None = None
    ) -> None:
        """Have something called on news, until `no_longer`; what stays silent for so long has an error.

        Where what came begins a chunk of the body, `chunks` is asked first whether it is one whole chunk that it takes:
        then llhttp, which stands between two chunks, needs not hear of it, nor does the listener.
        """
        self._chunks = chunks
        self._listener, self._patience, self._heard_at = listener, seconds, self._loop.time()
        if self._timer is None:  # one that fires too early is set anew then: exchanges follow each other in no time
            self._timer = self._loop.call_at(self._heard_at + seconds, self._look_at_the_clock)

    def still_here(self) -> None:
        """Begin the silence anew: what was said is only now listened to."""
        self._heard_at = self._loop.time()

    def no_longer(self) -> None:
        """Call nobody any more: from here on `news` is awaited."""
        self._listener = self._chunks = None

    def _look_at_the_clock(self) -> None:
        self._timer = None
        if self._listener is None:
            return
        due = self._heard_at + self._patience
        if due > self._loop.time():
            self._timer = self._loop.call_at(due, self._look_at_the_clock)
            return
        self.error = UpstreamSlow()
        self._listener()

    def _wake(self) -> None:
        self._has_news = True
        if self._listener is not None:
            self._listener()
        elif self._waiter is not None and not self._waiter.done():
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
        self._unheard = 0
        self.head_size += len(name) + len(value)
        if self.head_size > _MAX_HEAD:
            raise UpstreamBroke("the upstream's head is too large")
        self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is here, unless it is only an interim one (1xx)."""
        if self.is_spoiled:
            return
        if sum([name in (b"content-length", b"transfer-encoding") for name, _ in self.fields]) > 1:
            raise UpstreamBroke("the upstream contradicts itself about the length of its answer")
        if self.parser.get_status_code() >= 200:
            self.status, self.has_head = self.parser.get_status_code(), True
        else:
            self.fields = []

    def on_body(self, data: bytes) -> None:
        """Queue a piece of the body."""
        if self.is_spoiled:
            return
        self._unheard = 0
        self.body.append(data)
        self.waiting += len(data)

    def on_chunk_header(self) -> None:
        """A chunk has begun."""
        self._is_between = False

    def on_chunk_complete(self) -> None:
        """A chunk is over, with its line end; where no line has ended since, nothing of the next is here."""
        self._is_between = True

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
        if not self._is_reading and self.waiting <= _HIGH_WATER // 2 and not self.is_lost:
            self._is_reading = True
            self.transport.resume_reading()
        return piece

    def _is_framed(self) -> bool:
        names = {name for name, _ in self.fields}
        return b"content-length" in names or b"transfer-encoding" in names
