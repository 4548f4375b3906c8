"""The quick way through: an exchange in which nothing is found and nothing has to wait, carried by callbacks alone.

It does what `Exchange` does, in the same order, without a task, an await or a record built twice.  Whatever is out of
the ordinary goes on in an `Exchange` from where it stands: a finding, a stream, an error, a pause, a slow client, a
disk that must be waited for.  INVARIANT: nothing is decided here but that nothing was found.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from safebelt.rooms.belt.control.line import ClientSide, Line, Stopped
from safebelt.rooms.belt.model import Command, Side
from safebelt.rooms.belt.proxy.admission import Admission
from safebelt.rooms.belt.proxy.answers import passed_on
from safebelt.rooms.belt.proxy.client import After, Answer, Ready, UpstreamDown
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.notices import noticed
from safebelt.rooms.belt.proxy.ordered import model_stop
from safebelt.rooms.belt.proxy.plain import Texts
from safebelt.rooms.belt.proxy.quickstream import EVENT_STREAM, Ends, QuickStream
from safebelt.rooms.belt.proxy.recording import RecordsDown
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.seats import Seat, Seats
from safebelt.rooms.belt.proxy.steps import LARGE, Begun, as_said, recording_of, usage
from safebelt.rooms.belt.proxy.tools import Tools
from safebelt.rooms.belt.proxy.wire import LAST_CHUNK, Request, chunk

_JSON = b"application/json"
_PASSED_ON = "passed on"
_OK = HTTPStatus.OK.value
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_SORTED = msgspec.json.Encoder(order="sorted").encode


class Client(ClientSide, Protocol):
    """What an exchange on the quick way needs of the client's connection."""

    takes_more: bool

    @property
    def is_last(self) -> bool:
        """Whether the connection ends with the answer to what came."""
        ...

    def reply_to(self, request: Request) -> Reply:
        """Return what answers a request."""
        ...

    def answered(self, *, is_last: bool) -> None:
        """Go on with the next request."""

    def go_on(self, reply: Reply, work: Awaitable[None]) -> None:
        """Let a task do the rest."""


class Asked(msgspec.Struct, frozen=True):
    """A request that is let in, in which nothing was found; `admitted` is what its record says of the first."""

    seat: Seat
    request: Request
    body: dict[str, Any]
    texts: Texts
    admitted: Mapping[str, Any]


class Quick:
    """Takes the exchanges that may go the quick way.

    Args:
        tools: What every exchange works with.
        admission: Who is let in.
        paths: Endpoints of plain exchanges.
    """

    def __init__(self, tools: Tools, admission: Admission, paths: frozenset[str]) -> None:
        self.tools, self._admission, self._paths, self._seats = tools, admission, paths, Seats(tools)
        self.ends: set[asyncio.Task[None]] = set()
        self._later: list[Callable[[], None]] = []

    def later(self, work: Callable[[], None]) -> None:
        """Do something at the end of the event loop's turn.

        What many exchanges have ready by then goes out together: their records in one write, and whoever waits for
        their bytes is woken once.
        """
        self._later.append(work)
        if len(self._later) == 1:
            asyncio.get_running_loop().call_soon(self._do_all)

    def _do_all(self) -> None:
        works, self._later = self._later, []
        for work in works:
            work()

    def take(self, request: Request, client: Client) -> "Passing | None":
        """Begin an exchange; None where it goes the long way, and nothing has been done."""
        is_ordinary = request.method == "POST" and request.target in self._paths and len(request.body) <= LARGE
        if not is_ordinary or request.is_http_1_0:
            return None
        stated = request.stated
        seat = self._seats.of(stated.digest)
        if seat is None or not stated.is_identity:
            return None
        admitted = self._admission.as_it_is(seat.caller, request)
        if admitted is None:
            return None
        body = _object(request.body)
        texts = seat.plain.request(body) if body is not None else None
        if body is None or texts is None:
            return None
        return self._begun(Asked(seat, request, body, texts, admitted), client)

    def _begun(self, asked: Asked, client: Client) -> "Passing | None":
        ready = self.tools.upstream.at_once()
        if ready is None:
            return None
        key, switch = asked.seat.caller.key, self.tools.switch
        line = switch.open(key.system_id, key.id)
        try:
            if line.order is Command.RUN and model_stop(switch, line, asked.body) is None:
                line.attach_alone(client)
                passing = Passing(self, asked, client, line, ready)
                passing.begin(asked)
                self._admission.count(asked.seat.caller)
                return passing
        except RecordsDown:
            pass  # refused on the long way, in the same words as ever
        ready.upstream.give_back(ready.connection)
        self.tools.switch.close(line)
        return None


class Passing:
    """One exchange on the quick way."""

    __slots__ = (
        "_body",
        "_client",
        "_has_head",
        "_is_gone",
        "_leaving",
        "_line",
        "_passed",
        "_quick",
        "_ready",
        "_recording",
        "_request",
        "_seat",
        "_stream",
    )

    def __init__(self, quick: Quick, asked: Asked, client: Client, line: Line, ready: Ready) -> None:
        self._quick, self._client, self._line, self._ready = quick, client, line, ready
        self._seat, self._request, self._body = asked.seat, asked.request, asked.body
        self._recording = recording_of(quick.tools, asked.seat.caller)
        self._passed, self._has_head, self._is_gone = b"", False, False
        self._leaving: tuple[bytes, bytes] | None = None
        self._stream: QuickStream | None = None

    def begin(self, asked: Asked) -> None:
        """Put the intent and ask the upstream; raises RecordsDown."""
        self._recording.intent_as(
            self._seat.intent(self._request.target, self._body, asked.admitted),
            {"texts": self._seat.kept(asked.texts, Side.INPUT)},
            asked.texts,
        )
        self._recording.upstream_begins()
        self._passed = _encode(self._body)
        self._quick.later(self._ask)

    def _ask(self) -> None:
        connection = self._ready.connection
        if not self._is_gone:
            upstream, target = self._ready.upstream, self._request.target
            upstream.ask_at_once(connection, target, self._passed, self.news, self._recording.id)

    def gone(self) -> None:
        """The client has gone, or a person ended the exchange."""
        self._is_gone = True
        if self._leaving is None:  # else its connection serves others by now
            self._ready.connection.no_longer()
            self._ready.connection.transport.abort()
        exchange = self._long(self._client.reply_to(self._request))
        if self._stream:
            self._stream.leave()
            exchange.stream_ended(self._stream.flow)
        finish = "cut" if self._line.is_cut else "client_gone"
        task = asyncio.get_running_loop().create_task(self._to_the_end(exchange.note_end(finish)))
        self._quick.ends.add(task)
        task.add_done_callback(self._quick.ends.discard)

    def news(self) -> None:
        """Look at what came of the upstream."""
        connection = self._ready.connection
        try:
            if not connection.has_head:
                if connection.error or connection.is_lost:
                    self._was_not_answered()
                return
            if not self._has_head and not self._is_ordinary():
                return
            is_long = connection.waiting > LARGE
            if connection.is_complete and not is_long:
                self._pass_whole()
            elif connection.error or connection.is_lost or is_long:
                self._go_on_with(Answer(connection, self._ready.upstream))
        except Exception as error:  # noqa: BLE001  whatever was not foreseen: nothing more passes, and the client is told
            connection.transport.abort()
            self._go_on(partial(_raising, error))

    def _is_ordinary(self) -> bool:
        """Take the head; where the answer is out of the ordinary, let the long way have it."""
        self._has_head = True
        connection, upstream = self._ready.connection, self._ready.upstream
        self._recording.upstream_speaks()
        is_good = self._ready.answered(connection.status)
        is_known = connection.about is not None and _PASSED_ON in connection.about
        if is_good and connection.status == _OK and (is_known or _is_of(_JSON, connection.fields)):
            return True
        is_stream = is_good and _is_of(EVENT_STREAM, connection.fields)
        if is_stream and not self._quick.tools.switch.has_tool_orders and self._recording.is_handed_over():
            self._begin_stream()
            return False
        answer = Answer(connection, upstream)
        if is_good:
            self._go_on_with(answer)
        else:
            self._ask_again(After(upstream, answer))
        return False

    def _begin_stream(self) -> None:
        reply = self._client.reply_to(self._request)
        client, upstream, connection = self._client, self._ready.upstream, self._ready.connection
        ends = Ends(self._line, client, connection, upstream)
        self._stream = stream = QuickStream(ends, self._long(reply), reply, self._stream_on)
        connection.listen(stream.news, upstream.answer_seconds, stream.chunk)
        stream.begin()

    def _stream_on(self, reply: Reply, waiting: bytes, error: Exception | None) -> None:
        """End a stream in which nothing was found; let a task go on with any other."""
        if (stream := self._stream) is None:
            return
        stream.leave()
        if error is None and not waiting and stream.may_end:
            try:
                waiting = stream.flow.streamed.flush()
                if self._put_last(stream, waiting):
                    return
                waiting = chunk(waiting)
            except Exception as failure:  # noqa: BLE001  as in `news`
                waiting, error = b"", failure
        self._go_on(lambda exchange: exchange.stream_on(stream.answer, stream.flow, waiting, error), reply)

    def _put_last(self, stream: QuickStream, rest: bytes) -> bool:
        """Put the outcome of a stream that ended well, and let its end go; False where that is for a task."""
        if not stream.may_end:
            return False
        seat, id_, streamed = self._seat, self._recording.id.encode(), stream.flow.streamed
        self._recording.upstream_ends()
        said = streamed.said()
        if (kept := seat.kept_of(said)) is None:
            return False
        outcome = seat.outcome(id_, stream.answer.served_by, _SORTED(streamed.usage))
        self._recording.outcome_as(outcome, {"texts": kept} if said else None, as_said(said))
        stream.answer.taken()
        self._leaving = chunk(rest + streamed.last(seat.field(id_))) + LAST_CHUNK, b""
        self._quick.later(self._leave)
        return True

    def _was_not_answered(self) -> None:
        connection = self._ready.connection
        error = connection.error
        if error is None and connection.is_reused and not connection.has_bytes:
            self._ask_again(None)  # it had closed an idle connection just as we used it; a fresh one tells
            return
        self._ready.failed()
        connection.transport.abort()
        said = error or UpstreamDown("the upstream closed before it answered")
        self._ask_again(After(self._ready.upstream, said))

    def _ask_again(self, after: After | None) -> None:
        passed = self._passed
        self._go_on(lambda exchange: exchange.ask(passed, after))

    def _pass_whole(self) -> None:
        connection, upstream = self._ready.connection, self._ready.upstream
        answer, known = Answer(connection, upstream), connection.about
        raw = answer.taken()
        self._recording.upstream_ends()
        body = _object(raw)
        texts = self._seat.plain.answer(body) if body else None
        if body is None or texts is None:
            self._go_on(lambda exchange: exchange.pass_whole(answer, raw))
            return
        try:
            self._put_outcome(answer, body, texts, known)
        except RecordsDown as error:
            self._go_on(partial(_raising, error))

    def _put_outcome(self, answer: Answer, body: dict[str, Any], texts: Texts, known: dict[str, bytes] | None) -> None:
        """Put the outcome, and let the answer go at the end of the turn."""
        seat, id_ = self._seat, self._recording.id.encode()
        facts = seat.outcome(id_, answer.served_by, _SORTED(usage(body)))
        self._recording.outcome_as(facts, {"texts": seat.kept(texts, Side.OUTPUT)} if texts else None, texts)
        passing = _lines(answer, known)
        shown = _encode(noticed(body, seat.notice))
        self._leaving = shown, passing
        self._quick.later(self._leave)

    def _leave(self) -> None:
        if self._is_gone or self._leaving is None:
            return
        try:
            self._send(*self._leaving)
        except (RecordsDown, ConnectionResetError, Stopped) as error:
            self._go_on(partial(_raising, error), self._reply())

    def _reply(self) -> Reply:
        return self._stream.reply if self._stream else self._client.reply_to(self._request)

    def _send(self, data: bytes, passing: bytes) -> None:
        """Let an answer, or a stream's end, go once its records are handed over: the first of a turn hands over all."""
        client, is_last = self._client, self._stream.reply.is_last if self._stream else self._client.is_last
        if self._stream is None:
            data = self._seat.answer(self._recording.id.encode(), data, passing, is_last=is_last)
        if not self._recording.is_handed_over() or not self._line.send_now(data):
            reply = self._reply()
            self._go_on(lambda _: self._send_when_safe(reply, data), reply)
        elif not client.takes_more:
            reply = self._reply()
            self._go_on(lambda _: reply.sent(), reply)
        else:
            self._quick.tools.switch.close(self._line)
            client.answered(is_last=is_last)

    async def _send_when_safe(self, reply: Reply, data: bytes) -> None:
        await self._recording.durable()
        await reply.as_it_is(data)

    # ---- the long way

    def _go_on_with(self, answer: Answer) -> None:
        self._go_on(lambda exchange: exchange.pass_answer(answer))

    def _go_on(self, how: Callable[[Exchange], Awaitable[None]], reply: Reply | None = None) -> None:
        """Let a task do the rest as any exchange does it."""
        if self._leaving is None:
            self._ready.connection.no_longer()
        reply = reply or self._client.reply_to(self._request)
        self._client.go_on(reply, self._carried(reply, how))

    async def _carried(self, reply: Reply, how: Callable[[Exchange], Awaitable[None]]) -> None:
        reply.open_line(self._line)
        exchange = self._long(reply)
        await self._to_the_end(exchange.carry(how(exchange)))

    async def _to_the_end(self, work: Awaitable[None]) -> None:
        try:
            await work
        finally:
            self._quick.tools.switch.close(self._line)

    def _long(self, reply: Reply) -> Exchange:
        if self._stream is not None:
            return self._stream.exchange
        begun = Begun(self._recording, self._body, self._seat.verdict)
        return Exchange(self._quick.tools, self._seat.caller, self._request, reply, begun)


async def _raising(error: Exception, _exchange: Exchange) -> None:
    raise error


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return body if type(body) is dict else None


def _is_of(kind: bytes, fields: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.lower().startswith(kind) for name, value in fields)


def _lines(answer: Answer, known: dict[str, bytes] | None) -> bytes:
    """Return the lines of an answer's head that are passed on; of a known head of JSON they are remembered."""
    lines = None if known is None else known.get(_PASSED_ON)
    if lines is None:
        lines = b"".join([b"%b: %b\r\n" % pair for pair in passed_on(answer)])
        if known is not None:
            known[_PASSED_ON] = lines
    return lines
