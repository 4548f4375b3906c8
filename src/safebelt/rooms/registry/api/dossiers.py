"""JSON door to the dossier as a signed package: what would go in, and the file itself."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.dossiers import needed_for
from safebelt.rooms.registry.model.dossiers import HandOver
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import may, requires

AnyRequest = Request[Any, Any, Any]
Id = Annotated[str, PathParameter(description="Id of the system, `sys_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartListed:
    """A part of the dossier.

    Attributes:
        records: How many things it holds.
        bytes: Size of its file.
        personal: Whether it holds personal data, and so is left out unless asked for.
    """

    id: str
    title: Text
    says: Text
    records: int
    bytes: int
    personal: bool


class PackageApi(Controller):
    """`/api/registry/systems/{id}/package`."""

    path = "/api/registry/systems/{system_id:str}/package"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.export")], responses=problems(NotFound))
    def list_parts(self, request: AnyRequest, registry: NamedDependency[Registry], system_id: Id) -> list[PartListed]:
        """List the parts of a dossier that can be handed out."""
        return [
            PartListed(
                id=one.part.id,
                title=one.part.title,
                says=one.part.says,
                records=one.records,
                bytes=len(one.content),
                personal=one.part.is_personal,
            )
            for one in registry.preview_dossier(system_id, HandOver(recipient="-", basis="-"))
            if not one.part.needs or may(request, one.part.needs)
        ]

    @post(
        sync_to_thread=True,
        status_code=200,
        media_type="application/zip",
        guards=[requires("registry.export")],
        response_headers=[ResponseHeader(name="Content-Disposition", value="attachment; filename=dossier.zip")],
        responses=problems(NotFound, Invalid, Conflict, has_body=True),
    )
    def hand_over(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        system_id: Id,
        data: JSONBody[HandOver],
    ) -> Response[bytes]:
        """Hand the dossier out as one signed file; the ledger remembers which parts, on what basis."""
        for need in needed_for(data):
            request.app.state.authorize(by, need, "")
        return Response(registry.hand_over_dossier(system_id, data, by=by).body, media_type="application/zip")


API: tuple[type, ...] = (PackageApi,)
