"""What happens to a complaint.  Nothing that was said is in an entry: only what commits to it, salted.

The salt and what was said are kept in this room's own tables, where they can be erased, and not beside the entry: the
ledger's readers are more than the two parties.  Which system, party and authority are concerned travels apart.
"""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text

_WHOM = frozenset({"system", "party", "authority"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintReceived(Event):
    """A complaint was received.  The subject is its case number.

    Attributes:
        commitment: Hex SHA-256 of a salt and the canonical JSON of what was said.
        files: How many files came with it.
    """

    kind: ClassVar[str] = "portal.complaint_received.v1"
    title: ClassVar[Text] = Text(zh="收到投诉", en="Complaint received")
    apart: ClassVar[frozenset[str]] = _WHOM
    complaint_kind: str
    channel: str
    lang: str
    commitment: str
    files: int
    due_on: str
    is_apart: bool
    system: str
    party: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintAdded(Event):
    """Whoever complained added something."""

    kind: ClassVar[str] = "portal.complaint_added.v1"
    title: ClassVar[Text] = Text(zh="投诉人作了补充", en="Complaint added to")
    number: int
    commitment: str
    files: int
    stage: str
    due_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintAnswered(Event):
    """One of the two parties answered; `side` says which."""

    kind: ClassVar[str] = "portal.complaint_answered.v1"
    title: ClassVar[Text] = Text(zh="答复了投诉", en="Complaint answered")
    apart: ClassVar[frozenset[str]] = frozenset({"authority"})
    number: int
    commitment: str
    files: int
    side: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintPassedOn(Event):
    """A complaint was passed on, to the party of a system or to an authority."""

    kind: ClassVar[str] = "portal.complaint_passed_on.v1"
    title: ClassVar[Text] = Text(zh="移交了投诉", en="Complaint passed on")
    apart: ClassVar[frozenset[str]] = _WHOM
    number: int
    commitment: str
    side: str
    stage: str
    due_on: str
    system: str
    party: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintEnded(Event):
    """A complaint was closed, or not taken up; why is in what was said."""

    kind: ClassVar[str] = "portal.complaint_ended.v1"
    title: ClassVar[Text] = Text(zh="办结了投诉", en="Complaint closed")
    apart: ClassVar[frozenset[str]] = frozenset({"authority"})
    number: int
    commitment: str
    side: str
    stage: str
    authority: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintWithdrawn(Event):
    """Whoever complained took the complaint back."""

    kind: ClassVar[str] = "portal.complaint_withdrawn.v1"
    title: ClassVar[Text] = Text(zh="投诉人撤回了投诉", en="Complaint withdrawn")
    number: int
    commitment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintErased(Event):
    """Everything that was said in a complaint, and its files, were erased; every proof stands."""

    kind: ClassVar[str] = "portal.complaint_erased.v1"
    title: ClassVar[Text] = Text(zh="删除了投诉内容", en="Texts of a complaint erased")
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintOverdue(Event):
    """The last day of the answer that was owed is past."""

    kind: ClassVar[str] = "portal.complaint_overdue.v1"
    title: ClassVar[Text] = Text(zh="投诉逾期未答复", en="Complaint overdue")
    due_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintSetApart(Event):
    """A complaint was set apart as spam, or put back among the others."""

    kind: ClassVar[str] = "portal.complaint_set_apart.v1"
    title: ClassVar[Text] = Text(zh="将投诉另列或移回", en="Complaint set apart or put back")
    side: str
    is_apart: bool


EVENTS: tuple[type[Event], ...] = (
    ComplaintReceived,
    ComplaintAdded,
    ComplaintAnswered,
    ComplaintPassedOn,
    ComplaintEnded,
    ComplaintWithdrawn,
    ComplaintErased,
    ComplaintOverdue,
    ComplaintSetApart,
)
