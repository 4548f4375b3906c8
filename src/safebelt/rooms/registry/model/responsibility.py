"""Words of the responsibility map: for each duty who is accountable, who acts, who is told, since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text

BEARER = "bearer:"
"""Scopes that begin so are about every duty of one bearer; any other is one norm's id."""


class Part(StrEnum):
    """What a person is for a duty."""

    ACCOUNTABLE = "accountable"
    ACTING = "acting"
    TOLD = "told"


PARTS: Mapping[Part, Text] = {
    Part.ACCOUNTABLE: Text(zh="负责", en="accountable"),
    Part.ACTING: Text(zh="执行", en="acts"),
    Part.TOLD: Text(zh="知会", en="is told"),
}


class Origin(StrEnum):
    """Where an answer comes from."""

    DUTY = "duty"
    BEARER = "bearer"
    ROLE = "role"


ORIGINS: Mapping[Origin, Text] = {
    Origin.DUTY: Text(zh="为此项义务指定", en="assigned to this duty"),
    Origin.BEARER: Text(zh="为该类主体的全部义务指定", en="assigned to every duty of this bearer"),
    Origin.ROLE: Text(zh="由其在系统上的职责而来", en="from the role named for the system"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One term of one person for one duty, or for every duty of a bearer.

    Attributes:
        id: `asg_…`.
        scope: A norm's id, or `bearer:<bearer>`.
        person_id: A person named for the system (`per_…`).
        since: First day.
        until: Day from which it no longer holds; None while it does.
    """

    id: str
    system_id: str
    scope: str
    part: Part
    person_id: str
    since: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the term runs on a day."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Somebody who stands for a duty.

    Attributes:
        person_id: Id of the named person.
        since: Since when.
        origin: Where that comes from.
    """

    person_id: str
    since: date
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyHeld:
    """One duty and who stands for it.

    Attributes:
        norm, instrument, title, bearer, cites: The duty.
        binds: Whether verified law in force says so; otherwise it informs or is to come.
        effective: The first day it can bite.
        due: When, in words and as a date.
        holders: Part to the people who have it.
        is_ours: Whether it lies on a side this system's people stand for.
        gap: What is missing; None where somebody is accountable, or it lies on others.
    """

    norm: str
    instrument: str
    title: Text
    bearer: str
    cites: tuple[str, ...]
    binds: bool
    effective: date
    due_text: Text | None
    due: date | None
    holders: Mapping[Part, tuple[Holder, ...]]
    is_ours: bool
    gap: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityMap:
    """Everything a system owes, and who answers.

    Attributes:
        facts_version: The facts it was judged by; 0 where there are none, and then nothing is evaluated.
        duties: Every duty that applies, those without anybody accountable first.
    """

    system_id: str
    on: date
    facts_version: int
    duties: tuple[DutyHeld, ...]

    @property
    def gaps(self) -> tuple[DutyHeld, ...]:
        """Duties of ours for which nobody is accountable."""
        return tuple(one for one in self.duties if one.gap is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """What somebody may do or claim because of this system.

    Attributes:
        norm, instrument, title, says, cites: Where it stands and what it says.
        bearer: Whose right it is.
        binds: Whether verified law in force gives it; otherwise it informs or is to come.
        is_verified: Whether verified law gives it, be it in force or to come.
        from_, until: When it is in force.
        due_text: When or how soon it can be had, in words.
        evidence: What shows that it can be used.
        why: Why it applies.
    """

    norm: str
    instrument: str
    title: Text
    says: Text
    bearer: str
    cites: tuple[str, ...]
    binds: bool
    is_verified: bool
    from_: date
    until: date | None
    due_text: Text | None
    evidence: tuple[str, ...]
    why: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign:
    """Let a named person stand for a duty, or for every duty of a bearer.

    Attributes:
        scope: A norm's id, or `bearer:<bearer>`.
        part: accountable, acting or told.
        person_id: A person named for the system.
        reason: Why; everyone who may read the dossier reads it.
        since: First day; today where left out.
    """

    scope: str
    part: Part
    person_id: str
    reason: str
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Hand a duty over from one person to another.

    Attributes:
        scope: A norm's id, or `bearer:<bearer>`.
        part: accountable, acting or told.
        from_person: Who has it now, by assignment or by role.
        to_person: Who takes it.
        reason: Why; everyone who may read the dossier reads it.
        on: First day of the new term; today where left out.
    """

    scope: str
    part: Part
    from_person: str
    to_person: str
    reason: str
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAssignment:
    """End an assignment without a successor: what stood before it stands again.

    Attributes:
        assignment_id: `asg_…`.
        reason: Why; everyone who may read the dossier reads it.
    """

    assignment_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityAssigned(Event):
    """A named person stands for a duty; who it is, is personal data."""

    kind: ClassVar[str] = "registry.responsibility_assigned.v1"
    title: ClassVar[Text] = Text(zh="指定了义务责任人", en="Duty assigned to a person")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    assignment_id: str
    scope: str
    part: str
    person_id: str
    since: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityHandedOver(Event):
    """A duty went from one named person to another; who they are, is personal data."""

    kind: ClassVar[str] = "registry.responsibility_handed_over.v1"
    title: ClassVar[Text] = Text(zh="交接了义务责任", en="Duty handed over")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    assignment_id: str
    ended: str
    scope: str
    part: str
    from_person: str
    to_person: str
    since: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponsibilityEnded(Event):
    """An assignment ended without a successor."""

    kind: ClassVar[str] = "registry.responsibility_ended.v1"
    title: ClassVar[Text] = Text(zh="终止了义务责任指定", en="Assignment of a duty ended")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    assignment_id: str
    scope: str
    part: str
    person_id: str
    until: str
    reason: str


EVENTS: tuple[type[Event], ...] = (ResponsibilityAssigned, ResponsibilityHandedOver, ResponsibilityEnded)
