"""The registry's plate."""

from typing import TYPE_CHECKING, Any

from safebelt.kernel.rooms import Furniture, Habit, Room
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.rooms.registry.service import Registry


def _furniture() -> Furniture:
    from safebelt.rooms.registry.api import API
    from safebelt.rooms.registry.model import EVENTS
    from safebelt.rooms.registry.pages import PAGES
    from safebelt.rooms.registry.store import TABLES

    return Furniture(events=EVENTS, api=API, pages=PAGES, tables=TABLES)


def _cli(registry: "Registry") -> Any:
    from safebelt.rooms.registry.cli import commands

    return commands(registry)


def _habits(registry: "Registry") -> tuple[Habit, ...]:
    from safebelt.rooms.registry.jobs import habits

    return habits(registry)


ROOM = Room(
    name="registry",
    title=Text(zh="登记", en="Registry"),
    purpose=Text(
        zh="知道有哪些 AI 系统、由谁提供、谁来负责，并为每个系统建立卷宗。",
        en="Know which AI systems exist, who provides them and who answers for them, and keep each one's dossier.",
    ),
    serves=("R3", "R10", "R14", "R21", "R26", "R35"),
    furniture=_furniture,
    cli=_cli,
    habits=_habits,
)
