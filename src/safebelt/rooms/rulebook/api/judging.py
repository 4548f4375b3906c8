"""`/api/rulebook/judge`: judge facts.  Nothing is remembered."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition

from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide import contract
from safebelt.rooms.rulebook.model import Overlay, Verdict
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.openapi import problems
from safebelt.web.security import requires

MAX_DRAFTS = 8
MAX_ID = 200
"""A longer text is no id, whatever it holds."""
Drafts = Annotated[list[str], msgspec.Meta(max_length=MAX_DRAFTS), KwargDefinition(max_items=MAX_DRAFTS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRequest:
    """What to judge, and by what.

    Attributes:
        descriptor: A descriptor in the form `system/1`, as YAML or JSON text; or
        facts: Fact id to value: yes or no, a word, a list of words, a number, or a day as text.
        on: The day; today, if none is given.
        instruments: Only these; all where empty.
        drafts: Drafts to read the law with: ids of known ones, or whole texts.
        verdicts: List only findings of these verdicts; all where empty.
    """

    descriptor: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    on: date | None = None
    instruments: list[str] = field(default_factory=list)
    drafts: Drafts = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


class JudgingApi(Controller):
    """`/api/rulebook`: judging."""

    path = "/api/rulebook"
    tags = ("rulebook",)

    @post(
        "/judge",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("rulebook.read")],
        responses=problems(Invalid, NotFound, has_body=True),
    )
    def judge(self, rulebook: NamedDependency[Rules], data: JSONBody[JudgeRequest]) -> dict[str, Any]:
        """Judge facts as of a day: every norm with its reason, every class.  Nothing is remembered."""
        values = rulebook.read(source_of(data.descriptor, data.facts)).values()
        judgment, text = rulebook.judge(
            values,
            on=data.on,
            instruments=rulebook.known(data.instruments) or None,
            drafts=[overlay_of(rulebook, one) for one in data.drafts],
        )
        return contract.judgment_data(judgment, text, only=data.verdicts or tuple(Verdict))


def source_of(descriptor: str, facts: dict[str, Any]) -> str:
    """Return a descriptor's text, or put facts into one, so that both are checked alike.

    Raises:
        Invalid: There is neither, or both.
    """
    if bool(descriptor.strip()) == bool(facts):
        raise Invalid(
            what=Text(zh="请给出 descriptor 或 facts，二者之一。", en="Give descriptor or facts, one of the two."),
            hint=Text(zh="descriptor 为 system/1 文本。", en="A descriptor is text in the form system/1."),
            details={"field": "descriptor"},
        )
    if descriptor.strip():
        return descriptor
    named = {"zh": "所给事实", "en": "The facts given"}
    return json.dumps({"safebelt": "system/1", "id": "facts", "name": named, "facts": facts}, indent=1)


def overlay_of(rulebook: Rules, given: str) -> Overlay:
    """Return a change of the law by its id, or read it from its text.

    Raises:
        NotFound: There is none of that id.
        Invalid: The text cannot be read.
    """
    is_id = len(given) <= MAX_ID and "\n" not in given.strip() and ":" not in given
    return rulebook.overlay(given.strip()) if is_id else rulebook.draft(given)


API: tuple[type[Controller], ...] = (JudgingApi,)
