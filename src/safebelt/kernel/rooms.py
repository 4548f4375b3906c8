"""The plate every room hangs outside: its name, its title, its doors, its events, its habits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A governance measure, as the composition root sees it.

    Attributes:
        name: One name, eight places: folder, URL, API path, CLI group, table prefix, event prefix, tests, docs.
        title: What people call it.
        purpose: One sentence.
        serves: Ids of the requirements it serves (`R10`).
        events: The events it emits.
        api, pages: Litestar controllers.
        cli: Builds the command group from the room's service.
        jobs: Builds `{job kind: handler}` from the room's service.
        tables: SQLAlchemy tables, so that a test can hold their prefix against the name.
    """

    name: str
    title: Text
    purpose: Text
    serves: tuple[str, ...]
    events: tuple[type[Event], ...] = ()
    api: tuple[type, ...] = ()
    pages: tuple[type, ...] = ()
    cli: Callable[[Any], Any] | None = None
    jobs: Callable[[Any], dict[str, Callable[..., None]]] | None = None
    tables: tuple[Any, ...] = field(default_factory=tuple)
