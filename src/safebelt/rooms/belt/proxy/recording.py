"""The record of one exchange: intent before the first reply byte, outcome before the last.

In record mode *strict* both are durable by then.  In *prompt* both are with the operating system: no kill of the belt
loses them, a loss of power takes at most what no sync has reached (`records.limits.SYNC_AFTER_SECONDS`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.decide import RawHit, judge
from safebelt.rooms.belt.model import Action, Harness, Hit, Policy, Record, RecordMode, Side, Verdict
from safebelt.rooms.belt.proxy.meter import Metered
from safebelt.rooms.belt.proxy.screens import nothing_found
from safebelt.rooms.belt.records.acks import WhenDurable
from safebelt.rooms.belt.records.draft import Draft
from safebelt.rooms.belt.records.line import encode

Content = Mapping[str, Any]
Keeps = Callable[[str, Content, Mapping[str, str]], Content]
"""Half, content and originals → what the record keeps of them."""


class RecordsDown(Exception):  # noqa: N818
    """The record cannot be written, so the exchange may not go on."""


Times = tuple[int, int, int, int, int]
"""How long an exchange took, in microseconds: `TIMES`, which are told in milliseconds."""
TIMES = ("added_ms", "before_ms", "first_byte_ms", "total_ms", "upstream_ms")
"""`before_ms` is until the model was asked.  Time waited for a person is in `total_ms` and `before_ms` only."""


class Recording:
    """Writes the two records of one exchange.

    Args:
        writer: Where records go.
        record_id: `rec_…`; both records carry it.
        mode: How durable they must be.
        keeps: Says what the record keeps; None for the content as it is.

    Attributes:
        keeps_all: Whether the record keeps its content as it is given.
    """

    def __init__(
        self,
        writer: Metered,
        record_id: str,
        mode: RecordMode = RecordMode.STRICT,
        keeps: Keeps | None = None,
    ) -> None:
        self.id, self._writer, self._keeps = record_id, writer, keeps
        self.keeps_all = keeps is None
        self._is_prompt = mode is RecordMode.PROMPT
        self._failures = -1  # the writer's count at the first record; a later one may have taken it
        self._began = time.perf_counter_ns()
        self._upstream_began = self._upstream_lasted = self._asked = 0
        self._waited = self._waited_before = 0
        self._waits: list[asyncio.Future[None]] = []
        self._first_byte = 0
        self.has_outcome = False

    def upstream_begins(self) -> None:
        """From here the time is the model's."""
        self._upstream_began = time.perf_counter_ns()
        if not self._asked:
            self._asked = self._upstream_began

    def upstream_speaks(self) -> None:
        """The first byte of the answer is here."""
        if not self._first_byte:
            self._first_byte = time.perf_counter_ns() - self._began - self._waited

    def upstream_ends(self) -> None:
        """From here the time is ours again."""
        if self._upstream_began:
            self._upstream_lasted += time.perf_counter_ns() - self._upstream_began
            self._upstream_began = 0

    def waited(self, nanos: int) -> None:
        """So long, until now, it waited for a person: neither the belt's time nor the model's."""
        self._waited += nanos
        if not self._asked:
            self._waited_before += nanos
        if self._upstream_began:
            self._upstream_began += nanos

    def waited_at_the_door(self, nanos: int) -> None:
        """So long it waited for a person before this record began; it counts from when it came."""
        self._began -= nanos
        self.waited(nanos)

    def intent(self, facts: Mapping[str, Any], content: Mapping[str, Any], originals: Mapping[str, str]) -> None:
        """Queue the intent.

        Args:
            facts: The public facts.
            content: The texts as records keep them: masked.
            originals: The same texts as they came, by the same names.

        Raises:
            RecordsDown: The writer takes no records now, or the originals cannot be sealed.
        """
        self._put(Record(type="intent", id=self.id, core=facts, content=self._kept("intent", content, originals)))

    def intent_said(self, facts: bytes, content: bytes) -> None:
        """As `intent_as` where the record `keeps_all`, with content that is JSON already."""
        self._put_draft(Draft("intent", self.id, facts, content))

    def outcome_said(self, facts: bytes, content: bytes | None, usage: bytes) -> None:
        """As `outcome_as` where the record `keeps_all`, with content that is JSON already."""
        if not self.has_outcome:
            self.has_outcome = True
            self._put_draft(Draft("outcome", self.id, facts, content, usage))

    def intent_as(self, facts: bytes, content: Mapping[str, Any], originals: Mapping[str, str]) -> None:
        """As `intent`, with facts that are JSON already."""
        kept = content if self._keeps is None else self._kept("intent", content, originals)
        self._put_draft(Draft("intent", self.id, facts, encode(kept or {})))

    def outcome_as(
        self, facts: bytes, content: Mapping[str, Any] | None, originals: Mapping[str, str], usage: bytes
    ) -> None:
        """As `outcome`, with facts that are JSON already, the `times` and the `usage` among them."""
        if not self.has_outcome:
            self.has_outcome = True
            kept = content if self._keeps is None else self._kept("outcome", content, originals)
            data = None if kept is None else encode(kept)
            self._put_draft(Draft("outcome", self.id, facts, data, usage))

    def outcome(
        self, facts: Mapping[str, Any], content: Mapping[str, Any] | None, originals: Mapping[str, str]
    ) -> None:
        """Queue the outcome, once; otherwise as `intent`."""
        if self.has_outcome:
            return
        self.has_outcome = True
        times = {name: micros / 1000 for name, micros in zip(TIMES, self.times(), strict=True)}
        core = {**facts, **times, **self._waits_told()}
        self._put(Record(type="outcome", id=self.id, core=core, content=self._kept("outcome", content, originals)))

    def _waits_told(self) -> dict[str, float]:
        """Return how long it waited for a person, and of that before the model was asked, where it did."""
        told = {"waited_ms": self._waited, "waited_before_ms": self._waited_before}
        return {name: (nanos + 500) // 1000 / 1000 for name, nanos in told.items() if nanos}

    def _kept(self, half: str, content: Content | None, originals: Mapping[str, str]) -> Content | None:
        """Return what the record keeps of a content: here, so that no way around it is left."""
        if content is None or self._keeps is None:
            return content
        try:
            return self._keeps(half, content, originals)
        except Problem as problem:
            raise RecordsDown(str(problem)) from problem

    def times(self) -> Times:
        """Return how long it took, if it ends now."""
        if self._upstream_began:
            self.upstream_ends()
        now, upstream = time.perf_counter_ns(), self._upstream_lasted
        total = now - self._began
        asked = (self._asked or now) - self._began
        added = total - upstream - self._waited
        return (
            (max(0, added) + 500) // 1000,
            (asked + 500) // 1000,
            (self._first_byte + 500) // 1000,
            (total + 500) // 1000,
            (upstream + 500) // 1000,
        )

    async def durable(self) -> None:
        """Wait until the records queued so far are as safe as the record mode asks.

        Raises:
            RecordsDown: They will never be.
        """
        if not self.is_handed_over():
            if self._is_prompt:
                self._await(self._writer.when_written)
            waits, self._waits = self._waits, []
            for wait in waits:
                await wait

    def is_handed_over(self) -> bool:
        """Whether nothing need be waited for: in record mode *prompt*, once all is with the operating system.

        Raises:
            RecordsDown: Some of it is lost.
        """
        if not self._is_prompt:
            return not self._waits
        try:
            is_handed_over = self._writer.hand_over()
        except Problem as problem:
            raise RecordsDown(str(problem)) from problem
        if self._failures not in (-1, self._writer.failures):
            raise RecordsDown("the records failed meanwhile")
        return is_handed_over

    def _put(self, record: Record) -> None:
        self._queue(partial(self._writer.put, record))

    def _put_draft(self, draft: Draft) -> None:
        if not self._is_prompt:
            self._await(partial(self._writer.put_draft, draft))
            return
        if self._failures < 0:
            self._failures = self._writer.failures
        try:
            self._writer.put_draft(draft, None)
        except Problem as problem:
            raise RecordsDown(str(problem)) from problem

    def _queue(self, put: Callable[[WhenDurable | None], None]) -> None:
        if not self._is_prompt:
            self._await(put)
            return
        if self._failures < 0:
            self._failures = self._writer.failures
        try:
            put(None)
        except Problem as problem:
            raise RecordsDown(str(problem)) from problem

    def _await(self, put: Callable[[WhenDurable], None]) -> None:
        wait: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settled(error: Exception | None) -> None:
            if wait.done():  # the exchange was ended meanwhile
                return
            if error is None:
                wait.set_result(None)
            else:
                wait.set_exception(RecordsDown(str(error)))
                wait.exception()  # heard even where nobody waits any more

        try:
            put(settled)
        except Problem as problem:
            raise RecordsDown(str(problem)) from problem
        self._waits.append(wait)


def verdict_facts(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a record keeps it: findings by place, never by text."""
    return {
        "done": verdict.done.value,
        "would": verdict.would.value,
        "rules": sorted({hit.rule for hit in verdict.hits}),
        "hits": hits_data(verdict.hits),
        "not_evaluated": list(verdict.not_evaluated),
        "reason": verdict.reason.as_data(),
    }


def hits_data(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return findings as JSON-ready values; the first 200, which is more than anybody reads."""
    return [
        {
            "rule": hit.rule,
            "detector": hit.detector,
            "side": hit.side.value,
            "part": hit.part,
            "start": hit.start,
            "end": hit.end,
            "would": hit.would.value,
            "done": hit.done.value,
        }
        for hit in hits[:200]
    ]


def output_verdict(policy: Policy, harness: Harness, hits: Sequence[Hit]) -> Verdict:
    """Return the verdict on an output whose findings were judged one by one as it streamed."""
    if not hits:
        return nothing_found(policy, harness.stance, Side.OUTPUT)
    found: dict[str, list[RawHit]] = {}
    for hit in hits:
        raw = RawHit(rule=hit.rule, detector=hit.detector, start=hit.start, end=hit.end)
        found.setdefault(hit.part, []).append(raw)
    return judge(policy, harness.stance, Side.OUTPUT, found)


def policy_facts(policy: Policy, harness: Harness) -> dict[str, Any]:
    """Return which policy judged, exactly."""
    return {
        "policy": policy.id,
        "policy_version": policy.version,
        "policy_digest": policy.digest,
        "stance": harness.stance.value,
        "record_mode": harness.record_mode.value,
    }


def strictest(*actions: Action) -> Action:
    """Return the strictest of several actions."""
    return max(actions, key=_weight)


_weight = attrgetter("weight")
