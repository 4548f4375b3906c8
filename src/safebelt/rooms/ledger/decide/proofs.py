"""What a proof file says, and whether it holds: C2SP tlog-proof, tlog-checkpoint, and a file for consistency.

Parsing is strict: one meaning has one spelling, so that no byte of a proof can change unseen.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide import refusals
from safebelt.rooms.ledger.decide.entries import parse_body
from safebelt.rooms.ledger.model import Checkpoint, OpenNote

_PROOF = "c2sp.org/tlog-proof@v1"
_CONSISTENCY = "safebelt tlog-consistency@v1"
_SAFE_DIGITS = 19  # 2^63 has 19 digits; longer sizes exist in no log


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Return the text of a checkpoint, before signing (C2SP tlog-checkpoint)."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint; whether its signature holds is another question.

    Raises:
        ValueError: It is not the note of a checkpoint.
    """
    text, separator, _ = note.partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) < 3 or not all(lines):
        raise ValueError("a checkpoint has an origin, a size and a root")
    return Checkpoint(origin=lines[0], size=_number(lines[1]), root=_hash(lines[2]), note=note)


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
    lines = [_PROOF, f"extra {_encode(body)}", f"index {index}", *map(_encode, path), "", checkpoint.note]
    return "\n".join(lines)


def write_consistency(*, old: Checkpoint, new: Checkpoint, path: Sequence[bytes]) -> str:
    """Return a self-contained proof that `new` only adds to `old`: the path, then both checkpoints."""
    return "\n".join([_CONSISTENCY, *map(_encode, path), "", old.note, new.note])


@dataclass(frozen=True, slots=True)
class _Step:
    """One thing a proof must show: how it reads, and the deed that shows it or raises."""

    says: Text
    show: Callable[[dict[str, Any]], None]


def check(text: str, open_note: OpenNote) -> tuple[Reason, Mapping[str, Any] | None]:
    """Judge a proof of inclusion with nothing but the log's public key.

    Args:
        text: The proof file.
        open_note: Opens a note with the keys the reader trusts.

    Returns:
        Why it holds or not, and the proven entry's fields (None unless it holds).

    Raises:
        Invalid: The text has nothing of a proof in it.
    """
    _hold_kind(text, _PROOF, "\nindex ")
    steps = (
        _Step(Text(zh="文件是格式完整的存证证明。", en="The file is a well-formed proof."), _read_proof),
        _Step(_SIGNED, lambda seen: _open(seen, open_note, "checkpoint")),
        _Step(
            Text(
                zh="条目的字节经证明路径可算出已签署的根。",
                en="The entry's bytes lead along the path to the signed root.",
            ),
            _include,
        ),
        _Step(
            Text(
                zh="字节内容是一条账本条目或往来记录。",
                en="The bytes are an entry of the ledger, or a record of the belt.",
            ),
            _read_entry,
        ),
    )
    reason, seen = _judge(
        Text(
            zh="该条目已载入此日志，且自存证以来未被改动。",
            en="The entry is in this log and unchanged since it was remembered.",
        ),
        steps,
        {"text": text},
    )
    return reason, seen.get("entry") if reason.holds is Truth.TRUE else None


def check_consistency(text: str, open_note: OpenNote) -> tuple[Reason, Mapping[str, Any] | None]:
    """Judge a proof that a later checkpoint only adds to an earlier one.

    Returns:
        Why it holds or not, and `{"origin", "old_size", "new_size"}` (None unless it holds).

    Raises:
        Invalid: The text has nothing of such a proof in it.
    """
    _hold_kind(text, _CONSISTENCY, "\n— ")
    steps = (
        _Step(
            Text(zh="文件是格式完整的一致性证明。", en="The file is a well-formed proof of consistency."),
            _read_consistency,
        ),
        _Step(
            Text(zh="较早的检查点由给出的公钥签署。", en="The earlier checkpoint is signed by a key given."),
            lambda seen: _open(seen, open_note, "old"),
        ),
        _Step(
            Text(zh="较晚的检查点由给出的公钥签署。", en="The later checkpoint is signed by a key given."),
            lambda seen: _open(seen, open_note, "new"),
        ),
        _Step(
            Text(zh="较早的日志是较晚日志的前缀。", en="The earlier log is a prefix of the later one."),
            _be_consistent,
        ),
    )
    reason, seen = _judge(
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


def _judge(says: Text, steps: Sequence[_Step], seen: dict[str, Any]) -> tuple[Reason, dict[str, Any]]:
    """Take the steps in order; after the first that fails the rest are not evaluated."""
    because, holds = list[Reason](), Truth.TRUE
    for step in steps:
        if holds is not Truth.TRUE:
            because.append(Reason(says=step.says, holds=Truth.UNKNOWN))
            continue
        try:
            step.show(seen)
            because.append(Reason(says=step.says, holds=Truth.TRUE))
        except Problem as problem:
            holds = Truth.FALSE
            why = Reason(says=problem.what, holds=Truth.FALSE)
            because.append(Reason(says=step.says, holds=Truth.FALSE, because=(why,)))
        except ValueError:
            holds = Truth.FALSE
            because.append(Reason(says=step.says, holds=Truth.FALSE))
    return Reason(says=says, holds=holds, because=tuple(because)), seen


def _hold_kind(text: str, header: str, mark: str) -> None:
    """Tell a damaged proof (a negative verdict) from a file that is something else (bad use)."""
    if not text.startswith(header) and mark not in text:
        raise Invalid(
            what=Text(zh="这不是证明文件。", en="This is not a proof file."),
            hint=Text(
                zh=f"证明文件第一行为 `{header}`；可用 `safebelt ledger prove` 或 `consistency` 生成。",
                en=f"A proof starts with `{header}`; `safebelt ledger prove` or `consistency` writes one.",
            ),
            details={"field": "proof"},
        )


def _read_proof(seen: dict[str, Any]) -> None:
    head, separator, note = seen["text"].partition("\n\n")
    header, extra, index, *path = head.split("\n")
    if not separator or header != _PROOF:
        raise ValueError("not a proof")
    seen["body"] = _decode(_after("extra ", extra))
    seen["index"] = _number(_after("index ", index))
    seen["path"] = [_hash(line) for line in path]
    seen["checkpoint"] = parse_checkpoint(note)


def _read_consistency(seen: dict[str, Any]) -> None:
    head, old_text, old_signatures, *new = seen["text"].split("\n\n")
    header, *path = head.split("\n")
    if header != _CONSISTENCY:
        raise ValueError("not a proof of consistency")
    seen["path"] = [_hash(line) for line in path]
    seen["old"] = parse_checkpoint(f"{old_text}\n\n{old_signatures}\n")
    seen["new"] = parse_checkpoint("\n\n".join(new))


def _open(seen: dict[str, Any], open_note: OpenNote, which: str) -> None:
    checkpoint: Checkpoint = seen[which]
    text, keys = open_note(checkpoint.note)
    if text != checkpoint.note.partition("\n\n")[0] + "\n":
        raise ValueError("more was signed than the checkpoint that was read")
    if not any(_is_of(checkpoint.origin, key.split("+", 1)[0]) for key in keys):
        raise ValueError("signed by a key that is named after another log")


def _is_of(origin: str, name: str) -> bool:
    """Whether a log is the key's own, or one beneath it: `<name>/belt/seg-00000001` holds a segment of records."""
    return origin == name or origin.startswith(f"{name}/")


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


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _SAFE_DIGITS) or (len(text) > 1 and text[0] == "0"):
        raise ValueError("not a plain decimal number")
    return int(text)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes:
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if _encode(data) != text:
        raise ValueError("base64 with stray bits")
    return data


def _hash(line: str) -> bytes:
    data = _decode(line)
    if len(data) != merkle.HASH_BYTES:
        raise ValueError("a hash has 32 bytes")
    return data
