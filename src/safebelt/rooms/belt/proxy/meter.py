"""Counts what each key uses, in memory: a request when it is let in, tokens when its outcome is recorded.

What it starts with is counted from the records, so that neither a restart nor `kill -9` gives anything back.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from safebelt.engines.clock import Clock
from safebelt.rooms.belt.decide.quotas import SPANS, begun, estimated, over_at, spent, texts_of
from safebelt.rooms.belt.model import Record, Span, Usage, Used
from safebelt.rooms.belt.proxy.recording import Recorder
from safebelt.rooms.belt.records.acks import WhenDurable

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_MAX_OPEN = 100_000
"""Exchanges under way that are remembered: far more than connections, and a bound should an outcome never come."""


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


class Metered:
    """The records' writer, which counts what passes through it.

    Args:
        writer: Where records go.
        meter: What counts.
        clock: Time.
    """

    def __init__(self, writer: Recorder, meter: Meter, clock: Clock) -> None:
        self._writer, self._meter, self._clock = writer, meter, clock
        self._open: dict[str, tuple[str, int]] = {}

    @property
    def failures(self) -> int:
        """How often the records failed."""
        return self._writer.failures

    def when_durable(self, callback: WhenDurable) -> None:
        """Have something called on the event loop once all that was put is durable."""
        self._writer.when_durable(callback)

    def hand_over(self) -> bool:
        """Write what was put without a sync; say whether that could be done now."""
        return self._writer.hand_over()

    def put(self, record: Record, when_durable: WhenDurable | None) -> None:
        """Queue a record; the callback runs on the event loop."""
        self._writer.put(record, when_durable)
        if record.type == "intent":
            if len(self._open) >= _MAX_OPEN:
                self._open.clear()
            self._open[record.id] = str(record.core.get("key_id", "")), estimated(texts_of(record.content))
        elif record.type == "outcome":
            self._settle(record.id, record.core, record.content)

    def _settle(self, id_: str, facts: Mapping[str, object], said: Mapping[str, object] | None) -> None:
        key_id, asked = self._open.pop(id_, ("", 0))
        if not key_id:
            return
        tokens, is_estimated = spent(asked, facts, said)
        if tokens:
            self._meter.of(key_id, self._clock()).add_tokens(tokens, tokens if is_estimated else 0)
