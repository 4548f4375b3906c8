"""Wording the portal's pages share."""

from types import SimpleNamespace

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.public import PLAIN_STAGES, PROVISIONAL, SOURCES
from safebelt.rooms.registry.model.register import STATUSES

REGISTER = Text(zh="AI 系统公开登记册", en="Public register of AI systems")
ABOUT = Text(
    zh="有哪些 AI 系统、做什么用、由谁负责、属于什么级别、为什么。任何人都可查阅，无需登录。",
    en="Which AI systems there are, what they are for, who answers for them, and why they are graded as they are. "
    "Open to everybody, without signing in.",
)
STATISTICS = Text(zh="公开统计", en="Open statistics")
ABOUT_STATISTICS = Text(
    zh="公开登记册的统计：按阶段、类别、提供地、领域和月份。",
    en="The public register counted: by stage, class, place, field and month.",
)
GONE = Text(zh="已从公开登记册撤下", en="Withdrawn from the public register")
PLAIN = SimpleNamespace(PLAIN_STAGES=PLAIN_STAGES, PROVISIONAL=PROVISIONAL, SOURCES=SOURCES, STATUSES=STATUSES)
"""Words the rendering of a public record needs."""
