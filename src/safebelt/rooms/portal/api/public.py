"""The portal's JSON door: `/api/public`, open to every machine and every site."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from litestar.response import Response, Stream

from safebelt.kernel.errors import NotFound, Refused
from safebelt.rooms.portal import decide
from safebelt.rooms.portal.exports import tables
from safebelt.rooms.portal.exports.answers import OPEN_HEADERS, AnyRequest, answer, base_of, matches
from safebelt.rooms.portal.model import PublicEntry, PublicSystems
from safebelt.rooms.portal.service import Portal
from safebelt.rooms.registry.model.public import Wanted
from safebelt.rooms.registry.model.register import Status
from safebelt.web.openapi import NO_TOKEN, public_problems
from safebelt.web.security import requires

Id = Annotated[str, PathParameter(description="Id of a system, `sys_…`.")]
Version = Annotated[int, PathParameter(ge=1, le=1_000_000)]
Words = Annotated[str, QueryParameter(description="Every word must occur, in either language.", max_length=200)]
Cursor = Annotated[str, QueryParameter(description="`next` of the page before.", max_length=40)]

_NOT_CHANGED = {304: ResponseSpec(data_container=None, description="Not changed since.", generate_examples=False)}


class PublicApi(Controller):
    """`/api/public`."""

    path = "/api/public"
    tags = ("public",)
    security = NO_TOKEN

    @get(
        "/systems",
        sync_to_thread=True,
        guards=[requires("portal.read")],
        responses={**public_problems(Refused), **_NOT_CHANGED},
    )
    def systems(
        self,
        *,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        q: Words = "",
        stage: Annotated[Status | None, QueryParameter()] = None,
        page: Annotated[int, QueryParameter(ge=1, le=10_000)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
        cursor: Cursor = "",
    ) -> Response[PublicSystems]:
        """List the public register, newest first, or what words find, best first; with `cursor`, go on after a page."""
        wanted = Wanted(search=q, stage=stage)
        base = base_of(request)
        found = portal.find(wanted, page=page, size=size, cursor=cursor)
        view = PublicSystems(
            items=[decide.line_view(one, f"{base}/en/register/{one.id}") for one in found.items],
            total=found.total,
            is_more=found.is_more,
            next=found.next,
        )
        return answer(request, msgspec.json.encode(view), "application/json")

    @get(
        "/systems.csv",
        sync_to_thread=True,
        guards=[requires("portal.read")],
        media_type="text/csv",
        responses={**public_problems(Refused), **_NOT_CHANGED},
    )
    def table(self, request: AnyRequest, portal: NamedDependency[Portal]) -> Stream:
        """Return the whole public register as a table."""
        etag = f'W/"{portal.stamp()}"'
        if matches(request, etag):
            return Stream((), status_code=304, headers={**OPEN_HEADERS, "etag": etag})
        rows = tables.register_rows(portal.every(Wanted()), base_of(request))
        headers = {
            **OPEN_HEADERS,
            "etag": etag,
            "content-disposition": 'attachment; filename="register.csv"',
        }
        return Stream(tables.written(rows), media_type="text/csv; charset=utf-8", headers=headers)

    @get(
        "/systems/{system_id:str}",
        sync_to_thread=True,
        guards=[requires("portal.read")],
        responses={**public_problems(NotFound, Refused), **_NOT_CHANGED},
    )
    def system(self, request: AnyRequest, portal: NamedDependency[Portal], system_id: Id) -> Response[PublicEntry]:
        """Return everything the public may know of one system; one that was taken out says since when."""
        view = decide.entry_view(portal.system(system_id), base_of(request))
        changed = portal.changed_at(system_id)
        return answer(request, msgspec.json.encode(view), "application/json", changed=changed)

    @get(
        "/systems/{system_id:str}/versions/{version:int}",
        sync_to_thread=True,
        guards=[requires("portal.read")],
        responses={**public_problems(NotFound, Refused), **_NOT_CHANGED},
    )
    def record(
        self, request: AnyRequest, portal: NamedDependency[Portal], system_id: Id, version: Version
    ) -> Response[dict[str, Any]]:
        """Return a published record to the byte: its SHA-256 is what the ledger holds."""
        return answer(request, portal.body(system_id, version), "application/json")

    @get(
        "/systems/{system_id:str}/versions/{version:int}/proof",
        sync_to_thread=True,
        guards=[requires("portal.read")],
        media_type="text/plain",
        responses=public_problems(NotFound, Refused),
    )
    def proof(self, portal: NamedDependency[Portal], system_id: Id, version: Version) -> Response[bytes]:
        """Return a proof (C2SP tlog-proof), checkable without us, that a publication or its ending is on the ledger."""
        headers = {**OPEN_HEADERS, "content-disposition": f'attachment; filename="publication-{version}.tlog-proof"'}
        return Response(
            portal.proof(system_id, version).encode(), media_type="text/plain; charset=utf-8", headers=headers
        )
