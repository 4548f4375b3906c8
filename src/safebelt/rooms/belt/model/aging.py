"""What happened to records because they were too old, for the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRemoved(Event):
    """A segment older than the house keeps records was taken off the disk; its root stands.

    Attributes:
        last: SHA-256 of its last record, so that the next segment can still be held against it.
        until: When its last record was written.
        days: How long the house keeps records.
    """

    kind: ClassVar[str] = "belt.segment_removed.v1"
    title: ClassVar[Text] = Text(zh="按期限删除了一段记录", en="Segment of records removed by rule")
    segment: str
    records: int
    root: str
    last: str
    until: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSwept(Event):
    """Texts older than their systems keep them were blanked in the records; cores and proofs stand.

    Attributes:
        before: System → moment; what was recorded earlier is blank.
        contents: System → how many contents this blanked.
    """

    kind: ClassVar[str] = "belt.content_swept.v1"
    title: ClassVar[Text] = Text(zh="按期限抹除了记录中的文本", en="Texts in records blanked by rule")
    before: Mapping[str, str]
    contents: Mapping[str, int]
