"""Waiting for a person: the call is on disk before the wait begins, and the end of the wait is an answer too."""

import asyncio
from contextlib import suppress

import structlog

from safebelt.engines.clock import Clock
from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.model import Answer, Answered, Held

_POLL_SECONDS = 0.1
"""One look for a file per waiting call: an answer is known within a tenth of a second."""
_MAX_WAITING = 256
"""Calls that wait at once: more than this nobody could answer, and each keeps a connection."""
_MACHINE = "machine"

_log = structlog.get_logger("safebelt.belt")


class Waiting:
    """Puts calls before people.

    Args:
        box: Where calls and answers meet.
        clock: Time of the answers that the belt gives itself.
    """

    def __init__(self, box: CallBox, clock: Clock) -> None:
        self._box, self._clock = box, clock
        self._count = 0

    async def __call__(self, held: Held) -> Answer:
        """Wait for the answer to a call; whoever answers first has answered."""
        if self._count >= _MAX_WAITING:
            return self._own(Answered.REFUSED, "too many calls wait already")
        self._count += 1
        try:
            return await self._answer(held)
        finally:
            self._count -= 1

    async def _answer(self, held: Held) -> Answer:
        try:
            await asyncio.to_thread(self._box.hold, held)
        except OSError as error:
            _log.error("belt.call_not_held", approval=held.id, problem=str(error))
            return self._own(Answered.REFUSED, "the call cannot be put before anybody")
        try:
            answer = await self._wait(held)
        except asyncio.CancelledError:  # the caller has gone, or an order ended the exchange
            with suppress(OSError):
                self._box.answer(held.id, self._own(Answered.GONE))
            self._box.act(held.id, self._clock())
            raise
        self._box.act(held.id, self._clock())
        return answer

    async def _wait(self, held: Held) -> Answer:
        loop = asyncio.get_running_loop()
        end = loop.time() + (held.expires_at - held.at).total_seconds()
        while (answer := self._box.answered(held.id)) is None:
            if loop.time() >= end:
                return await asyncio.to_thread(self._expire, held)
            await asyncio.sleep(_POLL_SECONDS)
        return answer

    def _expire(self, held: Held) -> Answer:
        """Say that nobody answered, unless somebody just did; a full disk leaves it refused as well."""
        mine = self._own(Answered.EXPIRED)
        try:
            return mine if self._box.answer(held.id, mine) else self._box.answered(held.id) or mine
        except OSError:
            return mine

    def _own(self, answered: Answered, reason: str = "") -> Answer:
        return Answer(answered=answered, at=self._clock(), by=_MACHINE, reason=reason)
