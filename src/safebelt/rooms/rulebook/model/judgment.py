"""What judging comes to: findings per norm, classes per instrument, dates to come, what is owed.

A finding is light and answers the rest when asked: a register is judged row by row, and most reasons are never read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.norms import Norm
from safebelt.rooms.rulebook.model.words import Bearer, DueKind, Status

UNKNOWN_CLASS = "unknown"
"""The class of a system whose strictest class may be stricter than any that is established."""


class Verdict(StrEnum):
    """Whether a norm's conditions are met, whether or not it is in force yet."""

    APPLIES = "applies"
    DOES_NOT = "does_not"
    UNKNOWN = "unknown"


VERDICTS: Mapping[Verdict, Text] = {
    Verdict.APPLIES: Text(zh="适用", en="applies"),
    Verdict.DOES_NOT: Text(zh="不适用", en="does not apply"),
    Verdict.UNKNOWN: Text(zh="尚不能判断", en="not known yet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A norm's time, for these facts.

    Attributes:
        from_: First day; where facts leave several possible, the earliest.
        until: First day on which it no longer is in force.
        now: Whether the day judged lies within; unknown where facts leave it open.
        possible: Every first day the known facts leave possible, in order.
        missing: Facts that would settle the first day.
    """

    from_: date
    until: date | None
    now: Truth
    possible: tuple[date, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueOn:
    """When a duty is due, for these facts.

    Attributes:
        text: In words.
        on: The next day on which it is due; None where no known date fixes it.
        fact: The date fact that would fix it, where it is not known.
    """

    kind: DueKind
    text: Text
    on: date | None = None
    fact: str = ""


class Explains(Protocol):
    """Answers, on demand, what a finding does not carry."""

    def status(self, norm: str) -> Status:
        """Whether the verdict rests on verified law alone."""

    def is_established(self, norm: str) -> bool:
        """Whether it applies and is in force by verified law alone."""

    def span(self, norm: str) -> Span:
        """When the norm is in force."""

    def effective(self, norm: str) -> date:
        """The first day it can bite."""

    def missing(self, norm: str) -> tuple[str, ...]:
        """Facts that can still change an unknown verdict."""

    def defeated_by(self, norm: str) -> tuple[str, ...]:
        """Norms that override it."""

    def upon(self, norm: str) -> Truth | None:
        """Whether the occurrence has happened; None where nothing is said about it."""

    def upon_missing(self, norm: str) -> tuple[str, ...]:
        """Facts about the occurrence that are still open."""

    def due(self, norm: str) -> DueOn | None:
        """When it is due."""

    def why(self, norm: str) -> Reason:
        """Why the verdict is what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One norm, judged.

    Attributes:
        norm: The norm as it reads on the day.
        verdict: What it came to.
    """

    norm: Norm
    verdict: Verdict
    explains: Explains = field(repr=False, compare=False)

    @property
    def status(self) -> Status:
        """Verified only if the same verdict follows from verified law alone."""
        return self.explains.status(self.norm.id)

    @property
    def is_established(self) -> bool:
        """Whether it applies and is in force by verified law alone: only then may it block or count as a breach."""
        return self.explains.is_established(self.norm.id)

    @property
    def in_force(self) -> Span:
        """When the norm is in force, for these facts."""
        return self.explains.span(self.norm.id)

    @property
    def effective(self) -> date:
        """The first day on which it can bite."""
        return self.explains.effective(self.norm.id)

    @property
    def missing(self) -> tuple[str, ...]:
        """Facts that could still decide an unknown verdict."""
        return self.explains.missing(self.norm.id)

    @property
    def defeated_by(self) -> tuple[str, ...]:
        """Norms that override this one here."""
        return self.explains.defeated_by(self.norm.id)

    @property
    def upon(self) -> Truth | None:
        """Whether the occurrence that starts its clock has happened; None where nothing is said about it."""
        return self.explains.upon(self.norm.id)

    @property
    def upon_missing(self) -> tuple[str, ...]:
        """Facts about the occurrence that are still open, once anything about it is known."""
        return self.explains.upon_missing(self.norm.id)

    @property
    def contingent(self) -> bool:
        """The duty stands, and its clock waits for an occurrence that is not established."""
        return self.norm.upon is not None and self.upon is not Truth.TRUE

    @property
    def due(self) -> DueOn | None:
        """When it is due, for these facts."""
        return self.explains.due(self.norm.id)

    @property
    def why(self) -> Reason:
        """Why the verdict is what it is."""
        return self.explains.why(self.norm.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What takes hold later, for the facts as they are.

    Attributes:
        class_id: The class, or empty where it is red lines that lead to no class.
        on: The first day.
        norms: The norms behind it that are in force from then on.
    """

    class_id: str
    on: date
    norms: tuple[str, ...]
    title: Text
    status: Status


class ExplainsClass(Protocol):
    """Answers, on demand, what a class result does not carry."""

    def class_why(self, instrument: str) -> Reason:
        """Why the strictest class is what it is."""

    def class_missing(self, instrument: str) -> tuple[str, ...]:
        """Facts that could still make it a stricter one."""

    def class_status(self, instrument: str) -> Status:
        """Whether it rests on verified law alone."""

    def class_coming(self, instrument: str) -> tuple[Coming, ...]:
        """What takes hold later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """Into which classes of one instrument the facts fall.

    Attributes:
        truths: Every class, strictest first, and whether it holds.
        all: Those that hold, strictest first.
        strictest: The first of them; `unknown` while a stricter one could hold; empty where none holds or can.
        barred_by: Verified red lines in force that put the system into a class that bars service.
    """

    instrument: str
    truths: Mapping[str, Truth]
    all: tuple[str, ...]
    strictest: str
    barred_by: tuple[str, ...]
    explains: ExplainsClass = field(repr=False, compare=False)

    @property
    def why(self) -> Reason:
        """Why the strictest class is what it is."""
        return self.explains.class_why(self.instrument)

    @property
    def missing(self) -> tuple[str, ...]:
        """Facts that could still make it a stricter one."""
        return self.explains.class_missing(self.instrument)

    @property
    def status(self) -> Status:
        """Whether the strictest class follows from verified law alone."""
        return self.explains.class_status(self.instrument)

    @property
    def coming(self) -> tuple[Coming, ...]:
        """Classes and prohibitions that take hold later."""
        return self.explains.class_coming(self.instrument)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgment:
    """All findings on one day.

    Attributes:
        findings: Norm id to finding; norms that have ended are left out.
        classes: Instrument id to result, for instruments that have classes.
    """

    on: date
    findings: Mapping[str, Finding]
    classes: Mapping[str, ClassResult]


class EntryKind(StrEnum):
    """What happens on a day of the calendar."""

    STARTS = "starts"
    ENDS = "ends"
    CLASS = "class"
    DUE = "due"
    AMENDED = "amended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the calendar.

    Attributes:
        about: A norm id, `<instrument>.<class>` or an overlay id.
        status: Whether it rests on verified law alone.
    """

    on: date
    kind: EntryKind
    about: str
    instrument: str
    title: Text
    why: Reason
    cites: tuple[str, ...]
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """One line of *what I owe*.

    Attributes:
        persons: Who is named for the bearer's role.
        held: Evidence named by the norm that is held.
        lacking: Evidence named by the norm that is not.
    """

    finding: Finding
    bearer: Bearer
    persons: tuple[str, ...]
    due: DueOn | None
    held: tuple[str, ...]
    lacking: tuple[str, ...]


class Held(StrEnum):
    """How much of the evidence a norm names is held.  It never says that the duty is met."""

    FULLY = "fully"
    PARTLY = "partly"
    NOT = "not"
    NONE_NAMED = "none_named"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """One instrument's norms by how much of their evidence is held."""

    instrument: str
    norms: Mapping[str, Held]
    lacking: Mapping[str, tuple[str, ...]]

    def count(self, held: Held) -> int:
        """Return how many norms are so."""
        return sum(1 for one in self.norms.values() if one is held)
