"""Words of keys: who calls, for what, how much, and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Measure(StrEnum):
    """What a limit counts."""

    REQUESTS = "requests"
    TOKENS = "tokens"


class Span(StrEnum):
    """In which time it counts: whole minutes, hours, days and months, UTC."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


SCOPES = (
    "chat",
    "completions",
    "messages",
    "responses",
    "embeddings",
    "moderations",
    "images",
    "audio",
    "videos",
    "models",
    "mcp",
    "unguarded",
)
"""What a key can be used for: the first word of a path under `/v1`, and `mcp` for every MCP server; one alone is
`mcp:<name>`.  `unguarded` is what a policy lets pass without screening, whatever its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many of one thing in one span of time."""

    measure: Measure
    span: Span
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """What a key is for and how much it may do; everything left out is open or unknown.

    Attributes:
        caller: Who uses it: a team, a program, a customer.
        scopes: What it may be used for; empty for everything.
        limits: Quotas, at most one of each measure and span.
        purpose, user_class, region, data_class: What is known of every request with it; empty is *unknown*.
        minor: Whether minors use it: every request is then in minors' mode.
    """

    caller: str = ""
    scopes: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    purpose: str = ""
    user_class: str = ""
    region: str = ""
    data_class: str = ""
    minor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A caller's key.  Only its SHA-256 is kept; the key itself is shown once.

    Attributes:
        expires_at: From when it is dead; None for never.
        replaced_by: The key that a rotation put in its place; empty for none.
        terms: What it is for.
        version: For optimistic locking.
    """

    id: str
    system_id: str
    name: str
    digest: str
    created_at: datetime
    revoked_at: datetime | None = None
    expires_at: datetime | None = None
    replaced_by: str = ""
    terms: KeyTerms = field(default_factory=KeyTerms)
    version: int = 1


class Used(NamedTuple):
    """What was used in one span of time.

    Attributes:
        requests: Exchanges.
        tokens: Tokens, estimated ones included.
        estimated: Those of them that no upstream counted.
    """

    requests: int = 0
    tokens: int = 0
    estimated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a key used in the current span of each kind.

    Attributes:
        key_id: Whose.
        since: When each span began.
        used: What was used in it.
    """

    key_id: str
    since: Mapping[Span, datetime] = field(default_factory=dict)
    used: Mapping[Span, Used] = field(default_factory=dict)
