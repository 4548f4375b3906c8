"""What the ledger is told of labelling."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.copies import CopyGiven, RecipientErased
from safebelt.rooms.labelling.model.textmarks import TextKeyMade, TextKeyReleased


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentMarked(Event):
    """A content was marked; its subject is the mark's id, which its label carries as `ProduceID`.

    What the content is, and what it is called, is not said: its digest is found by whoever has the file.
    """

    kind: ClassVar[str] = "labelling.content_marked.v1"
    title: ClassVar[Text] = Text(zh="标识了内容", en="Content marked")
    system_id: str
    file_kind: str
    sha256: str
    marks: tuple[str, ...]
    serial: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkKeyRotated(Event):
    """Watermarks carry a new key; the old one is only read.

    Attributes:
        retired: How many keys are only read now.
        commitment: Hex SHA-256 of the key that was retired.
    """

    kind: ClassVar[str] = "labelling.watermark_key_rotated.v1"
    title: ClassVar[Text] = Text(zh="更换了水印密钥", en="Watermark key rotated")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    retired: int
    commitment: str
    reason: str


EVENTS = (ContentMarked, CopyGiven, RecipientErased, TextKeyMade, TextKeyReleased, WatermarkKeyRotated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A mark this house put on a content.

    Attributes:
        id: The mark's id.
        system_id: What made the content.
        sha256: Digest of the finished file, hexadecimal.
        at: When.
        entry_id: The ledger's entry; empty where the belt marked it, whose record has the mark's id.
        ident: What its watermark carries, below 2⁶³; None where it has none.
    """

    id: str
    system_id: str
    sha256: str
    at: datetime
    entry_id: str
    ident: int | None = None
