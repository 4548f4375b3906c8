"""Words of what comes next for a system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from safebelt.kernel.text import Text


class NextKind(StrEnum):
    """Where something that comes next comes from."""

    CASE = "case"
    REDO = "redo"
    EXPIRY = "expiry"
    JOB = "job"
    DUTY = "duty"


NEXT_KINDS: Mapping[NextKind, Text] = {
    NextKind.CASE: Text(zh="监督案件的期限", en="time in a supervision case"),
    NextKind.REDO: Text(zh="变更后须重做", en="to be made anew after a change"),
    NextKind.EXPIRY: Text(zh="证据到期", en="evidence expires"),
    NextKind.JOB: Text(zh="等待批准的作业", en="job waiting for a person"),
    NextKind.DUTY: Text(zh="义务到期", en="duty falls due"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One thing that comes next.

    Attributes:
        on: By when; None where there is no day.
        about: Id of the norm, kind of evidence, case or job.
        is_overdue: Whether its day has passed and it is known not to be done.
        is_verified: Whether it rests on verified law; what does not, informs.
    """

    kind: NextKind
    on: date | None
    about: str
    title: Text
    is_overdue: bool = False
    is_verified: bool = True
