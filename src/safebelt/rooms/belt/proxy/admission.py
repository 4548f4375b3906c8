"""The door keeper: asks, once a request and before anything of it is read, whether it is let in.

A request that is not let in is recorded with its reason: the first of a kind in a minute, with the count of those
before it that were not, because a caller that tries in a loop must not fill the disk.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

from safebelt.rooms.belt.decide.admission import Barred, NotAdmitted, admitted
from safebelt.rooms.belt.model import Action
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.recording import Recording, RecordsDown, policy_facts
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.tools import Caller, Tools
from safebelt.rooms.belt.proxy.wire import Request

_MAX_TOLD = 10_000
"""Kinds of refusals that are remembered, one a key and reason: a bound, never reached by keys that exist."""


class Admission:
    """Asks for every request."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._told: dict[tuple[str, Barred], tuple[datetime, str, int]] = {}

    def ask(self, caller: Caller, request: Request, *, is_recorded: bool) -> NotAdmitted | None:
        """Return why a request is not let in; None where it is, and counted.

        Args:
            caller: Who asks.
            request: For what.
            is_recorded: Whether it becomes an exchange that is recorded; what only reads a list does not count.
        """
        now = self._tools.clock()
        tally = self._tools.meter.of(caller.key.id, now)
        barred = admitted(caller.key, request.path, now, tally.used)
        if barred is None and is_recorded:
            tally.add_request()
        return barred

    async def refuse(self, caller: Caller, request: Request, reply: Reply, barred: NotAdmitted) -> None:
        """Record that a request was not let in, and say why."""
        record = await self._note(caller, request, barred)
        await reply.error(errors.not_admitted(barred), ((b"x-safebelt-record", record.encode()),))

    async def _note(self, caller: Caller, request: Request, barred: NotAdmitted) -> str:
        """Record a refusal, or count it where one like it was recorded this minute; return the record's id."""
        kind, minute = (caller.key.id, barred.why), self._tools.clock().replace(second=0, microsecond=0)
        since, record, unrecorded = self._told.get(kind, (None, "", 0))
        if since == minute:
            self._told[kind] = (minute, record, unrecorded + 1)
            return record
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()
        recording = Recording(self._tools.recorder, self._tools.new_id("rec"))
        self._told[kind] = (minute, recording.id, 0)
        with suppress(RecordsDown):  # it is refused all the same
            recording.intent(_intent(caller, request, barred, unrecorded), {})
            recording.outcome(_outcome(barred), None)
            await recording.durable()
        return recording.id


def _intent(caller: Caller, request: Request, barred: NotAdmitted, unrecorded: int) -> dict[str, Any]:
    return {
        "system_id": caller.key.system_id,
        "key_id": caller.key.id,
        "endpoint": request.path[:200],
        "model": "",
        "is_stream": False,
        **policy_facts(caller.policy, caller.harness),
        **_verdict(barred),
        **({"unrecorded": unrecorded} if unrecorded else {}),
    }


def _outcome(barred: NotAdmitted) -> dict[str, Any]:
    return {"status": errors.not_admitted(barred).status, "finish": "not_admitted", **_verdict(barred)}


def _verdict(barred: NotAdmitted) -> dict[str, Any]:
    return {
        "done": Action.REFUSE.value,
        "would": Action.REFUSE.value,
        "rules": [],
        "hits": [],
        "not_evaluated": [],
        "reason": barred.reason.as_data(),
        "barred": barred.why.value,
    }
