"""Deeds of the ledger; and what needs no ledger at all: checking proofs, and watching another log."""

from safebelt.rooms.ledger.service.checking import (
    Judged,
    check,
    check_consistency,
    check_evidence,
    opener,
    read_keys,
    read_policy,
    witnesses_of,
)
from safebelt.rooms.ledger.service.elsewhere import real_client
from safebelt.rooms.ledger.service.ledger import MAX_PAGE, Ledger, Peers
from safebelt.rooms.ledger.service.monitoring import Monitor
from safebelt.rooms.ledger.service.witnessing import Cosignatures, Malformed, Stale

__all__ = [
    "MAX_PAGE",
    "Cosignatures",
    "Judged",
    "Ledger",
    "Malformed",
    "Monitor",
    "Peers",
    "Stale",
    "check",
    "check_consistency",
    "check_evidence",
    "opener",
    "read_keys",
    "read_policy",
    "real_client",
    "witnesses_of",
]
