"""Pages about filings and forms."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.exports import forms as writers
from safebelt.rooms.registry.model.forms import FILING_STATES, Receive
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
_ANSWER = "answer-"
_SHAPES = {
    "json": ("application/json", writers.as_json),
    "md": ("text/markdown; charset=utf-8", writers.as_markdown),
    "csv": ("text/csv; charset=utf-8", writers.as_csv),
}
_LABELS = {
    "number": Text(zh="编号", en="Number"),
    "received_on": Text(zh="取得日期", en="Day received"),
    "expires_on": Text(zh="有效至", en="Valid until"),
}
_FORMS = Text(zh="备案与表单", en="Filings and forms")


class FormPages(Controller):
    """`/{lang}/registry/systems/{id}/forms`."""

    path = "/{lang:str}/registry/systems/{system_id:str}/forms"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.export")])
    def forms(self, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId) -> Template:
        """List the forms and how far the record fills each, and what was filed."""
        return _list_page(registry, lang, system_id, empty_form())

    @get("/{form_id:str}", sync_to_thread=True, guards=[requires("registry.export")])
    def form(self, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId, form_id: PathId) -> Template:
        """Show a form: what fills it, from where, and what is missing."""
        return _form_page(registry, lang, system_id, form_id, empty_form())

    @post("/{form_id:str}", sync_to_thread=True, guards=[requires("registry.change")])
    def write(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        form_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Keep what was written into the form."""
        answers = {name.removeprefix(_ANSWER): one for name, one in data.items() if _is_answer(name, one)}
        try:
            registry.answer_form(system_id, form_id, {name: str(one) for name, one in answers.items()}, by=by)
        except Invalid as problem:
            return _form_page(registry, lang, system_id, form_id, empty_form().refused(problem), status=422)
        return Redirect(f"/{lang}/registry/systems/{system_id}/forms/{form_id}", status_code=303)

    @post("/{form_id:str}/file", sync_to_thread=True, guards=[requires("registry.change")])
    def file(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        form_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Record that the filing was produced, or submitted."""
        try:
            registry.file_form(system_id, form_id, by=by, is_submitted=data.get("submitted") == "yes")
        except Invalid as problem:
            return _form_page(registry, lang, system_id, form_id, empty_form().refused(problem), status=422)
        return Redirect(f"/{lang}/registry/systems/{system_id}/forms", status_code=303)

    @get("/{form_id:str}/download", sync_to_thread=True, guards=[requires("registry.export")])
    def download(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
        form_id: PathId,
        shape: Annotated[Literal["json", "md", "csv"], QueryParameter()] = "json",
    ) -> Response[str]:
        """Hand the form out as a file."""
        filled = registry.filled(system_id, form_id)
        text = {
            "json": lambda: writers.as_json(filled),
            "md": lambda: writers.as_markdown(filled, lang),
            "csv": lambda: writers.as_csv(filled, lang),
        }[shape]()
        name = f"{filled.spec.id}-{filled.system_id}.{shape}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type=_SHAPES[shape][0], headers=headers)

    @post("/filings/{filing_id:str}/number", sync_to_thread=True, guards=[requires("registry.change")])
    def number(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        filing_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Record the number a filing received."""
        form = read_form(data, Receive, labels=_LABELS)
        try:
            if form.value is not None:
                registry.receive_number(filing_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            form = form.refused(problem)
        if form.errors:
            return _list_page(registry, lang, system_id, form, 422)
        return Redirect(f"/{lang}/registry/systems/{system_id}/forms", status_code=303)


def _is_answer(name: str, value: object) -> bool:
    return name.startswith(_ANSWER) and isinstance(value, str)


def _list_page(registry: Registry, lang: Lang, system_id: str, form: Form[Any], status: int = 200) -> Template:
    return render(
        "registry/forms.html",
        lang=lang,
        title=_FORMS,
        status=status,
        form=form,
        system=registry.system(system_id),
        filled=[registry.filled(system_id, name) for name in registry.forms],
        filings=registry.filings(system_id),
        states=FILING_STATES,
        forms=registry.forms,
    )


def _form_page(
    registry: Registry, lang: Lang, system_id: str, form_id: str, form: Form[Any], *, status: int = 200
) -> Template:
    filled = registry.filled(system_id, form_id)
    return render(
        "registry/form.html",
        lang=lang,
        title=filled.spec.title,
        status=status,
        form=form,
        system=registry.system(system_id),
        filled=filled,
        joined=writers.joined,
        notice_=writers.NOTICE,
    )


PAGES: tuple[type, ...] = (FormPages,)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        filings = registry.filings(system_id)[:3]
        return {"filings": filings, "forms": registry.forms, "system_id": system_id, "states": FILING_STATES}

    return (
        Panel(
            name="forms",
            title=_FORMS,
            template="registry/_panel_forms.html",
            context=context,
            place="side",
            needs="registry.export",
        ),
    )
