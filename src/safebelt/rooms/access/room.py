"""Door plate of access."""

from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text
from safebelt.rooms.access.api import AccessApi
from safebelt.rooms.access.cli import commands
from safebelt.rooms.access.model import EVENTS
from safebelt.rooms.access.pages import PAGES
from safebelt.rooms.access.store import TABLES

ROOM = Room(
    name="access",
    title=Text(zh="身份权限", en="Access"),
    purpose=Text(zh="谁可以做什么，由谁决定，凭什么。", en="Who may do what, who decides, and on what ground."),
    serves=("R10", "R21"),
    events=EVENTS,
    api=(AccessApi,),
    pages=PAGES,
    cli=commands,
    tables=TABLES,
)
