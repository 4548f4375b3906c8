"""Numbers for other people's monitoring, counted from the records: what is recorded is what is counted.

Nothing here is asked by an exchange, and several workers need nothing in common but the folder they write to.
"""

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from safebelt import __version__
from safebelt.rooms.belt.decide.telemetry import Told, told
from safebelt.rooms.belt.exports import prometheus
from safebelt.rooms.belt.exports.counts import MOST_SYSTEMS, Counts
from safebelt.rooms.belt.exports.prometheus import Gauge
from safebelt.rooms.belt.model.upstreams import Circuit
from safebelt.rooms.belt.records.disk import logs, path_of, segments
from safebelt.rooms.belt.records.following import Ended, Follower, end_of
from safebelt.rooms.belt.service.base import Tools
from safebelt.rooms.belt.service.exporting import Exporting
from safebelt.rooms.belt.service.upstreams import UpstreamHealth

SCRAPE_SECONDS = 1.0
"""How long one answer may read on; what is left is read by the next, and every answer says how much that is."""
_AT_ONCE = 1000


class Counting:
    """Counts what ends in all logs of a folder.

    Args:
        folder: Of the records.
        from_now: Leave out what stands there already.
    """

    def __init__(self, folder: Path, *, from_now: bool) -> None:
        self._folder, self.counts = folder, Counts()
        self._followers: dict[str, Follower] = {}
        if from_now:
            for log in logs(folder):
                self._followers[log] = Follower(folder, log=log, cursor=end_of(folder, log))

    def read_on(self, seconds: float) -> None:
        """Count what is new, for about so long."""
        names = logs(self._folder)
        for log in names:  # each its share of the time: a busy worker must not hide a quiet one
            follower = self._followers.setdefault(log, Follower(self._folder, log=log))
            until = time.monotonic() + seconds / len(names)
            while (left := until - time.monotonic()) > 0:
                part = follower.read(_AT_ONCE, left)
                for ended in part.exchanges:
                    self.counts.add(as_told(ended))
                if part.end == follower.cursor:
                    break
                follower.cursor = part.end

    def behind_bytes(self) -> int:
        """Return how much of the records is not counted yet."""
        return sum(follower.behind_bytes() for follower in self._followers.values())


def as_told(ended: Ended) -> Told:
    """Read what other tools are told of an exchange."""
    return told(ended.id, ended.intent, ended.outcome, ended.at)


class Telemetry(Exporting, UpstreamHealth):
    """Metrics as Prometheus text."""

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._counted_since: Counting | None = None
        self._scraping = threading.Lock()

    def begin_counting(self) -> None:
        """Count from now on: called by a process that will be asked for its metrics."""
        with self._scraping:
            if self._counted_since is None:
                self._counted_since = Counting(self._t.records, from_now=True)

    def metrics(self) -> str:
        """Return what ended since this process began counting, and how things stand.

        An answer takes about `SCRAPE_SECONDS` at most; two at once wait for one another.
        """
        self.begin_counting()
        with self._scraping:
            counting = self._counted_since
            assert counting is not None  # noqa: S101  begun just now
            counting.read_on(SCRAPE_SECONDS)
            return prometheus.text(counting.counts, self._gauges(counting.behind_bytes()))

    def metrics_of_all(self) -> str:
        """Return the same over all records that are kept, however long that takes."""
        counting = Counting(self._t.records, from_now=False)
        counting.read_on(float("inf"))
        return prometheus.text(counting.counts, self._gauges(counting.behind_bytes()))

    def _gauges(self, behind: int) -> list[Gauge]:
        now = self.state()
        held = [("", now.everything), *sorted(now.systems.items())[:MOST_SYSTEMS]]
        return [
            Gauge("safebelt_info", "Which version answers.", [({"version": __version__}, 1)]),
            Gauge("safebelt_belt_alive", "Whether a belt gave a sign of life within two seconds.", _one(now.is_alive)),
            Gauge(
                "safebelt_worker_alive",
                "Whether a process of the belt gave a sign of life within two seconds.",
                [({"worker": str(worker.number)}, int(worker.is_alive)) for worker in now.workers],
            ),
            Gauge(
                "safebelt_order",
                "The order in force for a system, or `model:`, `tool:`, `key:`; empty for all.",
                [({"system": system, "command": holds.command.value}, 1) for system, holds in held],
            ),
            Gauge("safebelt_orders_waiting", "Orders that not every worker has carried out.", _one(len(now.waiting))),
            Gauge(
                "safebelt_records_written_timestamp_seconds",
                "When each log of the records was last written to.",
                [({"log": log or "w1"}, at) for log, at in self._written().items()],
            ),
            Gauge("safebelt_metrics_behind_bytes", "Records that are not counted here yet.", _one(behind)),
            *self._upstream_gauges(),
            *self._export_gauges(),
        ]

    def _upstream_gauges(self) -> list[Gauge]:
        """Return how every worker sees every upstream: counts begin with the worker."""
        seen, now = self.upstreams_seen()[0], self._t.clock()
        named = [({"upstream": one.upstream, "version": one.version, "worker": str(one.worker)}, one) for one in seen]
        return [
            Gauge(
                "safebelt_upstream_resting",
                "Whether a worker leaves an upstream alone for a while.",
                [(labels, int(one.circuit(now) is not Circuit.CLOSED)) for labels, one in named],
            ),
            Gauge(
                "safebelt_upstream_failures_total",
                "How often an upstream failed a worker.",
                [(labels, one.failures) for labels, one in named],
                "counter",
            ),
            Gauge(
                "safebelt_upstream_taken_over_total",
                "How often an upstream was asked after another had failed.",
                [(labels, one.taken_over) for labels, one in named],
                "counter",
            ),
        ]

    def _export_gauges(self) -> list[Gauge]:
        if self._t.collector is None:
            return []
        sent = self.exported()
        return [
            Gauge("safebelt_otlp_behind_bytes", "Records not sent to the collector yet.", _one(self.unsent_bytes())),
            Gauge(
                "safebelt_otlp_exchanges_total",
                "Exchanges sent to the collector, and left out because it refuses them.",
                [({"taken": "yes"}, sent.sent), ({"taken": "no"}, sent.skipped)],
                "counter",
            ),
            Gauge("safebelt_otlp_rejected_total", "Spans the collector left out.", _one(sent.rejected), "counter"),
        ]

    def _written(self) -> dict[str, float]:
        newest = {log: segments(self._t.records, log)[-1:] for log in logs(self._t.records)}
        return {log: path_of(self._t.records, name).stat().st_mtime for log, names in newest.items() for name in names}


def _one(value: float) -> list[tuple[Mapping[str, str], float]]:
    return [({}, int(value))]
