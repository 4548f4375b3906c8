"""The registry's pages: the home page, the register, and each system's dossier."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import (
    ChangeSystem,
    NamePerson,
    RegisterParty,
    RegisterSystem,
    System,
)
from safebelt.rooms.registry.pages import words
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import may, requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Search = Annotated[str, QueryParameter(max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]

_PARTIES_IN_A_LIST = 200
"""How many parties a form offers to choose from; beyond it, the API and the command line take any id."""


def _to(path: str, done: str) -> Redirect:
    return Redirect(f"{path}?done={done}", status_code=303)


def _notice(request: AnyRequest) -> Text | None:
    return words.DONE.get(request.query_params.get("done", ""))


class RegistryPages(Controller):
    """`/{lang}/registry`: parties and systems singly; the lists are in `search`."""

    path = "/{lang:str}/registry"
    include_in_schema = False

    @get("/parties", sync_to_thread=True, guards=[requires("registry.read")])
    def parties(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        lang: PathLang,
        search: Search = "",
        page: PageNumber = 1,
    ) -> Template:
        """List the parties."""
        return render(
            "registry/parties.html",
            lang=lang,
            title=words.PARTIES,
            found=registry.parties(search=search, page=page),
            search=search,
            words=words,
            notice=_notice(request),
        )

    @get("/parties/new", guards=[requires("registry.register")])
    async def party_form(self, lang: PathLang) -> Template:
        """Show the form for a party."""
        return _party_form(lang, empty_form(kind="organisation"))

    @post("/parties/new", sync_to_thread=True, guards=[requires("registry.register")])
    def register_party(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Register a party."""
        form = read_form(data, RegisterParty, labels=words.PARTY_FIELDS)
        if form.value is None:
            return _party_form(lang, form)
        try:
            registry.register_party(form.value, by=by)
        except Invalid as problem:
            return _party_form(lang, form.refused(problem))
        return _to(f"/{lang}/registry/parties", "party")

    @get("/systems/new", sync_to_thread=True, guards=[requires("registry.register")])
    def system_form(self, registry: NamedDependency[Registry], lang: PathLang) -> Template:
        """Show the form for a system."""
        return _system_form(registry, lang, empty_form())

    @post("/systems/new", sync_to_thread=True, guards=[requires("registry.register")])
    def register_system(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Register a system."""
        form = read_form(data, RegisterSystem, labels=words.SYSTEM_FIELDS)
        if form.value is None:
            return _system_form(registry, lang, form)
        try:
            system = registry.register_system(form.value, by=by)
        except Invalid as problem:
            return _system_form(registry, lang, form.refused(problem))
        return _to(f"/{lang}/registry/systems/{system.id}", "system")

    @get("/systems/{system_id:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def dossier(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId
    ) -> Template:
        """Show a system's dossier, with the panels other rooms supply."""
        dossier = registry.dossier(system_id)
        every: tuple[Panel, ...] = request.app.state.get("dossier_panels", ())
        panels = [panel for panel in every if not panel.needs or may(request, panel.needs)]
        titles: Mapping[str, Text] = request.app.state.get("event_titles", {})
        return render(
            "registry/dossier.html",
            lang=lang,
            title=dossier.system.name,
            dossier=dossier,
            panels=[(panel, panel.context(system_id, lang)) for panel in panels],
            acts=words.told(dossier.acts, titles, lang, registry.evidence_name),
            names=registry.evidence_name,
            words=words,
            notice=_notice(request),
        )

    @get("/systems/{system_id:str}/facts", sync_to_thread=True, guards=[requires("registry.read")])
    def facts(self, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId) -> Template:
        """Show what is on record about a system, and the form for new facts."""
        return _facts_page(registry, system_id, lang, empty_form())

    @post("/systems/{system_id:str}/facts", sync_to_thread=True, guards=[requires("registry.change")])
    def describe(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Put facts on record."""
        typed = data.get("descriptor", "")
        source = typed if isinstance(typed, str) else ""
        try:
            registry.describe(system_id, source, by=by)
        except (Invalid, Conflict) as problem:
            form = empty_form(descriptor=source).refused(problem)
            return _facts_page(registry, system_id, lang, form, problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}", "facts")

    @get("/systems/{system_id:str}/people/new", sync_to_thread=True, guards=[requires("registry.change")])
    def person_form(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
        role: Annotated[str, QueryParameter(max_length=40)] = "accountable",
    ) -> Template:
        """Show the form for a named person."""
        return _person_form(registry.system(system_id), lang, empty_form(role=role))

    @post("/systems/{system_id:str}/people/new", sync_to_thread=True, guards=[requires("registry.change")])
    def name_person(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Name a person."""
        form = read_form(data, NamePerson, labels=words.PERSON_FIELDS)
        if form.value is None:
            return _person_form(registry.system(system_id), lang, form)
        try:
            registry.name_person(system_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            return _person_form(registry.system(system_id), lang, form.refused(problem), problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}", "person")

    @get("/systems/{system_id:str}/change", sync_to_thread=True, guards=[requires("registry.change")])
    def change_form(self, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId) -> Template:
        """Show the form that changes a system."""
        system = registry.system(system_id)
        return _change_form(registry, system, lang, empty_form(**words.as_typed(system)))

    @post("/systems/{system_id:str}/change", sync_to_thread=True, guards=[requires("registry.change")])
    def change_system(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change a system."""
        form = read_form(data, ChangeSystem, labels=words.SYSTEM_FIELDS)
        if form.value is None:
            return _change_form(registry, registry.system(system_id), lang, form)
        try:
            registry.change_system(system_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            return _change_form(registry, registry.system(system_id), lang, form.refused(problem), problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}", "change")


def _facts_page(registry: Registry, system_id: str, lang: Lang, form: Form[Any], status: int = 200) -> Template:
    return render(
        "registry/facts.html",
        lang=lang,
        title=words.FACTS,
        status=status,
        form=form,
        system=registry.system(system_id),
        versions=registry.descriptions(system_id),
    )


def _status_of(form: Form[Any], refused: int) -> int:
    return refused if form.errors else 200


def _party_form(lang: Lang, form: Form[Any]) -> Template:
    status = _status_of(form, 422)
    return render("registry/party_form.html", lang=lang, title=words.NEW_PARTY, status=status, form=form, words=words)


def _system_form(registry: Registry, lang: Lang, form: Form[Any]) -> Template:
    return render(
        "registry/system_form.html",
        lang=lang,
        title=words.NEW_SYSTEM,
        status=_status_of(form, 422),
        form=form,
        parties=registry.parties(size=_PARTIES_IN_A_LIST).items,
        words=words,
    )


def _person_form(system: System, lang: Lang, form: Form[Any], refused: int = 422) -> Template:
    return render(
        "registry/person_form.html",
        lang=lang,
        title=words.NEW_PERSON,
        status=_status_of(form, refused),
        form=form,
        system=system,
        words=words,
    )


def _change_form(registry: Registry, system: System, lang: Lang, form: Form[Any], refused: int = 422) -> Template:
    return render(
        "registry/change_form.html",
        lang=lang,
        title=words.CHANGE,
        status=_status_of(form, refused),
        form=form,
        system=system,
        parties=registry.parties(size=_PARTIES_IN_A_LIST).items,
        words=words,
    )


PAGES: tuple[type, ...] = (RegistryPages,)
