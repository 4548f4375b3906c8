"""JSON door to attachments, comments, tasks."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, patch, post
from litestar.datastructures import ResponseHeader, UploadFile
from litestar.di import NamedDependency
from litestar.params import JSONBody, MultipartBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.registry.decide.files import download_headers
from safebelt.rooms.registry.model.notes import (
    Assign,
    Attachment,
    AttachmentPage,
    ChangeTask,
    Comment,
    CommentPage,
    Say,
    Task,
    TaskPage,
    Withdrawn,
)
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.service.notes import chunks
from safebelt.web.openapi import problems
from safebelt.web.security import actor_of, requires

AnyRequest = Request[Any, Any, Any]
About = Annotated[
    str, QueryParameter(description="Id of a system, part, party, piece of evidence or job.", max_length=100)
]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]
AttachmentId = Annotated[str, PathParameter(description="`att_…`.")]
CommentId = Annotated[str, PathParameter(description="`cmt_…`.")]
TaskId = Annotated[str, PathParameter(description="`tsk_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file to attach.

    Attributes:
        subject_id: To which system, part, party, piece of evidence or job.
        file: The file.
    """

    subject_id: str
    file: UploadFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a comment is to say."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawing:
    """Why a file is withdrawn; it goes to the ledger."""

    reason: str


class AttachmentsApi(Controller):
    """`/api/registry/attachments`."""

    path = "/api/registry/attachments"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.collaborate")], responses=problems(NotFound))
    def list_attachments(
        self, registry: NamedDependency[Registry], about: About, page: PageNumber = 1, size: PageSize = 20
    ) -> AttachmentPage:
        """List the files about something, newest first; about a system: about everything that belongs to it."""
        return registry.attachments(about, page=page, size=size)

    @post(
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def attach(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: MultipartBody[Upload]
    ) -> Attachment:
        """Attach a file; what it is, is read from its bytes."""
        file = data.file
        return registry.attach(data.subject_id, file.filename, chunks(file.file), stated_type=file.content_type, by=by)

    @get(
        "/{attachment_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_attachment(
        self, request: AnyRequest, registry: NamedDependency[Registry], attachment_id: AttachmentId
    ) -> Attachment:
        """Return what is known of one attached file."""
        attachment = registry.attachment(attachment_id)
        request.app.state.authorize(actor_of(request), registry.opens_to(attachment), "")
        return attachment

    @get(
        "/{attachment_id:str}/content",
        sync_to_thread=True,
        media_type="application/octet-stream",
        guards=[requires("registry.read")],
        response_headers=[ResponseHeader(name="Content-Disposition", documentation_only=True)],
        responses=problems(NotFound, Conflict),
    )
    def download(
        self, request: AnyRequest, registry: NamedDependency[Registry], attachment_id: AttachmentId
    ) -> Response[bytes]:
        """Return an attached file, proven to be the one that was attached; always as mere bytes."""
        request.app.state.authorize(actor_of(request), registry.opens_to(registry.attachment(attachment_id)), "")
        attachment, content = registry.download(attachment_id)
        headers = download_headers(attachment.name)
        return Response(content, media_type="application/octet-stream", headers=headers)

    @post(
        "/{attachment_id:str}/withdraw",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def withdraw_attachment(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        attachment_id: AttachmentId,
        data: JSONBody[Withdrawing],
    ) -> Withdrawn:
        """Withdraw a file; its bytes are erased unless something else rests on them."""
        return registry.withdraw_attachment(attachment_id, data.reason, by=by)


class CommentsApi(Controller):
    """`/api/registry/comments`."""

    path = "/api/registry/comments"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.collaborate")], responses=problems(NotFound))
    def list_comments(
        self, registry: NamedDependency[Registry], about: About, page: PageNumber = 1, size: PageSize = 20
    ) -> CommentPage:
        """List comments about something, newest first; those deleted keep their place."""
        return registry.comments(about, page=page, size=size)

    @post(
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def comment(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[Say]) -> Comment:
        """Comment on a system, part, party, piece of evidence or job."""
        return registry.comment(data, by=by)

    @patch(
        "/{comment_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def edit_comment(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        comment_id: CommentId,
        data: JSONBody[Words],
    ) -> Comment:
        """Change a comment of one's own."""
        return registry.edit_comment(comment_id, data.text, by=by)

    @post(
        "/{comment_id:str}/delete",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict),
    )
    def delete_comment(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], comment_id: CommentId
    ) -> Comment:
        """Delete a comment; its place stays, its words are gone for good."""
        return registry.delete_comment(comment_id, by=by)


class TasksApi(Controller):
    """`/api/registry/tasks`."""

    path = "/api/registry/tasks"
    tags = ("registry",)

    @get(sync_to_thread=True, guards=[requires("registry.collaborate")], responses=problems())
    def list_tasks(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        about: About = "",
        mine: Annotated[bool, QueryParameter(description="Only those of whoever asks.")] = False,
        only_open: Annotated[bool, QueryParameter(description="Leave out what is done.")] = False,
        overdue: Annotated[bool, QueryParameter(description="Only open ones whose last day has passed.")] = False,
        page: PageNumber = 1,
        size: PageSize = 20,
    ) -> TaskPage:
        """List tasks: open ones by their last day, then those done."""
        assignee = by.id if mine else ""
        return registry.tasks(
            subject_id=about, assignee=assignee, is_open=only_open, is_overdue=overdue, page=page, size=size
        )

    @post(
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def assign(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], data: JSONBody[Assign]) -> Task:
        """Give somebody something to do."""
        return registry.assign_task(data, by=by)

    @patch(
        "/{task_id:str}",
        sync_to_thread=True,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def change_task(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        task_id: TaskId,
        data: JSONBody[ChangeTask],
    ) -> Task:
        """Change a task."""
        return registry.change_task(task_id, data, by=by)

    @post(
        "/{task_id:str}/done",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict),
    )
    def finish_task(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], task_id: TaskId) -> Task:
        """Mark a task done."""
        return registry.finish_task(task_id, by=by)

    @post(
        "/{task_id:str}/reopen",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.collaborate")],
        responses=problems(NotFound, Conflict),
    )
    def reopen_task(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], task_id: TaskId) -> Task:
        """Take back that a task is done."""
        return registry.reopen_task(task_id, by=by)


API: tuple[type, ...] = (AttachmentsApi, CommentsApi, TasksApi)
