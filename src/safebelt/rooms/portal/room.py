"""The plate of the portal."""

from safebelt.kernel.rooms import Furniture, Room
from safebelt.kernel.text import Text


def _furniture() -> Furniture:
    from safebelt.rooms.portal.api import API
    from safebelt.rooms.portal.pages import PAGES

    return Furniture(api=API, pages=PAGES)


ROOM = Room(
    name="portal",
    title=Text(zh="公众门户", en="Public portal"),
    purpose=Text(
        zh="让任何人不必登录就能知道：有哪些 AI 系统、做什么用、由谁负责、属于什么级别、为什么。",
        en="Let everybody know, without signing in, which AI systems there are, what for, who answers, and why "
        "they are graded as they are.",
    ),
    serves=("R3", "R29"),
    furniture=_furniture,
)
