"""Pages of working together: files, comments and tasks about a system, part or party; and one's own tasks."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import MultipartBody, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.decide.files import download_headers, sent_type
from safebelt.rooms.registry.decide.notes import MODERATORS
from safebelt.rooms.registry.model.notes import Assign, Say
from safebelt.rooms.registry.pages import tasks
from safebelt.rooms.registry.pages.notes_words import (
    DONE,
    FIELDS,
    NOTES,
    assignees,
    home_of,
    name,
    people,
    subject_home,
    to,
    typed,
    undo,
)
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.service.notes import chunks
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import actor_of, requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
Short = Annotated[str, QueryParameter(max_length=100)]

_OPEN_ON_A_DOSSIER = 4
"""Tasks the dossier's panel names; the page of notes has them all."""


class NotesPages(Controller):
    """`/{lang}/registry/systems/{id}/notes`, `/{lang}/registry/notes/{id}` and what is done there."""

    path = "/{lang:str}/registry"
    include_in_schema = False

    @get("/systems/{system_id:str}/notes", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def of_system(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        page: PageNumber = 1,
    ) -> Template:
        """Show files, comments and tasks about a system and what belongs to it."""
        registry.system(system_id)
        return _page(request, registry, by, lang, system_id, page=page)

    @get("/notes/{subject_id:str}", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def of_subject(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        subject_id: PathId,
        page: PageNumber = 1,
    ) -> Template:
        """Show files, comments and tasks about a part, party, piece of evidence or job."""
        return _page(request, registry, by, lang, subject_id, page=page)

    @post("/notes/{subject_id:str}/files", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def attach(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        subject_id: PathId,
        data: MultipartBody[dict[str, Any]],
    ) -> Template | Redirect:
        """Attach a file."""
        upload = data.get("file")
        try:
            if not isinstance(upload, UploadFile) or not upload.filename:
                raise _nothing_chosen()
            made = registry.attach(
                subject_id, upload.filename, chunks(upload.file), stated_type=upload.content_type, by=by
            )
        except (Invalid, Conflict) as problem:
            form: Form[Any] = empty_form().refused(_beside(problem, "file"))
            return _page(request, registry, by, lang, subject_id, file_form=form, status=problem.status)
        return to(made.subject, lang, "file", "files")

    @get("/files/{attachment_id:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def download(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, attachment_id: PathId
    ) -> Response[bytes]:
        """Hand a file out as a download: evidence to whoever reads the register, the rest to whoever works here."""
        request.app.state.authorize(actor_of(request), registry.opens_to(registry.attachment(attachment_id)), "")
        attachment, content = registry.download(attachment_id)
        headers = download_headers(attachment.name)
        return Response(content, media_type=sent_type(attachment.media_type), headers=headers)

    @get("/files/{attachment_id:str}/withdraw", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def withdrawing(self, registry: NamedDependency[Registry], lang: PathLang, attachment_id: PathId) -> Template:
        """Ask why a file is withdrawn."""
        return _withdraw_page(registry, lang, attachment_id, empty_form())

    @post("/files/{attachment_id:str}/withdraw", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def withdraw(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        attachment_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Withdraw a file."""
        reason = typed(data, "reason")
        try:
            done = registry.withdraw_attachment(attachment_id, reason, by=by)
        except (Invalid, Conflict) as problem:
            form = empty_form(reason=reason).refused(problem)
            return _withdraw_page(registry, lang, attachment_id, form, problem.status)
        return to(done.attachment.subject, lang, "erased" if done.is_erased else "kept", "files")

    @post("/notes/{subject_id:str}/comments", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def comment(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        subject_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Say something."""
        text = typed(data, "text")
        try:
            said = registry.comment(Say(subject_id=subject_id, text=text), by=by)
        except Invalid as problem:
            form = empty_form(text=text).refused(problem)
            return _page(request, registry, by, lang, subject_id, comment_form=form, status=problem.status)
        return to(said.subject, lang, "comment", "comments")

    @get("/comments/{comment_id:str}/edit", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def editing(self, registry: NamedDependency[Registry], lang: PathLang, comment_id: PathId) -> Template:
        """Show one's comment to be changed."""
        said = registry.comment_of(comment_id)
        return _comment_page(registry, lang, comment_id, empty_form(text=said.text))

    @post("/comments/{comment_id:str}/edit", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def edit(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        comment_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change what one said oneself."""
        text = typed(data, "text")
        try:
            said = registry.edit_comment(comment_id, text, by=by)
        except (Invalid, Conflict) as problem:
            return _comment_page(registry, lang, comment_id, empty_form(text=text).refused(problem), problem.status)
        return to(said.subject, lang, "edited", "comments")

    @post("/comments/{comment_id:str}/delete", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def delete(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, comment_id: PathId
    ) -> Redirect:
        """Delete what was said."""
        return to(registry.delete_comment(comment_id, by=by).subject, lang, "deleted", "comments")

    @post("/notes/{subject_id:str}/tasks", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def assign(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        subject_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Give somebody something to do."""
        form = read_form({**data, "subject_id": subject_id}, Assign, labels=FIELDS)
        if form.value is None:
            return _page(request, registry, by, lang, subject_id, task_form=form, status=422)
        try:
            task = registry.assign_task(form.value, by=by)
        except Invalid as problem:
            refused = form.refused(problem)
            return _page(request, registry, by, lang, subject_id, task_form=refused, status=problem.status)
        return to(task.subject, lang, "task", "tasks")


def _page(
    request: AnyRequest,
    registry: Registry,
    by: Actor,
    lang: Lang,
    subject_id: str,
    *,
    page: int = 1,
    file_form: Form[Any] | None = None,
    comment_form: Form[Any] | None = None,
    task_form: Form[Any] | None = None,
    status: int = 200,
) -> Template:
    none: Form[Any] = empty_form()
    forms = {"file_form": file_form or none, "comment_form": comment_form or none, "task_form": task_form or none}
    comments = registry.comments(subject_id, page=page)
    return render(
        "registry/notes.html",
        lang=lang,
        title=NOTES,
        status=status,
        subject_id=subject_id,
        subject_name=name(registry, subject_id),
        subject_home=subject_home(subject_id, lang),
        files=registry.attachments(subject_id, page=page),
        comments=comments,
        tasks=registry.tasks(subject_id=subject_id, page=page),
        today=registry.today(),
        assignees=assignees(by, lang),
        people=people(registry, subject_id, lang),
        may_moderate=bool(by.roles & MODERATORS),
        by=by,
        errors=_all_errors(*forms.values()),
        back="notes",
        undo=undo(request, registry),
        notice=None if "undo" in request.query_params else DONE.get(request.query_params.get("done", "")),
        **forms,
    )


def _all_errors(*forms: Form[Any]) -> Form[Any]:
    """One summary for a page with several forms."""
    return Form(values={}, errors=tuple(error for form in forms for error in form.errors))


def _withdraw_page(registry: Registry, lang: Lang, attachment_id: str, form: Form[Any], status: int = 200) -> Template:
    attachment = registry.attachment(attachment_id)
    return render(
        "registry/file_withdraw.html",
        lang=lang,
        title=Text(zh="撤回文件", en="Withdraw a file"),
        status=status,
        form=form,
        attachment=attachment,
        home=home_of(attachment.subject, lang),
    )


def _comment_page(registry: Registry, lang: Lang, comment_id: str, form: Form[Any], status: int = 200) -> Template:
    said = registry.comment_of(comment_id)
    return render(
        "registry/comment_edit.html",
        lang=lang,
        title=Text(zh="修改评论", en="Change a comment"),
        status=status,
        form=form,
        home=home_of(said.subject, lang),
    )


def _nothing_chosen() -> Invalid:
    return Invalid(
        what=Text(zh="请选择一个文件。", en="Choose a file."),
        hint=Text(zh="每次附一个文件。", en="One file at a time."),
        details={"field": "file"},
    )


def _beside(problem: Problem, field: str) -> Problem:
    problem.details.setdefault("field", field)
    return problem


def _panel(registry: Registry, system_id: str) -> Mapping[str, Any]:
    tasks = registry.tasks(subject_id=system_id, is_open=True, size=_OPEN_ON_A_DOSSIER)
    comments = registry.comments(system_id, size=1)
    return {
        "tasks": tasks.items,
        "open": tasks.total,
        "files": registry.attachments(system_id, size=1).total,
        "comments": comments.total,
        "today": registry.today(),
        "system_id": system_id,
    }


PAGES: tuple[type, ...] = (NotesPages, *tasks.PAGES)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""
    return (
        Panel(
            name="notes",
            title=NOTES,
            template="registry/_panel_notes.html",
            context=lambda system_id, _lang: _panel(registry, system_id),
            place="side",
            needs="registry.collaborate",
        ),
    )
