"""Words of gates, evidence, sign-offs: who says what of a system, who vouches for it, and how it moved on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import Status


class Issuer(StrEnum):
    """Who stands behind a statement.  The four are never mixed up: a claim about oneself is no assessment."""

    SELF = "self"
    ASSOCIATION = "association"
    ASSESSOR = "assessor"
    AUTHORITY = "authority"


ISSUERS: Mapping[Issuer, Text] = {
    Issuer.SELF: Text(zh="自我声明", en="claimed by its own people"),
    Issuer.ASSOCIATION: Text(zh="行业组织", en="association"),
    Issuer.ASSESSOR: Text(zh="评估机构", en="assessor"),
    Issuer.AUTHORITY: Text(zh="主管部门", en="authority"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouch:
    """Somebody other than whoever attested stands for a piece of evidence.

    Attributes:
        issuer: association, assessor or authority.
        by: Pseudonymous id of who did.
        statement: What was looked at, and how.
    """

    issuer: Issuer
    by: str
    at: datetime
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A signed, dated, expiring statement that something a norm asks for is there.

    Attributes:
        id: `evd_…`.
        kind: What it shows, an id of `law/evidence.yaml`.
        issuer: Who stands behind the statement itself.
        person_id: The named person who attests; empty where the issuer is not the system's own side.
        by: Pseudonymous id of the actor who entered it.
        made_on, expires_on: First day, and the last day on which it counts.
        facts_version: The facts on record it was made under; 0 where there were none.
        digest: SHA-256 of an attached file, hexadecimal; empty where none is attached.
        note: The signed note over the statement in canonical JSON, checkable without this house.
        vouched: Who else stands for it.
        withdrawn_at: Since when it does not count any more.
    """

    id: str
    system_id: str
    kind: str
    statement: str
    issuer: Issuer
    person_id: str
    by: str
    made_on: date
    expires_on: date
    facts_version: int
    digest: str
    note: str
    vouched: tuple[Vouch, ...] = ()
    withdrawn_at: datetime | None = None

    @property
    def is_claimed(self) -> bool:
        """Whether nobody but the system's own side stands for it."""
        return self.issuer is Issuer.SELF and not self.vouched

    def counts_on(self, day: date) -> bool:
        """Whether it is valid on a day: neither withdrawn nor expired."""
        return self.withdrawn_at is None and self.made_on <= day <= self.expires_on


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """A named person stands for one gate, under the facts as they were; it lapses when they change.

    Attributes:
        id: `sgn_…`.
        to: The stage behind the gate.
        by: Pseudonymous id of the actor who entered it.
        note: The signed note over it in canonical JSON.
        used_at: When a passage used it; it opens a gate once.
    """

    id: str
    system_id: str
    to: Status
    person_id: str
    by: str
    at: datetime
    facts_version: int
    statement: str
    note: str
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A system moved from one stage to another.

    Attributes:
        id: `pas_…`.
        reason: Why, by whoever did it.
        facts_version: The facts it was judged by; 0 where there were none.
        asks: The gate's reason tree as it stood, JSON-ready; empty where no gate was asked.
        provisional: Whether it led into service on evidence that is only claimed.
    """

    id: str
    system_id: str
    before: Status
    after: Status
    at: datetime
    by: str
    reason: Text
    facts_version: int
    asks: Mapping[str, Any]
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attest:
    """State that a kind of evidence is there.

    Attributes:
        kind: An id of `law/evidence.yaml`.
        statement: What there is, where it is kept, and what it shows.
        expires_on: The last day on which the statement counts, at most 366 days from today.
        person_id: Who attests: a person named for the system (`per_…`); empty for an assessor or an authority.
        digest: SHA-256 of the document, hexadecimal; empty where none is at hand.
    """

    kind: str
    statement: str
    expires_on: date
    person_id: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VouchFor:
    """Stand for evidence that somebody else attested.

    Attributes:
        statement: What was looked at, and how.
        issuer: In which capacity; needed only where the actor's role does not say it (the owner, recording a paper).
    """

    statement: str
    issuer: Issuer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take evidence back.

    Attributes:
        reason: Why; everyone who may read the dossier reads it.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignGate:
    """Sign off a gate.

    Attributes:
        to: The stage behind the gate.
        person_id: Who signs: a person named for the system (`per_…`).
        statement: What was considered.
    """

    to: Status
    person_id: str
    statement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Move a system to another stage of its life.

    Attributes:
        to: Where to.
        reason: Why; everyone who may read the dossier reads it.
    """

    to: Status
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceAttested(Event):
    """Somebody stated that evidence is there; the words are in the signed note, whose SHA-256 is here."""

    kind: ClassVar[str] = "registry.evidence_attested.v1"
    title: ClassVar[Text] = Text(zh="提交了证据声明", en="Evidence attested")
    evidence_id: str
    evidence_kind: str
    issuer: str
    person_id: str
    made_on: str
    expires_on: str
    facts_version: int
    digest: str
    note_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceVouched(Event):
    """Somebody other than whoever attested stands for evidence."""

    kind: ClassVar[str] = "registry.evidence_vouched.v1"
    title: ClassVar[Text] = Text(zh="证据得到他方确认", en="Evidence vouched for")
    evidence_id: str
    evidence_kind: str
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceWithdrawn(Event):
    """Evidence was taken back."""

    kind: ClassVar[str] = "registry.evidence_withdrawn.v1"
    title: ClassVar[Text] = Text(zh="撤回了证据", en="Evidence withdrawn")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    evidence_id: str
    evidence_kind: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSigned(Event):
    """A named person signed off a gate, under the facts of one version."""

    kind: ClassVar[str] = "registry.gate_signed.v1"
    title: ClassVar[Text] = Text(zh="签署了关口", en="Gate signed off")
    sign_off_id: str
    to: str
    person_id: str
    facts_version: int
    note_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemMoved(Event):
    """A system moved from one stage to another; `asked` are the ids of what the gates on the way rested on."""

    kind: ClassVar[str] = "registry.system_moved.v1"
    title: ClassVar[Text] = Text(zh="系统进入新阶段", en="System moved to another stage")
    apart: ClassVar[frozenset[str]] = frozenset({"reason_zh", "reason_en"})
    passage_id: str
    before: str
    after: str
    reason_zh: str
    reason_en: str
    facts_version: int
    asked: tuple[str, ...]
    provisional: bool
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionReviewed(Event):
    """Whether a system in service rests on claims alone was looked at again, and came out otherwise."""

    kind: ClassVar[str] = "registry.provision_reviewed.v1"
    title: ClassVar[Text] = Text(zh="复核了暂行状态", en="Provisional status reviewed")
    provisional: bool
    claimed: tuple[str, ...]
    version: int


EVENTS: tuple[type[Event], ...] = (
    EvidenceAttested,
    EvidenceVouched,
    EvidenceWithdrawn,
    GateSigned,
    SystemMoved,
    ProvisionReviewed,
)
