"""The desk of the two parties: list, open, answer, pass on, close; what came on paper; and the dossier's panel."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import MultipartBody, PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Response, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal.exports.answers import AnyRequest, base_of
from safebelt.rooms.portal.model.complaints import ComplaintPage, PassOn, Stage
from safebelt.rooms.portal.pages import complaint_words as words
from safebelt.rooms.portal.pages.complaints import received
from safebelt.rooms.portal.service import Complaints, Portal
from safebelt.web.forms import Form, empty_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Choice = Annotated[str, QueryParameter(max_length=60)]
SEALED_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "no-store",
}
"""For files of strangers: nothing in them runs in this site's name, wherever somebody opens them."""


class ComplaintDeskPages(Controller):
    """`/{lang}/portal/complaints`."""

    path = "/{lang:str}/portal/complaints"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("portal.see_complaints")])
    def desk(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        search: Choice = "",
        show: Choice = "",
        page: Annotated[int, QueryParameter(ge=1, le=100_000)] = 1,
    ) -> Template:
        """List complaints: what is owed soonest first."""
        found = portal.complaints.complaints(
            by=by,
            search=search,
            stage=Stage(show) if show in set(Stage) else None,
            is_apart=True if show == "apart" else None if show == "overdue" or search else False,
            is_overdue=show == "overdue",
            page=page,
        )
        return render(
            "portal/desk.html",
            lang=lang,
            title=words.DESK,
            found=found,
            search=search,
            show=show,
            rules=portal.complaints.rules,
            words=words,
        )

    @get("/enter", sync_to_thread=True, guards=[requires("portal.handle_complaints")])
    def paper_form(self, portal: NamedDependency[Portal], lang: PathLang, system: Choice = "") -> Template:
        """Show the form for what came on paper."""
        return _enter(portal.complaints, lang, empty_form(system_id=system, kind="other"))

    @post("/enter", sync_to_thread=True, status_code=200, guards=[requires("portal.handle_complaints")])
    def enter(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: MultipartBody[dict[str, Any]],
    ) -> Template:
        """Enter what came on paper; the answer is the receipt, to print and hand out."""
        complaints = portal.complaints
        try:
            files = words.uploads(data, complaints.rules)
            filed = complaints.enter(words.complain_of(data), files=files, lang=lang, by=by)
        except (Invalid, Refused) as problem:
            form: Form[Any] = Form(values=words.typed(data))
            return _enter(complaints, lang, form.refused(problem), problem.status)
        return received(complaints, filed, lang, base_of(request))

    @get("/{case_id:str}", sync_to_thread=True, guards=[requires("portal.see_complaints")])
    def case(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        lang: PathLang,
        case_id: PathId,
    ) -> Template:
        """Show a complaint with all that was said in it."""
        notice = words.DONE.get(request.query_params.get("done", ""))
        return _case(portal.complaints, lang, case_id, by, notice=notice)

    @post("/{case_id:str}/answer", sync_to_thread=True, guards=[requires("portal.handle_complaints")])
    def answer(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Answer."""
        text = words.text_of(data, "text")
        try:
            portal.complaints.answer(case_id, text, by=by)
        except (Invalid, Conflict) as problem:
            return _case(portal.complaints, lang, case_id, by, problem=problem, typed={"text": text})
        return _to(lang, case_id, "answered")

    @post("/{case_id:str}/pass", sync_to_thread=True, guards=[requires("portal.handle_complaints")])
    def pass_on(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Pass on."""
        typed = {name: words.text_of(data, name) for name in ("pass_reason", "system_id", "office_id")}
        cmd = PassOn(reason=typed["pass_reason"], system_id=typed["system_id"], office_id=typed["office_id"])
        try:
            moved = portal.complaints.pass_on(case_id, cmd, by=by)
        except (Invalid, Conflict) as problem:
            return _case(portal.complaints, lang, case_id, by, problem=_of(problem, "pass_reason"), typed=typed)
        return _to(lang, case_id if _still_sees(portal.complaints, moved.id, by) else "", "passed")

    @post("/{case_id:str}/close", sync_to_thread=True, guards=[requires("portal.handle_complaints")])
    def close(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Close, or do not take up."""
        reason, how = words.text_of(data, "close_reason"), words.text_of(data, "how")
        is_refused = how == "refuse"
        try:
            _hold_chosen(how)
            portal.complaints.close(case_id, reason, is_refused=is_refused, by=by)
        except (Invalid, Conflict) as problem:
            typed = {"close_reason": reason, "how": how}
            return _case(portal.complaints, lang, case_id, by, problem=_of(problem, "close_reason"), typed=typed)
        return _to(lang, case_id, "refused" if is_refused else "closed")

    @post("/{case_id:str}/apart", sync_to_thread=True, guards=[requires("portal.handle_complaints")])
    def set_apart(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Set apart as spam, or put back."""
        is_apart = words.text_of(data, "back") != "yes"
        try:
            portal.complaints.set_apart(case_id, is_apart=is_apart, by=by)
        except Conflict as problem:
            return _case(portal.complaints, lang, case_id, by, problem=problem)
        return _to(lang, case_id, "apart" if is_apart else "back")

    @get(
        "/{case_id:str}/files/{said_id:str}/{digest:str}",
        sync_to_thread=True,
        guards=[requires("portal.see_complaints")],
    )
    def attachment(
        self,
        portal: NamedDependency[Portal],
        by: NamedDependency[Actor],
        *,
        case_id: PathId,
        said_id: PathId,
        digest: PathId,
    ) -> Response[bytes]:
        """Hand a file over, always as a download."""
        found, content = portal.complaints.attachment(case_id, said_id, digest, by=by)
        headers = {**SEALED_HEADERS, "content-disposition": f'attachment; filename="{found.digest[:16]}"'}
        return Response(content, media_type="application/octet-stream", headers=headers)


def _to(lang: Lang, case_id: str, done: str) -> Redirect:
    path = f"/{case_id}?done={done}" if case_id else ""
    return Redirect(f"/{lang}/portal/complaints{path}", status_code=303)


def _still_sees(complaints: Complaints, case_id: str, by: Actor) -> bool:
    try:
        complaints.complaint(case_id, by=by)
    except NotFound:
        return False
    return True


def _hold_chosen(how: str) -> None:
    if how not in {"close", "refuse"}:
        raise Invalid(
            what=Text(zh="请选择怎样结束。", en="Choose how it ends."),
            hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
            details={"field": "how"},
        )


def _of(problem: Problem, reason: str) -> Problem:
    """Return a problem beside the field of this page: every form's reason has a name of its own here."""
    if problem.details.get("field") == "text":
        problem.details["field"] = reason
    return problem


def _enter(complaints: Complaints, lang: Lang, form: Form[Any], status: int = 200) -> Template:
    return render(
        "portal/desk_enter.html",
        lang=lang,
        title=words.ENTER,
        status=status,
        form=form,
        kinds=words.kinds(complaints.rules, lang),
        rules=complaints.rules,
    )


def _case(
    complaints: Complaints,
    lang: Lang,
    case_id: str,
    by: Actor,
    *,
    notice: Text | None = None,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Template:
    found = complaints.complaint(case_id, by=by)
    form: Form[Any] = Form(values=dict(typed or {}))
    return render(
        "portal/desk_case.html",
        lang=lang,
        title=words.CASE,
        status=problem.status if problem else 200,
        form=form.refused(problem) if problem else form,
        found=found,
        complaint=found.complaint,
        kind=complaints.rules.kind(found.complaint.kind),
        rules=complaints.rules,
        here=f"/{lang}/portal/complaints/{found.complaint.id}",
        words=words,
        notice=notice,
    )


def panels(portal: Portal) -> tuple[Panel, ...]:
    """Return what this room lays on a system's dossier: complaints for the two parties, and counts for others."""
    complaints = portal.complaints

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        def seen_by(actor: Actor) -> ComplaintPage | None:
            try:
                return complaints.about(system_id, by=actor)
            except Refused:
                return None

        return {
            "counts": complaints.counts(system_id),
            "seen_by": seen_by,
            "system_id": system_id,
            "rules": complaints.rules,
            "words": words,
        }

    return (Panel(name="complaints", title=words.DESK, template="portal/_panel_complaints.html", context=context),)


PAGES: tuple[type, ...] = (ComplaintDeskPages,)
