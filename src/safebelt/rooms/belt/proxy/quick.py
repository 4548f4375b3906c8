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
from safebelt.rooms.belt.proxy.answers import PASSED_ON, passed_lines
from safebelt.rooms.belt.proxy.client import After, Answer, Ready, UpstreamDown
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.ordered import model_stop
from safebelt.rooms.belt.proxy.plain import Question, Reading, object_in
from safebelt.rooms.belt.proxy.quickstream import EVENT_STREAM, Ends, QuickStream
from safebelt.rooms.belt.proxy.recording import RecordsDown
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.seats import Seat, Seats
from safebelt.rooms.belt.proxy.steps import LARGE, Begun, as_said
from safebelt.rooms.belt.proxy.tools import Tools
from safebelt.rooms.belt.proxy.wire import LAST_CHUNK, Request, chunk

_JSON = b"application/json"
_OK = HTTPStatus.OK.value
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


class Asked:
    """A request in which nothing was found, and who sent it."""

    __slots__ = ("client", "question", "request", "seat")

    def __init__(self, seat: Seat, request: Request, question: Question, client: Client) -> None:
        self.seat, self.request, self.question, self.client = seat, request, question, client


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
        self.switch, self._upstream = tools.switch, tools.upstream
        self._snapshot, self._clock = tools.snapshot, tools.clock
        self._later: list[Passing] = []

    def later(self, passing: "Passing") -> None:
        """Let an exchange go on at the end of the event loop's turn.

        What many exchanges have ready by then goes out together: their records in one write, and whoever waits for
        their bytes is woken once.
        """
        self._later.append(passing)
        if len(self._later) == 1:
            asyncio.get_running_loop().call_soon(self._do_all)

    def _do_all(self) -> None:
        those, self._later = self._later, []
        for passing in those:
            passing.at_the_end_of_the_turn()

    def take(self, request: Request, client: Client) -> "Passing | None":
        """Begin an exchange; None where it goes the long way, and nothing has been done."""
        is_ordinary = request.method == "POST" and request.target in self._paths and len(request.body) <= LARGE
        if not is_ordinary or request.is_http_1_0:
            return None
        stated, snapshot, now = request.stated, self._snapshot(), self._clock()
        seat = self._seats.of(stated.digest, snapshot, now)
        if seat is None or not stated.is_identity:
            return None
        admitted = self._admission.as_it_is(seat.caller, request, snapshot)
        question = None if admitted is None else seat.plain.request(request.body)
        if admitted is None or question is None:
            return None
        passing = self._begun(Asked(seat, request, question, client), admitted)
        if passing is not None:
            self._admission.count(seat.caller, now)
        return passing

    def _begun(self, asked: Asked, admitted: Mapping[str, Any]) -> "Passing | None":
        ready = self._upstream.at_once()
        if ready is None:
            return None
        seat, settings, switch = asked.seat, asked.question.settings, self.switch
        line = switch.open_at_once(seat.system_id, seat.key_id, settings.get("model"), asked.client)
        line = line or self._line(asked)
        if line is not None:
            try:
                return Passing(self, asked, line, ready, seat.intent(asked.request.target, settings, admitted))
            except RecordsDown:  # refused on the long way, in the same words as ever
                switch.close(line)
        ready.upstream.give_back(ready.connection)
        return None

    def _line(self, asked: Asked) -> Line | None:
        """Return the line of an exchange that may go on though there are orders; None where it may not, at once."""
        switch = self.switch
        line = switch.open(asked.seat.system_id, asked.seat.key_id)
        if line.order is not Command.RUN or model_stop(switch, line, asked.question.settings) is not None:
            switch.close(line)
            return None
        line.attach_alone(asked.client)
        return line


class Passing:
    """One exchange on the quick way: its intent is put, and the upstream asked at the end of the turn.

    Args:
        quick: What began it.
        asked: What is asked, and by whom.
        line: Its line, open.
        ready: Who is asked.
        facts: The facts of its intent.

    Raises:
        RecordsDown: It cannot be recorded, so it does not begin.
    """

    __slots__ = (
        "_client",
        "_has_head",
        "_id",
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

    def __init__(self, quick: Quick, asked: Asked, line: Line, ready: Ready, facts: bytes) -> None:
        self._quick, self._line, self._ready = quick, line, ready
        seat, question, self._request, self._client = asked.seat, asked.question, asked.request, asked.client
        self._seat, self._recording = seat, (recording := seat.recording())
        self._id, self._passed = recording.id.encode(), question.passed
        self._has_head = self._is_gone = False
        self._leaving: tuple[bytes, bytes] | None = None
        self._stream: QuickStream | None = None
        if recording.keeps_all and seat.keeps_asked:
            recording.intent_said(facts, question.content)
        else:
            recording.intent_as(facts, {"texts": seat.kept(question.texts, Side.INPUT)}, question.texts)
        recording.upstream_begins()
        quick.later(self)

    def at_the_end_of_the_turn(self) -> None:
        """Ask the upstream; or let the answer go, once there is one."""
        if self._is_gone:
            return
        if self._leaving is None:
            connection, target = self._ready.connection, self._request.target
            self._ready.upstream.ask_at_once(connection, target, self._passed, self.news, self._id)
        else:
            data, passing = self._leaving
            self._leave(data, passing)

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
        is_known = connection.about is not None and PASSED_ON in connection.about
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
        seat, id_, streamed = self._seat, self._id, stream.flow.streamed
        self._recording.upstream_ends()
        said = streamed.said()
        if (kept := seat.kept_of(said)) is None:
            return False
        used = _SORTED(streamed.usage)
        outcome = seat.outcome(id_, stream.answer.served_by, used, self._recording.times())
        self._recording.outcome_as(outcome, {"texts": kept} if said else None, as_said(said), used)
        stream.answer.taken()
        self._leaving = chunk(rest + streamed.last(seat.field(id_))) + LAST_CHUNK, b""
        self._quick.later(self)
        return True

    def _was_not_answered(self) -> None:
        connection = self._ready.connection
        error = connection.error
        if error is None and connection.is_reused and not connection.has_bytes:
            self._ready.upstream.asked_again += 1
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
        said = self._seat.plain.answer(raw, self._seat.notice)
        if said is None:
            self._go_on(lambda exchange: exchange.pass_whole(answer, raw))
            return
        try:
            self._put_outcome(answer, said, passed_lines(answer, known))
        except RecordsDown as error:
            self._go_on(partial(_raising, error))

    def _put_outcome(self, answer: Answer, said: Reading, passing: bytes) -> None:
        """Put the outcome, and let the answer go at the end of the turn."""
        seat, recording = self._seat, self._recording
        facts = seat.outcome(self._id, answer.served_by, said.usage, recording.times())
        if said.is_silent:
            recording.outcome_said(facts, None, said.usage)
        elif recording.keeps_all and seat.keeps_said:
            recording.outcome_said(facts, said.content, said.usage)
        else:
            texts = said.texts
            recording.outcome_as(facts, {"texts": seat.kept(texts, Side.OUTPUT)}, texts, said.usage)
        self._leaving = said.shown, passing
        self._quick.later(self)

    def _leave(self, data: bytes, passing: bytes) -> None:
        try:
            self._send(data, passing)
        except (RecordsDown, ConnectionResetError, Stopped) as error:
            self._go_on(partial(_raising, error), self._reply())

    def _reply(self) -> Reply:
        return self._stream.reply if self._stream else self._client.reply_to(self._request)

    def _send(self, data: bytes, passing: bytes) -> None:
        """Let an answer, or a stream's end, go once its records are handed over: the first of a turn hands over all."""
        client, stream = self._client, self._stream
        is_last = client.is_last if stream is None else stream.reply.is_last
        if stream is None:
            data = self._seat.answer(self._id, data, passing, is_last=is_last)
        if not self._recording.is_handed_over() or not self._line.send_now(data):
            reply = self._reply()
            self._go_on(lambda _: self._send_when_safe(reply, data), reply)
        elif not client.takes_more:
            reply = self._reply()
            self._go_on(lambda _: reply.sent(), reply)
        else:
            self._quick.switch.close(self._line)
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
        begun = Begun(self._recording, object_in(self._request.body) or {}, self._seat.verdict)
        return Exchange(self._quick.tools, self._seat.caller, self._request, reply, begun)


async def _raising(error: Exception, _exchange: Exchange) -> None:
    raise error


def _is_of(kind: bytes, fields: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"content-type" and value.lower().startswith(kind) for name, value in fields)
