"""Turns: streams with more to say than there is time for share the event loop, and whoever knocks is let in.

An upstream that is faster than its words can be screened always has the next piece ready, so nothing ever makes the
task that passes it on stop: fifty such streams would keep a new caller, and the end of a stopped exchange, waiting for
minutes.  So a stream passes one helping; for the next one it stands in line behind the others.  Each turn of the loop a
few streams are called, and between two turns the loop looks at its sockets.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial

Turn = Callable[[], bool]

_CALLED_AT_ONCE = 4
"""Streams called in one turn of the loop: with helpings of some 2 ms at most a turn stays near 10 ms."""


class Turns:
    """The line in which streams wait for the loop; one for all that share a loop.

    Attributes:
        waiting: Who waits.
    """

    def __init__(self) -> None:
        self.waiting: deque[Turn] = deque()
        self._is_calling = False

    @property
    def is_crowded(self) -> bool:
        """Whether others wait; then nobody goes first."""
        return bool(self.waiting)

    def ask(self, turn: Turn) -> None:
        """Stand in line; `turn` is called when it is this stream's turn, and says whether it took it."""
        self.waiting.append(turn)
        if not self._is_calling:
            self._is_calling = True
            loop = asyncio.get_running_loop()
            loop.call_soon(self._call, loop)

    async def mine(self) -> None:
        """Wait until it is this stream's turn."""
        turn = asyncio.get_running_loop().create_future()
        self.ask(partial(_given, turn))
        await turn

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        called = 0
        for _ in range(len(self.waiting)):  # who asks again while being called comes after all who wait
            if called == _CALLED_AT_ONCE:
                break
            called += self.waiting.popleft()()
        self._is_calling = bool(self.waiting)
        if self._is_calling:
            loop.call_soon(self._call, loop)


def _given(turn: asyncio.Future[None]) -> bool:
    if turn.done():  # its stream was ended while it waited
        return False
    turn.set_result(None)
    return True
