"""Door plate of access."""

from typing import TYPE_CHECKING, Any

from safebelt.kernel.rooms import Furniture, Room
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.rooms.access.service import Access


def _furniture() -> Furniture:
    from safebelt.rooms.access.api import AccessApi
    from safebelt.rooms.access.model import EVENTS
    from safebelt.rooms.access.pages import PAGES
    from safebelt.rooms.access.store import TABLES

    return Furniture(events=EVENTS, api=(AccessApi,), pages=PAGES, tables=TABLES)


def _cli(access: "Access") -> Any:
    from safebelt.rooms.access.cli import commands

    return commands(access)


ROOM = Room(
    name="access",
    title=Text(zh="身份权限", en="Access"),
    purpose=Text(zh="谁可以做什么，由谁决定，凭什么。", en="Who may do what, who decides, and on what ground."),
    serves=("R10", "R21"),
    furniture=_furniture,
    cli=_cli,
)
