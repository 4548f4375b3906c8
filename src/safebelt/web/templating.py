"""One Jinja environment: the shared layout and macros, and each room's own templates under its name."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined, select_autoescape
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template.config import TemplateConfig

from safebelt.kernel.text import Lang, Text
from safebelt.web.language import sayer


def templates(rooms: Iterable[str]) -> TemplateConfig[JinjaTemplateEngine]:
    """Return the environment: `web/layout.html` is the house's, `registry/list.html` the registry's."""
    root = files("safebelt")
    loaders = {"web": FileSystemLoader(str(root / "web" / "templates"))}
    loaders |= {room: FileSystemLoader(str(root / "rooms" / room / "templates")) for room in rooms}
    env = Environment(
        loader=PrefixLoader(loaders), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
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
