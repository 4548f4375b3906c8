"""What happens in supervision.  Texts, names of files and proofs of delivery are personal; drafts leave nothing."""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeDeclared(Event):
    """An authority's desk was set up, with the competence it states; `officer` is who did and works at it."""

    kind: ClassVar[str] = "registry.office_declared.v1"
    title: ClassVar[Text] = Text(zh="设立了监督工作台", en="Authority's desk set up")
    jurisdiction: str
    instruments: tuple[str, ...]
    zone: str
    officer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerAdmitted(Event):
    """Somebody works at an authority's desk from now on."""

    kind: ClassVar[str] = "registry.officer_admitted.v1"
    title: ClassVar[Text] = Text(zh="增加了监督人员", en="Officer admitted to an authority's desk")
    officer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened(Event):
    """A case began: its first step is being served.

    Attributes:
        case: `cas_…`.
        system, party: What and whom it is about; empty, and personal, where the case is for its parties only.
    """

    kind: ClassVar[str] = "registry.case_opened.v1"
    title: ClassVar[Text] = Text(zh="主管部门立案", en="Authority opened a case")
    case: str
    system: str
    party: str
    authority: str
    case_kind: str
    confidentiality: str
    jurisdiction: str
    instruments: tuple[str, ...]
    basis: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepServed(Event):
    """A step was served on the operator, or filed by it.  What it says is in the personal part.

    Attributes:
        system: Empty where the case is for its parties only.
        authority: Who took it; empty for the operator.
        has_other_basis: Whether it rests on a basis the rulebook does not hold, which the personal part names.
        digests: SHA-256 of the documents handed over with it.
    """

    kind: ClassVar[str] = "registry.case_step_served.v1"
    title: ClassVar[Text] = Text(zh="监督步骤已送达", en="Step of supervision served")
    case: str
    system: str
    step: str
    number: int
    step_kind: str
    side: str
    authority: str
    basis: tuple[str, ...]
    has_other_basis: bool
    re: str
    outcome: str
    served_on: str
    channel: str
    due_on: str
    appeal_until: str
    digests: tuple[str, ...]
    stage: str
    to_authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptNoted(Event):
    """A step was received.  `on_word_of` says whose word that rests on; nothing is deemed received."""

    kind: ClassVar[str] = "registry.case_receipt_noted.v1"
    title: ClassVar[Text] = Text(zh="监督步骤已签收", en="Step of supervision received")
    case: str
    step: str
    on: str
    on_word_of: str
    due_on: str
    appeal_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPublished(Event):
    """An authority made a decision public, or took it down again."""

    kind: ClassVar[str] = "registry.case_decision_published.v1"
    title: ClassVar[Text] = Text(zh="公开或撤下了监督决定", en="Supervisory decision published or taken down")
    apart: ClassVar[frozenset[str]] = frozenset({"summary_zh", "summary_en"})
    case: str
    step: str
    is_public: bool
    summary_zh: str
    summary_en: str


EVENTS: tuple[type[Event], ...] = (
    OfficeDeclared,
    OfficerAdmitted,
    CaseOpened,
    StepServed,
    ReceiptNoted,
    DecisionPublished,
)
