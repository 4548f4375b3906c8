"""`/{lang}/belt/systems`: how the belt sits, and keys."""

from enum import StrEnum
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import SCOPES, ContentMode, Harness, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.pages import rates, words
from safebelt.rooms.belt.pages.keys import read_terms, refused, shown_once
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import SHOWN_DAYS, Belt, days_said
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

MOST_DIGITS = 6
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


class SettingPages(Controller):
    """Systems and keys."""

    path = "/{lang:str}/belt"
    include_in_schema = False

    @get("/systems", sync_to_thread=True, guards=[requires("belt.read")])
    def systems(self, belt: NamedDependency[Belt], registry: NamedDependency[Registry], lang: PathLang) -> Template:
        """List the systems of the register and how the belt sits on each."""
        found = registry.systems(size=200)
        fitted = {harness.system_id: harness for harness in belt.harnesses()}
        now = {system.id: belt.in_force(system.id) for system in found.items}
        return render(
            "belt/systems.html", lang=lang, title=words.SYSTEMS, found=found, fitted=fitted, now=now, words=words
        )

    @get("/systems/{system_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def system(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
    ) -> Template:
        """Show how the belt sits on a system, and its keys."""
        return _system(request, belt, registry, lang, system_id)

    @post(
        "/systems/{system_id:str}/fit", sync_to_thread=True, guards=[requires("belt.configure", resource="system_id")]
    )
    def fit(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], lang: PathLang, system_id: PathId
    ) -> Redirect:
        """Fit the belt, observing."""
        belt.fit(system_id, by=by)
        return _back(lang, system_id, "fit")

    @post(
        "/systems/{system_id:str}/change",
        sync_to_thread=True,
        guards=[requires("belt.configure", resource="system_id")],
    )
    def change(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change policy, stance, record mode or notice; what the form does not carry stays."""
        try:
            belt.change(system_id, by=by, **_changes(data))
        except (Invalid, Conflict, Refused, NotFound) as problem:
            return _system(
                request, belt, registry, lang, system_id, change=refused(data, problem), status=problem.status
            )
        stance = data.get("stance", "")
        done = stance if set(data) - {"_csrf_token"} == {"version", "stance"} and stance in words.DONE else "change"
        return _back(lang, system_id, done)

    @post("/systems/{system_id:str}/keys", sync_to_thread=True, guards=[requires("belt.keys", resource="system_id")])
    def issue(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template:
        """Issue a key and show it, this once."""
        try:
            terms, ends = read_terms(data)
            key, secret = belt.issue_key(system_id, data.get("name", ""), by, terms=terms, expires_at=ends)
        except (Invalid, Conflict) as problem:
            form = refused(data, problem)
            return _system(request, belt, registry, lang, system_id, issue=form, status=problem.status)
        return shown_once(request, registry, lang, key, secret)


def _back(lang: Lang, system_id: str, done: str) -> Redirect:
    return Redirect(f"/{lang}/belt/systems/{system_id}?done={done}", status_code=303)


def _changes(data: FormData) -> dict[str, Any]:
    """Read what a form changes.

    Raises:
        Invalid: A field has a value it cannot have.
    """
    version = data.get("version", "")
    kinds: dict[str, type[StrEnum]] = {
        "stance": Stance,
        "record_mode": RecordMode,
        "notice": NoticeMode,
        "content": ContentMode,
    }
    changes: dict[str, Any] = {"version": int(version) if version.isdecimal() else 0}
    for name, kind in kinds.items():
        if name in data:
            if data[name] not in set(kind):
                raise Invalid(
                    what=Text(zh=f"没有“{data[name][:40]}”这个选项。", en=f"“{data[name][:40]}” is not a choice."),
                    hint=Text(zh="请从列表中选择。", en="Choose from the list."),
                    details={"field": name},
                )
            changes[name] = kind(data[name])
    if data.get("policy"):
        changes["policy"] = data["policy"]
    if "content_days" in data:
        days = data["content_days"].strip() or "0"
        changes["content_days"] = int(days) if days.isdecimal() and len(days) <= MOST_DIGITS else -1
    return changes


def _as_typed(harness: Harness | None) -> Form[Any]:
    if harness is None:
        return empty_form()
    return empty_form(
        policy=harness.policy,
        record_mode=harness.record_mode.value,
        notice=harness.notice.value,
        content=harness.content.value,
        content_days=str(harness.content_days or ""),
    )


def _system(
    request: AnyRequest,
    belt: Belt,
    registry: Registry,
    lang: Lang,
    system_id: str,
    *,
    change: Form[Any] | None = None,
    issue: Form[Any] | None = None,
    status: int = 200,
) -> Template:
    system = registry.system(system_id)
    harness = next((each for each in belt.harnesses() if each.system_id == system_id), None)
    policy = next((each for each in belt.policies() if harness and each.id == harness.policy), None)
    return render(
        "belt/system.html",
        lang=lang,
        title=system.name,
        status=status,
        system=system,
        harness=harness,
        policy=policy,
        over_blocking=belt.over_blocking(policy) if policy else None,
        rates=rates,
        policies=belt.policies(),
        days_said=days_said(harness.content_days) if harness else None,
        keys=belt.keys(system_id),
        scopes=", ".join(SCOPES),
        holds=belt.in_force(system_id),
        would=belt.would_have(system_id) if harness else {},
        would_days=SHOWN_DAYS,
        figures=belt.classifier_figures(),
        change=change or _as_typed(harness),
        issue=issue or empty_form(),
        words=words,
        may=lambda action: words.may(request, action, system_id),
        notice=words.notice(request) if status == 200 else None,
    )
