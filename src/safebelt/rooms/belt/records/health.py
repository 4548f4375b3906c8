"""How the records are, as the console shows it."""

from dataclasses import dataclass
from enum import StrEnum

from safebelt.kernel.errors import Problem


class Health(StrEnum):
    """Ok; lagging (records wait, none is lost); failed (nothing can be written, traffic is refused); closed."""

    OK = "ok"
    LAGGING = "lagging"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the console shows of the records.

    Attributes:
        health: See `Health`.
        problem: Why they failed and what to do; None while they have not.
        queued: How many records wait.
        last_sync_ms: How long the last write and sync took.
        segment, size: The open segment and its records; empty and 0 where none is open.
        heads: How many signed heads there are.
        seals_waiting: Finished segments the ledger has not taken yet.
    """

    health: Health
    problem: Problem | None
    queued: int
    last_sync_ms: float
    segment: str
    size: int
    heads: int
    seals_waiting: int
