"""A stream on the quick way: what the upstream says is screened and written where it is heard, one write for one read.

The pieces go through the same `Flow` as on the long way.  Where more than one helping is here, or others wait their
turn, it stands in line with them.  Whatever else must wait lets a task go on from where the stream stands: a client
that reads slowly, a pause, the end.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.proxy.client import HELPING, Answer, Connection, Upstream
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.steps import Flow, taken
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
        "_connection",
        "_ends",
        "_go_on",
        "_is_in_line",
        "_is_left",
        "_line",
        "_reply",
        "_turns",
        "answer",
        "exchange",
        "flow",
    )

    def __init__(
        self, ends: Ends, exchange: Exchange, reply: Reply, go_on: Callable[[Reply, bytes, Exception | None], None]
    ) -> None:
        self._ends, self._line, self._connection = ends, ends.line, ends.connection
        self._reply, self._go_on, self.exchange = reply, go_on, exchange
        self._is_in_line = self._is_left = False
        self._turns = ends.upstream.turns
        self.answer = Answer(ends.connection, ends.upstream)
        self.flow: Flow = exchange.flow_of(self.answer)

    def begin(self) -> None:
        """Send the head, and pass on what is here already."""
        head = self._reply.begun(self.answer.status, self.exchange.stream_headers(self.answer))
        self._pass_on(head)

    def news(self) -> None:
        """Pass on what came."""
        if not self._is_in_line:
            self._pass_on(b"")

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
        out: list[bytes] = []
        try:
            left = HELPING if is_its_turn or not self._turns.is_crowded else 0
            while connection.body and left > 0 and not flow.is_over:
                piece = connection.take()
                left -= len(piece)
                out.append(taken(flow.streamed, flow.events(piece)))
        except Exception as failure:  # noqa: BLE001  whatever it is: what was cleared leaves, the rest does not
            error = failure
        data = head + chunk(out[0] if len(out) == 1 else b"".join(out))
        try:
            if data and self._line.send_now(data):
                data = b""
        except Exception as failure:  # noqa: BLE001  the client has gone, or a person ended it
            data, error = b"", failure
        if error is not None or data or self._must_wait():
            self._go_on(self._reply, data, error)
        elif connection.body:
            self._is_in_line = True
            self._turns.ask(self._take_turn)

    def _must_wait(self) -> bool:
        """Whether what comes next is not for callbacks."""
        connection = self._connection
        is_broken = connection.is_lost or connection.error is not None
        is_ending = not connection.body and (connection.is_complete or is_broken)
        return is_ending or self.flow.is_over or not self._ends.client.takes_more
