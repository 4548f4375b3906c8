"""The plate of the portal."""

from typing import TYPE_CHECKING, Any

from safebelt.kernel.rooms import Furniture, Habit, Room
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.rooms.portal.service import Portal


def _furniture() -> Furniture:
    from safebelt.rooms.portal.api import API
    from safebelt.rooms.portal.model.events import EVENTS
    from safebelt.rooms.portal.pages import PAGES
    from safebelt.rooms.portal.store import TABLES

    return Furniture(events=EVENTS, api=API, pages=PAGES, tables=TABLES)


def _cli(portal: "Portal") -> Any:
    from safebelt.rooms.portal.cli import commands

    return commands(portal)


def _habits(portal: "Portal") -> tuple[Habit, ...]:
    from safebelt.rooms.portal.jobs import habits

    return habits(portal)


ROOM = Room(
    name="portal",
    title=Text(zh="公众门户", en="Public portal"),
    purpose=Text(
        zh="让任何人不必登录就能知道：有哪些 AI 系统、做什么用、由谁负责、属于什么级别、为什么；"
        "并把公众的投诉送到该答复的人手中。",
        en="Let everybody know, without signing in, which AI systems there are, what for, who answers, and why "
        "they are graded as they are; and take the public's complaints to whoever has to answer them.",
    ),
    serves=("R3", "R28", "R29"),
    furniture=_furniture,
    cli=_cli,
    habits=_habits,
)
