"""Counts what each key uses, in memory: a request when it is let in, tokens when its outcome is recorded.

What it starts with is counted from the records, so that neither a restart nor `kill -9` gives anything back.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from safebelt.engines.clock import Clock
from safebelt.rooms.belt.decide.quotas import SPANS, begun, counted, estimated, over_at, spent, texts_of
from safebelt.rooms.belt.model import Record, Span, Usage, Used
from safebelt.rooms.belt.proxy.picked import read_intent, read_outcome, read_usage
from safebelt.rooms.belt.records.acks import WhenDurable
from safebelt.rooms.belt.records.draft import Draft

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MAX_OPEN = 100_000
"""Exchanges under way that are remembered: far more than connections, and a bound should an outcome never come."""
_MAX_KNOWN = 4096
"""Facts of intents whose key is remembered, and figures that were added up: the same bytes come again and again."""
_MAX_USAGE = 512
"""Figures of more bytes are added up each time."""


class _Open:
    """An exchange under way: whose it is, and what was asked, estimated.

    Of a draft, which is small, its content: that is read only where no upstream counts.
    """

    __slots__ = ("asked", "key_id")

    def __init__(self, key_id: str, asked: int | bytes) -> None:
        self.key_id, self.asked = key_id, asked


_NOBODY = _Open("", 0)


class Tally:
    """What one key used in the current minute, hour, day and month.

    Attributes:
        until: When the minute ends: `roll` it then.
    """

    __slots__ = ("_counts", "_ends", "until")

    def __init__(self) -> None:
        self._counts = [[0, 0, 0] for _ in SPANS]
        self._ends: list[datetime] = [_LONG_AGO for _ in SPANS]
        self.until = _LONG_AGO

    def roll(self, now: datetime) -> None:
        """Begin the spans anew whose time is over."""
        for place, span in enumerate(SPANS):
            if self._ends[place] <= now:
                self._counts[place], self._ends[place] = [0, 0, 0], over_at(span, now)
        self.until = self._ends[0]

    def add_request(self) -> None:
        """Count a request in every span."""
        for counts in self._counts:
            counts[0] += 1

    def add_tokens(self, tokens: int, estimated_tokens: int) -> None:
        """Count tokens in every span."""
        for counts in self._counts:
            counts[1] += tokens
            counts[2] += estimated_tokens

    def put(self, span: Span, used: Used) -> None:
        """Take over what was counted elsewhere."""
        self._counts[SPANS.index(span)] = [*used]

    def used(self, span: Span) -> Used:
        """Return what was used in the current span of a kind."""
        return Used(*self._counts[SPANS.index(span)])


class Meter:
    """Counts for every key, whether it has limits or not: a limit may be set at any time."""

    def __init__(self) -> None:
        self._tallies: dict[str, Tally] = {}

    def of(self, key_id: str, now: datetime) -> Tally:
        """Return a key's tally as of now."""
        tally = self._tallies.get(key_id)
        if tally is None:
            tally = self._tallies[key_id] = Tally()
        if now >= tally.until:
            tally.roll(now)
        return tally

    def restore(self, usages: Iterable[Usage], now: datetime) -> None:
        """Start with what the records say."""
        for usage in usages:
            tally = self.of(usage.key_id, now)
            for span, used in usage.used.items():
                if usage.since[span] == begun(span, now):  # else that span ended while it was being counted
                    tally.put(span, used)


class Recorder(Protocol):
    """What is needed of the records' writer."""

    @property
    def failures(self) -> int:
        """How often the records failed."""
        ...

    def put(self, record: Record, when_durable: WhenDurable | None) -> None:
        """Queue a record; the callback runs on the event loop."""

    def put_draft(self, draft: Draft, when_durable: WhenDurable | None) -> None:
        """Queue a record that is JSON already."""

    def when_written(self, callback: WhenDurable) -> None:
        """Have something called on the event loop once all that was put is with the operating system."""

    def hand_over(self) -> bool:
        """Write what was put without a sync; say whether that could be done now."""
        ...


class Metered:
    """The records' writer, which counts what passes through it.

    Args:
        writer: Where records go.
        meter: What counts.
        clock: Time.
    """

    def __init__(self, writer: Recorder, meter: Meter, clock: Clock) -> None:
        self._writer, self._meter, self._clock = writer, meter, clock
        self._open: dict[str, _Open] = {}
        self._known: dict[bytes, str] = {}
        self._counted: dict[bytes, int] = {}

    @property
    def failures(self) -> int:
        """How often the records failed."""
        return self._writer.failures

    def when_written(self, callback: WhenDurable) -> None:
        """Have something called on the event loop once all that was put is with the operating system."""
        self._writer.when_written(callback)

    def hand_over(self) -> bool:
        """Write what was put without a sync; say whether that could be done now."""
        return self._writer.hand_over()

    def put(self, record: Record, when_durable: WhenDurable | None) -> None:
        """Queue a record; the callback runs on the event loop."""
        self._writer.put(record, when_durable)
        if record.type == "intent":
            self._begun(record.id, _Open(str(record.core.get("key_id", "")), _guessed(record.content)))
        elif record.type == "outcome":
            self._settle(record.id, record.core, record.content)

    def put_draft(self, draft: Draft, when_durable: WhenDurable | None) -> None:
        """Queue a record that is JSON already."""
        self._writer.put_draft(draft, when_durable)
        if draft.type == "intent":
            self._begun(draft.id, _Open(self._key_of(draft.facts), draft.data or 0))
        elif draft.type == "outcome":
            self._settle(draft.id, draft.facts, draft.data, draft.usage)

    def _key_of(self, facts: bytes) -> str:
        key_id = self._known.get(facts)
        if key_id is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            key_id = self._known[facts] = read_intent(facts).key_id
        return key_id

    def _begun(self, id_: str, what: _Open) -> None:
        if len(self._open) >= _MAX_OPEN:
            self._open.clear()
        self._open[id_] = what

    def _tokens_in(self, usage: bytes) -> int:
        """Return the tokens of an upstream's own figures, 0 where they say nothing; most were said before."""
        known = self._counted.get(usage)
        if known is not None:
            return known
        tokens = counted(read_usage(usage)) or 0
        if len(usage) <= _MAX_USAGE:
            if len(self._counted) >= _MAX_KNOWN:
                self._counted.clear()
            self._counted[usage] = tokens
        return tokens

    def _settle(
        self,
        id_: str,
        facts: Mapping[str, Any] | bytes,
        said: Mapping[str, Any] | bytes | None,
        usage: bytes | None = None,
    ) -> None:
        began = self._open.pop(id_, _NOBODY)
        key_id, asked = began.key_id, began.asked
        if not key_id:
            return
        if usage is not None and (known := self._tokens_in(usage)):
            self._meter.of(key_id, self._clock()).add_tokens(known, 0)
            return
        if isinstance(facts, bytes):
            outcome = read_outcome(facts)
            if tokens := counted(outcome.usage):
                self._meter.of(key_id, self._clock()).add_tokens(tokens, 0)
                return
            facts = {"finish": outcome.finish}
        tokens, is_estimated = spent(lambda: _guessed(asked), facts, lambda: _guessed(said))
        if tokens:
            self._meter.of(key_id, self._clock()).add_tokens(tokens, tokens if is_estimated else 0)


def _guessed(content: Mapping[str, Any] | bytes | int | None) -> int:
    if isinstance(content, int):
        return content
    return estimated(texts_of(msgspec.json.decode(content) if isinstance(content, bytes) else content))
