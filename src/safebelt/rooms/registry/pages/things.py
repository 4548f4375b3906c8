"""Pages about what systems are made of: things, a system's parts, versions, and what differs between two."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import Party
from safebelt.rooms.registry.model.things import ChangeThing, RegisterThing, ThingKind
from safebelt.rooms.registry.model.things_fields import NEEDS_OWNER, SCHEMAS
from safebelt.rooms.registry.model.things_fields import Form as Shape
from safebelt.rooms.registry.pages import identity, parts
from safebelt.rooms.registry.pages import things_words as words
from safebelt.rooms.registry.pages.parts import proposed
from safebelt.rooms.registry.pages.words import told
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, Raw, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
Short = Annotated[str, QueryParameter(max_length=200)]

_CHOICES_SHOWN = 200
"""How many parties or things a form offers to choose from; beyond it, an id can be typed."""
_PARTS_ON_A_DOSSIER = 6
"""Parts the dossier's panel names; the page of parts has them all."""


class ThingPages(Controller):
    """`/{lang}/registry/things`."""

    path = "/{lang:str}/registry/things"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def things(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        *,
        search: Short = "",
        kind: Short = "",
        order: Short = "",
        page: PageNumber = 1,
    ) -> Template:
        """List things."""
        wanted = ThingKind(kind) if kind in set(ThingKind) else None
        found = registry.things(search=search, kind=wanted, most_depended=order == "dependents", page=page)
        return render(
            "registry/things.html",
            lang=lang,
            title=words.THINGS,
            found=found,
            search=search,
            kind=wanted,
            order=order,
            words=words,
        )

    @get("/new", sync_to_thread=True, guards=[requires("registry.register")])
    def new_thing(self, registry: NamedDependency[Registry], lang: PathLang, kind: Short = "") -> Template:
        """Ask which kind; then show the form of that kind."""
        if kind not in set(ThingKind):
            return render("registry/thing_kinds.html", lang=lang, title=words.NEW, words=words)
        return _thing_form(registry, lang, ThingKind(kind), empty_form(kind=kind))

    @post("/new", sync_to_thread=True, guards=[requires("registry.register")])
    def register_thing(
        self, *, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template | Redirect:
        """Register a thing."""
        form = read_form(data, RegisterThing, labels=words.FIELDS)
        kind = data.get("kind")
        if kind not in set(ThingKind):
            return render("registry/thing_kinds.html", lang=lang, title=words.NEW, words=words, status=422)
        if form.value is None:
            return _thing_form(registry, lang, ThingKind(kind), form)
        try:
            thing = registry.register_thing(replace(form.value, details=_details(form.value.kind, data)), by=by)
        except (Invalid, Conflict) as problem:
            return _thing_form(registry, lang, form.value.kind, form.refused(problem), problem.status)
        return Redirect(f"/{lang}/registry/things/{thing.id}?done=thing", status_code=303)

    @get("/{thing_id:str}", sync_to_thread=True, guards=[requires("registry.read")])
    def thing(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        lang: PathLang,
        thing_id: PathId,
        page: PageNumber = 1,
    ) -> Template:
        """Show a thing: what it is, its versions, and what depends on it."""
        return _thing_page(request, registry, lang, thing_id, empty_form(), page=page)

    @post("/{thing_id:str}/versions", sync_to_thread=True, guards=[requires("registry.change")])
    def propose_version(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        thing_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Propose a version of a model or agent."""
        form, problem = proposed(registry, thing_id, data, by)
        if problem is not None or form.errors:
            return _thing_page(request, registry, lang, thing_id, form, status=problem.status if problem else 422)
        return Redirect(f"/{lang}/registry/things/{thing_id}?done=version#versions", status_code=303)

    @get("/{thing_id:str}/change", sync_to_thread=True, guards=[requires("registry.change")])
    def change_form(self, registry: NamedDependency[Registry], lang: PathLang, thing_id: PathId) -> Template:
        """Show the form that changes a thing."""
        thing = registry.thing(thing_id)
        return _thing_form(registry, lang, thing.kind, Form(values=words.as_typed(thing)), thing_id=thing_id)

    @post("/{thing_id:str}/change", sync_to_thread=True, guards=[requires("registry.change")])
    def change_thing(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        thing_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change a thing."""
        kind = registry.thing(thing_id).kind
        form = read_form(data, ChangeThing, labels=words.FIELDS)
        if form.value is None:
            return _thing_form(registry, lang, kind, form, thing_id=thing_id)
        try:
            registry.change_thing(thing_id, replace(form.value, details=_details(kind, data)), by=by)
        except (Invalid, Conflict) as problem:
            return _thing_form(registry, lang, kind, form.refused(problem), problem.status, thing_id=thing_id)
        return Redirect(f"/{lang}/registry/things/{thing_id}?done=changed", status_code=303)


def _details(kind: ThingKind, data: Raw) -> dict[str, str | float | tuple[str, ...]]:
    """Pick the particulars of a kind from a form; what was cleared is sent empty, and so is taken away."""
    found: dict[str, str | float | tuple[str, ...]] = {}
    for each in SCHEMAS[kind]:
        value = data.get(each.name, "")
        many = each.form is Shape.CHOICES
        typed = value if isinstance(value, str) else "\n".join(value)
        found[each.name] = tuple(typed.split("\n")) if many and typed else typed
    return found


def _thing_form(
    registry: Registry, lang: Lang, kind: ThingKind, form: Form[Any], refused: int = 422, *, thing_id: str = ""
) -> Template:
    return render(
        "registry/thing_form.html",
        lang=lang,
        title=words.CHANGE if thing_id else words.NEW_OF[kind],
        status=refused if form.errors else 200,
        form=form,
        kind=kind,
        particulars=SCHEMAS[kind],
        needs_owner=kind in NEEDS_OWNER,
        parties=registry.parties(size=_CHOICES_SHOWN).items,
        thing_id=thing_id,
        words=words,
    )


def _thing_page(
    request: AnyRequest,
    registry: Registry,
    lang: Lang,
    thing_id: str,
    form: Form[Any],
    *,
    page: int = 1,
    status: int = 200,
) -> Template:
    thing = registry.thing(thing_id)
    has_versions = thing.kind in (ThingKind.MODEL, ThingKind.AGENT)
    return render(
        "registry/thing.html",
        lang=lang,
        title=thing.name,
        status=status,
        thing=thing,
        owner=_party(registry, thing.owner_id),
        particulars=words.shown(thing),
        versions=registry.versions(thing_id) if has_versions else (),
        has_versions=has_versions,
        used=registry.used_by(thing_id, page=page),
        acts=told(registry.acts_of(thing_id), request.app.state.get("event_titles", {}), lang),
        form=form,
        action=f"/{lang}/registry/things/{thing_id}/versions",
        diff=f"/{lang}/registry/things/{thing_id}/diff",
        notes=registry.tasks(subject_id=thing_id, is_open=True, size=1).total,
        notice=words.DONE.get(request.query_params.get("done", "")),
        words=words,
    )


def _party(registry: Registry, party_id: str) -> Party | None:
    return registry.party(party_id) if party_id else None


def _parts_panel(registry: Registry, system_id: str) -> Mapping[str, Any]:
    held = [each for each in registry.links(system_id) if each.link.until is None]
    versions = registry.versions(system_id)
    current = next((each for each in versions if each.state is words.VersionState.CURRENT), None)
    return {
        "parts": held[:_PARTS_ON_A_DOSSIER],
        "more": max(0, len(held) - _PARTS_ON_A_DOSSIER),
        "current": current,
        "proposed": sum(each.state is words.VersionState.PROPOSED for each in versions),
        "system_id": system_id,
        "words": words,
    }


PAGES: tuple[type, ...] = (ThingPages, *parts.PAGES, *identity.PAGES)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""
    return (
        Panel(
            name="parts",
            title=Text(zh="部件与版本", en="Parts and versions"),
            template="registry/_panel_things.html",
            context=lambda system_id, _lang: _parts_panel(registry, system_id),
            place="side",
        ),
    )
