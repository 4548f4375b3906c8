"""Forms of the steps: what an authority drafts, and what the operator files."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import MultipartBody, PathParameter, QueryParameter
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.supervision import (
    OPERATOR_KINDS,
    STEP_KINDS,
    AnswerCase,
    CaseFile,
    StepKind,
    WriteStep,
)
from safebelt.rooms.registry.pages import supervision_words as words
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
Word = Annotated[str, QueryParameter(max_length=60)]
FormData = MultipartBody[dict[str, Any]]


class StepPages(Controller):
    """`/{lang}/registry/supervision/{case}/draft` and `…/reply`."""

    path = "/{lang:str}/registry/supervision/{case_id:str}"
    include_in_schema = False

    @get("/draft/{kind:str}", sync_to_thread=True, guards=[requires("registry.supervise")])
    def draft_form(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        case_id: PathId,
        kind: PathId,
    ) -> Template:
        """Show the form of a step of the authority."""
        form = empty_form(unit="calendar_days", appeal_unit="calendar_days", counts_from="service")
        typed = {**form.values, "contest": words.CONTEST.in_(lang)}
        return _page(registry, by, lang, registry.case_file(case_id, by=by), kind=_kind(kind), form=Form(values=typed))

    @post("/draft/{kind:str}", sync_to_thread=True, guards=[requires("registry.supervise")])
    def draft(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        kind: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Keep a draft."""
        found, which = registry.case_file(case_id, by=by), _kind(kind)
        form = words.read({**data, "kind": which.value}, WriteStep, "items", "not_counted")
        if form.value is None:
            return _page(registry, by, lang, found, kind=which, form=form, status=422)
        try:
            registry.draft_step(case_id, form.value, files=words.uploads(data.get("files")), by=by)
        except (Invalid, Conflict, NotFound, Refused) as problem:
            return _page(registry, by, lang, found, kind=which, form=form.refused(problem), status=problem.status)
        return Redirect(f"/{lang}/registry/supervision/{case_id}?done=draft#drafts", status_code=303)

    @get("/reply/{kind:str}", sync_to_thread=True, guards=[requires("registry.answer")])
    def reply_form(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        kind: PathId,
        re: Word = "",
    ) -> Template:
        """Show the form of a step of the operator."""
        return _page(registry, by, lang, registry.case_file(case_id, by=by), kind=_kind(kind), form=empty_form(re=re))

    @post("/reply/{kind:str}", sync_to_thread=True, guards=[requires("registry.answer")])
    def reply(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        *,
        lang: PathLang,
        case_id: PathId,
        kind: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """File a step of the operator."""
        found, which = registry.case_file(case_id, by=by), _kind(kind)
        form = words.read({**data, "kind": which.value}, AnswerCase)
        if form.value is None:
            return _page(registry, by, lang, found, kind=which, form=form, status=422)
        try:
            registry.answer_case(case_id, form.value, files=words.uploads(data.get("files")), by=by)
        except (Invalid, Conflict, Refused) as problem:
            return _page(registry, by, lang, found, kind=which, form=form.refused(problem), status=problem.status)
        return Redirect(f"/{lang}/registry/supervision/{case_id}?done=answered", status_code=303)


def _kind(raw: str) -> StepKind:
    if raw not in {each.value for each in StepKind}:
        raise NotFound(
            what=Text(zh="没有这种步骤。", en="There is no such kind of step."),
            hint=Text(zh="请从案件页面选择。", en="Choose one on the case's page."),
        )
    return StepKind(raw)


def _page(
    registry: Registry,
    by: Actor,
    lang: Lang,
    found: CaseFile,
    *,
    kind: StepKind,
    form: Form[Any],
    status: int = 200,
) -> Template:
    option = next((one for one in found.options if one.kind is kind), None)
    if option is None:
        raise Refused(
            what=Text(zh="这一步由另一方作出。", en="This step is the other side's."),
            hint=Text(zh="请从案件页面选择。", en="Choose one on the case's page."),
        )
    is_operators = kind in OPERATOR_KINDS
    mine = found.office.party_id if found.office else ""
    steps = {one.id: one for one in found.steps}
    return render(
        "registry/supervision_step.html",
        lang=lang,
        title=STEP_KINDS[kind],
        status=status,
        form=form,
        found=found,
        case=found.case,
        kind=kind,
        option=option,
        is_operators=is_operators,
        fields=words.FIELDS.get(kind, ()),
        targets=[(one, f"{steps[one].number} · {STEP_KINDS[steps[one].kind].in_(lang)}") for one in option.targets],
        suggested=() if is_operators else registry.suggested_grounds(found.case.system_id, by=by),
        offices=[(one.party_id, one.name) for one in registry.offices() if one.party_id != mine],
        here=f"/{lang}/registry/supervision/{found.case.id}",
        words=words,
    )
