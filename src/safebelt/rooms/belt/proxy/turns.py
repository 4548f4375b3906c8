"""Turns: streams with more to say than there is time for share the event loop, and whoever knocks is let in.

An upstream that is faster than its words can be screened always has the next piece ready, so nothing ever makes the
task that passes it on stop: fifty such streams would keep a new caller, and the end of a stopped exchange, waiting for
minutes.  So a stream passes one helping; for the next one it stands in line behind the others.  Each turn of the loop a
few streams are called, and between two turns the loop looks at its sockets.
"""

import asyncio
from collections import deque

_CALLED_AT_ONCE = 4
"""Streams called in one turn of the loop: with helpings of some 2 ms at most a turn stays near 10 ms."""


class Turns:
    """The line in which streams wait for the loop; one for all that share a loop."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_calling = False

    @property
    def is_crowded(self) -> bool:
        """Whether others wait; then nobody goes first."""
        return bool(self._waiting)

    async def mine(self) -> None:
        """Wait until it is this stream's turn."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._is_calling:
            self._is_calling = True
            loop.call_soon(self._call, loop)
        await turn

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        called = 0
        while self._waiting and called < _CALLED_AT_ONCE:
            turn = self._waiting.popleft()
            if not turn.done():  # else its stream was ended while it waited
                turn.set_result(None)
                called += 1
        self._is_calling = bool(self._waiting)
        if self._is_calling:
            loop.call_soon(self._call, loop)
