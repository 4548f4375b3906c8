"""Pages about what the public sees: preview it to the letter, decide, take it out; and the same for many."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.imports import Batch, Outcome
from safebelt.rooms.registry.model.public import PLAIN_STAGES, PROVISIONAL, SOURCES
from safebelt.rooms.registry.model.publication import (
    VISIBILITIES,
    EndPublication,
    Publication,
    Publish,
    PublishedMany,
    PublishMany,
    Visibility,
)
from safebelt.rooms.registry.model.register import STATUSES
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
BatchId = Annotated[str, QueryParameter(max_length=60)]
FormData = URLEncodedBody[dict[str, str | list[str]]]

TITLE = Text(zh="公众看到什么", en="What the public sees")
MANY = Text(zh="批量公开", en="Publish many")
LABELS: Mapping[str, Text] = {
    "visibility": Text(zh="公开范围", en="Visibility"),
    "reason": Text(zh="理由", en="Reason"),
    "contact": Text(zh="公开的联系方式", en="Public contact"),
    "not_for_zh": Text(zh="不用于什么（中文）", en="What it is not for, in Chinese"),
    "not_for_en": Text(zh="不用于什么（英文）", en="What it is not for, in English"),
    "until": Text(zh="公开日期", en="Public from"),
    "basis": Text(zh="不公开的依据", en="Basis for keeping it back"),
    "cleared": Text(zh="为何可以公开", en="Why it may be public"),
    "expected": Text(zh="预计个数", en="How many are expected"),
}
DONE: Mapping[str, Text] = {
    "decided": Text(zh="已决定，并已记入存证账本。", en="It is decided, and the ledger remembers it."),
    "ended": Text(
        zh="已从公开登记册撤下；公众页面会写明撤下日期。",
        en="It is out of the public register; its public page says since when.",
    ),
}
BATCHES = 50
"""Imports to choose from when many are published: what was imported long ago is published by words or ids."""
NAMED = 50
"""Refused systems that are called by name; looking up more would make the page wait."""
TYPED = 4000
"""Characters of a field that a preview takes: more than may be published, so that nothing looks shorter than it is."""
PLAIN = SimpleNamespace(PLAIN_STAGES=PLAIN_STAGES, PROVISIONAL=PROVISIONAL, SOURCES=SOURCES, STATUSES=STATUSES)
"""Words the rendering of a public record needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Which:
    """Which systems a deed about many is about, as its form has them."""

    ids: str = ""
    batch: str = ""
    search: str = ""
    expected: int | None = None


class PublicationPages(Controller):
    """`/{lang}/registry/systems/{id}/publication`."""

    path = "/{lang:str}/registry/systems/{system_id:str}/publication"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def show(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId
    ) -> Template:
        """Show exactly what the public would see, the decision in force, and the form for the next one."""
        draft = registry.publication_draft(system_id)
        form = empty_form(
            visibility=draft.visibility.value,
            contact=draft.contact,
            not_for_zh=draft.not_for_zh,
            not_for_en=draft.not_for_en,
            basis=draft.basis,
            until=draft.until.isoformat() if draft.until else "",
        )
        notice = DONE.get(request.query_params.get("done", ""))
        return _page(registry, lang, system_id, form, notice=notice)

    @post(sync_to_thread=True, guards=[requires("registry.publish")])
    def publish(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Look at what was typed as the public would see it, or decide."""
        form = read_form(data, Publish, labels=LABELS)
        if data.get("act") == "preview":
            return _page(registry, lang, system_id, Form(values=form.values))
        if form.value is None:
            return _page(registry, lang, system_id, form, status=422)
        try:
            registry.publish(system_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            return _page(registry, lang, system_id, form.refused(problem), status=problem.status)
        return Redirect(f"/{lang}/registry/systems/{system_id}/publication?done=decided", status_code=303)

    @post("/end", sync_to_thread=True, guards=[requires("registry.publish")])
    def end(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Take a system out of the public register."""
        form = read_form(data, EndPublication, labels=LABELS)
        try:
            if form.value is not None:
                registry.unpublish(system_id, form.value, by=by)
                return Redirect(f"/{lang}/registry/systems/{system_id}/publication?done=ended", status_code=303)
        except (Invalid, Conflict) as problem:
            form = form.refused(problem)
        return _page(registry, lang, system_id, form, status=422)


class PublishManyPages(Controller):
    """`/{lang}/registry/publications`."""

    path = "/{lang:str}/registry/publications"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.publish")])
    def form(self, registry: NamedDependency[Registry], lang: PathLang, batch: BatchId = "") -> Template:
        """Show the form that publishes many; `batch` is the import one comes from."""
        expected = str(_entered(registry.import_batch(batch))) if batch else ""
        return _many(registry, lang, empty_form(visibility=Visibility.PUBLIC.value, batch=batch, expected=expected))

    @post(sync_to_thread=True, guards=[requires("registry.publish")])
    def publish(
        self, registry: NamedDependency[Registry], by: NamedDependency[Actor], lang: PathLang, data: FormData
    ) -> Template:
        """Publish many, and say what it came to."""
        form = read_form(data, Publish, labels=LABELS)
        which = read_form(data, _Which, labels=LABELS)
        if form.value is None or which.value is None:
            return _many(registry, lang, Form(values=form.values, errors=(*form.errors, *which.errors)), status=422)
        chosen = which.value
        cmd = PublishMany(
            decision=form.value,
            ids=tuple(chosen.ids.split()),
            batch=chosen.batch,
            search=chosen.search,
            expected=chosen.expected,
        )
        try:
            return _many(registry, lang, form, done=registry.publish_many(cmd, by=by))
        except (Invalid, Conflict) as problem:
            return _many(registry, lang, form.refused(problem), status=problem.status)


def _page(
    registry: Registry, lang: Lang, system_id: str, form: Form[Any], *, notice: Text | None = None, status: int = 200
) -> Template:
    system = registry.system(system_id)
    seen = registry.preview_publication(
        system_id,
        Publish(
            reason=form.typed("reason"),
            contact=form.typed("contact")[:TYPED],
            not_for_zh=form.typed("not_for_zh")[:TYPED],
            not_for_en=form.typed("not_for_en")[:TYPED],
            cleared=form.typed("cleared"),
        ),
    )
    return render(
        "registry/publication.html",
        lang=lang,
        title=TITLE,
        status=status,
        form=form,
        notice=notice,
        system=system,
        seen=seen,
        record=seen.record,
        stage=system.status,
        provisional=system.provisional,
        plain=PLAIN,
        says=_says(seen.current, registry, lang),
        slips=[(LABELS.get(field, Text(zh=field, en=field)).in_(lang), says.in_(lang)) for field, says in seen.slips],
        visibilities=[(each.value, text.in_(lang)) for each, text in VISIBILITIES.items()],
        names=VISIBILITIES,
        history=registry.publication_history(system_id),
    )


def _many(
    registry: Registry, lang: Lang, form: Form[Any], *, done: PublishedMany | None = None, status: int = 200
) -> Template:
    refused = [one.system_id for one in done.refused[:NAMED]] if done else []
    return render(
        "registry/publication_many.html",
        lang=lang,
        title=MANY,
        status=status,
        form=form,
        done=done,
        labels=LABELS,
        names_of={one: _name(registry, one, lang) for one in refused},
        batches=_batches(registry, form.typed("batch"), lang),
        visibilities=[(each.value, text.in_(lang)) for each, text in VISIBILITIES.items()],
    )


def _entered(batch: Batch) -> int:
    return batch.counts.get(Outcome.ENTERED.value, 0)


def _batches(registry: Registry, chosen: str, lang: Lang) -> list[tuple[str, str]]:
    """Return imports to choose from, the latest first; an older one that is already chosen stays one of them."""
    found = list(registry.import_batches(size=BATCHES).items)
    if chosen and chosen not in {one.id for one in found}:
        found += [one for one in (_batch(registry, chosen),) if one]
    none = Text(zh="不按导入批次", en="Not by import").in_(lang)
    return [("", none), *((one.id, _batch_says(one).in_(lang)) for one in found if _entered(one))]


def _batch(registry: Registry, batch_id: str) -> Batch | None:
    try:
        return registry.import_batch(batch_id)
    except NotFound:
        return None


def _batch_says(batch: Batch) -> Text:
    day, many = batch.at.date(), _entered(batch)
    return Text(zh=f"{batch.name}（{day}，{many} 个系统）", en=f"{batch.name} ({day}, {many} systems)")


def _name(registry: Registry, system_id: str, lang: Lang) -> str:
    """Return what a system is called; its id where it is not in the register."""
    try:
        return registry.system(system_id).name.in_(lang)
    except NotFound:
        return system_id


def _says(current: Publication | None, registry: Registry, lang: Lang) -> str:
    """Say in one sentence what the public sees today."""
    if current is None:
        return Text(zh="尚未决定，公众看不到该系统。", en="Nobody has decided yet: the public does not see it.").in_(
            lang
        )
    if current.is_shown(registry.publication_day()):
        return Text(zh=f"公众自 {current.since} 起可以看到。", en=f"The public sees it, since {current.since}.").in_(
            lang
        )
    if current.visibility is Visibility.EMBARGOED:
        return Text(zh=f"公众自 {current.until} 起可以看到。", en=f"The public sees it from {current.until}.").in_(lang)
    if current.ended_at:
        ended = current.ended_at.date()
        return Text(zh=f"已于 {ended} 撤下。", en=f"It was taken out on {ended}.").in_(lang)
    return Text(zh="公众看不到该系统。", en="The public does not see it.").in_(lang)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier: what the public sees of it."""

    def context(system_id: str, lang: Lang) -> Mapping[str, Any]:
        current = registry.publication(system_id)
        is_shown = current is not None and current.is_shown(registry.publication_day())
        return {
            "system_id": system_id,
            "says": _says(current, registry, lang),
            "is_shown": is_shown or (current is not None and current.ended_at is not None),
            "visibility": VISIBILITIES[current.visibility if current else Visibility.INTERNAL].in_(lang),
        }

    return (
        Panel(
            name="publication", title=TITLE, template="registry/_panel_publication.html", context=context, place="side"
        ),
    )


PAGES: tuple[type, ...] = (PublicationPages, PublishManyPages)
