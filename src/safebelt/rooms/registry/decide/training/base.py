"""What every judgment about jobs shares: a move with its reason, and the bounds of what people and runners say."""

import re
import unicodedata
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Refused
from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.training import JOB_STATES, Job, JobState

TEXT_LIMIT = 2000
"""Characters of a purpose or a reason, as everywhere in the register."""
LINE_LIMIT = 200
MAX_COUNT = 2**53 - 1
"""Largest whole number that JSON readers agree on (RFC 8259 section 6)."""
MAX_FLOP = 1e40
"""Beyond all compute there is; it only keeps nonsense out."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A job after a step.

    Attributes:
        job: As it stands now.
        event: What happened.
        reason: Why it was allowed.
    """

    job: Job
    event: Event
    reason: Reason


def moved(job: Job, event: Event, reason: Reason, **changes: Any) -> Moved:
    """Return a job one change further."""
    return Moved(job=replace(job, version=job.version + 1, **changes), event=event, reason=reason)


def because(says: Text, *parts: Reason, cites: tuple[str, ...] = ()) -> Reason:
    """Return a statement that holds."""
    return Reason(says=says, holds=Truth.TRUE, cites=cites, because=parts)


def in_state(job: Job, *states: JobState) -> None:
    """Hold that a job is where a step begins.

    Raises:
        Conflict: It is not.
    """
    if job.state not in states:
        state = JOB_STATES[job.state]
        raise Conflict(
            what=Text(
                zh=f"该作业的状态是“{state.zh}”，不能这样做。",
                en=f"The job is {state.en}; this step is not open to it.",
            ),
            hint=Text(
                zh="请重新载入作业；需要时另行申请。", en="Load the job again; ask for a new one if you need it."
            ),
            details={"state": job.state.value},
        )


def only_its_runner(job: Job, by: str) -> None:
    """Hold that the actor is who runs the job.

    Raises:
        Refused: It is somebody else.
    """
    if by != job.runner:
        raise Refused(
            what=Text(
                zh="该作业由另一方运行，只有它可以开始、报告和结束。",
                en="Another actor runs this job; only that one may start it, report on it and finish it.",
            ),
            hint=Text(
                zh="请使用申请时指定的运行方的令牌。",
                en="Use the token of the runner that was named when it was asked for.",
            ),
        )


def line(value: str, field: str, label: Text, *, limit: int = LINE_LIMIT, is_required: bool = False) -> str:
    """Return a text, trimmed.

    Raises:
        Invalid: It is missing, too long, or holds control characters.
    """
    text = value.strip()
    if is_required and not text:
        raise invalid(field, Text(zh=f"请填写{label.zh}。", en=f"Enter the {label.en}."))
    if len(text) > limit:
        raise invalid(
            field,
            Text(zh=f"{label.zh}不能超过 {limit} 个字符。", en=f"The {label.en} must be {limit} characters or fewer."),
        )
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\r\t" for char in text):
        raise invalid(
            field, Text(zh=f"{label.zh}含有不可见的控制字符。", en=f"The {label.en} holds control characters.")
        )
    return text


def digest(value: str, field: str, label: Text, *, is_required: bool = False) -> str:
    """Return a SHA-256 in lower case.

    Raises:
        Invalid: It is missing, or not 64 hexadecimal digits.
    """
    text = line(value, field, label, is_required=is_required).lower().removeprefix("sha256:")
    if text and not is_digest(text):
        raise invalid(
            field,
            Text(
                zh=f"{label.zh}应为 64 位十六进制的 SHA-256。", en=f"The {label.en} must be a SHA-256: 64 hex digits."
            ),
        )
    return text


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 in hexadecimal."""
    return _DIGEST.fullmatch(text) is not None


def count(value: int, field: str, label: Text, *, least: int = 0) -> int:
    """Return a whole number.

    Raises:
        Invalid: It is too small, or too large for JSON readers to agree on.
    """
    if not least <= value <= MAX_COUNT:
        raise invalid(
            field,
            Text(
                zh=f"{label.zh}应为 {least} 以上的整数，且不超过 2^53。",
                en=f"The {label.en} must be a whole number from {least} to 2^53.",
            ),
        )
    return value


def amount(value: float, field: str, label: Text, *, least: float = 0.0, most: float = MAX_FLOP) -> float:
    """Return a finite number within bounds.

    Raises:
        Invalid: It is not.
    """
    if not isfinite(value) or not least <= value <= most:
        raise invalid(
            field,
            Text(
                zh=f"{label.zh}应为 {least:g} 至 {most:g} 之间的有限数。",
                en=f"The {label.en} must be a finite number from {least:g} to {most:g}.",
            ),
        )
    return float(value)


def invalid(field: str, what: Text) -> Invalid:
    """Return the problem of one field."""
    return Invalid(
        what=what, hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."), details={"field": field}
    )
