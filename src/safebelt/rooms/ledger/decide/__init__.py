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
from safebelt.rooms.ledger.decide.policy import MAX_BYTES as MAX_POLICY_BYTES
from safebelt.rooms.ledger.decide.policy import parse_policy, quorum
from safebelt.rooms.ledger.decide.proofs import (
    as_checkpoint,
    check,
    check_consistency,
    write_consistency,
    write_proof,
)
from safebelt.rooms.ledger.decide.steps import checkpoint_text, parse_checkpoint, text_of
from safebelt.rooms.ledger.decide.stretches import Files, Stretch, examine_bundles, examine_rows
from safebelt.rooms.ledger.decide.watching import check_evidence, compare, write_evidence
from safebelt.rooms.ledger.decide.witnessing import (
    MAX_SUBMISSION_BYTES,
    SIZE_MEDIA_TYPE,
    read_size,
    read_submission,
    stand,
    write_submission,
)

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_POLICY_BYTES",
    "MAX_SUBMISSION_BYTES",
    "SIZE_MEDIA_TYPE",
    "Audit",
    "Files",
    "Stretch",
    "as_checkpoint",
    "as_entry",
    "check",
    "check_consistency",
    "check_evidence",
    "checkpoint_text",
    "commitment",
    "compare",
    "entry_body",
    "examine_bundles",
    "examine_rows",
    "hold_form",
    "hold_reason",
    "parse_body",
    "parse_checkpoint",
    "parse_policy",
    "quorum",
    "read_size",
    "read_submission",
    "rotation_text",
    "stand",
    "text_of",
    "words",
    "write_consistency",
    "write_evidence",
    "write_proof",
    "write_submission",
]
