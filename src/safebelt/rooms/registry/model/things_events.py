"""What happens to things, links and versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingRegistered(Event):
    """A thing entered the register."""

    kind: ClassVar[str] = "registry.thing_registered.v1"
    title: ClassVar[Text] = Text(zh="登记了部件", en="Part registered")
    apart: ClassVar[frozenset[str]] = frozenset({"name_zh", "name_en", "licence", "origin_url", "details"})
    thing_kind: str
    name_zh: str
    name_en: str
    owner_id: str
    licence: str
    origin_url: str
    sha256: str
    details: Mapping[str, str | float | tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingChanged(Event):
    """What the register says of a thing changed: field, before, after."""

    kind: ClassVar[str] = "registry.thing_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了部件", en="Part changed")
    apart: ClassVar[frozenset[str]] = frozenset({"changes", "reason"})
    changes: Mapping[str, tuple[str, str]]
    reason: str
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingLinked(Event):
    """A system stands to a thing in a relation.  The subject is the system."""

    kind: ClassVar[str] = "registry.thing_linked.v1"
    title: ClassVar[Text] = Text(zh="关联了部件", en="Part linked")
    link_id: str
    thing_id: str
    thing_kind: str
    relation: str
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingUnlinked(Event):
    """A system no longer stands to a thing in a relation.  The subject is the system."""

    kind: ClassVar[str] = "registry.thing_unlinked.v1"
    title: ClassVar[Text] = Text(zh="解除了部件关联", en="Part no longer linked")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    link_id: str
    thing_id: str
    relation: str
    until: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionProposed(Event):
    """A version was proposed.  The subject is the system, model or agent; who made it is personal."""

    kind: ClassVar[str] = "registry.version_proposed.v1"
    title: ClassVar[Text] = Text(zh="提出了新版本", en="Version proposed")
    apart: ClassVar[frozenset[str]] = frozenset({"label", "notes_zh", "notes_en"})
    version_id: str
    subject_kind: str
    label: str
    digest: str
    notes_zh: str
    notes_en: str
    made_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionPromoted(Event):
    """A version became current.  `superseded` is the one that was; empty where none was."""

    kind: ClassVar[str] = "registry.version_promoted.v1"
    title: ClassVar[Text] = Text(zh="版本已上线", en="Version became current")
    apart: ClassVar[frozenset[str]] = frozenset({"label", "reason"})
    version_id: str
    subject_kind: str
    label: str
    superseded: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRolledBack(Event):
    """A version that was superseded became current again.  `withdrawn` is the one it took the place of."""

    kind: ClassVar[str] = "registry.version_rolled_back.v1"
    title: ClassVar[Text] = Text(zh="回退到旧版本", en="Rolled back to an earlier version")
    apart: ClassVar[frozenset[str]] = frozenset({"label", "reason"})
    version_id: str
    subject_kind: str
    label: str
    withdrawn: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionWithdrawn(Event):
    """A version was withdrawn; where it was current, none is."""

    kind: ClassVar[str] = "registry.version_withdrawn.v1"
    title: ClassVar[Text] = Text(zh="撤下了版本", en="Version withdrawn")
    apart: ClassVar[frozenset[str]] = frozenset({"label", "reason"})
    version_id: str
    subject_kind: str
    label: str
    was: str
    reason: str


EVENTS: tuple[type[Event], ...] = (
    ThingRegistered,
    ThingChanged,
    ThingLinked,
    ThingUnlinked,
    VersionProposed,
    VersionPromoted,
    VersionRolledBack,
    VersionWithdrawn,
)
