"""The plate every room hangs outside: its name, its title, its doors, its events, its habits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """Something a room does again and again by itself, in the work process; two at once must do no harm.

    Attributes:
        name: `<room>.<verb>`.
        every_seconds: Rest between two turns.
        step: One turn; cheap when there is nothing to do.
    """

    name: str
    every_seconds: float
    step: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Furniture:
    """What stands in a room.

    Attributes:
        events: The events it emits.
        api, pages: Litestar controllers.
        tables: SQLAlchemy tables, so that a test can hold their prefix against the name.
    """

    events: tuple[type[Event], ...] = ()
    api: tuple[type, ...] = ()
    pages: tuple[type, ...] = ()
    tables: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A governance measure, as the composition root sees it.

    A plate is read in every process and costs nothing: what it leads to is imported when somebody first goes there.
    A command of one room needs no page of any, and the whole house takes seconds to load.

    Attributes:
        name: One name, eight places: folder, URL, API path, CLI group, table prefix, event prefix, tests, docs.
        title: What people call it.
        purpose: One sentence.
        serves: Ids of the requirements it serves (`R10`).
        furniture: Loads its events, doors and tables.
        cli: Builds the command group from the room's service.
        jobs: Builds `{job kind: handler}` for the job table from the room's service.
        habits: Builds what the room does by itself, from its service.
    """

    name: str
    title: Text
    purpose: Text
    serves: tuple[str, ...]
    furniture: Callable[[], Furniture] = Furniture
    cli: Callable[[Any], Any] | None = None
    jobs: Callable[[Any], dict[str, Callable[..., None]]] | None = None
    habits: Callable[[Any], tuple[Habit, ...]] | None = None

    @property
    def events(self) -> tuple[type[Event], ...]:
        """The events it emits."""
        return self.furniture().events

    @property
    def api(self) -> tuple[type, ...]:
        """Its doors for programs."""
        return self.furniture().api

    @property
    def pages(self) -> tuple[type, ...]:
        """Its doors for people."""
        return self.furniture().pages

    @property
    def tables(self) -> tuple[Any, ...]:
        """What it remembers, and where."""
        return self.furniture().tables


class Unbuilt:
    """Stands for a room until something is asked of it.

    Args:
        room: Builds it, or returns it built.
    """

    def __init__(self, room: Callable[[], object]) -> None:
        self._room = room

    def __getattr__(self, name: str) -> Any:
        """Ask the room."""
        return getattr(self._room(), name)


def later(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's `__getattr__` (PEP 562), so that a module of it is imported when somebody names what it holds.

    Args:
        package: The package.
        names: By module, the names it holds that the package gives out, with blanks between.
    """
    where = {name: module for module, held in names.items() for name in held.split()}

    def get(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{where[name]}"), name)

    return get
