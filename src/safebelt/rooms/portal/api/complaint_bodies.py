"""What the JSON doors to complaints read and answer."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar.params import KwargDefinition

from safebelt.kernel.text import Lang
from safebelt.rooms.portal.model.complaints import Complain, Filed, FileIn, Followed, Said, Stage
from safebelt.rooms.portal.service import Portal

_BASE64 = r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
Base64 = Annotated[str, msgspec.Meta(pattern=_BASE64), KwargDefinition(pattern=_BASE64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBody:
    """A file.

    Attributes:
        name: Its file name.
        content: Its bytes, base64.
    """

    name: str
    content: Base64

    def read(self) -> FileIn:
        """Return it as a file sent along."""
        return FileIn(name=self.name, content=b64decode(self.content))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintBody:
    """A complaint.

    Attributes:
        text: What happened.
        kind: Id of a kind that is taken (`registry/complaints.yaml`).
        system_id: As the public register has it; empty where it is not known.
        contact: How to reach whoever complains; may be empty.
        lang: The language it is in.
        strike: Id of a strike that is appealed against; empty where none is.
    """

    text: str
    kind: str = "other"
    system_id: str = ""
    contact: str = ""
    lang: Lang = "en"
    files: tuple[FileBody, ...] = ()
    strike: str = ""

    def read(self) -> Complain:
        """Return it as a complaint."""
        return Complain(
            text=self.text, kind=self.kind, system_id=self.system_id, contact=self.contact, strike=self.strike
        )

    def read_files(self) -> tuple[FileIn, ...]:
        """Return its files."""
        return tuple(one.read() for one in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionBody:
    """Something added to a complaint."""

    text: str
    files: tuple[FileBody, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonBody:
    """Why; may be empty."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBody:
    """An answer."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndBody:
    """Why a complaint ends.

    Attributes:
        text: What whoever complained reads.
        is_refused: Whether it is not taken up; otherwise it is closed, and must have been answered.
    """

    text: str
    is_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PassBody:
    """Where a complaint goes, and why: to the system it is about, to an authority's desk, or both."""

    reason: str
    system_id: str = ""
    office_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApartBody:
    """Whether a complaint is set apart as spam."""

    is_apart: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledView:
    """A complaint that was just received.

    Attributes:
        id: Its case number.
        code: The follow code: told this once.
        party: Who answers for the system; empty where nobody is known to, or it is a natural person.
        authority: Whose desk sees it; empty where the register names none.
        due_on: The last day (UTC) of the answer that is owed.
        basis: What that day rests on, by language.
    """

    id: str
    code: str
    stage: Stage
    channel: str
    party: str
    authority: str
    received_at: datetime
    due_on: date | None
    basis: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidView:
    """Something that was said in a complaint; empty once it was erased.

    Attributes:
        speaker: complainant, operator or authority.
        files: Names.
        entry: Id of the ledger's entry.
    """

    number: int
    kind: str
    speaker: str
    text: str
    files: list[str]
    at: datetime
    entry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedView:
    """A complaint as its complainant sees it.

    Attributes:
        is_overdue: Whether the answer that is owed is late.
        is_proven: Whether the receipt's proof is there.
        erased_at: When everything that was said was erased; None while it is there.
    """

    id: str
    stage: Stage
    kind: str
    party: str
    authority: str
    received_at: datetime
    due_on: date | None
    is_overdue: bool
    is_proven: bool
    erased_at: datetime | None
    said: list[SaidView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptView:
    """A receipt.

    Attributes:
        proof: A C2SP tlog-proof of the ledger's entry; None while no signed checkpoint covers it.
        opening: What opens the commitment in that entry: `SHA-256(salt ‖ RFC 8785 of said)`; None once erased.
    """

    id: str
    proof: str | None
    opening: dict[str, Any] | None


def filed_view(filed: Filed, portal: Portal) -> FiledView:
    """Return a complaint that was just received, as machines get it."""
    basis = portal.complaints.rules.basis
    return FiledView(
        id=filed.complaint.id,
        code=filed.code,
        stage=filed.complaint.stage,
        channel=filed.complaint.channel.value,
        party=filed.destination.party,
        authority=filed.destination.authority,
        received_at=filed.complaint.received_at,
        due_on=filed.complaint.due_on,
        basis={"zh": basis.zh, "en": basis.en},
    )


def followed_view(found: Followed, portal: Portal) -> FollowedView:
    """Return a complaint as its complainant's program gets it."""
    complaint = found.complaint
    return FollowedView(
        id=complaint.id,
        stage=complaint.stage,
        kind=complaint.kind,
        party=found.destination.party,
        authority=found.destination.authority,
        received_at=complaint.received_at,
        due_on=complaint.due_on,
        is_overdue=complaint.is_overdue(portal.complaints.today),
        is_proven=found.is_proven,
        erased_at=complaint.erased_at,
        said=[_said(one) for one in found.said],
    )


def _said(one: Said) -> SaidView:
    return SaidView(
        number=one.number,
        kind=one.kind.value,
        speaker=one.speaker.value,
        text=one.text,
        files=[file.name for file in one.files],
        at=one.at,
        entry=one.entry_id,
    )
