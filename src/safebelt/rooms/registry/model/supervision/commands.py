"""What is asked for: set up a desk, open a case, write a step, answer one, hand over a document."""

from dataclasses import dataclass
from datetime import date

from safebelt.rooms.registry.model.supervision.cases import Deadline
from safebelt.rooms.registry.model.supervision.words import (
    CaseKind,
    Confidentiality,
    CountsFrom,
    DayUnit,
    Outcome,
    StepKind,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpOffice:
    """Set up an authority's desk; whoever does works at it from then on."""

    party_id: str
    jurisdiction: str
    instruments: tuple[str, ...] = ()
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """Prepare a case: private to the authority, off the ledger and erasable, until its first step is served.

    Attributes:
        about: What it is about, in a line.
        party_id: Who it is addressed to; the system's provider where left out.
        basis: Ids of norms or provisions of the rulebook that let the authority open it.
        other_basis: A basis the rulebook does not hold, named in words.
    """

    system_id: str
    about: str
    party_id: str = ""
    kind: CaseKind = CaseKind.ROUTINE
    confidentiality: Confidentiality = Confidentiality.PUBLIC
    basis: tuple[str, ...] = ()
    other_basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteStep:
    """Write a step of an authority, as a draft.

    Attributes:
        text: What it says.
        basis, other_basis: On what ground; at least one of them.
        items: What is asked for, or to be put right, one by one.
        re: The step it replies to, where it replies to one; the only one possible where left out.
        outcome: Of a decision, a reply or a verification.
        days, unit, counts_from, not_counted, due: By when.
        contest: What the operator can do against it.
        held_on: The day of an inspection or hearing.
        appeal_days, appeal_unit: How long a decision can be appealed; 0 where the law gives no appeal.
        is_suspensive: Whether an appeal stays what was decided.
        appeal_to: The authority that decides the appeal; this one where left out.
        to_office: The authority a case is referred to.
    """

    kind: StepKind
    text: str
    basis: tuple[str, ...] = ()
    other_basis: str = ""
    items: tuple[str, ...] = ()
    re: str = ""
    outcome: Outcome | None = None
    days: int = 0
    unit: DayUnit = DayUnit.CALENDAR
    counts_from: CountsFrom = CountsFrom.SERVICE
    not_counted: tuple[date, ...] = ()
    due: date | None = None
    contest: str = ""
    held_on: date | None = None
    appeal_days: int = 0
    appeal_unit: DayUnit = DayUnit.CALENDAR
    is_suspensive: bool = False
    appeal_to: str = ""
    to_office: str = ""

    @property
    def deadline(self) -> Deadline:
        """By when."""
        return Deadline(
            days=self.days, unit=self.unit, counts_from=self.counts_from, not_counted=self.not_counted, on=self.due
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCase:
    """Take a step of the operator; it is filed at once.

    Attributes:
        kind: answer, rectified, extension_request or appeal.
        re: The step it replies to; the only one possible where left out.
    """

    text: str
    kind: StepKind = StepKind.ANSWER
    re: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIn:
    """A document handed in with a step.

    Attributes:
        name: Its file name.
        content: Its bytes.
    """

    name: str
    content: bytes
