"""Put comparisons, values and dates into words."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from safebelt.kernel.conditions import TAKES_A_LIST, Condition, Truth
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import MEASURES, Derived, Fact, FactType, LawText

_MOST_NAMED = 8
"""Of a long list so many are named: a reader looks for the one that decided."""

_NUMBERS = {
    "is": Text(zh="等于", en="exactly"),
    "one_of": Text(zh="为以下之一：", en="one of"),
    "at_least": Text(zh="不少于", en="at least"),
    "more_than": Text(zh="超过", en="more than"),
    "at_most": Text(zh="不超过", en="at most"),
    "less_than": Text(zh="少于", en="less than"),
}
_DATES = {
    "is": Text(zh="为", en="on"),
    "at_least": Text(zh="不早于", en="on or after"),
    "more_than": Text(zh="晚于", en="after"),
    "at_most": Text(zh="不晚于", en="on or before"),
    "less_than": Text(zh="早于", en="before"),
}
_CHOICES = {
    "one_of": Text(zh="为以下之一：", en="one of "),
    "includes": Text(zh="包含", en="includes "),
    "includes_any": Text(zh="包含以下任一项：", en="includes any of "),
}

YES = Text(zh="是", en="yes")
NO = Text(zh="否", en="no")


def number(value: float) -> str:
    """Return a number as people write it: 25,000,000; 0.35; 10^25."""
    if abs(value) < 1e15:
        return f"{int(value):,}" if value == int(value) else f"{value:,}"
    mantissa, _, exponent = f"{value:e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"10^{int(exponent)}" if mantissa == "1" else f"{mantissa}×10^{int(exponent)}"


def measured(value: float, unit: str) -> Text:
    """Return an amount with its unit in words; a share in per cent."""
    if unit == "share":
        return same(f"{number(round(value * 100, 6))}%")
    words = MEASURES.get(unit, same(unit))
    return Text(zh=f"{number(value)} {words.zh}".strip(), en=f"{number(value)} {words.en}".strip())


def listed(words: Iterable[Text]) -> Text:
    """Return words as a list; of a long one, the first and how many more."""
    every = list(words)
    named, more = every[:_MOST_NAMED], len(every) - _MOST_NAMED
    chinese, english = "、".join(one.zh for one in named), ", ".join(one.en for one in named)
    if more > 0:
        return Text(zh=f"{chinese}等共 {len(every)} 项", en=f"{english} and {more} more")
    return Text(zh=chinese, en=english)


def same(word: str) -> Text:
    """Return a word that is the same in both languages: a date, a number, an identifier."""
    return Text(zh=word, en=word)


def declared(text: LawText, name: str) -> Fact | Derived | None:
    """Return what declares a fact, asked for or derived."""
    return text.facts.get(name) or text.derived.get(name)


def label(text: LawText, name: str) -> Text:
    """Return what a fact is called."""
    fact = declared(text, name)
    if fact is None:
        return same(name)
    return fact.label if isinstance(fact, Fact) else fact.title


def value_of(fact: Fact | Derived | None, value: Any) -> Text:
    """Return a single value in words."""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, int | float):
        return measured(value, fact.unit if fact else "")
    if isinstance(value, date):
        return same(value.isoformat())
    return next((one.label for one in (fact.options if fact else ()) if one.id == value), same(str(value)))


def known(fact: Fact | Derived | None, value: Any) -> Text:
    """Return what is known of a fact, in words; of a set, its members in the order of the options."""
    if value is None:
        return Text(zh="尚不清楚", en="not known")
    if not isinstance(value, frozenset | set | list | tuple):
        return value_of(fact, value)
    if not value:
        return Text(zh="无", en="none")
    order = {one.id: rank for rank, one in enumerate(fact.options if fact else ())}
    return listed(value_of(fact, one) for one in sorted(value, key=lambda one: (order.get(one, len(order)), str(one))))


def comparison(text: LawText, leaf: Condition, on: date, value: Any = None) -> Text:
    """Return what a comparison says, with the fact's label and the constant in words, of a list what is known first."""
    fact, name = declared(text, leaf.fact), label(text, leaf.fact)
    constants = leaf.constant if leaf.operator in TAKES_A_LIST else [leaf.constant]
    if leaf.parameter:
        parameter = text.parameters[leaf.parameter]
        amount = measured(parameter.on(on), parameter.unit)
        constant = Text(zh=f"{amount.zh}（{parameter.title.zh}）", en=f"{amount.en} ({parameter.title.en})")
    else:
        constant = listed(value_of(fact, one) for one in _first(constants, value))
    verb = _verb(fact, leaf.operator)
    return Text(zh=f"{name.zh}：{verb.zh}{constant.zh}", en=f"{name.en}: {verb.en}{constant.en}")


def _first(constants: list[Any], value: Any) -> list[Any]:
    """Constants with those that are known to be so in front, since a long list is cut."""
    has = value if isinstance(value, frozenset | set | list | tuple) else (value,)
    return sorted(constants, key=lambda one: one not in has)


def _verb(fact: Fact | Derived | None, operator: str) -> Text:
    kind = fact.type if fact else FactType.TEXT
    words = _NUMBERS if kind is FactType.NUMBER else _DATES if kind is FactType.DATE else _CHOICES
    word = words.get(operator, same(""))
    gap = "" if words is _CHOICES else " "  # Chinese sets a space between a word and a figure
    return Text(zh=word.zh + gap, en=f"{word.en.strip()} ".lstrip())


def compared(text: LawText, leaf: Condition, on: date, value: Any, holds: Truth) -> Text:
    """Return a comparison with what is known beside it, unless that would only say the same again."""
    said, fact = comparison(text, leaf, on, value), declared(text, leaf.fact)
    if holds is Truth.TRUE and leaf.operator in ("is", "includes"):
        return said
    what = known(fact, value)
    if not value and isinstance(fact, Fact) and fact.is_presumed_no:
        return Text(zh=f"{said.zh}（没有提出）", en=f"{said.en} (not claimed)")
    if value is None:
        return Text(zh=f"{said.zh}（尚不清楚）", en=f"{said.en} (not known)")
    return Text(zh=f"{said.zh}（已知：{what.zh}）", en=f"{said.en} (known: {what.en})")
