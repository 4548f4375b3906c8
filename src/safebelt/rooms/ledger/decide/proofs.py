"""What a proof file says, and whether it holds: C2SP tlog-proof, tlog-checkpoint, and a file for consistency.

Parsing is strict: one meaning has one spelling, so that no byte of a proof can change unseen.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.decide.entries import parse_body
from safebelt.rooms.ledger.decide.policy import quorum, shown
from safebelt.rooms.ledger.decide.steps import (
    Step,
    decode,
    encode,
    hash_of,
    hold_kind,
    judge,
    number,
    open_checkpoint,
    parse_checkpoint,
)
from safebelt.rooms.ledger.model import Checkpoint, OpenNote, Trust

_PROOF = "c2sp.org/tlog-proof@v1"
_CONSISTENCY = "safebelt tlog-consistency@v1"


def as_checkpoint(size: int, note: str) -> Checkpoint:
    """Read a stored checkpoint.

    Raises:
        Unavailable: What is stored is no checkpoint of that size.
    """
    try:
        checkpoint = parse_checkpoint(note)
    except ValueError as error:
        raise refusals.unreadable(f"checkpoint {size}") from error
    if checkpoint.size != size:
        raise refusals.unreadable(f"checkpoint {size}")
    return checkpoint


def write_proof(*, body: bytes, index: int, path: Sequence[bytes], checkpoint: Checkpoint) -> str:
    """Return a self-contained proof (C2SP tlog-proof) that carries the entry's own bytes as `extra`."""
    lines = [_PROOF, f"extra {encode(body)}", f"index {index}", *map(encode, path), "", checkpoint.note]
    return "\n".join(lines)


def write_consistency(*, old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> str:
    """Return a self-contained proof that `new` only adds to `old`: the path, then both checkpoints."""
    return "\n".join([_CONSISTENCY, *map(encode, path), "", old.note, new.note])


def check(text: str, open_note: OpenNote, trust: Trust | None = None) -> tuple[Reason, Mapping[str, Any] | None]:
    """Judge a proof of inclusion with nothing but public keys.

    Args:
        text: The proof file.
        open_note: Opens a note with the keys of logs the reader trusts.
        trust: Whose cosignatures the reader asks for beside them; where there is none, witnesses are not evaluated.

    Returns:
        Why it holds or not, and the proven entry's fields (None unless it holds).

    Raises:
        Invalid: The text has nothing of a proof in it.
    """
    hold_kind(text, _PROOF, "\nindex ")
    steps = (
        Step(Text(zh="文件是格式完整的存证证明。", en="The file is a well-formed proof."), _read_proof),
        Step(_SIGNED, lambda seen: open_checkpoint(seen, open_note, "checkpoint")),
        Step(
            Text(
                zh="条目的字节经证明路径可算出已签署的根。",
                en="The entry's bytes lead along the path to the signed root.",
            ),
            _include,
        ),
        Step(
            Text(
                zh="字节内容是一条账本条目或往来记录。",
                en="The bytes are an entry of the ledger, or a record of the belt.",
            ),
            _read_entry,
        ),
        *(_trusted_steps(trust) if trust else ()),
    )
    reason, seen = judge(
        Text(
            zh="该条目已载入此日志，且自存证以来未被改动。",
            en="The entry is in this log and unchanged since it was remembered.",
        ),
        steps,
        {"text": text},
    )
    if trust is None:
        reason = _not_evaluated(reason, seen.get("checkpoint"))
    return reason, seen.get("entry") if reason.holds is Truth.TRUE else None


def _trusted_steps(trust: Trust) -> tuple[Step, ...]:
    """What a policy asks beyond the log's own signature (C2SP tlog-policy)."""

    def be_listed(seen: dict[str, Any]) -> None:
        if trust.policy.logs:
            _, keys = trust.open_log(seen["checkpoint"].note)
            if not any(key.split("+", 1)[0] == seen["checkpoint"].origin for key in keys):
                raise ValueError("a log's key is named after its origin")

    def be_witnessed(seen: dict[str, Any]) -> Sequence[Reason]:
        cosigned = trust.cosigned(seen["checkpoint"].note)
        signed = {trust.policy.names[key]: at for key, at in cosigned.items()}
        seen["entry"]["witnesses"] = [f"{shown(name)} {_moment(at)}" for name, at in sorted(signed.items())]
        return (quorum(trust.policy, frozenset(signed)),)

    return (
        Step(Text(zh="策略列有此日志，或未限定日志。", en="The policy lists this log, or names none."), be_listed),
        Step(
            Text(zh="见证满足策略的法定数。", en="The witnesses that cosigned meet the policy's quorum."),
            be_witnessed,
        ),
    )


def _moment(at: int) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).isoformat()
    except (ValueError, OverflowError, OSError):  # later than any calendar
        return str(at)


def _not_evaluated(reason: Reason, checkpoint: Checkpoint | None) -> Reason:
    """Add that nobody's cosignature was looked at; it neither helps the proof nor spoils it."""
    names = "" if checkpoint is None else ", ".join(_claimed(checkpoint))
    says = Text(
        zh="见证：未评估（未给出策略）。" + (f"自称已联署者：{names}。" if names else ""),
        en="Witnesses: not evaluated (no policy given)." + (f" Said to have cosigned: {names}." if names else ""),
    )
    return Reason(
        says=reason.says, holds=reason.holds, because=(*reason.because, Reason(says=says, holds=Truth.UNKNOWN))
    )


def _claimed(checkpoint: Checkpoint) -> list[str]:
    """Return who is named in the signature lines beside the log itself."""
    lines = checkpoint.note.partition("\n\n")[2].split("\n")
    names = dict.fromkeys(line.split(" ")[1] for line in lines if line.count(" ") == 2)
    return [name for name in names if name != checkpoint.origin]


def check_consistency(text: str, open_note: OpenNote) -> tuple[Reason, Mapping[str, Any] | None]:
    """Judge a proof that a later checkpoint only adds to an earlier one.

    Returns:
        Why it holds or not, and `{"origin", "old_size", "new_size"}` (None unless it holds).

    Raises:
        Invalid: The text has nothing of such a proof in it.
    """
    hold_kind(text, _CONSISTENCY, "\n— ")
    steps = (
        Step(
            Text(zh="文件是格式完整的一致性证明。", en="The file is a well-formed proof of consistency."),
            _read_consistency,
        ),
        Step(
            Text(zh="较早的检查点由给出的公钥签署。", en="The earlier checkpoint is signed by a key given."),
            lambda seen: open_checkpoint(seen, open_note, "old"),
        ),
        Step(
            Text(zh="较晚的检查点由给出的公钥签署。", en="The later checkpoint is signed by a key given."),
            lambda seen: open_checkpoint(seen, open_note, "new"),
        ),
        Step(
            Text(zh="较早的日志是较晚日志的前缀。", en="The earlier log is a prefix of the later one."),
            _be_consistent,
        ),
    )
    reason, seen = judge(
        Text(
            zh="两个检查点之间，日志只有追加，没有改动或删除。",
            en="Between the checkpoints the log only grew: nothing was changed or taken out.",
        ),
        steps,
        {"text": text},
    )
    if reason.holds is not Truth.TRUE:
        return reason, None
    old, new = seen["old"], seen["new"]
    return reason, {"origin": new.origin, "old_size": old.size, "new_size": new.size}


_SIGNED = Text(
    zh="检查点由给出的公钥签署，且公钥名称与日志名称（或其上级）相符。",
    en="The checkpoint is signed by a key given, and that key is named after the log or the one above it.",
)


def _read_proof(seen: dict[str, Any]) -> None:
    head, separator, note = seen["text"].partition("\n\n")
    header, extra, index, *path = head.split("\n")
    if not separator or header != _PROOF:
        raise ValueError("not a proof")
    seen["body"] = decode(_after("extra ", extra))
    seen["index"] = number(_after("index ", index))
    seen["path"] = [hash_of(line) for line in path]
    seen["checkpoint"] = parse_checkpoint(note)


def _read_consistency(seen: dict[str, Any]) -> None:
    head, old_text, old_signatures, *new = seen["text"].split("\n\n")
    header, *path = head.split("\n")
    if header != _CONSISTENCY:
        raise ValueError("not a proof of consistency")
    seen["path"] = [hash_of(line) for line in path]
    seen["old"] = parse_checkpoint(f"{old_text}\n\n{old_signatures}\n")
    seen["new"] = parse_checkpoint("\n\n".join(new))


def _include(seen: dict[str, Any]) -> None:
    checkpoint: Checkpoint = seen["checkpoint"]
    leaf = merkle.leaf_hash(seen["body"])
    if not merkle.verify_inclusion(seen["index"], checkpoint.size, leaf, seen["path"], checkpoint.root):
        raise ValueError("the path does not lead to the root")


def _be_consistent(seen: dict[str, Any]) -> None:
    old: Checkpoint = seen["old"]
    new: Checkpoint = seen["new"]
    if old.origin != new.origin:
        raise ValueError("two logs")
    if not merkle.verify_consistency(old.size, new.size, seen["path"], old.root, new.root):
        raise ValueError("not consistent")


def _read_entry(seen: dict[str, Any]) -> None:
    """Read what is proven: an entry of the ledger, or a record of a log beneath it, which has a form of its own."""
    is_record = "/belt/" in seen["checkpoint"].origin
    body = json.loads(seen["body"]) if is_record else parse_body(seen["body"])
    if not isinstance(body, dict):
        raise ValueError("neither an entry nor a record")
    seen["entry"] = {**body, "index": seen["index"], "log": seen["checkpoint"].origin}


def _after(prefix: str, line: str) -> str:
    if not line.startswith(prefix):
        raise ValueError(f"a line starts with {prefix!r}")
    return line.removeprefix(prefix)
