"""How a file of proof is judged: step by step, strictly read, and the first step that fails ends it.

Parsing is strict: one meaning has one spelling, so that no byte of a proof can change unseen.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.model import Checkpoint, OpenNote

_SAFE_DIGITS = 19  # 2^63 has 19 digits; longer sizes exist in no log


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a proof must show: how it reads, and the deed that shows it or raises.

    A deed may return reasons: what its statement follows from.
    """

    says: Text
    show: Callable[[dict[str, Any]], Sequence[Reason] | None]


def judge(says: Text, steps: Sequence[Step], seen: dict[str, Any]) -> tuple[Reason, dict[str, Any]]:
    """Take the steps in order; after the first that fails the rest are not evaluated."""
    because, holds = list[Reason](), Truth.TRUE
    for step in steps:
        if holds is not Truth.TRUE:
            because.append(Reason(says=step.says, holds=Truth.UNKNOWN))
            continue
        holds, why = _taken(step, seen)
        because.append(Reason(says=step.says, holds=holds, because=tuple(why)))
    return Reason(says=says, holds=holds, because=tuple(because)), seen


def _taken(step: Step, seen: dict[str, Any]) -> tuple[Truth, Sequence[Reason]]:
    try:
        why = step.show(seen) or ()
    except Problem as problem:
        return Truth.FALSE, (Reason(says=problem.what, holds=Truth.FALSE),)
    except ValueError:
        return Truth.FALSE, ()
    return Truth.of(all(reason.holds is Truth.TRUE for reason in why)), why


def hold_kind(text: str, header: str, mark: str) -> None:
    """Tell a damaged proof (a negative verdict) from a file that is something else (bad use).

    Raises:
        Invalid: Neither its first line nor a mark within says what it is.
    """
    if not text.startswith(header) and mark not in text:
        raise Invalid(
            what=Text(zh="这不是证明文件。", en="This is not a proof file."),
            hint=Text(
                zh=f"证明文件第一行为 `{header}`；可用 `safebelt ledger prove` 或 `consistency` 生成。",
                en=f"A proof starts with `{header}`; `safebelt ledger prove` or `consistency` writes one.",
            ),
            details={"field": "proof"},
        )


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """Return the text of a checkpoint, before signing (C2SP tlog-checkpoint)."""
    return f"{origin}\n{size}\n{encode(root)}\n"


def text_of(note: str) -> str:
    """Return the text that a checkpoint's note signs: everything before its empty line."""
    return note.partition("\n\n")[0] + "\n"


def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint; whether its signature holds is another question.

    Raises:
        ValueError: It is not the note of a checkpoint.
    """
    text, separator, _ = note.partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) < 3 or not all(lines):
        raise ValueError("a checkpoint has an origin, a size and a root")
    return Checkpoint(origin=lines[0], size=number(lines[1]), root=hash_of(lines[2]), note=note)


def open_checkpoint(seen: dict[str, Any], open_note: OpenNote, which: str) -> None:
    """Hold that a checkpoint is signed by a key of its own log, and that nothing else was read than was signed."""
    checkpoint: Checkpoint = seen[which]
    text, keys = open_note(checkpoint.note)
    if text != text_of(checkpoint.note):
        raise ValueError("more was signed than the checkpoint that was read")
    if not any(is_of(checkpoint.origin, key.split("+", 1)[0]) for key in keys):
        raise ValueError("signed by a key that is named after another log")


def is_of(origin: str, name: str) -> bool:
    """Whether a log is the key's own, or one beneath it: `<name>/belt/seg-00000001` holds a segment of records."""
    return origin == name or origin.startswith(f"{name}/")


def number(text: str) -> int:
    """Read a plain decimal number.

    Raises:
        ValueError: It is none, has leading zeroes, or more than 19 digits.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _SAFE_DIGITS) or (len(text) > 1 and text[0] == "0"):
        raise ValueError("not a plain decimal number")
    return int(text)


def encode(data: bytes) -> str:
    """Return bytes as base64."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Read the one canonical base64 spelling of some bytes.

    Raises:
        ValueError: It is not that.
    """
    data = base64.b64decode(text.encode("ascii"), validate=True)
    if encode(data) != text:
        raise ValueError("base64 with stray bits")
    return data


def hash_of(line: str) -> bytes:
    """Read a hash.

    Raises:
        ValueError: It is none.
    """
    data = decode(line)
    if len(data) != merkle.HASH_BYTES:
        raise ValueError("a hash has 32 bytes")
    return data
