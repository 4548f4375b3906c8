"""JSON door to what the public sees: preview, publish, publish many, take out."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.model.publication import (
    EndPublication,
    Preview,
    Publication,
    Publish,
    PublishedMany,
    PublishMany,
    Visibility,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Id = Annotated[str, PathParameter(description="Id of a system, `sys_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """The decision in force about what the public sees of a system.

    Attributes:
        is_decided: Whether anybody decided yet; until somebody does, nothing is public.
        is_shown: Whether the public sees its record today.
    """

    system_id: str
    is_decided: bool
    is_shown: bool
    visibility: Visibility
    version: int
    at: datetime | None
    since: date | None
    until: date | None
    ended_at: datetime | None
    basis: str
    contact: str
    digest: str
    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A field that would put a person before the public."""

    field: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """Exactly what the public would see.

    Attributes:
        record: The public record.
        digest: SHA-256 of its canonical JSON; send it back to publish exactly this.
        kept_back: Whether the law keeps it out of the public part, with the reason.
        slips: What has to be taken out first.
    """

    record: dict[str, Any]
    digest: str
    kept_back: dict[str, Any]
    slips: list[Slip]
    is_changed: bool


class PublicationApi(Controller):
    """`/api/registry/systems/{id}/publication` and `/api/registry/publications`."""

    path = "/api/registry"
    tags = ("registry",)

    @get(
        "/systems/{system_id:str}/publication",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_publication(self, registry: NamedDependency[Registry], system_id: Id) -> DecisionView:
        """Return the decision in force about what the public sees of a system."""
        return _view(registry, system_id, registry.publication(system_id))

    @get(
        "/systems/{system_id:str}/publication/preview",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def preview_publication(self, registry: NamedDependency[Registry], system_id: Id) -> PreviewView:
        """Show exactly what the public would see of a system, as the last decision had contact and limits."""
        return _preview(registry.preview_publication(system_id))

    @post(
        "/systems/{system_id:str}/publication",
        sync_to_thread=True,
        guards=[requires("registry.publish")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def publish(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], system_id: Id, data: JSONBody[Publish]
    ) -> DecisionView:
        """Decide what the public sees of a system."""
        return _view(registry, system_id, registry.publish(system_id, data, by=by))

    @post(
        "/systems/{system_id:str}/publication/end",
        sync_to_thread=True,
        guards=[requires("registry.publish")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def end_publication(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[EndPublication],
    ) -> DecisionView:
        """Take a system out of the public register; its page then says so."""
        return _view(registry, system_id, registry.unpublish(system_id, data, by=by))

    @post(
        "/publications",
        sync_to_thread=True,
        guards=[requires("registry.publish")],
        responses=problems(Conflict, Invalid, NotFound, has_body=True),
    )
    def publish_many(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[PublishMany]
    ) -> PublishedMany:
        """Decide the same about many systems: by id, import batch or search."""
        return registry.publish_many(data, by=by)


def _view(registry: Registry, system_id: str, found: Publication | None) -> DecisionView:
    if found is None:
        return DecisionView(
            system_id=system_id,
            is_decided=False,
            is_shown=False,
            visibility=Visibility.INTERNAL,
            version=0,
            at=None,
            since=None,
            until=None,
            ended_at=None,
            basis="",
            contact="",
            digest="",
            entry_id="",
        )
    return DecisionView(
        is_decided=True,
        is_shown=found.is_shown(registry.publication_day()),
        **{one.name: getattr(found, one.name) for one in fields(found)},
    )


def _preview(found: Preview) -> PreviewView:
    return PreviewView(
        record=dict(found.record),
        digest=found.digest,
        kept_back={
            "holds": found.kept_back.holds.value,
            "norms": list(found.kept_back.norms),
            "why": found.kept_back.reason.as_data(),
        },
        slips=[Slip(field=field, zh=says.zh, en=says.en) for field, says in found.slips],
        is_changed=found.is_changed,
    )


API: tuple[type, ...] = (PublicationApi,)
"""JSON door to what the public sees."""
