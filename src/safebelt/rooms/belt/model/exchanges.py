"""Words of traffic: an exchange as it is listed, and the records of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from safebelt.rooms.belt.model.screening import Action
from safebelt.rooms.belt.model.unguarded import UNGUARDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One exchange as search and the console list it; the full record is in its segment.

    Attributes:
        id: `rec_…`.
        at: When it came in.
        system_id, key_id: Whose it is.
        endpoint: For example `/v1/chat/completions`.
        model: Name the caller asked for.
        is_stream: Whether the answer was streamed.
        done, would: Strictest action over both sides.
        rules: Ids of the rules that hit.
        status: HTTP status given to the caller; 0 while under way.
        finish: `complete`, `refused`, `cut`, `upstream_error`, `records_failed`, `belt_error`, `client_gone`, `lost`
            (no outcome was ever written), or empty while under way.
        total_ms, added_ms: Whole duration, and the belt's own part of it, without what it waited for a person.
        segment, offset: Where the record stands.
        tokens: What it used, by the upstream's own count, or estimated.
        is_estimated: Whether no upstream counted.
        ended_at: When the outcome was written; None while under way.
        is_unguarded: Whether it passed because a policy names its path, and nobody screened it.
    """

    id: str
    at: datetime
    system_id: str
    key_id: str
    endpoint: str
    model: str
    is_stream: bool
    done: Action
    would: Action
    rules: tuple[str, ...]
    status: int
    finish: str
    total_ms: float
    added_ms: float
    segment: str
    offset: int
    tokens: int = 0
    is_estimated: bool = False
    ended_at: datetime | None = None
    is_unguarded: bool = False

    @property
    def shown(self) -> str:
        """What is shown of it first: what was done, or that nothing was looked at."""
        return UNGUARDED if self.is_unguarded else self.done.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A line of a segment: `core` is chained and proven, `content` is personal, bound by a salted digest, erasable.

    Attributes:
        type: `intent` (before the first reply byte), `outcome` (before the last), or `note` (recovery and the like).
        id: `rec_…`; intent and outcome of one exchange share it.
        core: JSON-ready public facts.
        content: Masked texts, or None where erased or none.
    """

    type: str
    id: str
    core: Mapping[str, Any]
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How far an OpenTelemetry collector has been told.

    Attributes:
        places: Segment and offset behind what is over, by log.
        sent, skipped: Exchanges it took, and those of batches it refuses.
        rejected: Spans it left out of batches it took.
    """

    places: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    sent: int = 0
    skipped: int = 0
    rejected: int = 0
