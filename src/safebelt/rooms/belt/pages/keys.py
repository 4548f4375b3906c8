"""`/{lang}/belt/keys`: who may call, for what, how much, until when, and what they used."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.decide import ATTRIBUTES, read_limits, written_limits
from safebelt.rooms.belt.decide.quotas import SPANS, over_at
from safebelt.rooms.belt.model import SCOPES, Key, KeyTerms, Measure, Usage
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanShown:
    """A row of what a key used: the span, and of each measure what was used and what is the most."""

    says: Text
    requests: int
    tokens: int
    estimated: int
    most: Mapping[Measure, int]
    until: datetime


class KeyPages(Controller):
    """Keys."""

    path = "/{lang:str}/belt/keys"
    include_in_schema = False

    @get("/", sync_to_thread=True, guards=[requires("belt.read")])
    def every_key(self, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """List every key, with what it used today."""
        return render(
            "belt/keys.html",
            lang=lang,
            title=words.KEYS,
            keys=belt.keys(),
            names=belt.names(),
            usages=belt.usages(),
            day=SPANS[2],
            state=_state(datetime.now(UTC)),
        )

    @get("/{key_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def key(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, key_id: PathId) -> Template:
        """Show a key: what it is for, what it used, and what can be done with it."""
        return _one(request, belt, lang, belt.key(key_id))

    @post("/{key_id:str}/change", sync_to_thread=True, guards=[requires("belt.keys", resource="key_id")])
    def change(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        key_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change a key's terms or end."""
        version = data.get("version", "")
        try:
            terms, ends = read_terms(data)
            belt.change_key(
                key_id,
                terms=terms,
                expires_at=ends,
                version=int(version) if version.isdecimal() else 0,
                reason=data.get("reason", ""),
                by=by,
            )
        except (Invalid, Conflict) as problem:
            return _one(request, belt, lang, belt.key(key_id), change=refused(data, problem), status=problem.status)
        return Redirect(f"/{lang}/belt/keys/{key_id}?done=key", status_code=303)

    @post("/{key_id:str}/rotate", sync_to_thread=True, guards=[requires("belt.keys", resource="key_id")])
    def rotate(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        key_id: PathId,
        data: FormData,
    ) -> Template:
        """Put a new key in its place and show it, this once."""
        try:
            hours = _hours(data.get("grace_hours", ""))
            key, secret = belt.rotate_key(key_id, data.get("why", ""), by, grace_hours=hours)
        except (Invalid, Conflict) as problem:
            if problem.details.get("field") == "reason":
                problem.details = {"field": "why"}
            return _one(request, belt, lang, belt.key(key_id), rotate=refused(data, problem), status=problem.status)
        return shown_once(request, registry, lang, key, secret)

    @get("/{key_id:str}/revoke", sync_to_thread=True, guards=[requires("belt.keys", resource="key_id")])
    def ask_revoke(self, belt: NamedDependency[Belt], lang: PathLang, key_id: PathId) -> Template:
        """Ask for the reason."""
        return _revoke(lang, belt.key(key_id), empty_form())

    @post("/{key_id:str}/revoke", sync_to_thread=True, guards=[requires("belt.keys", resource="key_id")])
    def revoke(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], lang: PathLang, key_id: PathId, data: FormData
    ) -> Template | Redirect:
        """Revoke a key."""
        key = belt.key(key_id)
        try:
            belt.revoke_key(key_id, data.get("reason", ""), by)
        except (Invalid, Conflict) as problem:
            form = empty_form(reason=data.get("reason", "")).refused(problem)
            return _revoke(lang, key, form, problem.status)
        return Redirect(f"/{lang}/belt/systems/{key.system_id}?done=revoke", status_code=303)


def shown_once(request: AnyRequest, registry: Registry, lang: Lang, key: Key, secret: str) -> Template:
    """Show a new key."""
    return render(
        "belt/key.html",
        lang=lang,
        title=words.KEY_ISSUED,
        status=201,
        key=key,
        secret=secret,
        belt_url=str(request.app.state.get("belt_url", "")),
        system=registry.system(key.system_id),
    )


def read_terms(data: Mapping[str, str]) -> tuple[KeyTerms, datetime | None]:
    """Read a key's terms and end from a form; a day means its beginning, UTC.

    Raises:
        Invalid: A field has a value it cannot have.
    """
    terms = KeyTerms(
        caller=data.get("caller", ""),
        scopes=tuple(data.get("scopes", "").replace(",", " ").split()),
        limits=read_limits(data.get("limits", "")),
        minor=data.get("minor") == "yes",
        **{name: data.get(name, "").strip() for name in ATTRIBUTES},
    )
    return terms, _moment(data.get("expires_at", "").strip())


def refused(data: Mapping[str, str], problem: Problem) -> Form[Any]:
    """Return the form as it was typed, with what is wrong."""
    form: Form[Any] = Form(values=data)
    return form.refused(problem)


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(
            what=Text(zh=f"“{text[:40]}”不是日期。", en=f"“{text[:40]}” is no date."),
            hint=Text(
                zh="请写成 2027-01-31 或 2027-01-31T12:00Z。", en="Write it like 2027-01-31 or 2027-01-31T12:00Z."
            ),
            details={"field": "expires_at"},
        ) from error
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _written(moment: datetime) -> str:
    """Return a moment as people type it: a day alone where it is one's beginning (`_moment` reads both)."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d}" if moment.time() == time() else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _hours(text: str) -> float:
    """Read hours; what is no number is out of bounds, so that the service says what is allowed."""
    try:
        return float(text)
    except ValueError:
        return -1.0


def _state(now: datetime) -> Any:
    def state(key: Key) -> str:
        if key.revoked_at is not None:
            return "revoked"
        is_over = key.expires_at is not None and key.expires_at <= now
        return "over" if is_over else "replaced" if key.replaced_by else "valid"

    return state


def _rows(key: Key, usage: Usage, now: datetime) -> list[SpanShown]:
    most = {(limit.span, limit.measure): limit.most for limit in key.terms.limits}
    return [
        SpanShown(
            says=words.SPANS[span],
            requests=usage.used[span].requests,
            tokens=usage.used[span].tokens,
            estimated=usage.used[span].estimated,
            most={measure: most[span, measure] for measure in Measure if (span, measure) in most},
            until=over_at(span, now),
        )
        for span in SPANS
    ]


def _typed(key: Key) -> Form[Any]:
    terms = key.terms
    return empty_form(
        caller=terms.caller,
        scopes=" ".join(terms.scopes),
        limits=written_limits(terms.limits),
        expires_at=_written(key.expires_at) if key.expires_at else "",
        minor="yes" if terms.minor else "no",
        **{name: getattr(terms, name) for name in ATTRIBUTES},
    )


def _revoke(lang: Lang, key: Key, form: Form[Any], status: int = 200) -> Template:
    title = Text(zh="撤销密钥", en="Revoke a key")
    return render("belt/revoke.html", lang=lang, title=title, status=status, key=key, form=form)


def _one(
    request: AnyRequest,
    belt: Belt,
    lang: Lang,
    key: Key,
    *,
    change: Form[Any] | None = None,
    rotate: Form[Any] | None = None,
    status: int = 200,
) -> Template:
    now = datetime.now(UTC)
    return render(
        "belt/key_terms.html",
        lang=lang,
        title=Text(zh=f"密钥：{key.name}", en=f"Key: {key.name}"),
        status=status,
        key=key,
        state=_state(now)(key),
        names=belt.names(),
        stands=belt.standing_of(key.id),
        rows=_rows(key, belt.usage(key.id), now),
        scopes=", ".join(SCOPES),
        change=change or _typed(key),
        rotate=rotate or empty_form(grace_hours="24"),
        may=lambda action: words.may(request, action, key.id),
        notice=words.notice(request) if status == 200 else None,
        words=words,
    )
