"""What the architecture tests look at: the tree, its modules, its rooms, its templates."""

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from litestar import Controller
from litestar.handlers import BaseRouteHandler

from safebelt.kernel.events import Event
from safebelt.kernel.rooms import Room

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "safebelt"
VERSIONS = SRC / "engines" / "migrations" / "versions"


def sources() -> list[Path]:
    """Every Python file of ours that people write (a revision's two functions are explained by its first line)."""
    return [path for path in sorted(SRC.rglob("*.py")) if VERSIONS not in path.parents]


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_names() -> list[str]:
    return sorted(path.parent.name for path in (SRC / "rooms").glob("*/__init__.py"))


def modules(package: str) -> Iterator[ModuleType]:
    """Import and give every module below a package; `__main__` modules act when imported and are left out."""
    top = importlib.import_module(package)
    yield top
    for info in pkgutil.walk_packages(top.__path__, f"{package}."):
        if not info.name.endswith("__main__"):
            yield importlib.import_module(info.name)


def plates() -> list[Room]:
    """The plate of every room that has one."""
    found = [name for name in room_names() if (SRC / "rooms" / name / "room.py").exists()]
    return [importlib.import_module(f"safebelt.rooms.{name}.room").ROOM for name in found]


def events() -> list[type[Event]]:
    """Every event any room declares, by kind."""
    kinds = {
        value
        for module in modules("safebelt.rooms")
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Event) and value is not Event
    }
    return sorted(kinds, key=lambda kind: kind.kind)


def room_of(kind: type[Any]) -> str:
    return kind.__module__.split(".")[2]


def handlers() -> dict[str, BaseRouteHandler]:
    """Every route handler of every door, by a name one can find it by."""
    found: dict[str, BaseRouteHandler] = {}
    for package in ("safebelt.rooms", "safebelt.web"):
        for module in modules(package):
            for name, value in vars(module).items():
                if isinstance(value, BaseRouteHandler):
                    found[f"{module.__name__}.{name}"] = value
                elif inspect.isclass(value) and issubclass(value, Controller) and value.__module__ == module.__name__:
                    found |= {f"{module.__name__}.{name}.{key}": one for key, one in controller_handlers(value).items()}
    return found


def controller_handlers(controller: type[Controller]) -> dict[str, BaseRouteHandler]:
    return {name: one for name, one in inspect.getmembers(controller) if isinstance(one, BaseRouteHandler)}


def guards(name: str, handler: BaseRouteHandler) -> list[Any]:
    """The guards of a handler and, where it belongs to a controller, those that guard the whole of it."""
    module, _, controller = name.rpartition(".")[0].rpartition(".")
    owner = getattr(sys.modules.get(module), controller, None)
    shared = getattr(owner, "guards", ())  # a slot of Controller itself where the class sets none
    return [*(handler.guards or ()), *(shared if isinstance(shared, Sequence) else ())]


def templates() -> list[Path]:
    return sorted(SRC.rglob("templates/**/*.html"))
