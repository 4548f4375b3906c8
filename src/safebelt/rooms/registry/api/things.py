"""JSON door to models, agents, components, datasets, deployments, versions."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.api import identity
from safebelt.rooms.registry.model.differences import Aspect, Compared
from safebelt.rooms.registry.model.things import (
    THING_KINDS,
    ChangeThing,
    EndLink,
    Link,
    Linked,
    LinkedPage,
    LinkThing,
    ProposeVersion,
    RegisterThing,
    Thing,
    ThingKind,
    ThingPage,
    Version,
)
from safebelt.rooms.registry.model.things_fields import NEEDS_OWNER, SCHEMAS, Particular
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Search = Annotated[str, QueryParameter(description="Every word must occur, in either language.", max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]
ThingId = Annotated[str, PathParameter(description="Id of the part: `mdl_…`, `agt_…`, `cmp_…`, `dat_…`, `dep_…`.")]
SystemId = Annotated[str, PathParameter(description="Id of the system, `sys_…`.")]
SubjectId = Annotated[str, PathParameter(description="Id of a system, model or agent.")]
Number = Annotated[str, QueryParameter(description="Number, or label of a version.", max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindDescribed:
    """What is asked of one kind of thing.

    Attributes:
        needs_owner: Whether a party must answer for it.
        particulars: What goes into `details`.
    """

    kind: ThingKind
    title: Text
    needs_owner: bool
    particulars: tuple[Particular, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why something is done; it goes to the ledger."""

    reason: str


class ThingsApi(Controller):
    """`/api/registry/things`."""

    path = "/api/registry/things"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_things(
        self,
        registry: NamedDependency[Registry],
        *,
        search: Search = "",
        kind: Annotated[ThingKind | None, QueryParameter()] = None,
        most_depended: Annotated[bool, QueryParameter(description="Those most systems depend on first.")] = False,
        page: PageNumber = 1,
        size: PageSize = 20,
    ) -> ThingPage:
        """List models, agents, components, datasets and deployments, newest first."""
        return registry.things(search=search, kind=kind, most_depended=most_depended, page=page, size=size)

    @get("/schemas", guards=[requires("registry.read")], responses=problems())
    async def list_schemas(self) -> list[KindDescribed]:
        """List what is asked of each kind of thing."""
        return [
            KindDescribed(kind=kind, title=title, needs_owner=kind in NEEDS_OWNER, particulars=SCHEMAS[kind])
            for kind, title in THING_KINDS.items()
        ]

    @post(
        sync_to_thread=True,
        guards=[requires("registry.register")],
        responses=problems(Conflict, Invalid, has_body=True),
    )
    def register_thing(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[RegisterThing]
    ) -> Thing:
        """Register a model, agent, component, dataset or deployment."""
        return registry.register_thing(data, by=by)

    @get("/{thing_id:str}", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def get_thing(self, registry: NamedDependency[Registry], thing_id: ThingId) -> Thing:
        """Return one thing."""
        return registry.thing(thing_id)

    @patch(
        "/{thing_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def change_thing(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        thing_id: ThingId,
        data: JSONBody[ChangeThing],
    ) -> Thing:
        """Change a thing; `revision` is the one the change was made on."""
        return registry.change_thing(thing_id, data, by=by)

    @get(
        "/{thing_id:str}/systems",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def list_systems_using(
        self,
        registry: NamedDependency[Registry],
        thing_id: ThingId,
        only_now: Annotated[bool, QueryParameter(description="Leave out what ended.")] = False,
        page: PageNumber = 1,
        size: PageSize = 50,
    ) -> LinkedPage:
        """List the systems that stand to a thing: what depends on it."""
        return registry.used_by(thing_id, is_open=only_now, page=page, size=size)


class PartsApi(Controller):
    """`/api/registry/systems/{id}/parts` and `/api/registry/links`."""

    path = "/api/registry"
    tags = ("registry",)

    @get(
        "/systems/{system_id:str}/parts",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def list_parts(self, registry: NamedDependency[Registry], system_id: SystemId) -> list[Linked]:
        """List how a system stands to things: what holds first, then what ended."""
        return list(registry.links(system_id))

    @post(
        "/systems/{system_id:str}/parts",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def link_thing(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: SystemId,
        data: JSONBody[LinkThing],
    ) -> Link:
        """Say how a system stands to a thing."""
        return registry.link_thing(system_id, data, by=by)

    @post(
        "/links/{link_id:str}/end",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def unlink_thing(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        link_id: Annotated[str, PathParameter(description="`lnk_…`.")],
        data: JSONBody[EndLink],
    ) -> Link:
        """End how a system stands to a thing; the link stays in the history."""
        return registry.unlink_thing(link_id, reason=data.reason, until=data.until, by=by)

    @get(
        "/subjects/{subject_id:str}/versions",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound, Invalid),
    )
    def list_versions(self, registry: NamedDependency[Registry], subject_id: SubjectId) -> list[Version]:
        """List the versions of a system, model or agent, newest first."""
        return list(registry.versions(subject_id))

    @post(
        "/subjects/{subject_id:str}/versions",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def propose_version(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        subject_id: SubjectId,
        data: JSONBody[ProposeVersion],
    ) -> Version:
        """Propose a version of a system, model or agent; it becomes current only through the gate for promotions."""
        return registry.propose_version(subject_id, data, by=by)

    @get(
        "/versions/{version_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_version(
        self,
        registry: NamedDependency[Registry],
        version_id: Annotated[str, PathParameter(description="`ver_…`.")],
    ) -> Version:
        """Return one version."""
        return registry.version(version_id)

    @post(
        "/versions/{version_id:str}/withdraw",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def withdraw_version(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        version_id: Annotated[str, PathParameter(description="`ver_…`.")],
        data: JSONBody[Because],
    ) -> Version:
        """Withdraw a version; where it was current, none is until another is promoted."""
        return registry.withdraw_version(version_id, data.reason, by=by)

    @get(
        "/subjects/{subject_id:str}/diff",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound, Invalid),
    )
    def compare(
        self,
        registry: NamedDependency[Registry],
        subject_id: SubjectId,
        of: Annotated[Aspect, QueryParameter()] = Aspect.FACTS,
        before: Number = "",
        after: Number = "",
    ) -> Compared:
        """Compare two states of a system (facts, registration) or two versions, field by field; else the latest."""
        return registry.compare(subject_id, of=of, before=before, after=after)


API: tuple[type, ...] = (ThingsApi, PartsApi, *identity.API)
