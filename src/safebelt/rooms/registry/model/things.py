"""Words of what systems are made of and where they run: things, their versions, and the links between."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import identity, things_events

Value = str | float | tuple[str, ...]
"""What one particular of a thing holds; which of these it is, its kind's schema says (`things_fields.SCHEMAS`)."""


class ThingKind(StrEnum):
    """What systems are made of, and where they run."""

    MODEL = "model"
    AGENT = "agent"
    COMPONENT = "component"
    DATASET = "dataset"
    DEPLOYMENT = "deployment"


THING_KINDS: Mapping[ThingKind, Text] = {
    ThingKind.MODEL: Text(zh="模型", en="model"),
    ThingKind.AGENT: Text(zh="智能体", en="agent"),
    ThingKind.COMPONENT: Text(zh="组件", en="component"),
    ThingKind.DATASET: Text(zh="数据集", en="dataset"),
    ThingKind.DEPLOYMENT: Text(zh="部署", en="deployment"),
}
PREFIXES: Mapping[ThingKind, str] = {
    ThingKind.MODEL: "mdl",
    ThingKind.AGENT: "agt",
    ThingKind.COMPONENT: "cmp",
    ThingKind.DATASET: "dat",
    ThingKind.DEPLOYMENT: "dep",
}
"""How ids of each kind begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A model, agent, component, dataset or deployment.

    Attributes:
        id: `mdl_…`, `agt_…`, `cmp_…`, `dat_…` or `dep_…`.
        kind: Which of them.
        name: What it is called.
        about: What it is.
        owner_id: The party that answers for it; of a deployment, the party that deploys.  Empty where none is known.
        licence: Under what terms it may be used: an SPDX identifier, or words.
        origin_url: Where it came from.
        sha256: Digest of its file, 64 hex digits; empty where none was taken.
        details: The particulars of its kind, as its schema names them.
        dependents: How many systems depend on it now.
        registered_at: When it entered the register.
        revision: Counts its changes; a change names the revision it was made on.
    """

    id: str
    kind: ThingKind
    name: Text
    about: Text
    owner_id: str
    licence: str
    origin_url: str
    sha256: str
    details: Mapping[str, Value]
    registered_at: datetime
    dependents: int = 0
    revision: int = 1


class Relation(StrEnum):
    """How a system stands to a thing."""

    USES_MODEL = "uses_model"
    RUNS_AS = "runs_as"
    CONTAINS = "contains"
    TRAINED_ON = "trained_on"
    TESTED_ON = "tested_on"
    DEPLOYED_AS = "deployed_as"
    DEPENDS_ON = "depends_on"


RELATIONS: Mapping[Relation, Text] = {
    Relation.USES_MODEL: Text(zh="使用模型", en="uses the model"),
    Relation.RUNS_AS: Text(zh="以该智能体运行", en="runs as the agent"),
    Relation.CONTAINS: Text(zh="包含", en="contains"),
    Relation.TRAINED_ON: Text(zh="用该数据训练", en="was trained on"),
    Relation.TESTED_ON: Text(zh="用该数据测试", en="was tested on"),
    Relation.DEPLOYED_AS: Text(zh="部署为", en="is deployed as"),
    Relation.DEPENDS_ON: Text(zh="依赖", en="depends on"),
}
FITTING: Mapping[Relation, frozenset[ThingKind]] = {
    Relation.USES_MODEL: frozenset({ThingKind.MODEL}),
    Relation.RUNS_AS: frozenset({ThingKind.AGENT}),
    Relation.CONTAINS: frozenset({ThingKind.MODEL, ThingKind.AGENT, ThingKind.COMPONENT}),
    Relation.TRAINED_ON: frozenset({ThingKind.DATASET}),
    Relation.TESTED_ON: frozenset({ThingKind.DATASET}),
    Relation.DEPLOYED_AS: frozenset({ThingKind.DEPLOYMENT}),
    Relation.DEPENDS_ON: frozenset({ThingKind.MODEL, ThingKind.AGENT, ThingKind.COMPONENT, ThingKind.DATASET}),
}
"""To what kinds of thing a relation can lead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A system stands to a thing in a relation, for a time.

    Attributes:
        id: `lnk_…`.
        until: Day it ended; None while it holds.  Ended links stay.
    """

    id: str
    system_id: str
    thing_id: str
    relation: Relation
    since: date
    until: date | None = None


class SubjectKind(StrEnum):
    """What has versions."""

    SYSTEM = "system"
    MODEL = "model"
    AGENT = "agent"


class VersionState(StrEnum):
    """Where a version stands."""

    PROPOSED = "proposed"
    CURRENT = "current"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


VERSION_STATES: Mapping[VersionState, Text] = {
    VersionState.PROPOSED: Text(zh="待上线", en="proposed"),
    VersionState.CURRENT: Text(zh="现行", en="current"),
    VersionState.SUPERSEDED: Text(zh="已被取代", en="superseded"),
    VersionState.WITHDRAWN: Text(zh="已撤下", en="withdrawn"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of a system, a model or an agent; at most one of each subject's is current.

    Attributes:
        id: `ver_…`.
        subject_id: Id of the system, model or agent.
        subject_kind: Which of them.
        label: What people call it, for example `2.1`; unique for the subject.
        digest: SHA-256 of its file or manifest, 64 hex digits; empty where none was taken.
        notes: What changed.
        made_on: Day it was made.
        state: Where it stands.
        proposed_at: When it entered the register.
        current_from: When it last became current; None if it never was.
        current_until: When it last stopped being current; None while it is, and if it never was.
        made_by: Who made it; personal where it names a person.
    """

    id: str
    subject_id: str
    subject_kind: SubjectKind
    label: str
    digest: str
    notes: Text
    made_on: date
    state: VersionState
    proposed_at: datetime
    current_from: datetime | None = None
    current_until: datetime | None = None
    made_by: str = ""


# --- what people ask for -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterThing:
    """Enter a thing into the register.

    Attributes:
        kind: model, agent, component, dataset or deployment.
        name_zh, name_en: What it is called; one may be left out, then the other stands for both.
        about_zh, about_en: What it is; likewise, or both left out.
        owner_id: The party that answers for it; of a deployment, the party that deploys.
        licence: An SPDX identifier, or words.
        origin_url: Where it came from.
        sha256: Digest of its file.
        details: The particulars of its kind; `GET /api/registry/things/schemas` says which.
    """

    kind: ThingKind
    name_zh: str = ""
    name_en: str = ""
    about_zh: str = ""
    about_en: str = ""
    owner_id: str = ""
    licence: str = ""
    origin_url: str = ""
    sha256: str = ""
    details: Mapping[str, str | float | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeThing:
    """Change what the register says of a thing; what is left out stays, and so does each particular left out.

    Attributes:
        revision: The revision the change was made on.
        reason: Why; everyone who may read the register reads it.
        details: Particulars to set; an empty value takes one away.
    """

    revision: int
    reason: str
    name_zh: str | None = None
    name_en: str | None = None
    about_zh: str | None = None
    about_en: str | None = None
    owner_id: str | None = None
    licence: str | None = None
    origin_url: str | None = None
    sha256: str | None = None
    details: Mapping[str, str | float | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkThing:
    """Say how a system stands to a thing.

    Attributes:
        since: First day; today where left out.
    """

    thing_id: str
    relation: Relation
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLink:
    """End how a system stands to a thing.

    Attributes:
        reason: Why; it goes to the ledger.
        until: Day it ended; today where left out.
    """

    reason: str
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeVersion:
    """Propose a version.

    Attributes:
        label: What people call it.
        digest: SHA-256 of its file or manifest.
        notes_zh, notes_en: What changed; one may be left out, then the other stands for both.
        made_on: Day it was made; today where left out.
        made_by: Who made it; kept apart and erasable.
    """

    label: str
    digest: str = ""
    notes_zh: str = ""
    notes_en: str = ""
    made_on: date | None = None
    made_by: str = ""


# --- what people see ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingPage:
    """A page of things."""

    items: tuple[Thing, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A link with the names a reader needs."""

    link: Link
    system_name: Text
    thing_name: Text
    thing_kind: ThingKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedPage:
    """A page of links: those that hold first, then the newest."""

    items: tuple[Linked, ...]
    total: int
    page: int
    pages: int


EVENTS: tuple[type[Event], ...] = (*things_events.EVENTS, *identity.EVENTS)
"""Everything that happens to things, versions, links, and identifiers of parties."""
