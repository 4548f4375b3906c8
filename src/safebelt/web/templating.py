"""One Jinja environment: the shared layout and macros, and each room's own templates under its name.

Macros need the reader's language, so import them with context:
`{% import "web/components.html" as ui with context %}`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from litestar import Litestar
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.base import csrf_token
from litestar.template.config import TemplateConfig
from markupsafe import Markup

import safebelt
from safebelt.kernel.actors import Actor
from safebelt.kernel.text import Lang, Text
from safebelt.web.citing import cite_label, cited
from safebelt.web.language import path_in, sayer
from safebelt.web.panels import BeltStateOf
from safebelt.web.security import actor_of, may
from safebelt.web.static_files import asset


def templates(
    rooms: Iterable[str],
    *,
    belt_state: BeltStateOf | None = None,
    account: str = "access/account",
    event_titles: Mapping[str, Text] | None = None,
) -> TemplateConfig[JinjaTemplateEngine]:
    """Return the environment: `web/layout.html` is the house's, `registry/list.html` the registry's.

    Args:
        rooms: Names of the rooms in the house; the navigation shows those it knows.
        belt_state: What the head of every page says about the belt; None shows nothing.
        account: Path, after the language, of the page where a person signs in or out.
        event_titles: What people call each kind of event; templates ask `event_title(kind)`.
    """
    names = tuple(rooms)
    root = files("safebelt")
    loaders = {"web": FileSystemLoader(str(root / "web" / "templates"))}
    loaders |= {room: FileSystemLoader(str(root / "rooms" / room / "templates")) for room in names}
    env = Environment(
        loader=PrefixLoader(loaders),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals |= {
        "rooms": names,
        "account_path": account,
        "safebelt_version": safebelt.__version__,
        "belt_state": belt_state or (lambda: None),
        "asset": asset,
        "actor": pass_context(_actor),
        "may": pass_context(_may),
        "event_title": pass_context(_event_title(event_titles or {})),
        "url_for_lang": pass_context(_url_for_lang),
        "url_with": pass_context(_url_with),
        "csrf_field": pass_context(_csrf_field),
    }
    env.filters |= {"moment": moment, "iso": _iso, "cited": cited, "cite": cite_label}
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(env))


def page(template: str, *, lang: Lang, title: Text, status: int = 200, **context: Any) -> Template:
    """Render a page.  Templates get `lang`, `t(zh, en)`, `title` and what the caller adds.

    Args:
        template: `<room>/<file>.html`.
        lang: From the URL.
        title: The page's title and main heading.
        status: HTTP status.
        **context: The page's own values.
    """
    return Template(
        template, status_code=status, context={"lang": lang, "t": sayer(lang), "title": title.in_(lang), **context}
    )


def fragment(app: Litestar, template: str, *, lang: Lang, **context: Any) -> str:
    """Render a piece of a page outside a request, for example one row for `web.live`."""
    engine = app.template_engine
    if engine is None:
        raise RuntimeError("fragment needs the application's templates")
    return str(engine.get_template(template).render(lang=lang, t=sayer(lang), **context))


def moment(at: datetime, lang: Lang) -> str:
    """Write a time for a reader: always UTC and always saying so, so that two readers read the same.

    Example:
        >>> moment(datetime(2026, 11, 21, 12, 5, tzinfo=UTC), "zh")
        '2026年11月21日 12:05:00 UTC'
    """
    utc = at.astimezone(UTC)
    if lang == "zh":
        return f"{utc.year}年{utc.month}月{utc.day}日 {utc:%H:%M:%S} UTC"
    return f"{utc.day} {utc:%B %Y}, {utc:%H:%M:%S} UTC"


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _event_title(titles: Mapping[str, Text]) -> Callable[[Context, str], str]:
    """Return what gives an event's title in the reader's language; a kind nobody named stays as it is."""

    def title(context: Context, kind: str) -> str:
        return titles[kind].in_(context["lang"]) if kind in titles else kind

    return title


def _actor(context: Context) -> Actor:
    return actor_of(context["request"])


def _may(context: Context, action: str) -> bool:
    return may(context["request"], action)


def _query(context: Context) -> Mapping[str, str]:
    return dict(context["request"].query_params.items())


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _url_for_lang(context: Context, lang: Lang) -> str:
    """This page in another language, with the same query."""
    return _with_query(path_in(context["request"].url.path, lang), _query(context))


def _url_with(context: Context, **changes: Any) -> str:
    """This page with some query parameters changed (None takes one away)."""
    query = {name: value for name, value in {**_query(context), **changes}.items() if value is not None}
    return _with_query(context["request"].url.path, query)


def _csrf_field(context: Context) -> Markup:
    """The hidden field every form carries; empty where no CSRF protection is configured."""
    token = csrf_token(context.get_all())
    return Markup('<input type="hidden" name="_csrf_token" value="{}">').format(token) if token else Markup()
