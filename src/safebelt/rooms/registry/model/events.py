"""What happens in the registry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRegistered(Event):
    """A party entered the register.  `name` is empty for a person, whose name is personal data."""

    kind: ClassVar[str] = "registry.party_registered.v1"
    title: ClassVar[Text] = Text(zh="登记了主体", en="Party registered")
    party_kind: str
    roles: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRegisteredV1(Event):
    """A system entered the register, as earlier releases wrote it: names and purpose in the public leaf."""

    kind: ClassVar[str] = "registry.system_registered.v1"
    title: ClassVar[Text] = Text(zh="登记了系统", en="System registered")
    name_zh: str
    name_en: str
    purpose_zh: str
    purpose_en: str
    provider_id: str
    deployer_id: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNamed(Event):
    """A person was named for a system; who it is, is personal data.  `ended` lists the terms this ended."""

    kind: ClassVar[str] = "registry.person_named.v1"
    title: ClassVar[Text] = Text(zh="指定了人员", en="Person named")
    person_id: str
    role: str
    since: str
    ended: tuple[str, ...]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemChangedV1(Event):
    """What the register says of a system changed, as earlier releases wrote it: before and after in the leaf."""

    kind: ClassVar[str] = "registry.system_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了系统", en="System changed")
    changes: Mapping[str, tuple[str, str]]
    reason: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemRegistered(Event):
    """A system entered the register.  What it is called and is for may have to stay hidden: it is kept apart."""

    kind: ClassVar[str] = "registry.system_registered.v2"
    title: ClassVar[Text] = Text(zh="登记了系统", en="System registered")
    apart: ClassVar[frozenset[str]] = frozenset({"name_zh", "name_en", "purpose_zh", "purpose_en"})
    name_zh: str
    name_en: str
    purpose_zh: str
    purpose_en: str
    provider_id: str
    deployer_id: str
    status: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemChanged(Event):
    """What the register says of a system changed: the leaf names the fields; before, after and why are kept apart."""

    kind: ClassVar[str] = "registry.system_changed.v2"
    title: ClassVar[Text] = Text(zh="更改了系统", en="System changed")
    apart: ClassVar[frozenset[str]] = frozenset({"changes", "reason"})
    fields: tuple[str, ...]
    changes: Mapping[str, tuple[str, str]]
    reason: str
    provider_id: str
    deployer_id: str
    status: str
    version: int


EVENTS: tuple[type[Event], ...] = (
    PartyRegistered,
    SystemRegisteredV1,
    SystemRegistered,
    PersonNamed,
    SystemChangedV1,
    SystemChanged,
)
