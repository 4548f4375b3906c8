"""Nouns of complaints: who complains of what, what was said since, where it stands, what a complainant may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from safebelt.kernel.text import Lang, Text


class Stage(StrEnum):
    """Where a complaint stands, as somebody who complained understands it."""

    RECEIVED = "received"
    WITH_PARTY = "with_party"
    PASSED_ON = "passed_on"
    ANSWERED = "answered"
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Channel(StrEnum):
    """How a complaint came in."""

    ONLINE = "online"
    PROGRAM = "program"
    PAPER = "paper"


class Speaker(StrEnum):
    """Who said something in a complaint."""

    COMPLAINANT = "complainant"
    OPERATOR = "operator"
    AUTHORITY = "authority"


class SaidKind(StrEnum):
    """What somebody said it for."""

    COMPLAINT = "complaint"
    ADDED = "added"
    ANSWER = "answer"
    PASSED_ON = "passed_on"
    CLOSING = "closing"
    REFUSAL = "refusal"
    WITHDRAWAL = "withdrawal"


class ErasedBecause(StrEnum):
    """Why the texts of a complaint are gone."""

    ASKED = "asked"
    RETENTION = "retention"


class Suspicion(StrEnum):
    """What gives rise to the suspicion that a complaint is spam."""

    TRAP = "trap"
    LINKS = "links"
    REPEATED = "repeated"
    SOMEBODY = "somebody"


OPEN_STAGES = frozenset({Stage.RECEIVED, Stage.WITH_PARTY, Stage.PASSED_ON, Stage.ANSWERED})
"""Stages in which something can still be said."""
OWED_STAGES = frozenset({Stage.RECEIVED, Stage.WITH_PARTY, Stage.PASSED_ON})
"""Stages in which an answer is owed."""

STAGES: Mapping[Stage, Text] = {
    Stage.RECEIVED: Text(zh="已收到", en="received"),
    Stage.WITH_PARTY: Text(zh="已转交责任方", en="with the responsible party"),
    Stage.PASSED_ON: Text(zh="已移交他方", en="passed on"),
    Stage.ANSWERED: Text(zh="已答复", en="answered"),
    Stage.CLOSED: Text(zh="已办结", en="closed"),
    Stage.REFUSED: Text(zh="不予受理", en="not taken up"),
    Stage.WITHDRAWN: Text(zh="已由投诉人撤回", en="withdrawn by whoever complained"),
}
CHANNELS: Mapping[Channel, Text] = {
    Channel.ONLINE: Text(zh="网上", en="online"),
    Channel.PROGRAM: Text(zh="由程序提交", en="sent by a program"),
    Channel.PAPER: Text(zh="纸质", en="on paper"),
}
SPEAKERS: Mapping[Speaker, Text] = {
    Speaker.COMPLAINANT: Text(zh="投诉人", en="whoever complained"),
    Speaker.OPERATOR: Text(zh="运营者", en="operator"),
    Speaker.AUTHORITY: Text(zh="主管部门", en="authority"),
}
SAID_KINDS: Mapping[SaidKind, Text] = {
    SaidKind.COMPLAINT: Text(zh="投诉", en="complaint"),
    SaidKind.ADDED: Text(zh="补充", en="addition"),
    SaidKind.ANSWER: Text(zh="答复", en="answer"),
    SaidKind.PASSED_ON: Text(zh="移交", en="passed on"),
    SaidKind.CLOSING: Text(zh="办结说明", en="closing"),
    SaidKind.REFUSAL: Text(zh="不予受理的理由", en="reason for not taking it up"),
    SaidKind.WITHDRAWAL: Text(zh="撤回", en="withdrawal"),
}
SUSPICIONS: Mapping[Suspicion, Text] = {
    Suspicion.TRAP: Text(zh="填写了人看不到的栏目", en="a field that people do not see was filled in"),
    Suspicion.LINKS: Text(zh="网址很多", en="it is full of web addresses"),
    Suspicion.REPEATED: Text(zh="同样的文字一小时内已收到过", en="the same words came within the hour"),
    Suspicion.SOMEBODY: Text(zh="经办人判断", en="somebody here judged so"),
}
ERASED_BECAUSE: Mapping[ErasedBecause, Text] = {
    ErasedBecause.ASKED: Text(zh="应投诉人要求", en="whoever complained asked for it"),
    ErasedBecause.RETENTION: Text(zh="保存期届满", en="it had been kept as long as is stated"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIn:
    """A file that somebody sends along: the name it had, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Complain:
    """Complain of a system, or of one that nobody could name.

    Attributes:
        text: What happened, in the complainant's own words.
        kind: Id of a kind that is taken.
        system_id: As the public register has it; empty where it is not known.
        contact: How to reach whoever complains; empty where they do not want to be reached.
        website: A field people do not see; programs that fill in everything fill it in.
        strike: Id of a strike that is appealed against; empty where none is.
    """

    text: str
    kind: str = "other"
    system_id: str = ""
    contact: str = ""
    website: str = ""
    strike: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """Pass a complaint on: to the system it is about, to an authority's desk, or both.

    Attributes:
        reason: Why; whoever complained reads it.
    """

    reason: str
    system_id: str = ""
    office_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file kept with what was said.

    Attributes:
        name: Its file name; personal.
        media_type: As its first bytes tell.
        size: Bytes.
        digest: SHA-256 of its bytes.
        blob: Name under which it is kept, salted.
    """

    name: str
    media_type: str
    size: int
    digest: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint, without anything that was said in it.

    Attributes:
        id: The case number, `cpl_…`.
        system_id: What it is about; empty while nobody knows.
        party_id: Who answers for that system by the register; empty while nobody is known to.
        office_id: The authority's desk that sees it; empty where the register names none.
        kind: Id of `ComplaintRules.kinds`.
        lang: The language it was sent in.
        due_on: The last day (UTC) of the answer that is owed; None where none is.
        overdue_on: The day on which it was noticed that this day is past; None before.
        answered_at: When it was answered last.
        ended_at: When it was closed, refused or withdrawn.
        is_passed_on: Whether it was passed on to an authority's desk.
        is_apart: Whether it is listed apart, as suspected spam; what is owed is owed all the same.
        apart_because: What gave rise to that suspicion.
        erased_at, erased_because: When and why its texts and files were erased.
        entered_by: Who entered it from paper; empty where it came from its complainant.
        version: Counts its changes.
    """

    id: str
    system_id: str
    party_id: str
    office_id: str
    kind: str
    channel: Channel
    lang: Lang
    stage: Stage
    received_at: datetime
    due_on: date | None = None
    overdue_on: date | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    is_passed_on: bool = False
    is_apart: bool = False
    apart_because: Suspicion | None = None
    erased_at: datetime | None = None
    erased_because: ErasedBecause | None = None
    entered_by: str = ""
    version: int = 1

    @property
    def is_open(self) -> bool:
        """Whether something can still be said."""
        return self.stage in OPEN_STAGES

    def is_overdue(self, today: date) -> bool:
        """Whether an answer is owed and its last day is past."""
        return self.stage in OWED_STAGES and self.due_on is not None and self.due_on < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that was said in a complaint; personal in whole, and erasable.

    Attributes:
        id: `csd_…`.
        number: Its place, from 1.
        more: What else was committed to; of the complaint itself its kind, the system that was named, and the contact.
        salt: Hex; erased with the rest.
        commitment: Hex SHA-256 of salt and what was said: what the ledger holds of it, and keeps.
        office_id: The authority's desk that said it; empty for others.
        written_by: Pseudonymous id; `public` for the complainant.
        entry_id: The ledger's entry.
    """

    id: str
    case_id: str
    number: int
    kind: SaidKind
    speaker: Speaker
    text: str
    salt: str
    commitment: str
    office_id: str
    written_by: str
    at: datetime
    files: tuple[Attached, ...] = ()
    more: Mapping[str, str] = field(default_factory=dict)
    entry_id: str = ""

    @property
    def contact(self) -> str:
        """How to reach whoever complained; empty where they did not say, or of anything but the complaint."""
        return self.more.get("contact", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Who a complaint reaches, as the public may know it.

    Attributes:
        system: Name of the system; None where none is known, or it is not public.
        party: Who answers for the system; empty where nobody is known to, or it is a natural person.
        has_party: Whether somebody answers for it.
        authority: Name of the authority whose desk sees it; empty where the register names none.
    """

    system: Text | None
    party: str
    has_party: bool
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A complaint that was just received.

    Attributes:
        code: The follow code; shown this once, kept only as its hash.
    """

    complaint: Complaint
    code: str
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A complaint as its complainant sees it.

    Attributes:
        said: Everything said in it, in order; without texts where they were erased.
        is_proven: Whether the ledger's signed checkpoint covers its receipt.
        speakers: Names of the authorities that spoke, by desk.
    """

    complaint: Complaint
    said: tuple[Said, ...]
    destination: Destination
    is_proven: bool
    speakers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a complainant keeps, to show without us that they complained, when, and what of.

    Attributes:
        proof: A C2SP tlog-proof of the ledger's entry; None while no signed checkpoint covers it yet.
        opening: What opens the entry's commitment: the salt, and what was said; None where it was erased.
    """

    case_id: str
    proof: str | None
    opening: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintFile:
    """A complaint as one of its two parties sees it.

    Attributes:
        system: Name of the system; None while nobody knows which.
        party: Name of who answers for it; empty where nobody is known to.
        offices: Names of the authorities' desks, by id: those that spoke, and those it could be passed on to.
        speaker: For whom the reader acts.
        today: The day in UTC.
    """

    complaint: Complaint
    said: tuple[Said, ...]
    system: Text | None
    party: str
    offices: Mapping[str, str]
    speaker: Speaker
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintPage:
    """A page of complaints: what is owed soonest first, ended ones last.

    Attributes:
        systems: Names of the systems that occur, by id.
    """

    items: tuple[Complaint, ...]
    total: int
    page: int
    pages: int
    today: date
    systems: Mapping[str, Text]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintCounts:
    """How many complaints there are about a system; this is all that others than the two parties are told."""

    total: int
    open: int
    overdue: int
