"""Words of what people do with the rulebook: describe, commit, adopt, override, review, ask, report a gap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model.described import Description


@dataclass(frozen=True, slots=True, kw_only=True)
class OnRecord:
    """A description as it was put on record.

    Attributes:
        subject: Id of the registered system.
        version: Counts the descriptions of that system, from 1.
        sha256: Of the canonical JSON of the facts.
        by: Pseudonymous id of who put it there.
    """

    subject: str
    version: int
    description: Description
    sha256: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A party's adoption of a covenant.

    Attributes:
        until: Day from which it no longer binds; None while it does.
    """

    party: str
    covenant: str
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A draft that two people adopted, so that it judges.

    Attributes:
        overlay: The overlay's id.
        source: The overlay as it was proposed, YAML.
        sha256: Of that text.
        proposal: The two-person act behind it.
    """

    overlay: str
    source: str
    sha256: str
    proposal: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Two people's decision that a red line does not bar one system, for a time.

    Attributes:
        norms: The red lines it sets aside; any other still bars.
        until: Day from which it no longer holds.
    """

    id: str
    system: str
    norms: tuple[str, ...]
    reason: str
    proposal: str
    at: datetime
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeOverride:
    """Ask that red lines be set aside for one system.

    Attributes:
        norms: Which.
        until: Until when; at most `MAX_OVERRIDE_DAYS` from today.
        reason: Why; it goes to the ledger.
    """

    norms: tuple[str, ...]
    until: date
    reason: str


class Opinion(StrEnum):
    """What a reviewer makes of an interpretation."""

    AGREES = "agrees"
    DISAGREES = "disagrees"


OPINIONS: Mapping[Opinion, Text] = {
    Opinion.AGREES: Text(zh="同意该解释", en="agrees with the interpretation"),
    Opinion.DISAGREES: Text(zh="不同意该解释", en="disagrees with the interpretation"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One person's review of how one norm was put into this form.

    Attributes:
        sha256: Of the norm as it read; a later change of the norm makes the review one of an older text.
    """

    norm: str
    opinion: Opinion
    note: str
    sha256: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewNorm:
    """Review an interpretation.

    Attributes:
        note: What was checked, or what is wrong.
    """

    opinion: Opinion
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """Questions and answers on their way to a description; private to whoever gives them, and erasable.

    Attributes:
        instruments: Those it is about; empty for all.
        answers: Fact id to answer, in the order given; None is *I do not know*.
    """

    id: str
    owner: str
    name: str
    instruments: tuple[str, ...]
    answers: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime
    saved_at: datetime


class GapKind(StrEnum):
    """What met no norm."""

    INCIDENT = "incident"
    COMPLAINT = "complaint"
    SANDBOX_FINDING = "sandbox_finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportGap:
    """Something that happened and that no norm speaks to (R36).

    Attributes:
        about: Id of the incident, complaint or finding.
        says: What it is, without personal data.
        jurisdictions: Where.
    """

    kind: GapKind
    about: str
    says: Text
    jurisdictions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A reported gap."""

    id: str
    kind: GapKind
    about: str
    says: Text
    jurisdictions: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemDescribed(Event):
    """The facts of a registered system were put on record, and judged.

    Attributes:
        facts_sha256: Of the canonical JSON of the facts.
        facts: How many.
        classes: Instrument id to strictest class on that day.
        barred_by: Red lines met, in force and verified: the system is recorded as prohibited and barred from service.
    """

    kind: ClassVar[str] = "rulebook.system_described.v1"
    title: ClassVar[Text] = Text(zh="记录了系统事实", en="System's facts put on record")
    version: int
    facts_sha256: str
    facts: int
    classes: Mapping[str, str]
    barred_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CovenantAdopted(Event):
    """A party bound itself by a covenant."""

    kind: ClassVar[str] = "rulebook.covenant_adopted.v1"
    title: ClassVar[Text] = Text(zh="采纳了公约", en="Covenant adopted")
    covenant: str
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CovenantLeft(Event):
    """A party is bound by a covenant no longer."""

    kind: ClassVar[str] = "rulebook.covenant_left.v1"
    title: ClassVar[Text] = Text(zh="退出了公约", en="Covenant left")
    covenant: str
    until: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAdopted(Event):
    """Two people adopted a draft; from its day on it judges."""

    kind: ClassVar[str] = "rulebook.draft_adopted.v1"
    title: ClassVar[Text] = Text(zh="通过了草案", en="Draft adopted")
    sha256: str
    effective: date
    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedLineOverridden(Event):
    """Two people set red lines aside for one system, for a time."""

    kind: ClassVar[str] = "rulebook.red_line_overridden.v1"
    title: ClassVar[Text] = Text(zh="对红线作了例外", en="Red line overridden")
    override: str
    norms: tuple[str, ...]
    until: date
    reason: str
    proposal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpretationReviewed(Event):
    """Somebody reviewed how a norm was put into this form."""

    kind: ClassVar[str] = "rulebook.interpretation_reviewed.v1"
    title: ClassVar[Text] = Text(zh="复核了解释", en="Interpretation reviewed")
    opinion: str
    note: str
    norm_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GapReported(Event):
    """Something happened that no norm speaks to."""

    kind: ClassVar[str] = "rulebook.gap_reported.v1"
    title: ClassVar[Text] = Text(zh="报告了规则空白", en="Gap in the law reported")
    gap: str
    gap_kind: str
    jurisdictions: tuple[str, ...]


EVENTS: tuple[type[Event], ...] = (
    SystemDescribed,
    CovenantAdopted,
    CovenantLeft,
    DraftAdopted,
    RedLineOverridden,
    InterpretationReviewed,
    GapReported,
)
