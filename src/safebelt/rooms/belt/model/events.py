"""What happened at the belt, for the ledger."""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIssued(Event):
    """A caller's key was issued."""

    kind: ClassVar[str] = "belt.key_issued.v1"
    title: ClassVar[Text] = Text(zh="签发了调用密钥", en="Caller's key issued")
    key_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked(Event):
    """A caller's key was revoked."""

    kind: ClassVar[str] = "belt.key_revoked.v1"
    title: ClassVar[Text] = Text(zh="撤销了调用密钥", en="Caller's key revoked")
    key_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HarnessSet(Event):
    """The belt was fitted to a system, or its stance, policy or modes were changed."""

    kind: ClassVar[str] = "belt.harness_set.v1"
    title: ClassVar[Text] = Text(zh="设置了安全带", en="Belt fitted or changed")
    policy: str
    policy_version: int
    policy_digest: str
    stance: str
    record_mode: str
    notice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOrdered(Event):
    """A person ordered run, pause, drain or cut."""

    kind: ClassVar[str] = "belt.stop_ordered.v1"
    title: ClassVar[Text] = Text(zh="下达了运行命令", en="Order given: run, pause, drain or cut")
    order_id: str
    command: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEffective(Event):
    """An order took effect; the counts are the proof."""

    kind: ClassVar[str] = "belt.stop_effective.v1"
    title: ClassVar[Text] = Text(zh="命令已生效", en="Order took effect")
    order_id: str
    command: str
    ordered_at: str
    seen_at: str
    effective_at: str
    streams_cut: int
    streams_held: int
    bytes_after: int
    killed_by_supervisor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSealed(Event):
    """A segment of exchange records was closed; `root` commits to every record in it."""

    kind: ClassVar[str] = "belt.segment_sealed.v1"
    title: ClassVar[Text] = Text(zh="封存了一段记录", en="Segment of records sealed")
    segment: str
    records: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordErased(Event):
    """The content of a record was erased; its core and every proof stand.  The subject is the record.

    Attributes:
        contents: How many contents were blanked; 0 where none was left.
        reason: Why.
    """

    kind: ClassVar[str] = "belt.record_erased.v1"
    title: ClassVar[Text] = Text(zh="删除了往来记录的内容", en="Content of a record erased")
    contents: int
    reason: str
