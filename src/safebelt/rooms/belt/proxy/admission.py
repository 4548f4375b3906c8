"""The door keeper: asks, once a request and before anything of it is read, whether it is let in.

A request that is not let in is recorded with its reason: the first of a kind in a minute, with the count of those
before it that were not, because a caller that tries in a loop must not fill the disk.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from safebelt.rooms.belt.decide import ATTRIBUTES, WORD, scope_of
from safebelt.rooms.belt.decide.admission import (
    HEADERS,
    NO_MINORS_MODE,
    Barred,
    NotAdmitted,
    admitted,
    not_permitted,
    suspended,
)
from safebelt.rooms.belt.decide.minors import MINORS, laid_over
from safebelt.rooms.belt.model import UNGUARDED, Action, Admits, Asked, Key, Policy, Snapshot, Stance
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.picked import named_model, surely_named_model
from safebelt.rooms.belt.proxy.recording import RecordsDown, policy_facts
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.steps import recording_of
from safebelt.rooms.belt.proxy.strikes import appeal_at
from safebelt.rooms.belt.proxy.tools import Caller, Tools
from safebelt.rooms.belt.proxy.wire import Headers, Request

_FIELDS = {name: header.lower().encode() for name, header in HEADERS.items()}
_NO = frozenset({b"false", b"0", b"no"})
_MINORS_HEADERS: Headers = ((b"x-safebelt-mode", MINORS.encode()),)
_MAX_LAID = 64
"""Policies with the minors' laid over that are kept: as many as a house has policies, and their last versions."""
_OF_THE_HOUR = frozenset({"hour", "weekday"})
_MAX_TOLD = 10_000
"""Kinds of refusals that are remembered, one a key and reason: a bound, never reached by keys that exist."""


class Admission:
    """Asks for every request, on whichever way it goes."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._snapshot: Snapshot | None = None
        self._settled: dict[str, Mapping[str, Any]] = {}
        self._laid: dict[tuple[str, str], Policy] = {}
        self._told: dict[tuple[str, Barred, tuple[str, ...]], tuple[datetime, str, int]] = {}

    def ask(self, caller: Caller, request: Request, *, is_recorded: bool, scope: str = "") -> Caller | NotAdmitted:
        """Return the caller as let in, and counted; or why a request is not let in.

        Args:
            caller: Who asks.
            request: For what.
            is_recorded: Whether it becomes an exchange that is recorded; what only reads a list does not count.
            scope: What it is for, where its path does not say it.
        """
        found = self._look(caller, request, scope or scope_of(request.path))
        if is_recorded and not isinstance(found, NotAdmitted):
            self.count(caller)
        return found

    def as_it_is(self, caller: Caller, request: Request, snapshot: Snapshot) -> Mapping[str, Any] | None:
        """Return what the record says of a request that is let in as it comes; None where `ask` must say more.

        It counts nothing.  Where nothing a request can say makes a difference, it is one look-up.
        """
        if snapshot is not self._snapshot:
            self._snapshot, self._settled = snapshot, {}
        facts = self._settled.get(caller.key.id)
        if facts is not None and not request.stated.minor:
            return facts
        found = self._look(caller, request, scope_of(request.path))
        if isinstance(found, NotAdmitted) or found.policy is not caller.policy:
            return None
        if _is_settled(caller.key, snapshot.admission):
            self._settled[caller.key.id] = found.admitted
        return found.admitted

    def count(self, caller: Caller, now: datetime | None = None) -> None:
        """Count a request."""
        self._tools.meter.of(caller.key.id, now or self._tools.clock()).add_request()

    def _look(self, caller: Caller, request: Request, scope: str) -> Caller | NotAdmitted:
        now, key = self._tools.clock(), caller.key
        if caller.stands is not None and caller.stands.suspended_by:
            return self._suspended(key, caller.stands.suspended_by)
        if barred := admitted(key, scope, now, self._tools.meter.of(key.id, now).used):
            return barred
        if (rules := self._tools.snapshot().admission) is not None:
            found = rules.ask(self._asked(key, request, now, rules.reads, scope))
            if not found.is_admitted:
                return not_permitted(found)
            caller = replace(caller, admitted=found.facts)
        if _is_minor(key, request):
            return self._for_minors(caller) or NO_MINORS_MODE
        return caller

    def _suspended(self, key: Key, strike: str) -> NotAdmitted:
        at = self._tools.complain_at(key.system_id) if self._tools.complain_at else None
        return suspended(key, strike, appeal_at(strike, at))

    def _for_minors(self, caller: Caller) -> Caller | None:
        """Return a caller in minors' mode: stricter rules over the system's own, acting whatever the stance."""
        stricter = self._tools.snapshot().policies.get(self._tools.minors_policy)
        if stricter is None:
            return None
        both = (caller.policy.digest, stricter.digest)
        if both not in self._laid:
            self._laid = {} if len(self._laid) >= _MAX_LAID else self._laid
            self._laid[both] = laid_over(caller.policy, stricter)
        facts = {"policy": stricter.id, "version": stricter.version, "digest": stricter.digest}
        return replace(
            caller,
            policy=self._laid[both],
            harness=replace(caller.harness, stance=Stance.ENFORCE),
            admitted={**caller.admitted, "mode": MINORS, MINORS: facts},
            headers=(*caller.headers, *_MINORS_HEADERS),
        )

    def _asked(self, key: Key, request: Request, now: datetime, reads: frozenset[str], scope: str) -> Asked:
        """Return what is known of a request, of what can change from one to the next only what rules look at."""
        terms, here = key.terms, now.astimezone(self._tools.zone) if reads & _OF_THE_HOUR else now
        said: dict[str, Any] = {name: getattr(terms, name) or _header(request, name, reads) for name in ATTRIBUTES}
        return Asked(
            key.id,
            terms.caller,
            key.system_id,
            scope,
            model=(surely_named_model if scope == UNGUARDED else named_model)(request.body)
            if "model" in reads
            else None,
            hour=here.hour if "hour" in reads else None,
            weekday=here.isoweekday() if "weekday" in reads else None,
            minor=_is_minor(key, request) if "minor" in reads else None,
            **said,
        )

    async def refuse(self, caller: Caller, request: Request, reply: Reply, barred: NotAdmitted) -> None:
        """Record that a request was not let in, and say why."""
        record = await self._note(caller, request, barred)
        await reply.error(errors.not_admitted(barred), ((b"x-safebelt-record", record.encode()), *caller.headers))

    async def _note(self, caller: Caller, request: Request, barred: NotAdmitted) -> str:
        """Record a refusal, or count it where one like it was recorded this minute; return the record's id."""
        kind, minute = (caller.key.id, barred.why, barred.rules), self._tools.clock().replace(second=0, microsecond=0)
        since, record, unrecorded = self._told.get(kind, (None, "", 0))
        if since == minute:
            self._told[kind] = (minute, record, unrecorded + 1)
            return record
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()
        recording = recording_of(self._tools, caller)
        self._told[kind] = (minute, recording.id, 0)
        with suppress(RecordsDown):  # it is refused all the same
            recording.intent(_intent(caller, request, barred, unrecorded), {}, {})
            recording.outcome(_outcome(barred), None, {})
            await recording.durable()
        return recording.id


def _is_settled(key: Key, rules: Admits | None) -> bool:
    """Whether the answer to one request is the answer to all: nothing is asked that differs from one to the next."""
    terms = key.terms
    has_terms = key.expires_at is not None or terms.scopes or terms.limits or terms.minor
    return not has_terms and (rules is None or not rules.reads)


def _is_minor(key: Key, request: Request) -> bool | None:
    """Whether a minor asks, as the key says or else a header; None where neither does.

    What a header says that is neither yes nor no counts as yes: it was meant to protect somebody.
    """
    if key.terms.minor:
        return True
    said = request.stated.minor.strip().lower()
    return said not in _NO if said else None


def _header(request: Request, name: str, reads: frozenset[str]) -> str | None:
    """Return what a header says, where a rule asks; what is no word is not known."""
    if name not in reads:
        return None
    word = request.header(_FIELDS[name]).decode("latin-1").strip()
    return word if WORD.fullmatch(word) else None


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
        "would": Action.ALLOW.value,  # no rule on contents was asked
        "rules": [],
        "hits": [],
        "not_evaluated": [],
        "reason": barred.reason.as_data(),
        "barred": barred.why.value,
        **barred.facts,
    }
