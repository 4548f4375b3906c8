"""A stream on the quick way: what the upstream says is screened and written where it is heard, one write for one read.

The pieces go through the same `Flow` as on the long way.  Where more than one helping is here, or others wait their
turn, it stands in line with them.  Whatever else must wait lets a task go on from where the stream stands: a client
that reads slowly, a pause, any end but a plain one.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.proxy.client import Answer, Connection, Upstream
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.frames import chunked
from safebelt.rooms.belt.proxy.helpings import HELPING
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.steps import Flow
from safebelt.rooms.belt.proxy.wire import chunk

EVENT_STREAM = b"text/event-stream"


class Taking(Protocol):
    """A client, as far as a stream asks: whether all that was written is with the kernel."""

    takes_more: bool


class Ends(NamedTuple):
    """Both ends of a stream.

    Attributes:
        line: To the client, by its gate.
        client: Says whether it has taken all that was written.
        connection, upstream: To the model.
    """

    line: Line
    client: Taking
    connection: Connection
    upstream: Upstream


class QuickStream:
    """One stream on the quick way.

    Args:
        ends: Where it comes from and goes to.
        exchange: Whose answer it is.
        reply: To the client.
        go_on: Lets a task do the rest: told what waits to be written, framed, and what went wrong behind it.
    """

    __slots__ = (
        "_client",
        "_connection",
        "_go_on",
        "_is_in_line",
        "_is_left",
        "_line",
        "_others",
        "_turns",
        "answer",
        "exchange",
        "flow",
        "reply",
    )

    def __init__(
        self, ends: Ends, exchange: Exchange, reply: Reply, go_on: Callable[[Reply, bytes, Exception | None], None]
    ) -> None:
        self._line, self._client, self._connection = ends.line, ends.client, ends.connection
        self.reply, self._go_on, self.exchange = reply, go_on, exchange
        self._is_in_line = self._is_left = False
        self._turns, self._others = ends.upstream.turns, ends.upstream.turns.waiting
        self.answer = Answer(ends.connection, ends.upstream)
        self.flow: Flow = exchange.flow_of(self.answer)

    @property
    def may_end(self) -> bool:
        """Whether it has ended well, nothing was found in it so far, and its client waits for the end alone."""
        connection, streamed = self._connection, self.flow.streamed
        is_whole = streamed.is_done and connection.is_complete and not connection.body
        return is_whole and not (streamed.is_refused or streamed.hits) and self._client.takes_more

    def begin(self) -> None:
        """Send the head, and pass on what is here already."""
        head = self.reply.begun(self.answer.status, self.exchange.stream_headers(self.answer))
        self._pass_on(head)

    def news(self) -> None:
        """Pass on what came: one more event of the kind that most are without a detour."""
        if self._is_in_line:
            return
        connection, flow = self._connection, self.flow
        body, lane = connection.body, flow.lane
        if lane is None or len(body) != 1 or self._others or len(body[0]) > min(HELPING, flow.left):
            self._pass_on(b"")
            return
        piece = body[0]
        try:
            passed = lane.take(piece)
            if passed is None:
                self._pass_on(b"")
                return
            body.popleft()  # nothing else is here, and so little that the upstream is being read: as `take` would
            connection.waiting = 0
            flow.left -= len(piece)
            is_sent = not passed or self._line.send_now(b"%x\r\n%b\r\n" % (len(passed), passed))
        except Exception as failure:  # noqa: BLE001  as in `_pass_on`
            self._written(b"", failure)
            return
        if not is_sent:
            self._written(chunk(passed), None)
        elif connection.is_complete or connection.is_lost or connection.error or not self._client.takes_more:
            self._written(b"", None)

    def chunk(self, data: bytes) -> bool:
        """Take one whole chunk of the body that is one more event of the kind that most are; say whether it was."""
        flow = self.flow
        lane, size = flow.lane, len(data)
        if lane is None or self._others or size > HELPING or size > flow.left or self._connection.body:
            return False
        try:
            passed = (lane.in_c or lane.chunk)(data)
            if passed is None:
                return False
            flow.left -= chunked(data)
            is_sent = not passed or self._line.send_now(passed)
        except Exception as failure:  # noqa: BLE001  as in `_pass_on`
            self._written(b"", failure)
            return True
        if not is_sent:
            self._written(passed, None)
        elif not self._client.takes_more:
            self._written(b"", None)
        return True

    def leave(self) -> None:
        """Take no turn any more: somebody else goes on, or nobody."""
        self._is_left = True

    def _take_turn(self) -> bool:
        self._is_in_line = False
        if self._is_left:
            return False
        self._connection.still_here()
        self._pass_on(b"", is_its_turn=True)
        return True

    def _pass_on(self, head: bytes, *, is_its_turn: bool = False) -> None:
        """Write what may leave, at once where nothing has to wait."""
        connection, flow, error = self._connection, self.flow, None
        body, out = connection.body, b""
        try:
            left = HELPING if is_its_turn or not self._turns.is_crowded else 0
            while body and left > 0 and not flow.is_over:
                piece = connection.take()
                left -= len(piece)
                passed = flow.pass_on(piece)
                out = out + passed if out else passed
        except Exception as failure:  # noqa: BLE001  whatever it is: what was cleared leaves, the rest does not
            error = failure
        self._written(head + chunk(out) if out else head, error)

    def _written(self, data: bytes, error: Exception | None) -> None:
        """Write, and see how it goes on."""
        try:
            if data and self._line.send_now(data):
                data = b""
        except Exception as failure:  # noqa: BLE001  the client has gone, or a person ended it
            data, error = b"", failure
        if error is not None or data or self._must_wait():
            self._go_on(self.reply, data, error)
        elif self._connection.body:
            self._is_in_line = True
            self._turns.ask(self._take_turn)

    def _must_wait(self) -> bool:
        """Whether what comes next is not for callbacks."""
        connection = self._connection
        if not self._client.takes_more or self.flow.is_over:
            return True
        is_ending = connection.is_complete or connection.is_lost or connection.error is not None
        return is_ending and not connection.body
