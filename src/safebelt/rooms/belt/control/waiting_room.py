"""New requests that a pause holds: so many, for so long; they go on in the order in which they came.

All of it happens on the event loop.  What waits is a place in a list and a timer: the request's bytes are the memory,
and they are counted.  Whoever carries out an order calls `look`, and nothing else asks while nothing changes.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum, auto

from safebelt.rooms.belt.control.in_force import InForce
from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.control.switch import UNREAD
from safebelt.rooms.belt.model import Command

MOST_BYTES = 64 * 1024 * 1024
"""What all requests that wait in one worker may take, whatever an order says."""

Ask = Callable[[], InForce]
"""What holds for a request now."""


class Waited(Enum):
    """What came of waiting."""

    GO_ON = auto()
    STOPPED = auto()
    TOO_LONG = auto()
    FULL = auto()


class WaitingRoom:
    """Where new requests wait in one worker.

    Args:
        workers: How many workers share what an order lets wait.
        most_bytes: What all that wait may take.
    """

    def __init__(self, *, workers: int = 1, most_bytes: int = MOST_BYTES) -> None:
        self._workers, self._most_bytes = workers, most_bytes
        self._places: OrderedDict[object, tuple[Ask, InForce, asyncio.Future[InForce]]] = OrderedDict()
        self._bytes = 0

    def among(self, workers: int) -> "WaitingRoom":
        """Share what an order lets wait with so many workers."""
        self._workers = workers
        return self

    def __len__(self) -> int:
        """How many wait."""
        return len(self._places)

    async def wait(
        self, ask: Ask, order: InForce, size: int, tie: Callable[[], None] = lambda: None
    ) -> tuple[Waited, InForce]:
        """Wait while a pause holds a request.

        Args:
            ask: What holds for it now.
            order: The pause.
            size: Bytes of the request.
            tie: Called where it is held: from then on a cut ends it.

        Returns:
            What came of it, and by which order.

        Raises:
            Stopped: It was cut.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + order.terms.hold_seconds
        place, was = object(), order
        if not self._has_room(order, size):
            return Waited.FULL, order
        self._bytes += size
        try:
            while holds(order):
                if order is not UNREAD:
                    tie()
                left = deadline - loop.time()
                future: asyncio.Future[InForce] = loop.create_future()
                self._places[place] = ask, order, future
                try:
                    was, order = order, await asyncio.wait_for(future, max(0.0, left))
                except TimeoutError:
                    return Waited.TOO_LONG, order
        finally:
            self._bytes -= size
            self._places.pop(place, None)
        if order.command is Command.CUT and was is not UNREAD:  # it was held; one that only just came is refused
            raise Stopped
        is_stopped = order.command in (Command.PAUSE, Command.DRAIN)
        return Waited.STOPPED if is_stopped else Waited.GO_ON, order

    def _has_room(self, order: InForce, size: int) -> bool:
        most = max(1, order.terms.hold_most // self._workers)
        return len(self._places) < most and self._bytes + size <= self._most_bytes

    def look(self) -> None:
        """Let go whom no pause holds any more, first come first."""
        for ask, order, future in list(self._places.values()):
            now = ask()
            if now != order and not future.done():
                future.set_result(now)


def holds(order: InForce) -> bool:
    """Whether an order lets new requests wait."""
    return order.command is Command.PAUSE and order.terms.hold_seconds > 0
