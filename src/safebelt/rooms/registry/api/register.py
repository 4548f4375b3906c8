"""The registry's JSON door: `/api/registry`."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import Controller, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model import (
    ChangeSystem,
    Dossier,
    NamedPerson,
    NamePerson,
    Party,
    PartyPage,
    RegisterParty,
    RegisterSystem,
    Status,
    System,
    SystemPage,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

PAGE_LIMIT = 100_000
"""Last page number that may be asked for; keeps the offset inside what both databases count in."""

MAX_DESCRIPTOR = 1_000_000
"""Longest descriptor, characters; the rulebook's reader takes no more than a megabyte."""

DescriptorText = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=MAX_DESCRIPTOR),
    KwargDefinition(min_length=1, max_length=MAX_DESCRIPTOR),
]
Search = Annotated[str, QueryParameter(description="Every word must occur, in either language.", max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=PAGE_LIMIT)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]
Id = Annotated[str, PathParameter(description="Id, for example `sys_…` or `pty_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptor:
    """A system's facts.

    Attributes:
        descriptor: A descriptor in the form `system/1`, as YAML or JSON text.
    """

    descriptor: DescriptorText


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What was put on record, and the red lines that bar the system from service now."""

    system: str
    version: int
    facts: int
    facts_sha256: str
    barred_by: list[str]


class RegistryApi(Controller):
    """`/api/registry`."""

    path = "/api/registry"
    tags = ("registry",)

    @get("/parties", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_parties(
        self, registry: NamedDependency[Registry], search: Search = "", page: PageNumber = 1, size: PageSize = 20
    ) -> PartyPage:
        """List parties, newest first."""
        return registry.parties(search=search, page=page, size=size)

    @post(
        "/parties",
        sync_to_thread=True,
        guards=[requires("registry.register")],
        responses=problems(Invalid, has_body=True),
    )
    def register_party(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[RegisterParty]
    ) -> Party:
        """Register a party."""
        return registry.register_party(data, by=by)

    @get(
        "/parties/{party_id:str}", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound)
    )
    def get_party(self, registry: NamedDependency[Registry], party_id: Id) -> Party:
        """Return one party."""
        return registry.party(party_id)

    @get("/systems", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_systems(
        self,
        registry: NamedDependency[Registry],
        search: Search = "",
        status: Annotated[Status | None, QueryParameter()] = None,
        page: PageNumber = 1,
        size: PageSize = 20,
    ) -> SystemPage:
        """List AI systems, newest first."""
        return registry.systems(search=search, status=status, page=page, size=size)

    @post(
        "/systems",
        sync_to_thread=True,
        guards=[requires("registry.register")],
        responses=problems(Invalid, has_body=True),
    )
    def register_system(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[RegisterSystem]
    ) -> System:
        """Register an AI system."""
        return registry.register_system(data, by=by)

    @get(
        "/systems/{system_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_system(self, registry: NamedDependency[Registry], system_id: Id) -> System:
        """Return one AI system."""
        return registry.system(system_id)

    @patch(
        "/systems/{system_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def change_system(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[ChangeSystem],
    ) -> System:
        """Change an AI system; `version` is the one the change was made on."""
        return registry.change_system(system_id, data, by=by)

    @post(
        "/systems/{system_id:str}/people",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def name_person(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[NamePerson],
    ) -> NamedPerson:
        """Name a person who stands for something about an AI system."""
        return registry.name_person(system_id, data, by=by)

    @put(
        "/systems/{system_id:str}/facts",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def describe_system(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[Descriptor],
    ) -> Described:
        """Put an AI system's facts on record; where they bar it from service, a system in service is suspended."""
        record = registry.describe(system_id, data.descriptor, by=by)
        return Described(
            system=record.subject,
            version=record.version,
            facts=len(record.description.facts),
            facts_sha256=record.sha256,
            barred_by=list(registry.barred_by(system_id)),
        )

    @get(
        "/systems/{system_id:str}/dossier",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_dossier(self, registry: NamedDependency[Registry], system_id: Id) -> Dossier:
        """Return an AI system's dossier."""
        return registry.dossier(system_id)


API: tuple[type, ...] = (RegistryApi,)
