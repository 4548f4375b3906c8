"""What the belt's service answers with: pages of exchanges, traffic, stops, what is in force, proofs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from safebelt.kernel.reasons import Reason
from safebelt.rooms.belt.control.rations import Used
from safebelt.rooms.belt.model import Command, Exchange, Order, OrderTerms, Record, StopProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The order that holds for something.

    Attributes:
        command: What is ordered; `run` where nothing is.
        order_id: By which order; empty where nobody ever ordered anything.
        system_id: For which system it was ordered; empty for all.
    """

    command: Command
    order_id: str = ""
    system_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitNow:
    """A limit that a person ordered.

    Attributes:
        target: What it is for: a system's id, `model:…`, `tool:…`, `key:…`; empty for all.
        order_id: By which order.
        terms: How much passes, and what that rests on.
        layer: Empty where this house ordered it; `bus` where it came over the command bus.
        used: How much of it is used now, on this machine; null where no belt has begun to count.
    """

    target: str
    order_id: str
    terms: OrderTerms
    layer: str = ""
    used: Used | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionNow:
    """A roll-back in force.

    Attributes:
        target: What it is for: a system's id, `model:…`, `key:…`; empty for all.
        order_id: By which order.
        terms: To which version.
        layer: Empty where this house ordered it; `bus` where it came over the command bus.
    """

    target: str
    order_id: str
    terms: OrderTerms
    layer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerNow:
    """One process of the belt.

    Attributes:
        number: Which, from one.
        pid: Its process id.
        is_alive: Whether its watcher gave a sign of life within `ALIVE_SECONDS`.
        owes: Orders it has not confirmed yet.
    """

    number: int
    pid: int
    is_alive: bool
    owes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BusNow:
    """How this machine stands to the command bus.

    Attributes:
        lease_seconds: How long it may be silent before everything stops by itself; 0 for ever.
        silent_seconds: How long ago a true message came; null where none came since the machine started.
        is_lapsed: Whether that is too long.
        ordered: What was ordered from elsewhere, for all systems.
    """

    lease_seconds: float
    silent_seconds: float | None
    is_lapsed: bool
    ordered: Holds


@dataclass(frozen=True, slots=True, kw_only=True)
class BeltNow:
    """What holds now.

    Attributes:
        everything: The order for all systems.
        systems: Systems with an order of their own that is not `run`; they stay so when all are resumed.
        waiting: Orders given that not every worker has carried out yet.
        is_alive: Whether a belt's watcher gave a sign of life within `ALIVE_SECONDS`.
        workers: The processes of the belt on this machine.
        bus: How it stands to the command bus; null where it obeys nobody elsewhere.
        limits: Limits in force.
        versions: Roll-backs in force.
    """

    everything: Holds
    systems: Mapping[str, Holds]
    waiting: tuple[Order, ...]
    is_alive: bool
    workers: tuple[WorkerNow, ...] = ()
    bus: BusNow | None = None
    limits: tuple[LimitNow, ...] = ()
    versions: tuple[VersionNow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An order and what became of it.

    Attributes:
        order: The order.
        proof: What the belt proved of it; None until it took effect.
        ordered_entry, effective_entry: Ledger entries; empty until the ledger has them.
    """

    order: Order
    proof: StopProof | None = None
    ordered_entry: str = ""
    effective_entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """One page of stops, newest first."""

    items: tuple[Stop, ...]
    count: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for among exchanges; empty fields do not narrow.

    Attributes:
        system: System id.
        text: Part of a record id, key id, rule id or model name.
        done: Strictest action taken.
        would: Strictest action the policy asked for.
        finish: How it ended; `open` for exchanges under way.
        since, until: When it came in; from inclusive, until exclusive.
    """

    system: str = ""
    text: str = ""
    done: str = ""
    would: str = ""
    finish: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of exchanges, newest first.

    Attributes:
        items: The exchanges.
        count: How many match, counted up to `MAX_COUNTED`.
        is_more: Whether more match than were counted.
        page, pages: Which page this is, of how many.
        kept_from: When the oldest record there is was written, where older ones were removed by rule; else None.
    """

    items: tuple[Exchange, ...]
    count: int
    is_more: bool
    page: int
    pages: int
    kept_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """What one minute saw: exchanges by the strictest action taken."""

    at: datetime
    by_done: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All exchanges of the minute."""
        return sum(self.by_done.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the last minutes saw.

    Attributes:
        minutes: Every minute, oldest first, those without traffic too.
        total: All exchanges.
        by_done: By the strictest action taken.
        by_would: By the strictest action the policy asked for.
        by_rule: Exchanges per rule, most first.
        added_p50_ms, added_p95_ms: The belt's own part of a finished exchange's time; None without any.
        total_p50_ms: Whole duration of a finished exchange; None without any.
        is_sampled: Whether the times are of the newest `MAX_TIMED` exchanges only.
    """

    minutes: tuple[Minute, ...]
    total: int
    by_done: Mapping[str, int]
    by_would: Mapping[str, int]
    by_rule: tuple[tuple[str, int], ...]
    added_p50_ms: float | None
    added_p95_ms: float | None
    total_p50_ms: float | None
    is_sampled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """One exchange in full.

    Attributes:
        exchange: As it is listed.
        intent, outcome: Its records; None where none is there (an outcome, while it is under way).
        reasons: Why, one per side that was screened.
        sealed_entry: Ledger entry with the root of its segment; empty until the segment is sealed.
    """

    exchange: Exchange
    intent: Record | None
    outcome: Record | None
    reasons: tuple[Reason, ...]
    sealed_entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A finished segment and the ledger entry that carries its root.

    Attributes:
        removed_at: When it was removed because it was too old; None while it is there.
        removed_entry: The ledger entry that says so.
    """

    segment: str
    records: int
    root: str
    sealed_at: datetime
    entry_id: str
    removed_at: datetime | None = None
    removed_entry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A self-contained proof that a record stands in a signed head.

    Attributes:
        record_id: Whose proof it is.
        text: The C2SP tlog-proof.
        segment: In which segment.
        sealed_entry: Ledger entry that carries the segment's root; empty until it is sealed.
    """

    record_id: str
    text: str
    segment: str
    sealed_entry: str = ""
