"""The rulebook's plate."""

from typing import TYPE_CHECKING, Any

from safebelt.kernel.rooms import Furniture, Room
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.rooms.rulebook.service import Rules


def _furniture() -> Furniture:
    from safebelt.rooms.rulebook.api import API
    from safebelt.rooms.rulebook.model.deeds import EVENTS
    from safebelt.rooms.rulebook.pages import PAGES
    from safebelt.rooms.rulebook.store import TABLES

    return Furniture(events=EVENTS, api=API, pages=PAGES, tables=TABLES)


def _cli(rulebook: "Rules") -> Any:
    from safebelt.rooms.rulebook.cli import commands

    return commands(rulebook)


ROOM = Room(
    name="rulebook",
    title=Text(zh="规则库", en="Rulebook"),
    purpose=Text(
        zh="法律以数据形式写明要求谁做什么、为何、自何时起，以及草案会改变什么。",
        en="Law held as data: what it demands of whom, why, since when, and what a draft would change.",
    ),
    serves=("R1", "R2", "R5", "R6", "R27", "R32", "R36"),
    furniture=_furniture,
    cli=_cli,
)
