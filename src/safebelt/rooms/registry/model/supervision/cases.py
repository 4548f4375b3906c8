"""Nouns of supervision: the office an authority works from, a case, its steps, and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.supervision.words import (
    CaseKind,
    Channel,
    Confidentiality,
    CountsFrom,
    DayUnit,
    Outcome,
    Side,
    Stage,
    StepKind,
    WaitsOn,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Competence:
    """For what an authority says it is competent.

    Attributes:
        jurisdiction: As the rulebook writes it: `cn`, `eu`, `us-ca`.
        instruments: Ids of the rulebook's instruments.
    """

    jurisdiction: str
    instruments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An authority's desk.

    Attributes:
        party_id: The party of kind authority it is of.
        name: Of that party.
        competence: As it states it itself; nobody here has checked it.
        zone: Time zone its days are counted in, as the IANA database names it.
        declared_at: Since when.
    """

    party_id: str
    name: str
    competence: Competence
    zone: str
    declared_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An authority's case about a system and a party that answers for it.

    Attributes:
        id: `cas_…`.
        office_id: The authority that has it now.
        competence: What that authority stated when it took the case.
        zone: Where its days are counted.
        opened_at: When the first step was served; None before.
        opened_by: Who prepared it.
        stage, waits_on, due_on: Where it stands, as its served steps say.
        referred_to: The authority a referral waits on; empty where none does.
        appeal_to: The authority an appeal waits on; empty where none does.
        version: Counts its changes.
    """

    id: str
    system_id: str
    party_id: str
    office_id: str
    competence: Competence
    zone: str
    kind: CaseKind
    confidentiality: Confidentiality
    about: str
    basis: tuple[str, ...]
    other_basis: str
    prepared_at: datetime
    opened_by: str
    opened_at: datetime | None = None
    stage: Stage = Stage.PREPARED
    waits_on: WaitsOn = WaitsOn.AUTHORITY
    due_on: date | None = None
    referred_to: str = ""
    appeal_to: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A legal basis as it is shown.

    Attributes:
        id: Of a norm or provision; empty for one the rulebook does not hold.
        label: What people call it.
        summary: Our summary; None where the authority named the basis in words.
        path: Of its page, after `/{lang}/`; empty where there is none.
        source: Where the official text is.
        in_rulebook: Whether the rulebook holds it.
        is_verified: Whether the rulebook has it from the text itself.
        is_within: Whether it is of an instrument for which the authority stated to be competent.
    """

    id: str
    label: Text
    summary: Text | None = None
    path: str = ""
    source: str = ""
    in_rulebook: bool = True
    is_verified: bool = False
    is_within: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A document kept with a step.

    Attributes:
        name: Its file name; personal.
        media_type: As its first bytes tell, not as its name claims.
        size: Bytes.
        digest: SHA-256 of its bytes.
        blob: Name under which it is kept, salted: erasing it erases nobody else's copy.
    """

    name: str
    media_type: str
    size: int
    digest: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """By when, as a step states it: so many days, or a date; neither is *no deadline*.

    Attributes:
        days: How many; 0 for none.
        unit: Calendar days, or Monday to Friday.
        counts_from: The day that counts as day nought.
        not_counted: Days off that working days leave out; none is assumed.
        on: A date in place of days.
    """

    days: int = 0
    unit: DayUnit = DayUnit.CALENDAR
    counts_from: CountsFrom = CountsFrom.SERVICE
    not_counted: tuple[date, ...] = ()
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How and when a step reached the other side's hands, or was handed in here."""

    at: datetime
    on: date
    channel: Channel
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a step was received: by whom, when, how it is known.

    Attributes:
        on: The day, in the authority's time zone.
        by: Who acknowledged it, or recorded the proof.
        side: On whose word it rests.
        note: The proof, in words, where the authority recorded it.
    """

    at: datetime
    on: date
    by: str
    side: Side
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a case; a draft until it is served.

    Attributes:
        id: `stp_…`.
        number: Its place in the case; 0 for a draft.
        office_id: The authority that took it; empty for the operator's.
        due_on: The last day, once it can be told; days that count from receipt begin with the receipt.
        appeal_until: The last day of appeal, likewise.
    """

    id: str
    case_id: str
    kind: StepKind
    text: str
    written_by: str
    written_at: datetime
    number: int = 0
    office_id: str = ""
    basis: tuple[str, ...] = ()
    other_basis: str = ""
    items: tuple[str, ...] = ()
    re: str = ""
    outcome: Outcome | None = None
    deadline: Deadline = field(default_factory=Deadline)
    contest: str = ""
    held_on: date | None = None
    appeal: Deadline = field(default_factory=Deadline)
    is_suspensive: bool = False
    appeal_to: str = ""
    to_office: str = ""
    files: tuple[Attachment, ...] = ()
    served: Service | None = None
    receipt: Receipt | None = None
    due_on: date | None = None
    appeal_until: date | None = None

    @property
    def side(self) -> Side:
        """Whose step it is."""
        return Side.AUTHORITY if self.office_id else Side.OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Who asks, for whom, on which day.

    Attributes:
        office: The authority they work for; empty for the operator.
        today: The day where the case's days are counted.
    """

    by: str
    side: Side
    today: date
    office: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a case stands, as its served steps say.

    Attributes:
        before: The stage a referral interrupts.
        asked: Steps the operator has not answered yet.
        orders: Orders, and decisions to rectify, that no verification has found done.
        reports: Rectification reports nobody has verified.
        requests: Requests for more time nobody has answered.
        findings: Findings since the case was opened or reopened.
        hearings: Invitations to be heard, likewise.
        heard: Ids of invitations that were answered or recorded.
        unheard: Whether a measure was decided before the operator could be heard on it.
        decision: The decision that stands.
        appeal: The appeal against it, once there is one.
        is_final: Whether the appeal was decided.
        is_stayed: Whether an appeal stays what was decided.
        referral: The referral that waits.
        dues: Step id to its last day, extensions counted in; None while it cannot be told.
    """

    stage: Stage = Stage.PREPARED
    before: Stage = Stage.PREPARED
    asked: tuple[Step, ...] = ()
    orders: tuple[Step, ...] = ()
    reports: tuple[Step, ...] = ()
    requests: tuple[Step, ...] = ()
    findings: tuple[Step, ...] = ()
    hearings: tuple[Step, ...] = ()
    heard: frozenset[str] = frozenset()
    unheard: bool = False
    decision: Step | None = None
    appeal: Step | None = None
    is_final: bool = False
    is_stayed: bool = False
    referral: Step | None = None
    dues: Mapping[str, date | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """A page of cases: what is due soonest first, closed cases last."""

    items: tuple[Case, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicDecision:
    """A decision its authority made public.

    Attributes:
        authority: Who decided.
        outcome: What.
        decided_on: The day it was served.
        standing: `stands`, `appealed`, `upheld`, `annulled`, `remitted` or `superseded`.
        basis: Ids; `other_basis` in words.
        summary: As the authority wrote it for the public.
    """

    case_id: str
    step_id: str
    system_id: str
    authority: str
    outcome: Outcome
    decided_on: date
    standing: str
    basis: tuple[str, ...]
    other_basis: str
    summary: Text
    published_at: datetime
