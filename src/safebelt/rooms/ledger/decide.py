"""Judgments of the ledger: what an entry commits to, and RFC 6962 hashing."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from safebelt.kernel.actors import Actor
from safebelt.kernel.events import Event


def leaf_hash(body: bytes) -> bytes:
    """Return the RFC 6962 hash of one leaf."""
    return sha256(b"\x00" + body).digest()


def entry_body(*, entry_id: str, at: datetime, by: Actor, event: Event, commitment: str | None) -> Mapping[str, Any]:
    """Return what the leaf commits to, before canonical encoding."""
    body: dict[str, Any] = {
        "id": entry_id,
        "at": at.isoformat(timespec="microseconds"),
        "actor": by.id,
        "door": by.door,
        "kind": event.kind,
        "subject": event.subject,
        "data": event.data(),
    }
    return body if commitment is None else {**body, "personal": commitment}
