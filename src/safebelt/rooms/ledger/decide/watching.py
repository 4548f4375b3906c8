"""What two checkpoints of one log say about it, and evidence that anybody can check.

Consistency is worked out from the log's tiles.  Whatever the tiles say, a proof that leads to both roots *is* one; and
where they lead to the newer root but to another older one, they prove that the log signed two histories.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide.steps import (
    Step,
    encode,
    hash_of,
    hold_kind,
    judge,
    open_checkpoint,
    parse_checkpoint,
)
from safebelt.rooms.ledger.model import Checkpoint, OpenNote, Sight

_HEADER = "safebelt tlog-contradiction@v1"


def compare(one: Checkpoint, other: Checkpoint, node: merkle.Node) -> tuple[Sight, str]:
    """Say how two checkpoints of one log, both signed by it, stand to each other.

    Args:
        one: A checkpoint.
        other: Another.
        node: Reads perfect subtrees of the larger tree, from the log's tiles; nothing of them is believed.

    Returns:
        `SAME`, `GREW` (the larger adds to the smaller), `SPLIT` (they contradict each other) or `UNPROVEN` (the
        tiles do not lead to the larger root), and the evidence for the last two.

    Raises:
        ValueError: A tile has the wrong length.  Whatever `node` raises beside it.
    """
    old, new = sorted((one, other), key=lambda checkpoint: checkpoint.size)
    if old.size == new.size:
        return (Sight.SAME, "") if old.root == new.root else (Sight.SPLIT, write_evidence(old, new))
    if old.size == 0:
        is_empty = old.root == merkle.EMPTY_ROOT
        return (Sight.GREW, "") if is_empty else (Sight.SPLIT, write_evidence(old, new))
    path = merkle.consistency_path(old.size, new.size, node)
    if merkle.verify_consistency(old.size, new.size, path, old.root, new.root):
        return Sight.GREW, ""
    prefix = merkle.root_at(old.size, node)
    if merkle.verify_consistency(old.size, new.size, path, prefix, new.root):
        return Sight.SPLIT, write_evidence(old, new, prefix, path)
    return Sight.UNPROVEN, write_evidence(old, new)


def write_evidence(old: Checkpoint, new: Checkpoint, prefix: bytes | None = None, path: Sequence[bytes] = ()) -> str:
    """Return both notes as a file that shows the contradiction.

    Args:
        old: The smaller checkpoint.
        new: The larger.
        prefix: Root that the newer tree has at the older size, where that is what contradicts.
        path: Proof of consistency from there to the newer root.
    """
    lines = [_HEADER, *([encode(prefix)] if prefix is not None else []), *map(encode, path), "", old.note, new.note]
    return "\n".join(lines)


def check_evidence(text: str, open_note: OpenNote) -> tuple[Reason, Mapping[str, Any] | None]:
    """Judge evidence that a log contradicted itself, with nothing but its public key.

    Returns:
        Why it is proven or not, and `{"origin", "old_size", "new_size"}` (None unless it is).

    Raises:
        Invalid: The text has nothing of such a file in it.
    """
    hold_kind(text, _HEADER, "\n— ")
    steps = (
        Step(Text(zh="文件格式完整。", en="The file is well-formed."), _read),
        Step(
            Text(zh="第一个检查点由给出的公钥签署。", en="The first checkpoint is signed by a key given."),
            lambda seen: open_checkpoint(seen, open_note, "old"),
        ),
        Step(
            Text(zh="第二个检查点由给出的公钥签署。", en="The second checkpoint is signed by a key given."),
            lambda seen: open_checkpoint(seen, open_note, "new"),
        ),
        Step(
            Text(
                zh="二者不可能属于同一份只追加的日志。",
                en="No log that only grows can have both.",
            ),
            _contradict,
        ),
    )
    reason, seen = judge(
        Text(zh="此日志签署了相互矛盾的两份历史。", en="This log signed two histories that contradict each other."),
        steps,
        {"text": text},
    )
    if reason.holds is not Truth.TRUE:
        return reason, None
    old, new = seen["old"], seen["new"]
    return reason, {"origin": new.origin, "old_size": old.size, "new_size": new.size}


def _read(seen: dict[str, Any]) -> None:
    head, old_text, old_signatures, *new = seen["text"].split("\n\n")
    header, *hashes = head.split("\n")
    if header != _HEADER:
        raise ValueError("not evidence of a contradiction")
    seen["hashes"] = [hash_of(line) for line in hashes]
    seen["old"] = parse_checkpoint(f"{old_text}\n\n{old_signatures}\n")
    seen["new"] = parse_checkpoint("\n\n".join(new))


def _contradict(seen: dict[str, Any]) -> None:
    old: Checkpoint = seen["old"]
    new: Checkpoint = seen["new"]
    if old.origin != new.origin:
        raise ValueError("two logs")
    if not (_differ_at_once(old, new) or _lead_elsewhere(old, new, seen["hashes"])):
        raise ValueError("no contradiction")


def _differ_at_once(old: Checkpoint, new: Checkpoint) -> bool:
    """Whether two roots stand for one size, or a root for no leaves is not that of no leaves."""
    is_false_start = any(each.size == 0 and each.root != merkle.EMPTY_ROOT for each in (old, new))
    return is_false_start or (old.size == new.size and old.root != new.root)


def _lead_elsewhere(old: Checkpoint, new: Checkpoint, hashes: Sequence[bytes]) -> bool:
    """Whether the newer tree is shown to have had another root at the older size."""
    if not hashes or hashes[0] == old.root:
        return False
    return merkle.verify_consistency(old.size, new.size, hashes[1:], hashes[0], new.root)
