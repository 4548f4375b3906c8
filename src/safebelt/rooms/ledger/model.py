"""Words of the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One remembered event.

    Attributes:
        id: `ent_…`.
        index: Zero-based place in the log; None until sequenced.
        at: When it was appended.
        actor: Pseudonymous id of who acted.
        kind: Event kind, `room.what_happened.vN`.
        subject: Id of what it is about.
        data: The public fields of the event.
        body: RFC 8785 bytes that the leaf hash commits to.
        personal: Personal fields, or None where there are none or they were erased.
        is_erased: Whether personal fields existed and were erased.
    """

    id: str
    index: int | None
    at: datetime
    actor: str
    kind: str
    subject: str
    data: Mapping[str, Any]
    body: bytes
    personal: Mapping[str, str] | None = None
    is_erased: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed tree head (C2SP tlog-checkpoint).

    Attributes:
        origin: Name of the log.
        size: How many entries it commits to.
        root: RFC 6962 root hash, 32 bytes.
        note: The signed note, exactly as published.
    """

    origin: str
    size: int
    root: bytes
    note: str
