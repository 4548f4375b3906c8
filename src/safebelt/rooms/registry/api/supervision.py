"""JSON door to an authority's cases: `/api/registry/cases` and `/api/registry/offices`."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import Response

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.supervision import (
    AnswerCase,
    Basis,
    Case,
    CaseFile,
    CasePage,
    Channel,
    CountsFrom,
    DayUnit,
    FileIn,
    Office,
    OpenCase,
    Outcome,
    PublicDecision,
    SetUpOffice,
    Side,
    Stage,
    Step,
    StepKind,
    WaitsOn,
    WriteStep,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

PathId = Annotated[str, PathParameter(description="Id: `cas_…` or `stp_…`.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]
Days = Annotated[int, msgspec.Meta(ge=0, le=3660)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileBody:
    """A document.

    Attributes:
        name: Its file name.
        content: Its bytes, base64.
    """

    name: str
    content: bytes

    def read(self) -> FileIn:
        """Return it as a document handed in."""
        return FileIn(name=self.name, content=self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBody:
    """A step of an authority.

    Attributes:
        text: What it says.
        basis: Ids of norms or provisions of the rulebook; `other_basis` names one it does not hold.
        re: Id of the step it replies to; the only one possible where left out.
        days: By when, from service or receipt; or `due`, a date.
        contest: How it can be contested.
        appeal_days: How long a decision can be appealed; 0 for not at all.
    """

    kind: StepKind
    text: str
    contest: str
    basis: tuple[str, ...] = ()
    other_basis: str = ""
    items: tuple[str, ...] = ()
    re: str = ""
    outcome: Outcome | None = None
    days: Days = 0
    unit: DayUnit = DayUnit.CALENDAR
    counts_from: CountsFrom = CountsFrom.SERVICE
    not_counted: tuple[date, ...] = ()
    due: date | None = None
    held_on: date | None = None
    appeal_days: Days = 0
    appeal_unit: DayUnit = DayUnit.CALENDAR
    is_suspensive: bool = False
    appeal_to: str = ""
    to_office: str = ""
    files: tuple[FileBody, ...] = ()

    def read(self) -> WriteStep:
        """Return it as a step to write."""
        names = (name for name in self.__dataclass_fields__ if name != "files")
        return WriteStep(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBody:
    """A step of the operator: answer, rectified, extension_request or appeal."""

    text: str
    kind: StepKind = StepKind.ANSWER
    re: str = ""
    files: tuple[FileBody, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBody:
    """How a step is served."""

    channel: Channel = Channel.HERE


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofBody:
    """The proof that a step was received: the day, and the proof in words."""

    on: date
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicBody:
    """What the public reads of a decision; `is_public` false takes it down."""

    summary_zh: str = ""
    summary_en: str = ""
    is_public: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerBody:
    """Who else works at the desk: `usr_…`."""

    actor_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionShown:
    """A step that might be taken next, whether it can be, and why."""

    kind: StepKind
    can: bool
    why: dict[str, Any]
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """A case, its steps, its legal bases as the rulebook has them, and what can be done next.

    Attributes:
        side: For whom the reader acts.
        today: The day where the case's days are counted.
        days_left: Until what is due first; negative once overdue.
        drafts: The reader's authority's own.
        waiting: Ids of the steps that wait on the operator.
    """

    case: Case
    side: Side | None
    today: date
    days_left: int | None
    steps: tuple[Step, ...]
    drafts: tuple[Step, ...]
    waiting: tuple[str, ...]
    bases: tuple[Basis, ...]
    options: tuple[OptionShown, ...]


def shown(found: CaseFile) -> CaseShown:
    """Return a case as the API and the command line tell it."""
    due = found.case.due_on
    return CaseShown(
        case=found.case,
        side=found.side,
        today=found.today,
        days_left=(due - found.today).days if due else None,
        steps=found.steps,
        drafts=found.drafts,
        waiting=tuple(one.id for one in (*found.position.asked, *found.position.orders)),
        bases=tuple(found.bases.values()),
        options=tuple(
            OptionShown(
                kind=one.kind, can=one.reason.holds.value == "true", why=one.reason.as_data(), targets=one.targets
            )
            for one in found.options
        ),
    )


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
        responses=problems(),
    )
    def list_public_decisions(self, registry: NamedDependency[Registry], system_id: PathId) -> list[PublicDecision]:
        """List the decisions about a system that their authorities made public."""
        return list(registry.public_decisions(system_id))


API: tuple[type, ...] = (OfficeApi, CaseApi, AnswerApi)
