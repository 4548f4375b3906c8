"""`/api/belt/approvals`: tool calls that wait for a person."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.api.words import Id, PageNumber, PageSize, SystemId, WhyRequest
from safebelt.rooms.belt.model import Approval
from safebelt.rooms.belt.service import Approvals, Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires


class ApprovalApi(Controller):
    """`/api/belt/approvals`: tool calls that wait for a person."""

    path = "/api/belt/approvals"
    tags = ("belt",)

    @get(sync_to_thread=True, guards=[requires("belt.read_content")], responses=problems())
    def approvals(
        self, belt: NamedDependency[Belt], system: SystemId = "", page: PageNumber = 1, size: PageSize = 50
    ) -> Approvals:
        """List held calls: those that wait first, the most urgent on top."""
        return belt.approvals(page, size, system)

    @get(
        "/{approval_id:str}",
        sync_to_thread=True,
        guards=[requires("belt.read_content")],
        responses=problems(NotFound),
    )
    def approval(self, belt: NamedDependency[Belt], approval_id: Id) -> Approval:
        """Return one held call, all that a person needs to decide, and what became of it."""
        return belt.approval(approval_id)

    @post(
        "/{approval_id:str}/approve",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.approve", resource="approval_id")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def approve_call(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], approval_id: Id, data: JSONBody[WhyRequest]
    ) -> Approval:
        """Let the call go on; the belt does so within a second."""
        return belt.answer_call(approval_id, is_approved=True, reason=data.reason, by=by)

    @post(
        "/{approval_id:str}/refuse",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.approve", resource="approval_id")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def refuse_call(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], approval_id: Id, data: JSONBody[WhyRequest]
    ) -> Approval:
        """Refuse the call; the caller is told."""
        return belt.answer_call(approval_id, is_approved=False, reason=data.reason, by=by)
