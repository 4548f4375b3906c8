"""The client's side: one `ClientConnection` per socket, llhttp in strict mode, every stage on a timer.

Life of a request: bytes → llhttp callbacks, or a head that is known (`heads`) → a whole `Request` → the quick way, if
it takes it (`quick`); else one task at a time runs the handler with a `Reply` → the next request.  A client that
stalls, floods, or contradicts itself gets a clear answer and is closed; nothing waits for ever.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from enum import Enum, auto
from typing import cast

import httptools
import structlog

from safebelt.rooms.belt.control.line import Stopped, own_handle
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.heads import RequestHeads
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.quick import Passing, Quick
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request, stated

Handler = Callable[[Request, Reply], Awaitable[None]]

_PIPELINE = 8
"""Requests one connection may queue before it is read no further."""
_LINGER_SECONDS = 2.0
"""How long a refused client may go on sending before its socket is taken away (RFC 9112 section 9.6)."""


class _Stage(Enum):
    """Where the request is that a connection brings."""

    BETWEEN = auto()
    HEAD = auto()
    BODY = auto()


class ClientConnection(asyncio.Protocol):
    """One client's socket.

    Attributes:
        takes_more: Whether all that was written is with the kernel.
        sent: Bytes handed to the socket.
    """

    def __init__(self, handler: Handler, limits: Limits, connections: set["ClientConnection"]) -> None:
        self._handler, self._limits, self._connections = handler, limits, connections
        self._queue: deque[Request] = deque()
        self._heads = RequestHeads()
        self._whole: Request | None = None
        self._task: asyncio.Task[None] | None = None
        self._quick: Quick | None = getattr(handler, "quick", None)
        self._passing: Passing | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = self._due = 0.0
        self._when_due: Callable[[], None] | None = None
        self.takes_more = True
        self._drained: asyncio.Future[None] | None = None
        self._is_closing = False
        self._stage = self._timed = _Stage.BETWEEN
        self.sent = 0
        self.socket: socket.socket | None = None
        self._reset()

    # ---- asyncio's callbacks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not derived from asyncio's
        # `drain` waits until all is with the kernel; at 0 TLS would wait for ever
        self.transport.set_write_buffer_limits(high=1)
        self.socket = own_handle(self.transport)
        self._parser = httptools.HttpRequestParser(self)
        if len(self._connections) >= self._limits.connections:
            self._refuse(errors.BUSY)
            return
        self._connections.add(self)
        self._arm(self._limits.idle_seconds, self._close)

    def data_received(self, data: bytes) -> None:
        """Feed llhttp; whatever it will not have ends the connection with an answer."""
        if self._is_closing:
            return
        is_begin = self._stage is _Stage.BETWEEN
        body = self._heads.again(data) if is_begin else None
        if body is not None and len(body) <= self._limits.body_bytes:
            self._take(self._heads.request(body))
        else:
            self._feed(data)
            self._learn(data, is_begin=is_begin)
        if len(self._queue) >= _PIPELINE and not self._is_closing:
            self.transport.pause_reading()

    def _feed(self, data: bytes) -> None:
        self._stage = _Stage.HEAD if self._stage is _Stage.BETWEEN else self._stage
        self._unheard += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # not taken up (RFC 9110 section 7.8): answered as plain HTTP, then closed
            self._keep_alive = False
            self._heads.forget()
            self.transport.pause_reading()
        except _Refusal as refusal:
            self._refuse(refusal.error)
        except httptools.HttpParserError as error:
            inner = error.__context__
            self._refuse(inner.error if isinstance(inner, _Refusal) else errors.MALFORMED)
        if self._unheard > self._limits.head_bytes:  # half a field, an extension of a chunk: nobody would ever judge it
            self._refuse(errors.HEAD_TOO_LARGE)
        if self._stage not in (_Stage.BETWEEN, self._timed) and not self._is_closing:
            self._time_stage()

    def _learn(self, data: bytes, *, is_begin: bool) -> None:
        """Know the head again, where all of a request came at once, and nothing else with it."""
        request, self._whole = self._whole, None
        is_over = is_begin and self._stage is _Stage.BETWEEN and not self._is_closing
        if request is not None and is_over and self._keep_alive:
            self._heads.learn_from(data, request)

    def _time_stage(self) -> None:
        """Give what came in part its time: the head, and then the body; what came whole needs no clock."""
        self._timed = self._stage
        seconds = self._limits.head_seconds if self._stage is _Stage.HEAD else self._limits.body_seconds
        self._arm(seconds, lambda: self._refuse(errors.SLOW))

    def eof_received(self) -> bool:
        """A client that closes its side has gone."""
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        """Stop whatever was under way for this client."""
        self._is_closing = True
        self._connections.discard(self)
        self._disarm()
        if self._timer:
            self._timer.cancel()
        self.resume_writing()
        if self._passing:
            passing, self._passing = self._passing, None
            passing.gone()
        if self._task:
            # Not at once: a task cancelled before its first step never runs, and what it took over would never end.
            self._loop.call_soon(self._task.cancel)
            self._task.add_done_callback(lambda _: self._close_handle())  # until then a line may still use it
        else:
            self._close_handle()

    def pause_writing(self) -> None:
        """The client reads slower than we write."""
        self.takes_more = False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.takes_more = True
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    # ---- llhttp's callbacks

    def on_message_begin(self) -> None:
        """A request starts."""
        self._reset()
        self._stage, self._timed = _Stage.HEAD, _Stage.BETWEEN

    def on_url(self, url: bytes) -> None:
        """Collect the target."""
        self._target += url
        self._head_size += len(url)
        if self._head_size > self._limits.head_bytes:
            raise _Refusal(errors.HEAD_TOO_LARGE)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect one field; what trails behind a body is none of the head's (RFC 9110 section 6.5.1), but counts."""
        if self._stage is _Stage.HEAD:
            self._headers.append((name.lower(), value))
        self._unheard = 0
        self._head_size += len(name) + len(value) + 4
        if self._head_size > self._limits.head_bytes:
            raise _Refusal(errors.HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Judge what the head promises before reading the body."""
        names = [name for name, _ in self._headers]
        if names.count(b"content-length") > 1 or (b"content-length" in names and b"transfer-encoding" in names):
            raise _Refusal(errors.FRAMING)
        if names.count(b"host") > 1:
            raise _Refusal(errors.MALFORMED)
        fields = dict(self._headers)
        length = fields.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            raise _Refusal(errors.too_large(self._limits.body_bytes))
        is_alone = not self._is_busy and not self._queue  # else it would land amid the answer before it
        expects = fields.get(b"expect", b"").lower(), self._parser.get_http_version()  # HTTP/1.0 knows of none
        if is_alone and expects == (b"100-continue", "1.1"):
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._stage = _Stage.BODY

    def on_body(self, data: bytes) -> None:
        """Collect the body."""
        self._unheard = 0
        self._body_size += len(data)
        if self._body_size > self._limits.body_bytes:
            raise _Refusal(errors.too_large(self._limits.body_bytes))
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Take the request, whole."""
        headers = tuple(self._headers)
        request = Request(
            method=self._parser.get_method().decode("ascii"),
            target=self._target.decode("ascii", "replace"),
            headers=headers,
            body=b"".join(self._body),
            is_http_1_0=self._parser.get_http_version() == "1.0",
            known=stated(headers),
        )
        self._whole = request
        self._keep_alive = self._parser.should_keep_alive()
        self._stage = self._timed = _Stage.BETWEEN
        self._take(request)

    # ---- work

    def _take(self, request: Request) -> None:
        """Begin with a request, the quick way if that takes it; or queue it, where another is before it."""
        self._when_due = None
        if self._task is not None or self._passing is not None:
            self._queue.append(request)
            return
        if self._quick is not None and not self._queue:
            self._passing = self._quick.take(request, self)
            if self._passing is not None:
                return
        self._queue.append(request)
        self._task = self._loop.create_task(self._work())

    @property
    def _is_busy(self) -> bool:
        return self._task is not None or self._passing is not None

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with the answer to what came."""
        return not self._keep_alive and not self._queue

    def reply_to(self, request: Request) -> Reply:
        """Return what answers a request."""
        return Reply(self, is_http_1_0=request.is_http_1_0, is_last=self.is_last, is_head=request.method == "HEAD")

    def answered(self, *, is_last: bool) -> None:
        """Go on after an answer that went the quick way."""
        self._passing = None
        if is_last:
            self._close()
        elif self._is_closing:
            return
        elif self._queue:
            self.transport.resume_reading()
            self._task = self._loop.create_task(self._work())
        elif self._stage is _Stage.BETWEEN:
            self._arm(self._limits.idle_seconds, self._close)

    def go_on(self, reply: Reply, work: Awaitable[None]) -> None:
        """Let a task do the rest of an exchange that began the quick way."""
        self._passing = None
        self._task = self._loop.create_task(self._work((reply, work)))

    async def _work(self, begun: tuple[Reply, Awaitable[None]] | None = None) -> None:
        try:
            if begun is not None:
                reply, work = begun
                await work
                self._after(reply)
            while self._queue and not self._is_closing:
                request = self._queue.popleft()
                reply = self.reply_to(request)
                await self._handler(request, reply)
                self._after(reply)
        except (ConnectionError, Stopped):
            self.abort()  # the client has gone, or a person ended it
        except Exception:  # noqa: BLE001  a client must never wait for an answer that nobody is writing
            structlog.get_logger("safebelt.belt").exception("belt.handler_failed")
            self.abort()
        finally:
            self._task = None
        if not self._is_closing and self._stage is _Stage.BETWEEN:
            self._arm(self._limits.idle_seconds, self._close)

    def _after(self, reply: Reply) -> None:
        if not reply.is_whole or reply.is_last:
            self._close()
        elif len(self._queue) < _PIPELINE:
            self.transport.resume_reading()

    async def drain(self) -> None:
        """Wait until the client takes more.

        Raises:
            ConnectionResetError: It has gone, or did not read for `write_seconds`.
        """
        if not self.takes_more:
            self._drained = self._loop.create_future()
            timer = self._loop.call_later(self._limits.write_seconds, self.abort)
            try:
                await self._drained
            finally:
                timer.cancel()
                self._drained = None
        if self._is_closing:
            raise ConnectionResetError("the client has gone")

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket; `sent` counts every one of them."""
        self.sent += len(data)
        self.transport.write(data)

    @property
    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._is_closing or self.transport.is_closing()

    def abort(self) -> None:
        """Close now, throwing away whatever is still buffered."""
        self._is_closing = True
        self.transport.abort()
        self.resume_writing()  # whoever waits for the client learns that it is given up

    # ---- helpers

    def _reset(self) -> None:
        self._target, self._headers, self._body = b"", list[tuple[bytes, bytes]](), list[bytes]()
        self._head_size = self._body_size = self._unheard = 0
        self._keep_alive = True

    def _refuse(self, error: errors.BeltError) -> None:
        """Answer with an error and close; a running exchange on the same connection is not disturbed mid-body."""
        if self._is_closing:
            return
        self._is_closing = True
        self._disarm()
        if not self._is_busy:
            body = error.body()
            fields = (*error.headers(), (b"content-length", b"%d" % len(body)), (b"connection", b"close"))
            self.write(errors.head_of(error, fields) + body)
        self._close_gently()

    def _close_gently(self) -> None:
        """Say goodbye, then let the client finish sending: closing on unread bytes would reset our answer away."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.transport.resume_reading()
        self._arm(_LINGER_SECONDS, self.transport.abort)

    def _close(self) -> None:
        """Close once the client has taken what is buffered, or has had its time for that."""
        self._is_closing = True
        self._arm(self._limits.write_seconds, self.transport.abort)
        self.transport.close()

    def _close_handle(self) -> None:
        if self.socket:
            self.socket.close()

    def _arm(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later, unless something else is armed or all is disarmed before.

        Stages follow each other in microseconds: a timer that fires too early for the stage it finds is set anew then.
        """
        self._due, self._when_due = self._loop.time() + seconds, action
        if self._timer is not None and self._timer_at > self._due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._set_timer()

    def _disarm(self) -> None:
        self._when_due = None

    def _set_timer(self) -> None:
        self._timer_at = self._due
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if self._when_due is None:
            return
        if self._due > self._loop.time():
            return self._set_timer()
        action, self._when_due = self._when_due, None
        action()


class _Refusal(Exception):  # noqa: N818  internal: carries an answer out of llhttp's callbacks
    def __init__(self, error: errors.BeltError) -> None:
        self.error = error
