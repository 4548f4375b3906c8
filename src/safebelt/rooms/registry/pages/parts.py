"""Pages about a system's parts and versions, and what differs between two."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.differences import Aspect
from safebelt.rooms.registry.model.things import EndLink, LinkThing, ProposeVersion
from safebelt.rooms.registry.pages import things_words as words
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, Raw, empty_form, read_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
Short = Annotated[str, QueryParameter(max_length=200)]

_CHOICES_SHOWN = 200
"""How many things the form offers to choose from; beyond it, an id can be typed."""


class PartPages(Controller):
    """`/{lang}/registry/systems/{id}/parts` and `…/diff`."""

    path = "/{lang:str}/registry"
    include_in_schema = False

    @get("/systems/{system_id:str}/parts", sync_to_thread=True, guards=[requires("registry.read")])
    def parts(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId
    ) -> Template:
        """Show what a system is made of, and its versions."""
        return _parts_page(request, registry, lang, system_id, empty_form())

    @post("/systems/{system_id:str}/parts", sync_to_thread=True, guards=[requires("registry.change")])
    def link(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Say how a system stands to a thing."""
        form = read_form(data, LinkThing, labels=words.FIELDS)
        if form.value is None:
            return _parts_page(request, registry, lang, system_id, form, status=422)
        try:
            registry.link_thing(system_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            return _parts_page(request, registry, lang, system_id, form.refused(problem), status=problem.status)
        return Redirect(f"/{lang}/registry/systems/{system_id}/parts?done=linked", status_code=303)

    @get("/links/{link_id:str}/end", sync_to_thread=True, guards=[requires("registry.change")])
    def ending(self, registry: NamedDependency[Registry], lang: PathLang, link_id: PathId) -> Template:
        """Ask why a link ends."""
        return _ending_page(registry, lang, link_id, empty_form())

    @post("/links/{link_id:str}/end", sync_to_thread=True, guards=[requires("registry.change")])
    def end(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        link_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """End how a system stands to a thing."""
        form = read_form(data, EndLink, labels=words.FIELDS)
        if form.value is None:
            return _ending_page(registry, lang, link_id, form, 422)
        try:
            link = registry.unlink_thing(link_id, reason=form.value.reason, until=form.value.until, by=by)
        except (Invalid, Conflict) as problem:
            return _ending_page(registry, lang, link_id, form.refused(problem), problem.status)
        return Redirect(f"/{lang}/registry/systems/{link.system_id}/parts?done=ended", status_code=303)

    @post("/systems/{system_id:str}/versions", sync_to_thread=True, guards=[requires("registry.change")])
    def propose_version(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Propose a version of a system."""
        form, problem = proposed(registry, system_id, data, by)
        if problem is not None or form.errors:
            status = problem.status if problem else 422
            return _parts_page(request, registry, lang, system_id, empty_form(), version_form=form, status=status)
        return Redirect(f"/{lang}/registry/systems/{system_id}/parts?done=version#versions", status_code=303)

    @get("/versions/{version_id:str}/withdraw", sync_to_thread=True, guards=[requires("registry.change")])
    def withdrawing(self, registry: NamedDependency[Registry], lang: PathLang, version_id: PathId) -> Template:
        """Ask why a version is withdrawn."""
        return _withdraw_page(registry, lang, version_id, empty_form())

    @post("/versions/{version_id:str}/withdraw", sync_to_thread=True, guards=[requires("registry.change")])
    def withdraw(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        version_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Withdraw a version."""
        typed = data.get("reason", "")
        reason = typed if isinstance(typed, str) else ""
        try:
            version = registry.withdraw_version(version_id, reason, by=by)
        except (Invalid, Conflict) as problem:
            return _withdraw_page(
                registry, lang, version_id, empty_form(reason=reason).refused(problem), problem.status
            )
        home = words.home_of(version.subject_id, lang)
        return Redirect(f"{home}?done=withdrawn#versions", status_code=303)

    @get("/systems/{system_id:str}/diff", sync_to_thread=True, guards=[requires("registry.read")])
    def diff(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
        *,
        of: Short = "facts",
        before: Short = "",
        after: Short = "",
        shown: Short = "",
    ) -> Template:
        """Show what differs between two states of a system."""
        system = registry.system(system_id)
        aspect = Aspect(of) if of in set(Aspect) else Aspect.FACTS
        asked = {"before": before, "after": after, "shown": shown}
        return _diff_page(registry, lang, system_id, name=system.name, aspect=aspect, asked=asked)

    @get("/things/{thing_id:str}/diff", sync_to_thread=True, guards=[requires("registry.read")])
    def version_diff(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        thing_id: PathId,
        *,
        before: Short = "",
        after: Short = "",
        shown: Short = "",
    ) -> Template:
        """Show what differs between two versions of a model or agent."""
        asked = {"before": before, "after": after, "shown": shown}
        return _diff_page(
            registry, lang, thing_id, name=registry.thing(thing_id).name, aspect=Aspect.VERSIONS, asked=asked
        )


def proposed(registry: Registry, subject_id: str, data: Raw, by: Actor) -> tuple[Form[Any], Problem | None]:
    """Propose a version from a form; return the form, and what the service said no with."""
    form = read_form(data, ProposeVersion, labels=words.FIELDS)
    if form.value is None:
        return form, None
    try:
        registry.propose_version(subject_id, form.value, by=by)
    except (Invalid, Conflict) as problem:
        return form.refused(problem), problem
    return form, None


def _parts_page(
    request: AnyRequest,
    registry: Registry,
    lang: Lang,
    system_id: str,
    form: Form[Any],
    *,
    version_form: Form[Any] | None = None,
    status: int = 200,
) -> Template:
    system, links = registry.system(system_id), registry.links(system_id)
    return render(
        "registry/parts.html",
        lang=lang,
        title=words.PARTS,
        status=status,
        system=system,
        held=[each for each in links if each.link.until is None],
        ended=[each for each in links if each.link.until is not None],
        things=registry.things(size=_CHOICES_SHOWN).items,
        versions=registry.versions(system_id),
        link_form=form,
        form=version_form or empty_form(),
        action=f"/{lang}/registry/systems/{system_id}/versions",
        diff=f"/{lang}/registry/systems/{system_id}/diff?of=versions",
        notice=words.DONE.get(request.query_params.get("done", "")),
        words=words,
    )


def _ending_page(registry: Registry, lang: Lang, link_id: str, form: Form[Any], status: int = 200) -> Template:
    linked = registry.link(link_id)
    return render(
        "registry/link_end.html", lang=lang, title=words.ENDING, status=status, form=form, linked=linked, words=words
    )


def _withdraw_page(registry: Registry, lang: Lang, version_id: str, form: Form[Any], status: int = 200) -> Template:
    version = registry.version(version_id)
    return render(
        "registry/version_withdraw.html",
        lang=lang,
        title=words.WITHDRAWING,
        status=status,
        form=form,
        version=version,
        home=words.home_of(version.subject_id, lang),
    )


def _diff_page(
    registry: Registry, lang: Lang, subject_id: str, *, name: Text, aspect: Aspect, asked: Mapping[str, str]
) -> Template:
    problem: Problem | None = None
    states = registry.states(subject_id, aspect)
    found = None
    try:
        found = registry.compare(subject_id, of=aspect, before=asked["before"], after=asked["after"])
    except NotFound as error:
        problem = error if asked["before"] or asked["after"] else None
    return render(
        "registry/diff.html",
        lang=lang,
        title=words.DIFF,
        status=problem.status if problem else 200,
        name=name,
        home=words.home_of(subject_id, lang),
        aspect=aspect,
        is_system=subject_id.startswith("sys_"),
        states=states,
        found=found,
        problem=problem,
        shows_all=asked["shown"] == "all",
        **_fact_words(registry, aspect, lang),
        words=words,
    )


def _fact_words(registry: Registry, aspect: Aspect, lang: Lang) -> dict[str, Any]:
    """Return what names a field, and what says a value line by line; facts and their options go by the law's words."""
    if aspect is not Aspect.FACTS:
        return {"field_title": words.field_title, "said": lambda _field, value: value.splitlines()}
    law = registry.law_words()

    def said(field: str, value: str) -> list[str]:
        known = {**_YES_NO, **law.options.get(field, {})}
        return [known[line].in_(lang) if line in known else line for line in value.splitlines()]

    return {"field_title": lambda field: law.facts.get(field, words.field_title(field)), "said": said}


_YES_NO = {"true": Text(zh="是", en="yes"), "false": Text(zh="否", en="no")}


PAGES: tuple[type, ...] = (PartPages,)
