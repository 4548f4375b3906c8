"""Pages about handing a dossier out: choose, look, hand over."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.decide.dossiers import needed_for
from safebelt.rooms.registry.model.agenda import NEXT_KINDS, NextKind
from safebelt.rooms.registry.model.dossiers import DOSSIER_PARTS, HandOver, PartMade
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import may, requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]

TITLE = Text(zh="交出卷宗", en="Hand the dossier over")
LABELS: Mapping[str, Text] = {
    "recipient": Text(zh="接收者", en="Recipient"),
    "basis": Text(zh="依据", en="Basis"),
    "parts": Text(zh="交出的部分", en="Parts to hand over"),
}
NOTHING_CHOSEN = Invalid(
    what=Text(zh="请至少选择一个部分。", en="Choose at least one part."),
    hint=Text(zh="勾选要交出的部分。", en="Tick what is to be handed over."),
    details={"field": "parts"},
)
AGENDA_SHOWN = 8
"""Things to come that the dossier shows."""
SHOWN_CHARS = 6000
"""Characters of a part that the preview shows; the file has all of it."""


class PackagePages(Controller):
    """`/{lang}/registry/systems/{id}/package`."""

    path = "/{lang:str}/registry/systems/{system_id:str}/package"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.export")])
    def form(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId
    ) -> Template:
        """Show every part one may read, and the form that hands them over."""
        return _page(request, registry, system_id, lang, Form(values={"parts": _usual()}))

    @post(sync_to_thread=True, guards=[requires("registry.export")])
    def hand_over(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Response[bytes] | Template:
        """Hand the dossier over as a file."""
        form = read_form(data, HandOver, labels=LABELS)
        if form.value is not None and not form.value.parts:  # nothing ticked must not come to mean everything
            form = form.refused(NOTHING_CHOSEN)
        if form.value is None:
            return _page(request, registry, system_id, lang, form)
        for need in needed_for(form.value):
            request.app.state.authorize(by, need, "")
        try:
            handed = registry.hand_over_dossier(system_id, form.value, by=by)
        except Invalid as problem:
            return _page(request, registry, system_id, lang, form.refused(problem))
        name = f'attachment; filename="{system_id}.dossier.zip"'
        return Response(handed.body, media_type="application/zip", headers={"Content-Disposition": name})


PAGES: tuple[type, ...] = (PackagePages,)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return the dossier's panel: print it, hand it over."""

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        return {"system_id": system_id}

    def coming(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        every = registry.agenda(system_id)
        return {
            "system_id": system_id,
            "is_empty": not every,
            "upcoming": every[:AGENDA_SHOWN],
            "more": max(0, len(every) - AGENDA_SHOWN),
            "kinds": NEXT_KINDS,
            "links": _links(system_id),
        }

    title, then = Text(zh="打印与交出", en="Print and hand over"), Text(zh="接下来", en="What comes next")
    return (
        Panel(name="next", title=then, template="registry/_panel_agenda.html", context=coming, place="lead"),
        Panel(
            name="package",
            title=title,
            template="registry/_panel_dossiers.html",
            context=context,
            place="side",
            needs="registry.export",
        ),
    )


def _links(system_id: str) -> Mapping[NextKind, str]:
    """Where each kind of thing that comes next is dealt with; an id follows where it is one of many."""
    own = f"/registry/systems/{system_id}"
    return {
        NextKind.CASE: "/registry/supervision/",
        NextKind.REDO: f"{own}/changes",
        NextKind.EXPIRY: f"{own}/gates",
        NextKind.JOB: "/registry/jobs/",
        NextKind.DUTY: "/rulebook/norms/",
    }


def _usual() -> tuple[str, ...]:
    return tuple(part.id for part in DOSSIER_PARTS.values() if not part.is_personal)


def _page(request: AnyRequest, registry: Registry, system_id: str, lang: Lang, form: Form[Any]) -> Template:
    system = registry.system(system_id)
    every = registry.preview_dossier(system_id, HandOver(recipient="-", basis="-"))
    parts = [one for one in every if not one.part.needs or may(request, one.part.needs)]
    return render(
        "registry/dossiers.html",
        lang=lang,
        title=TITLE,
        status=422 if form.errors else 200,
        form=form,
        system=system,
        choices=[(one.part.id, _choice(one, lang)) for one in parts],
        shown=[(one, *_shown(one)) for one in parts],
        empty=empty_form(),
    )


def _choice(one: PartMade, lang: Lang) -> str:
    says = Text(
        zh=f"{one.part.title.zh}：{one.part.says.zh}（{one.records} 项）",
        en=f"{one.part.title.en}: {one.part.says.en} ({one.records})",
    )
    return says.in_(lang)


def _shown(one: PartMade) -> tuple[str, bool]:
    """Return the part's data as a reader sees it, and whether it is cut."""
    text = json.dumps(msgspec.json.decode(one.content)["data"], ensure_ascii=False, indent=2)
    return text[:SHOWN_CHARS], len(text) > SHOWN_CHARS
