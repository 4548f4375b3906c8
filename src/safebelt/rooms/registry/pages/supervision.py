"""Pages about an authority's cases: the desk, a case with its timeline, and the panel on the dossier."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Response, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import PartyKind
from safebelt.rooms.registry.model.supervision import Channel, OpenCase, SetUpOffice, Side, WaitsOn
from safebelt.rooms.registry.pages import supervision_words as words
from safebelt.rooms.registry.pages.supervision_steps import StepPages
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Word = Annotated[str, QueryParameter(max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
HERE = "registry/supervision"
_IN_A_LIST = 200
"""How many authorities a form offers; beyond it, the API and the command line take any id."""


def to(lang: Lang, path: str, done: str) -> Redirect:
    """Lead on to a page of this piece, which says what was done."""
    return Redirect(f"/{lang}/{HERE}{path}?done={done}", status_code=303)


class DeskPages(Controller):
    """`/{lang}/registry/supervision`."""

    path = "/{lang:str}/registry/supervision"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def desk(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        search: Word = "",
        waits_on: Word = "",
        page: PageNumber = 1,
    ) -> Template | Redirect:
        """Show the cases one may see; an authority without a desk is led to set one up."""
        side = registry.side_of(by)
        office = registry.office_of(by)
        if side is Side.AUTHORITY and office is None:
            return Redirect(f"/{lang}/{HERE}/office", status_code=302)
        found = registry.cases(by=by, search=search, waits_on=words.choice(waits_on, WaitsOn), page=page)
        systems, names = registry.names_of(found)
        title = {Side.AUTHORITY: words.DESK, Side.OPERATOR: words.ASKED}.get(side, words.CASES) if side else words.CASES
        return render(
            "registry/supervision.html",
            lang=lang,
            title=title,
            found=found,
            systems=systems,
            names=names,
            side=side,
            office=office,
            search=search,
            waits_on=waits_on,
            today={case.id: registry.case_day(case) for case in found.items},
            law=registry.law_words(),
            words=words,
            notice=words.DONE.get(request.query_params.get("done", "")),
        )

    @get("/office", sync_to_thread=True, guards=[requires("registry.supervise")])
    def office_form(self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang) -> Template:
        """Show the form for an authority's desk."""
        return _office_form(registry, by, lang, empty_form(zone="UTC"))

    @post("/office", sync_to_thread=True, guards=[requires("registry.supervise")])
    def set_up_office(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Set up an authority's desk, or state its competence anew."""
        form = words.read(data, SetUpOffice, "instruments")
        if form.value is None:
            return _office_form(registry, by, lang, form, 422)
        try:
            registry.set_up_office(form.value, by=by)
        except (Invalid, Conflict, Refused) as problem:
            return _office_form(registry, by, lang, form.refused(problem), problem.status)
        return to(lang, "", "office")

    @post("/officers", sync_to_thread=True, guards=[requires("registry.supervise")])
    def admit(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Let a colleague work at the desk."""
        typed = str(data.get("actor_id", ""))
        try:
            registry.admit_officer(typed, by=by)
        except (Invalid, Conflict, Refused) as problem:
            form: Form[Any] = empty_form(zone="UTC", actor_id=typed).refused(problem)
            return _office_form(registry, by, lang, form, problem.status)
        return to(lang, "", "officer")

    @get("/new", sync_to_thread=True, guards=[requires("registry.supervise")])
    def case_form(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, system: Word = ""
    ) -> Template | Redirect:
        """Show the form for a case."""
        if registry.office_of(by) is None:
            return Redirect(f"/{lang}/{HERE}/office", status_code=302)
        form = empty_form(system_id=system, kind="routine", confidentiality="public")
        return _case_form(registry, by, lang, form)

    @post("/new", sync_to_thread=True, guards=[requires("registry.supervise")])
    def open_case(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Prepare a case."""
        form = words.read(data, OpenCase)
        if form.value is None:
            return _case_form(registry, by, lang, form, 422)
        try:
            case = registry.open_case(form.value, by=by)
        except (Invalid, NotFound, Refused) as problem:
            return _case_form(registry, by, lang, form.refused(problem), problem.status)
        return to(lang, f"/{case.id}", "case")


class CasePages(Controller):
    """`/{lang}/registry/supervision/{case}`."""

    path = "/{lang:str}/registry/supervision/{case_id:str}"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def case(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        case_id: PathId,
    ) -> Template:
        """Show a case: where it stands, what can be done next, its timeline; `view=print` leaves the forms out."""
        query = request.query_params
        notice = words.DONE.get(query.get("done", ""))
        return case_page(registry, case_id, by, lang, notice=notice, is_print=query.get("view") == "print")

    @post("/erase", sync_to_thread=True, guards=[requires("registry.supervise")])
    def erase_case(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, case_id: PathId
    ) -> Template | Redirect:
        """Erase a case of which nothing was served."""
        try:
            registry.erase_case(case_id, by=by)
        except Conflict as problem:
            return case_page(registry, case_id, by, lang, problem=problem)
        return to(lang, "", "erased")

    @post("/steps/{step_id:str}/erase", sync_to_thread=True, guards=[requires("registry.supervise")])
    def erase_draft(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        case_id: PathId,
        step_id: PathId,
    ) -> Redirect:
        """Erase a draft."""
        registry.erase_draft(case_id, step_id, by=by)
        return to(lang, f"/{case_id}", "erased")

    @post("/steps/{step_id:str}/serve", sync_to_thread=True, guards=[requires("registry.supervise")])
    def serve(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        step_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Serve a draft."""
        channel = words.choice(str(data.get("channel", "here")), Channel) or Channel.HERE
        try:
            registry.serve_step(case_id, step_id, channel=channel, by=by)
        except (Conflict, Refused) as problem:
            return case_page(registry, case_id, by, lang, problem=problem)
        return to(lang, f"/{case_id}", "served")

    @post("/steps/{step_id:str}/receipt", sync_to_thread=True, guards=[requires("registry.answer")])
    def acknowledge(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        case_id: PathId,
        step_id: PathId,
    ) -> Template | Redirect:
        """Acknowledge a step."""
        try:
            registry.acknowledge(case_id, step_id, by=by)
        except (Conflict, Refused) as problem:
            return case_page(registry, case_id, by, lang, problem=problem)
        return to(lang, f"/{case_id}", "received")

    @post("/steps/{step_id:str}/proof", sync_to_thread=True, guards=[requires("registry.supervise")])
    def prove(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        step_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Record that a step of the authority was received."""
        try:
            registry.prove_receipt(case_id, step_id, on=_day(data.get("on")), note=str(data.get("note", "")), by=by)
        except (Conflict, Refused, Invalid) as problem:
            return case_page(registry, case_id, by, lang, problem=problem)
        return to(lang, f"/{case_id}", "received")

    @post("/steps/{step_id:str}/publication", sync_to_thread=True, guards=[requires("registry.supervise")])
    def publish(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        step_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Make a decision public, or take it down."""
        is_public = "take_down" not in data
        summary = Text(zh=str(data.get("summary_zh", "")).strip(), en=str(data.get("summary_en", "")).strip())
        try:
            registry.publish_decision(case_id, step_id, summary, is_public=is_public, by=by)
        except (Conflict, Refused, Invalid) as problem:
            return case_page(registry, case_id, by, lang, problem=problem)
        return to(lang, f"/{case_id}", "published" if is_public else "taken_down")

    @get("/steps/{step_id:str}/files/{digest:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def attachment(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        case_id: PathId,
        step_id: PathId,
        digest: PathId,
    ) -> Response[bytes]:
        """Hand a document over, always as a download: nothing somebody sent in runs in this site's name."""
        found, content = registry.case_attachment(case_id, step_id, digest, by=by)
        headers = {"content-disposition": f'attachment; filename="{found.digest[:16]}"'}
        return Response(content, media_type="application/octet-stream", headers=headers)


def case_page(
    registry: Registry,
    case_id: str,
    by: Actor,
    lang: Lang,
    *,
    notice: Text | None = None,
    problem: Problem | None = None,
    is_print: bool = False,
) -> Template:
    """Show a case; with what was refused above it, where something was."""
    found = registry.case_file(case_id, by=by)
    form: Form[Any] = empty_form()
    return render(
        "registry/supervision_case.html",
        lang=lang,
        title=Text(zh=found.case.about, en=found.case.about),  # in the language it was written in
        status=problem.status if problem else 200,
        found=found,
        case=found.case,
        form=form.refused(problem) if problem else form,
        problem=problem,
        is_print=is_print,
        law=registry.law_words(),
        here=f"/{lang}/{HERE}/{case_id}",
        words=words,
        notice=notice,
    )


def _day(raw: Any) -> date:
    try:
        return date.fromisoformat(str(raw or ""))
    except ValueError as error:
        raise Invalid(
            what=Text(zh="请填写签收日期，例如 2026-11-21。", en="Enter the day of receipt, such as 2026-11-21."),
            hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
        ) from error


def _office_form(registry: Registry, by: Actor, lang: Lang, form: Form[Any], status: int = 200) -> Template:
    authorities = registry.parties(kind=PartyKind.AUTHORITY, size=_IN_A_LIST).items
    return render(
        "registry/supervision_office.html",
        lang=lang,
        title=words.OFFICE,
        status=status,
        form=form,
        authorities=[(one.id, one.name) for one in authorities],
        office=registry.office_of(by),
        actor_id=by.id,
        jurisdictions=registry.jurisdictions(),
        law=registry.law_words(),
    )


def _case_form(registry: Registry, by: Actor, lang: Lang, form: Form[Any], status: int = 200) -> Template:
    system = form.typed("system_id")
    return render(
        "registry/supervision_new.html",
        lang=lang,
        title=words.NEW_CASE,
        status=status,
        form=form,
        suggested=registry.suggested_grounds(system, by=by) if system else (),
        words=words,
    )


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier: the cases that were opened, never a draft."""

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        found = registry.cases_about(system_id)
        return {
            "found": found,
            "is_empty": not found.items,
            "system_id": system_id,
            "today": {case.id: registry.case_day(case) for case in found.items},
            "names": registry.names_of(found)[1],
            "words": words,
        }

    title = Text(zh="监督案件", en="Supervision")
    return (Panel(name="supervision", title=title, template="registry/_panel_supervision.html", context=context),)


PAGES: tuple[type, ...] = (DeskPages, CasePages, StepPages)
