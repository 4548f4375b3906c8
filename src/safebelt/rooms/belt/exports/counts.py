"""Counters and histograms of ended exchanges, with a bound on how many series they can become."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from safebelt.rooms.belt.decide.telemetry import COMPLETE, OTHER, Told, status_class

MOST_SYSTEMS, MOST_MODELS, MOST_RULES = 100, 50, 500
"""Names with series of their own, in the order they come; the rest are *other*.  A monitoring system keeps every series
it ever saw, and callers choose models' names: one counts only once an exchange with it has completed."""
MOST_SERIES = 4000
"""Of one metric, whatever its labels; past it exchanges are counted under *other* in all of them."""
DURATION = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Boundaries the conventions give for `gen_ai.server.request.duration` and `gen_ai.server.time_to_first_token`."""
ADDED = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
"""The belt's own part is a millisecond or two; a scan of a long text takes tens, a held call's wait is the person's."""

Labels = tuple[str, ...]


class Metric(NamedTuple):
    """What is counted, under both its names.

    Attributes:
        name: In OpenTelemetry.
        text: In Prometheus.
        unit: UCUM.
        help: One sentence.
        labels: Names of the labels, in OpenTelemetry and in Prometheus.
        bounds: Of a histogram's buckets, ascending; empty for a counter.
    """

    name: str
    text: str
    unit: str
    help: str
    labels: tuple[tuple[str, str], ...]
    bounds: tuple[float, ...] = ()


_SYSTEM = ("safebelt.system", "system")
_KIND = (("gen_ai.operation.name", "operation"), ("gen_ai.provider.name", "provider"))
EXCHANGES = Metric(
    "safebelt.exchanges",
    "safebelt_exchanges_total",
    "{exchange}",
    "Exchanges whose outcome is on record.",
    (
        _SYSTEM,
        ("http.route", "endpoint"),
        ("safebelt.verdict.done", "done"),
        ("safebelt.verdict.would", "would"),
        ("safebelt.status_class", "status"),
        ("safebelt.finish", "finish"),
    ),
)
HITS = Metric(
    "safebelt.rule.hits",
    "safebelt_rule_hits_total",
    "{exchange}",
    "Exchanges in which a rule hit.",
    (("safebelt.rule", "rule"),),
)
TOKENS = Metric(
    "safebelt.tokens",
    "safebelt_tokens_total",
    "{token}",
    "Tokens by the upstream's own count; what no upstream counted is not here.",
    (_SYSTEM, ("gen_ai.request.model", "model"), ("gen_ai.token.type", "type")),
)
REQUEST_SECONDS = Metric(
    "gen_ai.server.request.duration",
    "gen_ai_server_request_duration_seconds",
    "s",
    "Whole duration of an exchange, as the belt saw it.",
    _KIND,
    DURATION,
)
FIRST_SECONDS = Metric(
    "gen_ai.server.time_to_first_token",
    "gen_ai_server_time_to_first_token_seconds",
    "s",
    "Until the model's first byte, of completed streams.",
    _KIND,
    FIRST,
)
ADDED_SECONDS = Metric(
    "safebelt.added.duration",
    "safebelt_added_seconds",
    "s",
    "The belt's own part of an exchange's duration.",
    _KIND,
    ADDED,
)


class Histogram:
    """Counts per bucket, the last one open above."""

    __slots__ = ("buckets", "count", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.buckets, self.count, self.total = [0] * (len(bounds) + 1), 0, 0.0

    def add(self, bounds: Sequence[float], value: float) -> None:
        """Count a value; a bucket ends with its boundary."""
        self.buckets[bisect_left(bounds, value)] += 1
        self.count += 1
        self.total += value


class Counts:
    """What exchanges come to.

    Attributes:
        counters, histograms: Values by metric and labels.
    """

    def __init__(self) -> None:
        self.counters: dict[Metric, dict[Labels, int]] = {metric: {} for metric in (EXCHANGES, HITS, TOKENS)}
        self.histograms: dict[Metric, dict[Labels, Histogram]] = {
            metric: {} for metric in (REQUEST_SECONDS, FIRST_SECONDS, ADDED_SECONDS)
        }
        self._systems, self._models, self._rules = set[str](), set[str](), set[str]()

    def add(self, told: Told) -> None:
        """Count one exchange."""
        system = _named(told.system, self._systems, MOST_SYSTEMS)
        status = status_class(told.status)
        self._count(EXCHANGES, (system, told.endpoint, told.done, told.would, status, told.finish), 1)
        for rule in told.rules:
            self._count(HITS, (_named(rule, self._rules, MOST_RULES),), 1)
        is_complete = told.finish == COMPLETE
        model = _named(told.model, self._models, MOST_MODELS if is_complete else 0)
        for kind, tokens in (("input", told.tokens_in), ("output", told.tokens_out)):
            if tokens is not None:
                self._count(TOKENS, (system, model, kind), tokens)
        if told.total_ms:
            self._time(REQUEST_SECONDS, told, told.total_ms)
            self._time(ADDED_SECONDS, told, told.added_ms)
        if told.is_stream and is_complete and told.first_byte_ms:
            self._time(FIRST_SECONDS, told, told.first_byte_ms)

    def _count(self, metric: Metric, labels: Labels, by: int) -> None:
        series = self.counters[metric]
        if labels not in series and len(series) >= MOST_SERIES:
            labels = (OTHER,) * len(labels)
        series[labels] = series.get(labels, 0) + by

    def _time(self, metric: Metric, told: Told, ms: float) -> None:
        labels = (told.operation, told.provider)  # a dozen of them: `told` knows no others
        found = self.histograms[metric].get(labels)
        if found is None:
            found = self.histograms[metric][labels] = Histogram(metric.bounds)
        found.add(metric.bounds, ms / 1000)


def named(metric: Metric, labels: Labels, *, is_text: bool) -> Mapping[str, str]:
    """Return labels by name, in Prometheus or in OpenTelemetry."""
    return {names[is_text]: value for names, value in zip(metric.labels, labels, strict=True)}


def _named(name: str, known: set[str], most: int) -> str:
    if name in known or not name:
        return name
    if len(known) >= most:
        return OTHER
    known.add(name)
    return name
