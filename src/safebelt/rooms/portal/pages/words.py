"""Wording the portal's pages share."""

from collections.abc import Mapping
from types import SimpleNamespace

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.public import PLAIN_STAGES, PROVISIONAL, SOURCES
from safebelt.rooms.registry.model.register import STATUSES
from safebelt.rooms.registry.model.supervision.words import OUTCOMES

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
STANDINGS: Mapping[str, Text] = {
    "stands": Text(zh="有效", en="it stands"),
    "appealed": Text(zh="已被提起申诉", en="an appeal is pending"),
    "upheld": Text(zh="申诉后维持", en="upheld on appeal"),
    "annulled": Text(zh="申诉后撤销", en="annulled on appeal"),
    "remitted": Text(zh="申诉后发回重作", en="sent back on appeal"),
    "superseded": Text(zh="已被后来的决定取代", en="replaced by a later decision"),
}
"""What became of an authority's decision."""
PLAIN = SimpleNamespace(PLAIN_STAGES=PLAIN_STAGES, PROVISIONAL=PROVISIONAL, SOURCES=SOURCES, STATUSES=STATUSES)
"""Words the rendering of a public record needs."""

__all__ = ["ABOUT", "ABOUT_STATISTICS", "GONE", "OUTCOMES", "PLAIN", "REGISTER", "STANDINGS", "STATISTICS"]
