"""Judgments of the ledger: what an entry commits to, what a proof proves, whether the log is as it was written."""

from safebelt.rooms.ledger.decide.audit import Audit
from safebelt.rooms.ledger.decide.entries import (
    MAX_BODY_BYTES,
    as_entry,
    commitment,
    entry_body,
    hold_form,
    hold_reason,
    parse_body,
    rotation_text,
    words,
)
from safebelt.rooms.ledger.decide.proofs import (
    as_checkpoint,
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
    "as_checkpoint",
    "as_entry",
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
