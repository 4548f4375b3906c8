"""Words of copies without a visible notice: who asked for one, what was agreed, and how long that is kept."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text

LOG_MONTHS = "cn.labelling.log_months"
"""The rulebook's parameter that says how long who received such copies is kept; its own citation is shown."""
MAX_CHARACTERS = 500
"""Longest name, contact, reason or reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who asked for a copy: personal data, kept by itself, and erased when its time is over.

    Attributes:
        name: Who.
        contact: How they can be reached.
        reason: What they want it for.
    """

    name: str
    contact: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveCopy:
    """A request for a copy without a visible notice.

    Attributes:
        system_id: What made the content.
        recipient: Who asked.
        agreement: The agreement by which labelling and proper use became their duty: its name, version or number.
    """

    system_id: str
    recipient: Recipient
    agreement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy that was given.

    Attributes:
        id: Its id.
        mark_id: The mark on it.
        system_id: What made the content.
        sha256: Digest of the copy, hexadecimal.
        agreement: As `GiveCopy`.
        at: When it was given.
        keep_until: Last day on which who received it is kept.
        entry_id: The ledger's entry.
        recipient: Who received it; None once that was erased.
    """

    id: str
    mark_id: str
    system_id: str
    sha256: str
    agreement: str
    at: datetime
    keep_until: date
    entry_id: str
    recipient: Recipient | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyGiven(Event):
    """Somebody received a copy without a visible notice; who, is kept elsewhere and can be erased.

    Attributes:
        commitment: Hex SHA-256 of a salt and the canonical JSON of who received it, why, and by which agreement.
    """

    kind: ClassVar[str] = "labelling.copy_given.v1"
    title: ClassVar[Text] = Text(zh="提供了不带显式标识的副本", en="Copy without a visible notice given")
    apart: ClassVar[frozenset[str]] = frozenset({"system_id"})
    mark_id: str
    sha256: str
    commitment: str
    keep_until: str
    system_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientErased(Event):
    """Who received a copy was erased, since the time to keep it is over."""

    kind: ClassVar[str] = "labelling.recipient_erased.v1"
    title: ClassVar[Text] = Text(zh="删除了副本接收人的信息", en="Recipient of a copy erased")
    kept_until: str
