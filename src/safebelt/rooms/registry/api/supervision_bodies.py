"""What the JSON door to cases reads and answers: bodies of requests, and a case as machines get it."""

from base64 import b64decode
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar.params import KwargDefinition

from safebelt.rooms.registry.model.supervision import (
    Basis,
    Case,
    CaseFile,
    Channel,
    CountsFrom,
    DayUnit,
    FileIn,
    Outcome,
    Side,
    Step,
    StepKind,
    WriteStep,
)

_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
Base64 = Annotated[str, msgspec.Meta(pattern=_BASE64), KwargDefinition(pattern=_BASE64)]
Days = Annotated[int, msgspec.Meta(ge=0, le=3660), KwargDefinition(gt=-1, le=3660)]  # the document drops `ge=0`


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBody:
    """A document.

    Attributes:
        name: Its file name.
        content: Its bytes, base64.
    """

    name: str
    content: Base64

    def read(self) -> FileIn:
        """Return it as a document handed in."""
        return FileIn(name=self.name, content=b64decode(self.content))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBody:
    """A step of an authority.

    Attributes:
        text: What it says.
        basis: Ids of norms or provisions of the rulebook; `other_basis` names one it does not hold.
        re: Id of the step it replies to; the only one possible where left out.
        days: By when, from service or receipt; or `due`, a date.
        contest: How it can be contested.
        appeal_days: How long a decision can be appealed; 0 for not at all.
    """

    kind: StepKind
    text: str
    contest: str
    basis: tuple[str, ...] = ()
    other_basis: str = ""
    items: tuple[str, ...] = ()
    re: str = ""
    outcome: Outcome | None = None
    days: Days = 0
    unit: DayUnit = DayUnit.CALENDAR
    counts_from: CountsFrom = CountsFrom.SERVICE
    not_counted: tuple[date, ...] = ()
    due: date | None = None
    held_on: date | None = None
    appeal_days: Days = 0
    appeal_unit: DayUnit = DayUnit.CALENDAR
    is_suspensive: bool = False
    appeal_to: str = ""
    to_office: str = ""
    files: tuple[FileBody, ...] = ()

    def read(self) -> WriteStep:
        """Return it as a step to write."""
        names = (name for name in self.__dataclass_fields__ if name != "files")
        return WriteStep(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBody:
    """A step of the operator: answer, rectified, extension_request or appeal."""

    text: str
    kind: StepKind = StepKind.ANSWER
    re: str = ""
    files: tuple[FileBody, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBody:
    """How a step is served."""

    channel: Channel = Channel.HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofBody:
    """The proof that a step was received: the day, and the proof in words."""

    on: date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicBody:
    """What the public reads of a decision; `is_public` false takes it down."""

    summary_zh: str = ""
    summary_en: str = ""
    is_public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerBody:
    """Who else works at the desk: `usr_…`."""

    actor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionShown:
    """A step that might be taken next, whether it can be, and why."""

    kind: StepKind
    can: bool
    why: dict[str, Any]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """A case, its steps, its legal bases as the rulebook has them, and what can be done next.

    Attributes:
        side: For whom the reader acts.
        today: The day where the case's days are counted.
        days_left: Until what is due first; negative once overdue.
        drafts: The reader's authority's own.
        waiting: Ids of the steps that wait on the operator.
    """

    case: Case
    side: Side | None
    today: date
    days_left: int | None
    steps: tuple[Step, ...]
    drafts: tuple[Step, ...]
    waiting: tuple[str, ...]
    bases: tuple[Basis, ...]
    options: tuple[OptionShown, ...]


def shown(found: CaseFile) -> CaseShown:
    """Return a case as the API and the command line tell it."""
    due = found.case.due_on
    return CaseShown(
        case=found.case,
        side=found.side,
        today=found.today,
        days_left=(due - found.today).days if due else None,
        steps=found.steps,
        drafts=found.drafts,
        waiting=tuple(one.id for one in (*found.position.asked, *found.position.orders)),
        bases=tuple(found.bases.values()),
        options=tuple(
            OptionShown(
                kind=one.kind, can=one.reason.holds.value == "true", why=one.reason.as_data(), targets=one.targets
            )
            for one in found.options
        ),
    )
