"""Pages that list and find: the home page, the register with search and filters, saved views, bulk acts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Stream, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang
from safebelt.rooms.registry.exports.search_lists import FORMS
from safebelt.rooms.registry.model.search import (
    ACTIONS,
    BulkKind,
    BulkOrder,
    BulkPreview,
    Found,
    Question,
    SaveView,
)
from safebelt.rooms.registry.pages import search_words as said
from safebelt.rooms.registry.pages import words
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form
from safebelt.web.panels import Panel
from safebelt.web.security import actor_of, requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Cursor = Annotated[str, QueryParameter(max_length=1000)]

_DOSSIERS_AT_HOME = 12


class HomePage(Controller):
    """`/{lang}/`: the dossiers."""

    path = "/{lang:str}"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("home.read")])
    def home(
        self, registry: NamedDependency[Registry], lang: PathLang, after: Cursor = "", before: Cursor = ""
    ) -> Template | Redirect:
        """Show the systems' dossiers; where there is exactly one, go there."""
        found = registry.search(Question(), after=after, before=before, size=_DOSSIERS_AT_HOME)
        if found.total == 1 and found.hits:
            return Redirect(f"/{lang}/registry/systems/{found.hits[0].system.id}", status_code=302)
        pager = {name: f"/{lang}/?{name}={at}" if at else "" for name, at in _cursors(found)}
        return render("registry/home.html", lang=lang, title=words.HOME, found=found, pager=pager, words=words)


class ListPages(Controller):
    """`/{lang}/registry`: the register as a list."""

    path = "/{lang:str}/registry"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def systems(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        after: Cursor = "",
        before: Cursor = "",
    ) -> Template:
        """List the systems that answer the question in the address; without one, all."""
        question = said.question_of(_query(request))
        try:
            found = registry.search(question, after=after, before=before, has_facets=True)
        except Invalid:  # a cursor of another list, or an old one: begin at the first page
            found = registry.search(question, has_facets=True)
        return _list(request=request, registry=registry, by=by, lang=lang, question=question, found=found)

    @get("/export.csv", sync_to_thread=True, guards=[requires("registry.export")])
    def export_csv(self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang) -> Stream:
        """Hand the list out as CSV, with the same question as the page."""
        return _file(request, registry, "csv")

    @get("/export.json", sync_to_thread=True, guards=[requires("registry.export")])
    def export_json(self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang) -> Stream:
        """Hand the list out as JSON, with the same question as the page."""
        return _file(request, registry, "json")

    # ---- saved views

    @post("/views", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def save_view(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Save the question of a list."""
        question = said.question_of(_several(data))
        name = _typed(data, "name")
        try:
            registry.save_view(SaveView(name=name, question=question, is_shared="is_shared" in data), by=by)
        except (Invalid, Conflict) as problem:
            form = empty_form(name=name).refused(problem)
            found = registry.search(question, has_facets=True)
            return _list(
                request=request,
                registry=registry,
                by=by,
                lang=lang,
                question=question,
                found=found,
                form=form,
                status=problem.status,
            )
        return Redirect(said.address(lang, question, done="view"), status_code=303)

    @post("/views/{view_id:str}/delete", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def delete_view(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, view_id: PathId
    ) -> Redirect:
        """Delete a view; the next page offers to take it back."""
        registry.delete_view(view_id, by=by)
        return Redirect(said.address(lang, Question(), done="view-gone", undo=view_id), status_code=303)

    @post("/views/{view_id:str}/restore", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def restore_view(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, view_id: PathId
    ) -> Redirect:
        """Take back the deletion of a view."""
        view = registry.restore_view(view_id, by=by)
        return Redirect(said.address(lang, view.question, done="view-back"), status_code=303)

    # ---- many at once

    @post("/bulk/preview", sync_to_thread=True, status_code=200, guards=[requires("registry.collaborate")])
    def preview_bulk(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, data: FormData
    ) -> Template:
        """Say whom a bulk act would concern, and ask whether that is meant."""
        order = _order(data)
        request.app.state.authorize(actor_of(request), ACTIONS[order.kind], "")
        return _preview(registry=registry, lang=lang, data=data, order=order, form=empty_form())

    @post("/bulk", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def order_bulk(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Order a bulk act and begin with it."""
        order = _order(data)
        request.app.state.authorize(actor_of(request), ACTIONS[order.kind], "")
        try:
            progress = registry.step_bulk(registry.order_bulk(order, by=by).id)
        except (Invalid, Conflict) as problem:
            form = empty_form().refused(problem)
            return _preview(registry=registry, lang=lang, data=data, order=order, form=form, status=problem.status)
        return Redirect(f"/{lang}/registry/bulk/{progress.id}", status_code=303)

    @get("/bulk/{bulk_id:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def bulk(self, registry: NamedDependency[Registry], lang: PathLang, bulk_id: PathId) -> Template:
        """Show how far a bulk act is, and what was refused."""
        return render(
            "registry/search_bulk.html", lang=lang, title=said.BULK, progress=registry.bulk(bulk_id), said=said
        )

    @post("/bulk/{bulk_id:str}/step", sync_to_thread=True, guards=[requires("registry.collaborate")])
    def step_bulk(self, registry: NamedDependency[Registry], lang: PathLang, bulk_id: PathId) -> Redirect:
        """Go on with a bulk act now, rather than wait for the house to."""
        registry.step_bulk(bulk_id)
        return Redirect(f"/{lang}/registry/bulk/{bulk_id}", status_code=303)


def _file(request: AnyRequest, registry: Registry, form: str) -> Stream:
    kind, write = FORMS[form]
    headers = {"Content-Disposition": f'attachment; filename="systems.{form}"'}
    return Stream(write(registry.export(said.question_of(_query(request)))), media_type=kind, headers=headers)


def _list(
    *,
    request: AnyRequest,
    registry: Registry,
    by: Actor,
    lang: Lang,
    question: Question,
    found: Found,
    form: Form[Any] | None = None,
    status: int = 200,
) -> Template:
    parties = _parties(registry, question, found)
    return render(
        "registry/systems.html",
        lang=lang,
        title=said.SEARCH,
        status=status,
        found=found,
        question=question,
        query=said.query_of(question),
        pairs=_pairs(question),
        pager={name: said.address(lang, question, **{name: at}) if at else "" for name, at in _cursors(found)},
        chips=said.chips(question, lang, parties),
        facets=said.facets(question, found, lang, parties),
        views=registry.views(by=by),
        form=form or empty_form(),
        bulk_form=empty_form(kind=BulkKind.ADD_TAG.value),
        me=by.id,
        undo=request.query_params.get("undo", ""),
        notice=said.NOTICES.get(request.query_params.get("done", "")),
        words=words,
        said=said,
    )


def _preview(
    *,
    registry: Registry,
    lang: Lang,
    data: Mapping[str, str | list[str]],
    order: BulkOrder,
    form: Form[Any],
    status: int = 200,
) -> Template:
    preview = BulkPreview(total=0, first=())
    try:
        preview = registry.preview_bulk(order)
    except Invalid as problem:
        form, status = (form if form.errors else form.refused(problem)), problem.status
    hidden = [(name, each) for name, values in _several(data).items() for each in values]
    return render(
        "registry/search_bulk_preview.html",
        lang=lang,
        title=said.BULK_PREVIEW,
        status=status,
        preview=preview,
        order=order,
        hidden=[(name, each) for name, each in hidden if name not in ("_csrf_token", "expected")],
        back=said.address(lang, order.question or Question()),
        form=form,
        said=said,
    )


def _order(data: Mapping[str, str | list[str]]) -> BulkOrder:
    kind, expected = _typed(data, "kind"), _typed(data, "expected")
    chosen = tuple(each[:40] for each in _several(data).get("system", ()))
    is_all = _typed(data, "whom") == "all"
    return BulkOrder(
        kind=BulkKind(kind) if kind in set(BulkKind) else BulkKind.ADD_TAG,
        value=_typed(data, "value"),
        contact=_typed(data, "contact"),
        systems=() if is_all else chosen,
        question=said.question_of(_several(data)) if is_all else None,
        expected=int(expected) if expected.isascii() and expected.isdigit() and len(expected) < 9 else None,
    )


def _cursors(found: Found) -> tuple[tuple[str, str], ...]:
    return ("before", found.before), ("after", found.after)


def _parties(registry: Registry, question: Question, found: Found) -> dict[str, str]:
    """Names of the parties that chips and facets speak of."""
    wanted = {one.value for one in found.facets.get("provider", ())} | {question.filters.party} - {""}
    names = {}
    for party_id in wanted:
        try:
            names[party_id] = registry.party(party_id).name
        except NotFound:
            continue
    return names


def _query(request: AnyRequest) -> Mapping[str, Sequence[str]]:
    return {name: request.query_params.getall(name) for name in request.query_params}


def _several(data: Mapping[str, str | list[str]]) -> dict[str, Sequence[str]]:
    return {name: [value] if isinstance(value, str) else value for name, value in data.items()}


def _typed(data: Mapping[str, str | list[str]], name: str) -> str:
    value = data.get(name, "")
    return (value if isinstance(value, str) else value[-1] if value else "").strip()


def _pairs(question: Question) -> list[tuple[str, str]]:
    """The question as the hidden fields of a form."""
    return parse_qsl(said.query_of(question))


PAGES: tuple[type, ...] = (HomePage, ListPages)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""
    return ()
