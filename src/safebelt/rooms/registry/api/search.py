"""JSON door to search, saved views, tags and bulk acts: `/api/registry/search`, `/views`, `/bulk`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Stream

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.exports.search_lists import FORMS
from safebelt.rooms.registry.model import Status, System
from safebelt.rooms.registry.model.search import (
    ACTIONS,
    BulkItem,
    BulkOrder,
    BulkPreview,
    BulkProgress,
    Filters,
    Found,
    Question,
    SavedView,
    SaveView,
    Side,
    Sort,
    Tally,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import actor_of, requires

AnyRequest = Request[Any, Any, Any]
Words = Annotated[
    str,
    QueryParameter(
        description="Words in Chinese or English; every one must be found, mistypes forgiven.", max_length=400
    ),
]
Stages = Annotated[list[Status] | None, QueryParameter(description="Any of these stages.", max_items=11)]
Several = Annotated[list[str] | None, QueryParameter(max_items=20)]
Short = Annotated[str, QueryParameter(max_length=120)]
Cursor = Annotated[str, QueryParameter(description="As an earlier answer gave it.", max_length=1000)]
Size = Annotated[int, QueryParameter(ge=1, le=200)]
Id = Annotated[str, PathParameter(description="Id, for example `vew_…`, `blk_…` or `sys_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSystem:
    """A system that was found, and why."""

    system: System
    tags: tuple[str, ...]
    why: Text | None
    is_near: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPage:
    """A page of what was found; `after` and `before` are the cursors of the next and the previous one."""

    hits: tuple[FoundSystem, ...]
    total: int
    has_more_than_total: bool
    after: str
    before: str
    facets: Mapping[str, tuple[Tally, ...]]
    counted: int
    meant: Mapping[str, str]
    hints: tuple[str, ...]
    was_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTags:
    """A tag to add, one to take away, or both."""

    add: str = ""
    remove: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """A system's tags, in order."""

    tags: tuple[str, ...]


def question(
    *,
    text: Words = "",
    stage: Stages = None,
    provisional: Annotated[bool | None, QueryParameter()] = None,
    party: Short = "",
    side: Annotated[Side | None, QueryParameter()] = None,
    class_: Annotated[list[str] | None, QueryParameter(name="class", max_items=20)] = None,
    tag: Several = None,
    source: Short = "",
    red_line: Annotated[bool | None, QueryParameter()] = None,
    since: Annotated[date | None, QueryParameter()] = None,
    until: Annotated[date | None, QueryParameter()] = None,
    sort: Annotated[Sort, QueryParameter()] = Sort.BEST,
) -> Question:
    """Read a question from an address."""
    filters = Filters(
        stages=tuple(stage or ()),
        provisional=provisional,
        party=party,
        side=side,
        classes=tuple(class_ or ()),
        tags=tuple(tag or ()),
        source=source,
        red_line=red_line,
        since=since,
        until=until,
    )
    return Question(text=text, filters=filters, sort=sort)


class SearchApi(Controller):
    """Search, lists and their export."""

    path = "/api/registry/search"
    tags = ("registry",)

    @get(
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(Invalid),
        dependencies={"wanted": Provide(question, sync_to_thread=False)},
    )
    def search_systems(
        self,
        *,
        registry: NamedDependency[Registry],
        wanted: NamedDependency[Question],
        after: Cursor = "",
        before: Cursor = "",
        size: Size = 20,
        facets: Annotated[bool, QueryParameter()] = False,
    ) -> FoundPage:
        """Find AI systems by words, filters, or both."""
        return shown(registry.search(wanted, after=after, before=before, size=size, has_facets=facets))

    @get(
        "/export",
        sync_to_thread=True,
        guards=[requires("registry.export")],
        responses=problems(),
        media_type="text/csv",
        dependencies={"wanted": Provide(question, sync_to_thread=False)},
    )
    def export_systems(
        self,
        registry: NamedDependency[Registry],
        wanted: NamedDependency[Question],
        format: Annotated[Literal["csv", "json"], QueryParameter()] = "csv",
    ) -> Stream:
        """Hand out every system that answers, as CSV or JSON; people are left out."""
        kind, write = FORMS[format]
        headers = {"Content-Disposition": f'attachment; filename="systems.{format}"'}
        return Stream(write(registry.export(wanted)), media_type=kind, headers=headers)


class KeepingApi(Controller):
    """Saved views, tags and bulk acts."""

    path = "/api/registry"
    tags = ("registry",)

    @get("/views", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_views(self, registry: NamedDependency[Registry], by: NamedDependency[Actor]) -> tuple[SavedView, ...]:
        """List your saved views and those that are shared."""
        return registry.views(by=by)

    @post(
        "/views",
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(Invalid, Conflict, has_body=True),
    )
    def save_view(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[SaveView]
    ) -> SavedView:
        """Save a question as a view."""
        return registry.save_view(data, by=by)

    @get("/views/{view_id:str}", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def get_view(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], view_id: Id) -> SavedView:
        """Return a saved view."""
        return registry.view(view_id, by=by)

    @delete(
        "/views/{view_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound),
    )
    def delete_view(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], view_id: Id) -> None:
        """Delete a view of yours; it can be restored."""
        registry.delete_view(view_id, by=by)

    @post(
        "/views/{view_id:str}/restore",
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound),
    )
    def restore_view(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], view_id: Id) -> SavedView:
        """Take back the deletion of a view of yours."""
        return registry.restore_view(view_id, by=by)

    @get(
        "/systems/{system_id:str}/tags",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_tags(self, registry: NamedDependency[Registry], system_id: Id) -> Tags:
        """Return an AI system's tags."""
        return Tags(tags=registry.tags_of(system_id))

    @post(
        "/systems/{system_id:str}/tags",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Invalid, Conflict, has_body=True),
    )
    def change_tags(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[ChangeTags],
    ) -> Tags:
        """Add a tag to an AI system, or take one away."""
        return Tags(tags=registry.tag_system(system_id, add=data.add, remove=data.remove, by=by))

    @post(
        "/bulk/preview",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.read")],
        responses=problems(Invalid, has_body=True),
    )
    def preview_bulk(self, registry: NamedDependency[Registry], data: JSONBody[BulkOrder]) -> BulkPreview:
        """Say whom a bulk act would concern; nothing is done."""
        return registry.preview_bulk(data)

    @post(
        "/bulk",
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(Invalid, Conflict, has_body=True),
    )
    def order_bulk(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        data: JSONBody[BulkOrder],
    ) -> BulkProgress:
        """Order something for many AI systems, and begin; the house goes on with what is left."""
        request.app.state.authorize(actor_of(request), ACTIONS[data.kind], "")
        return registry.step_bulk(registry.order_bulk(data, by=by).id)

    @get("/bulk/{bulk_id:str}", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def get_bulk(self, registry: NamedDependency[Registry], bulk_id: Id) -> BulkProgress:
        """Say how far a bulk act is."""
        return registry.bulk(bulk_id)

    @get(
        "/bulk/{bulk_id:str}/items",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_bulk_items(self, registry: NamedDependency[Registry], bulk_id: Id) -> tuple[BulkItem, ...]:
        """Say what became of each system of a bulk act."""
        return registry.bulk_items(bulk_id)


def shown(found: Found) -> FoundPage:
    """Return what was found as the JSON door shows it."""
    hits = tuple(FoundSystem(system=one.system, tags=one.tags, why=one.why, is_near=one.is_near) for one in found.hits)
    return FoundPage(
        hits=hits,
        total=found.total,
        has_more_than_total=found.has_more_than_total,
        after=found.after,
        before=found.before,
        facets=found.facets,
        counted=found.counted,
        meant=found.meant,
        hints=found.hints,
        was_cut=found.was_cut,
    )


API: tuple[type, ...] = (SearchApi, KeepingApi)
