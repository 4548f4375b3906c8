"""JSON doors to complaints: the public's at `/api/public/complaints`, the two parties' at `/api/portal/complaints`."""

from typing import Annotated

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import HeaderParameter, JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.portal.api.complaint_bodies import (
    AdditionBody,
    AnswerBody,
    ApartBody,
    ComplaintBody,
    EndBody,
    FiledView,
    FollowedView,
    PassBody,
    ReasonBody,
    ReceiptView,
    filed_view,
    followed_view,
)
from safebelt.rooms.portal.exports.answers import AnyRequest
from safebelt.rooms.portal.model.complaints import (
    Complaint,
    ComplaintFile,
    ComplaintPage,
    PassOn,
    Stage,
)
from safebelt.rooms.portal.service import Portal
from safebelt.web.openapi import NO_TOKEN, problems, public_problems
from safebelt.web.security import requires

CaseId = Annotated[str, PathParameter(description="Case number, `cpl_…`.", max_length=60)]
Code = Annotated[
    str, HeaderParameter(name="x-complaint-code", description="The follow code of the receipt.", max_length=80)
]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]


class PublicComplaintApi(Controller):
    """`/api/public/complaints`."""

    path = "/api/public/complaints"
    tags = ("public",)
    security = NO_TOKEN
    guards = (requires("portal.complain"),)

    @post(sync_to_thread=True, responses=public_problems(Invalid, has_body=True))
    def complain(
        self, request: AnyRequest, portal: NamedDependency[Portal], data: JSONBody[ComplaintBody]
    ) -> FiledView:
        """Complain of a system, without signing in; the answer alone has the follow code."""
        filed = portal.complaints.complain(
            data.read(), files=data.read_files(), lang=data.lang, address=_from(request), door="api"
        )
        return filed_view(filed, portal)

    @get("/{case_id:str}", sync_to_thread=True, responses=public_problems(NotFound))
    def follow(
        self, request: AnyRequest, portal: NamedDependency[Portal], case_id: CaseId, code: Code = ""
    ) -> FollowedView:
        """Return one's own complaint: its stage, dates and answers."""
        found = portal.complaints.follow(code, address=_from(request), case_id=case_id)
        return followed_view(found, portal)

    @get("/{case_id:str}/receipt", sync_to_thread=True, responses=public_problems(NotFound))
    def receipt(
        self, request: AnyRequest, portal: NamedDependency[Portal], case_id: CaseId, code: Code = ""
    ) -> ReceiptView:
        """Return the receipt of one's own complaint, which checks without us."""
        found = portal.complaints.receipt(code, address=_from(request), case_id=case_id)
        opening = None if found.opening is None else dict(found.opening)
        return ReceiptView(id=found.case_id, proof=found.proof, opening=opening)

    @post(
        "/{case_id:str}/additions",
        sync_to_thread=True,
        responses=public_problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def add(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        *,
        case_id: CaseId,
        data: JSONBody[AdditionBody],
        code: Code = "",
    ) -> FollowedView:
        """Add something to one's own complaint."""
        files = tuple(one.read() for one in data.files)
        where = _from(request)
        portal.complaints.add(code, data.text, files=files, address=where, case_id=case_id, door="api")
        return followed_view(portal.complaints.follow(code, address=where, case_id=case_id), portal)

    @post(
        "/{case_id:str}/withdrawal",
        sync_to_thread=True,
        responses=public_problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def withdraw(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        *,
        case_id: CaseId,
        data: JSONBody[ReasonBody],
        code: Code = "",
    ) -> FollowedView:
        """Take one's own complaint back."""
        where = _from(request)
        portal.complaints.withdraw(code, reason=data.reason, address=where, case_id=case_id, door="api")
        return followed_view(portal.complaints.follow(code, address=where, case_id=case_id), portal)

    @delete("/{case_id:str}", sync_to_thread=True, responses=public_problems(NotFound, Conflict))
    def erase(self, request: AnyRequest, portal: NamedDependency[Portal], case_id: CaseId, code: Code = "") -> None:
        """Have everything that was said in one's own complaint erased, files included; every proof stands."""
        portal.complaints.erase(code, address=_from(request), case_id=case_id, door="api")


class ComplaintDeskApi(Controller):
    """`/api/portal/complaints`: for whoever answers for a system, and for the authority's desk."""

    path = "/api/portal/complaints"
    tags = ("portal",)

    @get(sync_to_thread=True, guards=[requires("portal.see_complaints")], responses=problems())
    def list_complaints(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        search: Annotated[str, QueryParameter(max_length=60)] = "",
        stage: Annotated[Stage | None, QueryParameter()] = None,
        is_apart: Annotated[bool | None, QueryParameter()] = None,
        is_overdue: Annotated[bool, QueryParameter()] = False,
        page: PageNumber = 1,
        size: PageSize = 20,
    ) -> ComplaintPage:
        """List the complaints one may see: what is owed soonest first, ended ones last."""
        return portal.complaints.complaints(
            by=by, search=search, stage=stage, is_apart=is_apart, is_overdue=is_overdue, page=page, size=size
        )

    @post(
        sync_to_thread=True,
        guards=[requires("portal.handle_complaints")],
        responses=problems(Invalid, has_body=True),
    )
    def enter_complaint(
        self, portal: NamedDependency[Portal], by: NamedDependency[Actor], data: JSONBody[ComplaintBody]
    ) -> FiledView:
        """Enter a complaint that came on paper; the answer alone has the follow code, for whoever handed it in."""
        return filed_view(portal.complaints.enter(data.read(), files=data.read_files(), lang=data.lang, by=by), portal)

    @get(
        "/{case_id:str}",
        sync_to_thread=True,
        guards=[requires("portal.see_complaints")],
        responses=problems(NotFound),
    )
    def get_complaint(
        self, portal: NamedDependency[Portal], by: NamedDependency[Actor], case_id: CaseId
    ) -> ComplaintFile:
        """Return a complaint with all that was said in it."""
        return portal.complaints.complaint(case_id, by=by)

    @post(
        "/{case_id:str}/answers",
        sync_to_thread=True,
        guards=[requires("portal.handle_complaints")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def answer_complaint(
        self, portal: NamedDependency[Portal], by: NamedDependency[Actor], case_id: CaseId, data: JSONBody[AnswerBody]
    ) -> Complaint:
        """Answer a complaint; whoever complained reads it with their code."""
        return portal.complaints.answer(case_id, data.text, by=by)

    @post(
        "/{case_id:str}/pass",
        sync_to_thread=True,
        guards=[requires("portal.handle_complaints")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def pass_complaint(
        self, portal: NamedDependency[Portal], by: NamedDependency[Actor], case_id: CaseId, data: JSONBody[PassBody]
    ) -> Complaint:
        """Pass a complaint on: to the system it is about, to an authority's desk, or both."""
        cmd = PassOn(reason=data.reason, system_id=data.system_id, office_id=data.office_id)
        return portal.complaints.pass_on(case_id, cmd, by=by)

    @post(
        "/{case_id:str}/end",
        sync_to_thread=True,
        guards=[requires("portal.handle_complaints")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def end_complaint(
        self, portal: NamedDependency[Portal], by: NamedDependency[Actor], case_id: CaseId, data: JSONBody[EndBody]
    ) -> Complaint:
        """Close a complaint that was answered, or do not take it up."""
        return portal.complaints.close(case_id, data.text, is_refused=data.is_refused, by=by)

    @post(
        "/{case_id:str}/apart",
        sync_to_thread=True,
        guards=[requires("portal.handle_complaints")],
        responses=problems(NotFound, Conflict, has_body=True),
    )
    def set_complaint_apart(
        self, portal: NamedDependency[Portal], by: NamedDependency[Actor], case_id: CaseId, data: JSONBody[ApartBody]
    ) -> Complaint:
        """Set a complaint apart as spam, or put it back."""
        return portal.complaints.set_apart(case_id, is_apart=data.is_apart, by=by)


def _from(request: AnyRequest) -> str:
    return request.client.host if request.client else ""
