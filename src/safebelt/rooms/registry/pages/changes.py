"""Pages about change control, responsibility and rights."""

from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import PERSON_ROLES, STATUSES, NamedPerson, Status, System
from safebelt.rooms.registry.model.changes import (
    CAUSES,
    HOUSE_RULE,
    STANDINGS,
    STILL_OPEN,
    TRIGGERS,
    Preview,
    Reopened,
    Standing,
)
from safebelt.rooms.registry.model.responsibility import (
    BEARER,
    ORIGINS,
    PARTS,
    Assign,
    EndAssignment,
    HandOver,
    Part,
    ResponsibilityMap,
)
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.model import BEARERS, Bearer
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]

CHANGES = Text(zh="变更与重做", en="Changes and what they re-open")
RESPONSIBILITY = Text(zh="责任图", en="Who answers for what")
TO_DO_IN_PANEL = 5
MOST_VERSION = 2_147_483_647

DONE: Mapping[str, Text] = {
    "back": Text(
        zh="原有事实已恢复并重新判断，已记入存证账本。",
        en="The former facts count again and were judged; the ledger remembers it.",
    ),
    "assigned": Text(zh="已指定，并已记入存证账本。", en="Assigned; the ledger remembers it."),
    "handed": Text(zh="已交接，并已记入存证账本。", en="Handed over; the ledger remembers it."),
    "ended": Text(zh="指定已终止，并已记入存证账本。", en="The assignment has ended; the ledger remembers it."),
}
FIELDS: Mapping[str, Text] = {
    "scope": Text(zh="义务", en="Duty"),
    "part": Text(zh="责任", en="Part"),
    "person_id": Text(zh="人员", en="Person"),
    "from_person": Text(zh="交出人", en="From"),
    "to_person": Text(zh="接手人", en="To"),
    "reason": Text(zh="理由", en="Reason"),
    "since": Text(zh="起始日期", en="From when"),
    "on": Text(zh="交接日期", en="Day of the hand-over"),
    "assignment_id": Text(zh="指定", en="Assignment"),
}
TONES: Mapping[Standing, str] = {
    Standing.OPEN: "flag",
    Standing.OVERDUE: "refuse",
    Standing.DONE: "complete",
    Standing.RESTORED: "complete",
    Standing.LAPSED: "observe",
    Standing.AHEAD: "observe",
    Standing.COMING: "time",
    Standing.INFORMS: "observe",
}


class ChangePages(Controller):
    """`/{lang}/registry/systems/{id}/changes` and `…/responsibility`."""

    path = "/{lang:str}/registry/systems/{system_id:str}"
    include_in_schema = False

    @get("/changes", sync_to_thread=True, guards=[requires("registry.read")])
    def changes(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId
    ) -> Template:
        """Show what changed, what that re-opened, and what is left to do by when."""
        return _changes_page(registry, system_id, lang, empty_form(), notice=_notice(request))

    @post("/changes/preview", sync_to_thread=True, guards=[requires("registry.read")])
    def preview(
        self, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId, data: FormData
    ) -> Template:
        """Show what facts would re-open; nothing is put on record."""
        source = _text(data, "descriptor")
        form = empty_form(descriptor=source)
        try:
            found = registry.preview(system_id, source)
        except Invalid as problem:
            return _changes_page(
                registry, system_id, lang, _refused(form, problem, "descriptor"), status=problem.status
            )
        return _changes_page(registry, system_id, lang, form, preview=found)

    @post("/changes/put-back", sync_to_thread=True, guards=[requires("registry.change")])
    def put_back(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Put former facts back."""
        typed = _text(data, "version")
        version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST_VERSION)) else 0
        try:
            registry.put_back(system_id, min(version, MOST_VERSION), by=by)
        except Conflict as problem:
            form = _refused(empty_form(), problem, "")
            return _changes_page(registry, system_id, lang, form, status=problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}/changes", "back")

    @get("/responsibility", sync_to_thread=True, guards=[requires("registry.read")])
    def responsibility(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId
    ) -> Template:
        """Show for each duty who answers, and the rights of each party."""
        return _responsibility_page(registry, system_id, lang, empty_form(), notice=_notice(request))

    @post("/responsibility/assign", sync_to_thread=True, guards=[requires("registry.change")])
    def assign(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Let a named person stand for a duty."""
        form = read_form(data, Assign, labels=FIELDS)
        if form.value is None:
            return _responsibility_page(registry, system_id, lang, form, status=422)
        try:
            registry.assign(system_id, form.value, by=by)
        except (Invalid, Conflict, NotFound) as problem:
            return _responsibility_page(registry, system_id, lang, form.refused(problem), status=problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}/responsibility", "assigned")

    @post("/responsibility/hand-over", sync_to_thread=True, guards=[requires("registry.change")])
    def hand_over(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Hand a duty over."""
        form = read_form(data, HandOver, labels=FIELDS)
        if form.value is None:
            return _responsibility_page(registry, system_id, lang, empty_form(), handing=form, status=422)
        try:
            registry.hand_over(system_id, form.value, by=by)
        except (Invalid, Conflict, NotFound) as problem:
            refused = form.refused(problem)
            return _responsibility_page(registry, system_id, lang, empty_form(), handing=refused, status=problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}/responsibility", "handed")

    @post("/responsibility/end", sync_to_thread=True, guards=[requires("registry.change")])
    def end(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """End an assignment without a successor."""
        reason = _text(data, "reason") or Text(zh="不再需要", en="No longer needed").in_(lang)
        command = EndAssignment(assignment_id=_text(data, "assignment_id"), reason=reason)
        try:
            registry.end_assignment(system_id, command, by=by)
        except (Invalid, Conflict, NotFound) as problem:
            form = empty_form().refused(problem)
            return _responsibility_page(registry, system_id, lang, form, status=problem.status)
        return _to(f"/{lang}/registry/systems/{system_id}/responsibility", "ended")


def _to(path: str, done: str) -> Redirect:
    return Redirect(f"{path}?done={done}", status_code=303)


def _notice(request: AnyRequest) -> Text | None:
    return DONE.get(request.query_params.get("done", ""))


def _text(data: Mapping[str, str | list[str]], name: str) -> str:
    value = data.get(name, "")
    return value if isinstance(value, str) else ""


def _refused(form: Form[Any], problem: Problem, field: str) -> Form[Any]:
    problem.details = {"field": field} if field else {}
    return form.refused(problem)


def _changes_page(
    registry: Registry,
    system_id: str,
    lang: Lang,
    form: Form[Any],
    *,
    preview: Preview | None = None,
    notice: Text | None = None,
    status: int = 200,
) -> Template:
    found = registry.reopened(system_id)
    by_change: dict[str, list[Reopened]] = {}
    for one in found:
        by_change.setdefault(one.change_id, []).append(one)
    return render(
        "registry/changes.html",
        lang=lang,
        title=CHANGES,
        status=status,
        system=registry.system(system_id),
        changes=registry.changes(system_id),
        by_change=by_change,
        to_do=registry.to_do(system_id),
        versions=registry.descriptions(system_id),
        preview=preview,
        form=form,
        notice=notice,
        **_words(registry),
    )


def _words(registry: Registry) -> dict[str, Any]:
    return {
        "law": registry.law_words(),
        "rules": registry.change_rules,
        "standings": STANDINGS,
        "causes": CAUSES,
        "triggers": TRIGGERS,
        "tones": TONES,
        "house_rule": HOUSE_RULE,
        "stages": {status.value: title for status, title in STATUSES.items()},
    }


def _responsibility_page(
    registry: Registry,
    system_id: str,
    lang: Lang,
    form: Form[Any],
    *,
    handing: Form[Any] | None = None,
    notice: Text | None = None,
    status: int = 200,
) -> Template:
    system, found = registry.system(system_id), registry.responsibility(system_id)
    return render(
        "registry/responsibility.html",
        lang=lang,
        title=RESPONSIBILITY,
        status=status,
        system=system,
        found=found,
        people={one.id: one for one in system.people},
        terms=registry.assignments(system_id),
        rights=registry.rights_of(system_id),
        form=form,
        handing=handing or empty_form(),
        scopes=_scopes(found, lang),
        standing_people=_standing(system, lang),
        everybody=[(one.id, one.name) for one in system.people],
        parts_choices=[(part.value, title.in_(lang)) for part, title in PARTS.items()],
        origins=ORIGINS,
        part_words=PARTS,
        all_parts=tuple(Part),
        bearers={one.value: title for one, title in BEARERS.items()},
        law=registry.law_words(),
        notice=notice,
    )


def _scopes(found: ResponsibilityMap, lang: Lang) -> list[tuple[str, str]]:
    """What can be assigned: every bearer that has duties here, then every duty."""
    bearers = dict.fromkeys(one.bearer for one in found.duties)
    every = Text(zh="全部义务", en="every duty")
    return [
        *((f"{BEARER}{one}", f"{BEARERS[Bearer(one)].in_(lang)} · {every.in_(lang)}") for one in bearers),
        *((one.norm, f"{one.title.in_(lang)} · {one.norm}") for one in found.duties),
    ]


def _standing(system: System, lang: Lang) -> list[tuple[str, str]]:
    def said(person: NamedPerson) -> str:
        return f"{person.name} · {PERSON_ROLES[person.role].in_(lang)}"

    return [(one.id, said(one)) for one in system.people if one.until is None]


PAGES: tuple[type, ...] = (ChangePages,)


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier: what is re-opened and by when; who answers."""

    def open_again(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        to_do = registry.to_do(system_id)
        binding = [one for one in to_do if one.standing in STILL_OPEN]
        ahead = [one for one in to_do if one.standing in (Standing.AHEAD, Standing.COMING)]
        return {
            "system_id": system_id,
            "is_empty": not (binding or ahead),
            "binding": binding[:TO_DO_IN_PANEL],
            "more": max(0, len(binding) - TO_DO_IN_PANEL),
            "ahead": len(ahead),
            "law": registry.law_words(),
            "stages": {status.value: STATUSES[status] for status in Status},
            "causes": CAUSES,
            "standings": STANDINGS,
            "tones": TONES,
        }

    def who_answers(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        found = registry.responsibility(system_id)
        ours = [one for one in found.duties if one.is_ours]
        return {
            "system_id": system_id,
            "is_judged": bool(found.facts_version),
            "ours": len(ours),
            "gaps": len(found.gaps),
            "others": len(found.duties) - len(ours),
            "rights": len(registry.rights_of(system_id)),
        }

    return (
        Panel(
            name="changes",
            title=Text(zh="因变更待重做", en="Open again after changes"),
            template="registry/_panel_changes.html",
            context=open_again,
        ),
        Panel(
            name="responsibility",
            title=Text(zh="由谁负责", en="Who answers for what"),
            template="registry/_panel_responsibility.html",
            context=who_answers,
            place="side",
        ),
    )
