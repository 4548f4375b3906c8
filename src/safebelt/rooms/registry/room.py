"""The registry's plate."""

from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text
from safebelt.rooms.registry.api import API
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.jobs import habits
from safebelt.rooms.registry.model import EVENTS
from safebelt.rooms.registry.pages import PAGES
from safebelt.rooms.registry.store import TABLES

ROOM = Room(
    name="registry",
    title=Text(zh="登记", en="Registry"),
    purpose=Text(
        zh="知道有哪些 AI 系统、由谁提供、谁来负责，并为每个系统建立卷宗。",
        en="Know which AI systems exist, who provides them and who answers for them, and keep each one's dossier.",
    ),
    serves=("R3", "R10", "R14", "R21", "R26", "R35"),
    events=EVENTS,
    api=API,
    pages=PAGES,
    cli=commands,
    habits=habits,
    tables=TABLES,
)
