"""Words of the model's side: how each upstream stands, and where the time of exchanges went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Circuit(StrEnum):
    """Whether an upstream is asked: yes; once, to see; not now."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamSeen:
    """How one worker sees one upstream; what is counted is counted since that worker began.

    Attributes:
        worker: Number of the worker; 0 before it is known.
        upstream: Host and port.
        version: Name of the earlier version it serves; empty for those that are asked usually.
        in_a_row: Failures since it last answered.
        until: Until when it rests; null where it does not.
        failures, rests: How often it failed, and how often it was left alone for a while.
        taken_over: How often it was asked in the same exchange after another had failed.
        asked_again: How often it had just closed a kept connection, and was asked again over a fresh one.
        none_left: How often it and all beside it rested, and a caller was refused.
        failed_at, failed_how: When and how it failed last; null and empty where it never did.
    """

    upstream: str
    version: str = ""
    worker: int = 0
    in_a_row: int = 0
    until: datetime | None = None
    failures: int = 0
    rests: int = 0
    taken_over: int = 0
    asked_again: int = 0
    none_left: int = 0
    failed_at: datetime | None = None
    failed_how: str = ""

    def circuit(self, now: datetime) -> Circuit:
        """Return whether it is asked at a moment."""
        if self.until is None:
            return Circuit.CLOSED
        return Circuit.OPEN if now < self.until else Circuit.HALF_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamNow:
    """How an upstream stands, over all workers of this machine.

    Attributes:
        upstream, version: As of `UpstreamSeen`.
        circuits: How many workers see it closed, half open, open.
        failures, rests, taken_over, asked_again, none_left: Sums.
        failed_at, failed_how: The newest failure.
        until: When the first worker tries it again; null where none rests it.
        seen: Worker by worker.
    """

    upstream: str
    version: str
    circuits: Mapping[Circuit, int]
    failures: int
    rests: int
    taken_over: int
    asked_again: int
    none_left: int
    failed_at: datetime | None
    failed_how: str
    until: datetime | None
    seen: tuple[UpstreamSeen, ...]

    @property
    def worst(self) -> Circuit:
        """The strictest that any worker sees."""
        return next(one for one in (Circuit.OPEN, Circuit.HALF_OPEN, Circuit.CLOSED) if self.circuits.get(one))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Half of the values are no more than the first, 95 % no more than the second; milliseconds."""

    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Where the time went, of exchanges that one upstream answered with one model.

    Attributes:
        upstream, model: Which; *other* for all that are beyond what is listed.
        exchanges, streams: How many, and how many of them were streamed.
        broken: How many of them ended with an error of the upstream.
        total, added: In all, and the belt's own.
        before, upstream_part, after: Until the model was asked; the model; after it.
        first_byte: Until the model's first byte; null where no stream says it.
        middle, slow: Mean split of the fifth around the median, and of the slowest twentieth, by part.
    """

    upstream: str
    model: str
    exchanges: int
    streams: int
    broken: int
    total: Spread
    added: Spread
    before: Spread
    upstream_part: Spread
    after: Spread
    first_byte: Spread | None
    middle: Mapping[str, float]
    slow: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamsNow:
    """How the model's side stands.

    Attributes:
        at: When.
        workers, told: Processes of the belt at work on this machine, and how many of them told how their upstreams are.
        upstreams: In order of preference; those of earlier versions last.
        minutes: Of how long the times are.
        read, unread: Exchanges whose times were read, and whose records could not be.
        is_capped: Whether only the newest were read.
        unanswered: Exchanges that no upstream answered, by how they ended.
        times: By upstream and model, most exchanges first.
    """

    at: datetime
    workers: int
    told: int
    upstreams: tuple[UpstreamNow, ...]
    minutes: int
    read: int
    unread: int
    is_capped: bool
    unanswered: Mapping[str, int]
    times: tuple[Timed, ...]
