"""When a duty is to be done: the seven forms of `due`."""

import re
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from safebelt.rooms.rulebook.model import EVENTS, Due, DueKind, Unit
from safebelt.rooms.rulebook.packs.schemas.base import Day, Dotted, Strict, wrong

_SPAN = re.compile(r"([1-9][0-9]{0,4}) ([a-z_]+)")
_UNITS = {unit.value: unit for unit in Unit} | {unit.value.removesuffix("s"): unit for unit in Unit}


def _span(value: Any) -> Any:
    """Check `15 days`."""
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if not match or match[2] not in _UNITS:
        raise wrong(
            f"{value!r} 不是期限。",
            f"{value!r} is not a span of time.",
            f"写成“15 days”；单位：{'、'.join(Unit)}。",
            f"Write it like `15 days`; units: {', '.join(Unit)}.",
        )
    return value


def _event(value: Any) -> Any:
    if isinstance(value, str) and value not in EVENTS:
        raise wrong(
            f"没有名为 {value} 的事件。",
            f"No event is called {value}.",
            f"可用：{'、'.join(EVENTS)}；或写 {{fact: 日期事实}}。",
            f"Use one of: {', '.join(EVENTS)}; or write {{fact: a date fact}}.",
        )
    return value


class DateFact(Strict):
    """A date fact that fixes an event."""

    fact: Dotted


Span = Annotated[str, BeforeValidator(_span)]
Event = Annotated[DateFact | str, BeforeValidator(_event)]


class DueDoc(Strict):
    """`due`, in one of its forms."""

    before: Event | None = None
    at: Event | None = None
    promptly: Event | None = None
    within: Span | None = None
    after: Event | None = None
    by: Day | None = None
    every: Span | None = None
    from_: Event | None = Field(default=None, alias="from")
    always: bool | None = None

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        given = self._given()
        fits = len(given) == 1 and self.always is not False
        fits = fits and (self.after is not None) == (given == ["within"])
        fits = fits and (self.from_ is None or given == ["every"])
        if not fits:
            raise wrong(
                "due 的写法不对。",
                "This is no form of due.",
                "写 before、at、promptly 之一，within＋after，by，every（可加 from），或 always: true。",
                "Write before, at or promptly; within with after; by; every, perhaps with from; or always: true.",
            )
        return self

    def _given(self) -> list[str]:
        return [kind.value for kind in DueKind if getattr(self, kind.value) is not None]

    @property
    def date_fact(self) -> str:
        """The date fact it names, if it names one."""
        named = (self.before, self.at, self.promptly, self.after, self.from_)
        return next((event.fact for event in named if isinstance(event, DateFact)), "")

    def as_due(self) -> Due:
        """Return it as the room's noun."""
        kind = DueKind(self._given()[0])
        event = self.before or self.at or self.promptly or self.after or self.from_
        amount, unit = None, None
        if span := self.within or self.every:
            number, name = span.split(" ")
            amount, unit = int(number), _UNITS[name]
        return Due(
            kind=kind,
            event=event if isinstance(event, str) else "",
            fact=self.date_fact,
            amount=amount,
            unit=unit,
            by=self.by,
        )
