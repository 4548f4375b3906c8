"""Words of the belt: rules and verdicts, keys and systems, orders and their proofs."""

from safebelt.rooms.belt.model.events import (
    HarnessSet,
    KeyIssued,
    KeyRevoked,
    RecordErased,
    SegmentSealed,
    StopEffective,
    StopOrdered,
)
from safebelt.rooms.belt.model.exchanges import (
    Exchange,
    Record,
)
from safebelt.rooms.belt.model.screening import (
    Action,
    Basis,
    Harness,
    Hit,
    Key,
    NoticeMode,
    Policy,
    RecordMode,
    Rule,
    RuleKind,
    Side,
    Snapshot,
    Stance,
    Verdict,
)
from safebelt.rooms.belt.model.stopping import (
    BLIND_SPOTS,
    Command,
    Order,
    StopProof,
)

__all__ = [
    "BLIND_SPOTS",
    "Action",
    "Basis",
    "Command",
    "Exchange",
    "Harness",
    "HarnessSet",
    "Hit",
    "Key",
    "KeyIssued",
    "KeyRevoked",
    "NoticeMode",
    "Order",
    "Policy",
    "Record",
    "RecordErased",
    "RecordMode",
    "Rule",
    "RuleKind",
    "SegmentSealed",
    "Side",
    "Snapshot",
    "Stance",
    "StopEffective",
    "StopOrdered",
    "StopProof",
    "Verdict",
]
