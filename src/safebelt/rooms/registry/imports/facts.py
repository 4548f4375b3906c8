"""A cell of a foreign record as the value of a fact: exactly, or not at all."""

from datetime import date
from math import isfinite
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.imports import FactRule
from safebelt.rooms.rulebook.model import Fact, FactType, FactValue

_YES = {"yes", "true", "1", "y", "是", "有", "ja", "oui", "si"}
_NO = {"no", "false", "0", "n", "否", "无", "没有", "nee", "non"}
UNKNOWN = object()
"""The source does not say."""
_REMEMBERED = 4096
"""Cells whose reading is remembered: registers repeat themselves, and what they do not repeat is read anew."""


class Reader:
    """Reads one fact from the cells of a source.

    Args:
        fact: Which fact.
        rule: How it is read.
    """

    def __init__(self, fact: Fact, rule: FactRule) -> None:
        self.fact, self.rule = fact, rule
        self.options = frozenset(one.id for one in fact.options)
        self._read: dict[tuple[str, str, date | None], FactValue | None] = {}

    def known(self, cell: Any, source: str, day: date | None) -> FactValue | None:
        """Return what a cell tells of the fact, with its source and day; None where it leaves it open.

        Raises:
            ValueError: The cell states something that is no value of the fact.
        """
        if type(cell) is not str:
            return self._known(cell, source, day)
        key = (cell, source, day)
        if key not in self._read:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[key] = self._known(cell, source, day)
        return self._read[key]

    def _known(self, cell: Any, source: str, day: date | None) -> FactValue | None:
        value = self.value(cell)
        return None if value is UNKNOWN else FactValue(value=value, source=source, as_of=day)

    def value(self, cell: Any) -> Any:
        """Return the fact's value, or `UNKNOWN`.

        Raises:
            ValueError: The cell states something that is no value of the fact.
        """
        return value_of(self.fact, self.rule, cell, self.options)


def value_of(fact: Fact, rule: FactRule, cell: Any, options: frozenset[str]) -> Any:
    """Return a fact's value, or `UNKNOWN` where the cell is empty or its word leaves it open.

    Raises:
        ValueError: The cell states something that is no value of the fact.
    """
    if rule.constant is not None:
        return _typed(fact, rule.constant, rule, options)
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return UNKNOWN
    if rule.values:
        found = _translated(rule, cell)
        return found if found is UNKNOWN else _typed(fact, found, rule, options)
    return _typed(fact, cell, rule, options)


def _translated(rule: FactRule, cell: Any) -> Any:
    words = [str(one).strip() for one in (cell if isinstance(cell, list) else _split(rule, cell))]
    missing = [one for one in words if one not in rule.values]
    if missing and rule.is_lenient:
        return UNKNOWN
    if missing:
        raise ValueError(f"{missing[0]!r} is not among the words of the mapping")
    found = [rule.values[one] for one in words]
    return found[0] if len(found) == 1 else found


def _split(rule: FactRule, cell: Any) -> list[Any]:
    return [one for one in cell.split(rule.separator) if one.strip()] if isinstance(cell, str) else [cell]


def _typed(fact: Fact, value: Any, rule: FactRule, options: frozenset[str]) -> Any:
    match fact.type:
        case FactType.YES_NO:
            return _yes_no(value)
        case FactType.NUMBER:
            return _number(fact, value)
        case FactType.DATE:
            return _date(value)
        case FactType.SOME_OF:
            many = value if isinstance(value, list) else _split(rule, value)
            return tuple(dict.fromkeys(_option(options, one) for one in many))
        case FactType.ONE_OF:
            return _option(options, value)
    return str(value)


def _yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"{value!r} is neither yes nor no")


def _number(fact: Fact, value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is no number")
    number = float(value)
    if not isfinite(number) or (fact.minimum is not None and number < fact.minimum):
        raise ValueError(f"{value!r} is out of range")
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


def _date(value: Any) -> date:
    if isinstance(value, date):
        return value
    return date.fromisoformat(str(value).strip())


def _option(options: frozenset[str], value: Any) -> str:
    word = str(value).strip()
    if word not in options:
        raise ValueError(f"{word!r} is not among the options")
    return word


def misfit(fact: Fact, error: ValueError) -> Text:
    """Say what is wrong with a value, for a person."""
    return Text(zh=f"事实“{fact.label.zh}”（{fact.id}）：{error}", en=f"Fact “{fact.label.en}” ({fact.id}): {error}")
