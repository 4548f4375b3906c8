"""Words of search, saved views, bulk acts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import Status, System

TAG, SOURCE, RED_LINE, CLASS = "tag", "source", "red_line", "class:"
"""Facets systems are labelled by; a class's facet names its instrument: `class:eu/ai-act`."""
MET = "met"
"""The value of `RED_LINE` of a system that the facts bar from service."""
OUTSIDE = frozenset({"", "out_of_scope", "not_covered"})
"""Classes that say that an instrument does not concern a system; by those nobody is looked up."""


class Sort(StrEnum):
    """In which order systems are listed."""

    BEST = "best"
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"


SORTS: Mapping[Sort, Text] = {
    Sort.BEST: Text(zh="最相符在前", en="best match first"),
    Sort.NEWEST: Text(zh="最近登记在前", en="newest first"),
    Sort.OLDEST: Text(zh="最早登记在前", en="oldest first"),
    Sort.NAME: Text(zh="按名称", en="by name"),
}


class Side(StrEnum):
    """As what a party stands in a system's registration."""

    PROVIDER = "provider"
    DEPLOYER = "deployer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which systems are wanted; what is left out does not matter.

    Attributes:
        stages: Any of these.
        provisional: Whether they are in service on evidence that is only claimed.
        party, side: Id of a party, and as what it stands (in either role where left out).
        classes: Any of these, as `<instrument>=<class>` or `<instrument>` alone, at the last judgment.
        tags: All of these.
        source: Where they were imported from.
        red_line: Whether the facts bar them from service.
        since, until: First and last day of their registration, UTC.
    """

    stages: tuple[Status, ...] = ()
    provisional: bool | None = None
    party: str = ""
    side: Side | None = None
    classes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    source: str = ""
    red_line: bool | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for.

    Attributes:
        text: Words in either language; every one must be found, mistypes forgiven.  Empty lists all.
        filters: Which systems may answer.
        sort: In which order; a text is answered best first unless another order is asked for.
    """

    text: str = ""
    filters: Filters = field(default_factory=Filters)
    sort: Sort = Sort.BEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A system that was found.

    Attributes:
        system: The system.
        tags: Its tags.
        why: What of the question it met, and where; None where nothing was asked in words.
        is_near: Whether a mistake had to be forgiven.
    """

    system: System
    tags: tuple[str, ...]
    why: Text | None = None
    is_near: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many of the counted results have a value of a facet."""

    value: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page of what was found.

    Attributes:
        hits: The page.
        total: How many there are, or a number there are more than (`has_more_than_total`).
        after, before: Cursors of the next and the previous page; empty where there is none.
        facets: Facet to tallies, over the first `counted` results.
        meant: Part of the question nobody wrote, to what was taken for it.
        hints: Where nothing was found: other questions that find something.
        was_cut: Whether the question was too long to be read whole.
    """

    hits: tuple[Hit, ...]
    total: int
    has_more_than_total: bool
    after: str = ""
    before: str = ""
    facets: Mapping[str, tuple[Tally, ...]] = field(default_factory=dict)
    counted: int = 0
    meant: Mapping[str, str] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    was_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the last judgment of a system is looked up by.

    Attributes:
        classes: Instrument id to the strictest class, `unknown` where a stricter one could still hold.
        red_lines: Red lines the facts meet.
    """

    classes: Mapping[str, str]
    red_lines: tuple[str, ...] = ()


# ---- saved views


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedView:
    """A question somebody keeps.

    Attributes:
        id: `vew_…`.
        owner: Whose it is.
        name: What they call it.
        question: What it asks.
        is_shared: Whether the whole house sees it.
    """

    id: str
    owner: str
    name: str
    question: Question
    is_shared: bool
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveView:
    """Keep a question.

    Attributes:
        name: What to call it; people who see a shared view read it.
        question: What it asks.
        is_shared: Whether the whole house may see it.
    """

    name: str
    question: Question = field(default_factory=Question)
    is_shared: bool = False


# ---- bulk acts


class BulkKind(StrEnum):
    """What can be done to many systems at once."""

    NAME_ACCOUNTABLE = "name_accountable"
    ADD_TAG = "add_tag"
    REMOVE_TAG = "remove_tag"
    PUT_TASK = "put_task"
    WITHDRAW = "withdraw"


BULK_KINDS: Mapping[BulkKind, Text] = {
    BulkKind.NAME_ACCOUNTABLE: Text(zh="指定负责人", en="name who is accountable"),
    BulkKind.ADD_TAG: Text(zh="添加标签", en="add a tag"),
    BulkKind.REMOVE_TAG: Text(zh="移除标签", en="remove a tag"),
    BulkKind.PUT_TASK: Text(zh="布置任务", en="put a task"),
    BulkKind.WITHDRAW: Text(zh="撤回登记", en="withdraw"),
}


ACTIONS: Mapping[BulkKind, str] = {
    BulkKind.NAME_ACCOUNTABLE: "registry.change",
    BulkKind.ADD_TAG: "registry.change",
    BulkKind.REMOVE_TAG: "registry.change",
    BulkKind.PUT_TASK: "registry.collaborate",
    BulkKind.WITHDRAW: "registry.gate",
}
"""What whoever orders a bulk act must be allowed for each system singly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrder:
    """Do something to many systems.

    Attributes:
        kind: What.
        value: The person's name, the tag, the task's title, or the reason.
        contact: How to reach the person who is named.
        systems: Which; where left out, all that answer `question`.
        question: Whom it concerns where `systems` is empty.
        expected: How many the preview counted; if there are others now, nothing is done.
    """

    kind: BulkKind
    value: str
    contact: str = ""
    systems: tuple[str, ...] = ()
    question: Question | None = None
    expected: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPreview:
    """Whom a bulk act would concern.

    Attributes:
        total: How many systems.
        first: The first of them.
    """

    total: int
    first: tuple[System, ...]


class Outcome(StrEnum):
    """What became of one item of a bulk act."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkItem:
    """One system of a bulk act, and what became of it; `says` tells why it was refused."""

    system_id: str
    outcome: Outcome
    says: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkProgress:
    """How far a bulk act is.

    Attributes:
        id: `blk_…`.
        refused: The first systems it could not be done to, with the reason.
    """

    id: str
    kind: BulkKind
    value: str
    total: int
    done: int
    waiting: int
    refused_count: int
    refused: tuple[BulkItem, ...]
    ordered_at: datetime


# ---- events


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemTagged(Event):
    """A system got or lost a tag."""

    kind: ClassVar[str] = "registry.system_tagged.v1"
    title: ClassVar[Text] = Text(zh="更改了标签", en="Tags changed")
    apart: ClassVar[frozenset[str]] = frozenset({"added", "removed"})
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSaved(Event):
    """A question was kept; what it is called and asks is its owner's."""

    kind: ClassVar[str] = "registry.view_saved.v1"
    title: ClassVar[Text] = Text(zh="保存了视图", en="View saved")
    is_shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDeleted(Event):
    """A kept question was deleted."""

    kind: ClassVar[str] = "registry.view_deleted.v1"
    title: ClassVar[Text] = Text(zh="删除了视图", en="View deleted")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRestored(Event):
    """The deletion of a kept question was taken back."""

    kind: ClassVar[str] = "registry.view_restored.v1"
    title: ClassVar[Text] = Text(zh="恢复了视图", en="View restored")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOrdered(Event):
    """Something was ordered for many systems; each that is changed has an entry of its own."""

    kind: ClassVar[str] = "registry.bulk_ordered.v1"
    title: ClassVar[Text] = Text(zh="下达了批量操作", en="Bulk act ordered")
    act: str
    systems: int


EVENTS: tuple[type[Event], ...] = (SystemTagged, ViewSaved, ViewDeleted, ViewRestored, BulkOrdered)
