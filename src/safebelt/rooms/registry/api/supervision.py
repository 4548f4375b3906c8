"""JSON door to an authority's cases: `/api/registry/cases` and `/api/registry/offices`."""

from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Response

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.api.supervision_bodies import (
    AnswerBody,
    CaseShown,
    OfficerBody,
    ProofBody,
    PublicBody,
    ServiceBody,
    StepBody,
    shown,
)
from safebelt.rooms.registry.model.supervision import (
    AnswerCase,
    Case,
    CasePage,
    Office,
    OpenCase,
    PublicDecision,
    SetUpOffice,
    Stage,
    Step,
    WaitsOn,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import NO_TOKEN, problems, public_problems
from safebelt.web.security import requires

PathId = Annotated[str, PathParameter(description="Id: `cas_…` or `stp_…`.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]


class OfficeApi(Controller):
    """`/api/registry/offices`."""

    path = "/api/registry/offices"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_offices(self, registry: NamedDependency[Registry]) -> list[Office]:
        """List the authorities that have a desk here, and the competence each states."""
        return list(registry.offices())

    @post(
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(Conflict, Invalid, has_body=True),
    )
    def set_up_office(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[SetUpOffice]
    ) -> Office:
        """Set up an authority's desk, or state its competence anew."""
        return registry.set_up_office(data, by=by)

    @post(
        "/officers",
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(Conflict, Invalid, has_body=True),
    )
    def admit_officer(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[OfficerBody]
    ) -> Office:
        """Let somebody else work at the desk of who asks."""
        return registry.admit_officer(data.actor_id, by=by)


class CaseApi(Controller):
    """`/api/registry/cases`: what the authority does, and what everybody may see."""

    path = "/api/registry/cases"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def list_cases(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        search: Annotated[str, QueryParameter(max_length=200)] = "",
        stage: Annotated[Stage | None, QueryParameter()] = None,
        waits_on: Annotated[WaitsOn | None, QueryParameter()] = None,
        page: PageNumber = 1,
        size: PageSize = 20,
    ) -> CasePage:
        """List the cases one may see: what is due soonest first, closed ones last."""
        return registry.cases(by=by, search=search, stage=stage, waits_on=waits_on, page=page, size=size)

    @post(
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def open_case(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[OpenCase]
    ) -> Case:
        """Prepare a case; it stays private until its first step is served."""
        return registry.open_case(data, by=by)

    @get("/{case_id:str}", sync_to_thread=True, guards=[requires("registry.read")], responses=problems(NotFound))
    def get_case(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], case_id: PathId) -> CaseShown:
        """Return a case with what one may see of it, and do next."""
        return shown(registry.case_file(case_id, by=by))

    @delete(
        "/{case_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound, Conflict),
    )
    def erase_case(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], case_id: PathId) -> None:
        """Erase a case of which nothing was served."""
        registry.erase_case(case_id, by=by)

    @post(
        "/{case_id:str}/drafts",
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def draft_step(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        data: JSONBody[StepBody],
    ) -> Step:
        """Draft a step of the authority: private and erasable until it is served."""
        return registry.draft_step(case_id, data.read(), files=[one.read() for one in data.files], by=by)

    @delete(
        "/{case_id:str}/drafts/{step_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound),
    )
    def erase_draft(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], case_id: PathId, step_id: PathId
    ) -> None:
        """Erase a draft with its documents."""
        registry.erase_draft(case_id, step_id, by=by)

    @post(
        "/{case_id:str}/drafts/{step_id:str}/service",
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound, Conflict, has_body=True),
    )
    def serve_step(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        step_id: PathId,
        data: JSONBody[ServiceBody],
    ) -> Step:
        """Serve a draft: from now on the operator sees it, its days run, and the ledger has it."""
        return registry.serve_step(case_id, step_id, channel=data.channel, by=by)

    @post(
        "/{case_id:str}/steps/{step_id:str}/proof",
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def prove_receipt(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        step_id: PathId,
        data: JSONBody[ProofBody],
    ) -> Step:
        """Record the proof that a step of the authority was received."""
        return registry.prove_receipt(case_id, step_id, on=data.on, note=data.note, by=by)

    @post(
        "/{case_id:str}/steps/{step_id:str}/publication",
        status_code=204,
        sync_to_thread=True,
        guards=[requires("registry.supervise")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def publish_decision(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        step_id: PathId,
        data: JSONBody[PublicBody],
    ) -> None:
        """Make a decision public, or take it down."""
        summary = Text(zh=data.summary_zh.strip(), en=data.summary_en.strip())
        registry.publish_decision(case_id, step_id, summary, is_public=data.is_public, by=by)

    @get(
        "/{case_id:str}/steps/{step_id:str}/files/{digest:str}",
        sync_to_thread=True,
        media_type="application/octet-stream",
        guards=[requires("registry.read")],
        responses=problems(NotFound, Conflict),
    )
    def get_attachment(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        step_id: PathId,
        digest: Annotated[str, PathParameter(description="SHA-256, 64 hex digits.")],
    ) -> Response[bytes]:
        """Return a document handed over with a step, always as a download."""
        attachment, content = registry.case_attachment(case_id, step_id, digest, by=by)
        headers = {"content-disposition": f'attachment; filename="{attachment.digest[:16]}"'}
        return Response(content, media_type="application/octet-stream", headers=headers)


class AnswerApi(Controller):
    """`/api/registry/cases`: what the operator does."""

    path = "/api/registry/cases"
    tags = ("registry",)

    @post(
        "/{case_id:str}/answers",
        sync_to_thread=True,
        guards=[requires("registry.answer")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def answer_case(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        data: JSONBody[AnswerBody],
    ) -> Step:
        """Answer, report what was put right, ask for more time, or appeal."""
        command = AnswerCase(text=data.text, kind=data.kind, re=data.re)
        return registry.answer_case(case_id, command, files=[one.read() for one in data.files], by=by)

    @post(
        "/{case_id:str}/steps/{step_id:str}/receipt",
        sync_to_thread=True,
        guards=[requires("registry.answer")],
        responses=problems(NotFound, Conflict, Invalid),
    )
    def acknowledge(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], case_id: PathId, step_id: PathId
    ) -> Step:
        """Acknowledge what the authority served."""
        return registry.acknowledge(case_id, step_id, by=by)

    @get(
        "/decisions/{system_id:str}",
        sync_to_thread=True,
        guards=[requires("portal.read")],
        responses=public_problems(Refused),
        security=NO_TOKEN,
    )
    def list_public_decisions(self, registry: NamedDependency[Registry], system_id: PathId) -> list[PublicDecision]:
        """List the decisions about a system that their authorities made public."""
        return list(registry.public_decisions(system_id))


API: tuple[type, ...] = (OfficeApi, CaseApi, AnswerApi)
