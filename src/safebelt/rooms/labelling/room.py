"""The plate of the labelling room."""

from typing import Any

from safebelt.kernel.rooms import Furniture, Habit, Room
from safebelt.kernel.text import Text


def _furniture() -> Furniture:
    from safebelt.rooms.labelling import store
    from safebelt.rooms.labelling.api import API
    from safebelt.rooms.labelling.model.events import EVENTS
    from safebelt.rooms.labelling.pages import PAGES

    return Furniture(events=EVENTS, api=API, pages=PAGES, tables=store.TABLES)


def _commands(labelling: Any) -> Any:
    from safebelt.rooms.labelling.cli import commands

    return commands(labelling)


def _habits(labelling: Any) -> tuple[Habit, ...]:
    from safebelt.rooms.labelling.jobs import habits

    return habits(labelling)


ROOM = Room(
    name="labelling",
    title=Text(zh="标识溯源", en="Labelling"),
    purpose=Text(zh="为 AI 生成的内容加注标识，让任何人都能核验。", en="Mark what AI makes, and let anybody check it."),
    serves=("R8", "R9"),
    furniture=_furniture,
    cli=_commands,
    habits=_habits,
)
