"""The plate of the certificates."""

from typing import Any

from safebelt.kernel.rooms import Furniture, Habit, Room
from safebelt.kernel.text import Text


def _furniture() -> Furniture:
    from safebelt.rooms.certificates import store
    from safebelt.rooms.certificates.api import API
    from safebelt.rooms.certificates.model import EVENTS
    from safebelt.rooms.certificates.pages import PAGES

    return Furniture(events=EVENTS, api=API, pages=PAGES, tables=store.TABLES)


def _commands(certificates: Any) -> Any:
    from safebelt.rooms.certificates.cli import commands

    return commands(certificates)


def _habits(certificates: Any) -> tuple[Habit, ...]:
    from safebelt.rooms.certificates.jobs import habits

    return habits(certificates)


ROOM = Room(
    name="certificates",
    title=Text(zh="数字证书", en="Certificates"),
    purpose=Text(
        zh="给在用的 AI 系统一个人人可核验、随时可收回的身份。",
        en="Give AI systems in service an identity that anybody can check, and that can be taken back at any moment.",
    ),
    serves=("R7", "R9"),
    furniture=_furniture,
    cli=_commands,
    habits=_habits,
)
