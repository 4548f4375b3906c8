"""Judgments of the ledger: what an entry commits to, what a proof proves, whether the log is as it was written."""

from safebelt.rooms.ledger.decide.audit import Audit
from safebelt.rooms.ledger.decide.entries import (
    MAX_BODY_BYTES,
    commitment,
    entry_body,
    hold_form,
    hold_reason,
    parse_body,
    rotation_text,
    words,
)
from safebelt.rooms.ledger.decide.proofs import (
    check,
    check_consistency,
    checkpoint_text,
    parse_checkpoint,
    write_consistency,
    write_proof,
)

__all__ = [
    "MAX_BODY_BYTES",
    "Audit",
    "check",
    "check_consistency",
    "checkpoint_text",
    "commitment",
    "entry_body",
    "hold_form",
    "hold_reason",
    "parse_body",
    "parse_checkpoint",
    "rotation_text",
    "words",
    "write_consistency",
    "write_proof",
]
