"""Bring ended exchanges to an OpenTelemetry collector: at least once, in order, and never in an exchange's way.

The cursor moves only when a batch is over, so a collector that is down costs nothing but time; what is sent again has
the same ids.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa
import structlog

from safebelt import __version__
from safebelt.engines.sql import upsert
from safebelt.rooms.belt import store
from safebelt.rooms.belt.decide.telemetry import told
from safebelt.rooms.belt.exports import otlp
from safebelt.rooms.belt.exports.collector import Answered, Collector, Taken
from safebelt.rooms.belt.exports.counts import Counts
from safebelt.rooms.belt.model.exchanges import Exported
from safebelt.rooms.belt.records.disk import logs
from safebelt.rooms.belt.records.following import START, Follower, end_of
from safebelt.rooms.belt.service.base import Chapter, Tools

BATCH = 250
"""Exchanges a request: at most 500 spans, some 500 KB."""
_STEP_SECONDS = 5.0
"""How long one turn may send: a process that is told to end waits for the turn."""
_READ_SECONDS = 1.0
METRICS_SECONDS = 10.0
"""Between two requests with metrics."""
_NAME = "otlp"

_log = structlog.get_logger("safebelt.belt")


class _OvertakenError(Exception):
    """Another process sent the same first."""


class Exporting(Chapter):
    """Sends spans and metrics by OTLP."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._followed: dict[str, Follower] = {}
        self._sums, self._since_ns, self._metrics_due, self._complained = Counts(), 0, 0.0, set[str]()

    def export(self) -> int:
        """Send what ended since the last time; return how many exchanges were sent.  Called every moment by a job.

        Raises:
            Unavailable: The collector does not answer or asks to wait; the same is sent again later.
        """
        collector = self._t.collector
        if collector is None:
            return 0
        if not self._since_ns:
            self._since_ns = _ns(self._t.clock())
        before, names = self._begun(), logs(self._t.records)
        try:
            for log in names:  # each its share of the time: a busy worker must not hide a quiet one
                until = time.monotonic() + _STEP_SECONDS / len(names)
                while time.monotonic() < until and self._send_part(collector, log):
                    pass
        except _OvertakenError:
            self._followed.clear()
        self._send_metrics(collector)
        return self.exported().sent - before.sent

    def exported(self) -> Exported:
        """Return how far the collector has been told."""
        with self._t.sql.read() as tx:
            return _read(tx) or Exported()

    def unsent_bytes(self) -> int:
        """Return how much of the records the collector has not been told of."""
        now, folder = self.exported(), self._t.records
        followers = (Follower(folder, log=log, cursor=now.places.get(log, START)) for log in logs(folder))
        return sum(follower.behind_bytes() for follower in followers)

    def _begun(self) -> Exported:
        """Return where to go on; the first time that is behind what stands there: years of records are no news."""
        with self._t.sql.read() as tx:
            if (known := _read(tx)) is not None:
                return known
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_cursor")
            if (known := _read(tx)) is not None:
                return known
            first = Exported(places={log: end_of(self._t.records, log) for log in logs(self._t.records)})
            _write(tx, first)
        _log.info("belt.otlp_begins", logs=len(first.places))
        return first

    def _send_part(self, collector: Collector, log: str) -> bool:
        """Send one batch of a log; return whether there was anything to read."""
        place = self.exported().places.get(log, START)
        follower = self._followed.setdefault(log, Follower(self._t.records, log=log))
        follower.cursor = place
        part = follower.read(BATCH, _READ_SECONDS)
        if part.end == place:
            return False
        batch = [told(each.id, each.intent, each.outcome, each.at) for each in part.exchanges]
        answered = Answered(Taken.WHOLE)
        if batch:
            answered = collector.send_traces(otlp.traces(batch, self._resource()))
            self._complain(answered, "traces", len(batch))

        def moved(now: Exported) -> Exported:
            if now.places.get(log, START) != place:
                raise _OvertakenError
            is_refused = answered.taken is Taken.REFUSED
            return replace(
                now,
                places={**now.places, log: part.end},
                sent=now.sent + (0 if is_refused else len(batch)),
                skipped=now.skipped + (len(batch) if is_refused else 0),
                rejected=now.rejected + answered.rejected,
            )

        self._move(moved)
        for each in batch:
            self._sums.add(each)
        return True

    def _move(self, moved: Callable[[Exported], Exported]) -> None:
        with self._t.sql.begin() as tx:
            self._t.sql.exclusive(tx, "belt_cursor")
            _write(tx, moved(_read(tx) or Exported()))

    def _send_metrics(self, collector: Collector) -> None:
        """Send what this process has counted: cumulative, so that one that is lost is made good by the next."""
        if time.monotonic() < self._metrics_due:
            return
        self._metrics_due = time.monotonic() + METRICS_SECONDS
        request = otlp.metrics(self._sums, self._resource(), self._since_ns, _ns(self._t.clock()))
        if request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]:
            self._complain(collector.send_metrics(request), "metrics", 1)

    def _complain(self, answered: Answered, what: str, count: int) -> None:
        """Say once why a collector leaves things out; how many is counted."""
        if answered.taken is Taken.WHOLE or (kind := f"{what} {answered.taken} {answered.said}") in self._complained:
            return
        if len(self._complained) < 100:  # its words are foreign: no memory for ever new ones
            self._complained.add(kind)
            _log.warning("belt.otlp_left_out", what=what, taken=answered.taken, said=answered.said, batch=count)

    def _resource(self) -> dict[str, str]:
        return {
            "service.name": "safebelt",
            "service.version": __version__,
            "service.instance.id": self._t.log_origin,
        }


def _read(tx: sa.Connection) -> Exported | None:
    value = tx.execute(sa.select(store.cursor.c.value).where(store.cursor.c.name == _NAME)).scalar()
    return None if value is None else msgspec.json.decode(value, type=Exported)


def _write(tx: sa.Connection, value: Exported) -> None:
    upsert(tx, store.cursor, {"name": _NAME, "value": msgspec.json.encode(value).decode()}, ["name"])


def _ns(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1e6) * 1000
