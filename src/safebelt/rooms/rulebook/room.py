"""The rulebook's plate."""

from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.api import API
from safebelt.rooms.rulebook.cli import commands
from safebelt.rooms.rulebook.model.deeds import EVENTS
from safebelt.rooms.rulebook.pages import PAGES
from safebelt.rooms.rulebook.store import TABLES

ROOM = Room(
    name="rulebook",
    title=Text(zh="规则库", en="Rulebook"),
    purpose=Text(
        zh="法律以数据形式写明要求谁做什么、为何、自何时起，以及草案会改变什么。",
        en="Law held as data: what it demands of whom, why, since when, and what a draft would change.",
    ),
    serves=("R1", "R2", "R5", "R6", "R27", "R32", "R36"),
    events=EVENTS,
    api=API,
    pages=PAGES,
    cli=commands,
    tables=TABLES,
)
