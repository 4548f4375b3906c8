"""Whether a value is one a fact can have, and what to do if it is not."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import Derived, Fact, FactType, Subject
from safebelt.rooms.rulebook.packs.documents import Path
from safebelt.rooms.rulebook.packs.messages import shown, suggestion
from safebelt.rooms.rulebook.packs.schemas.entries import DerivedDoc, FactDoc

SHOWN_OPTIONS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What values a fact can have.

    Attributes:
        options: Ids, for `one_of` and `some_of`; empty where any word will do.
        minimum: The least number allowed.
        subject: What it is about; None for a derived fact.
    """

    type: FactType
    options: tuple[str, ...] = ()
    minimum: float | None = None
    subject: Subject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A value, or a part of it, that the fact cannot have."""

    path: Path = ()
    what: Text
    hint: Text


def kind_of(fact: FactDoc | Fact) -> Kind:
    """Return what values a fact can have."""
    least = fact.min if isinstance(fact, FactDoc) else fact.minimum
    return Kind(
        type=fact.type, options=tuple(option.id for option in fact.options), minimum=least, subject=fact.subject
    )


def kind_of_derived(derived: DerivedDoc) -> Kind:
    """Return what values a derived fact can have: those its rows give."""
    results = [*(row.is_ for row in derived.rows), derived.otherwise]
    words = tuple(dict.fromkeys(word for word in results if isinstance(word, str)))
    return Kind(type=derived.type, options=words)


def kind_of_built(derived: Derived) -> Kind:
    """Return what values a derived fact of the room can have."""
    results = [*(row.value for row in derived.rows), derived.otherwise]
    return Kind(type=derived.type, options=tuple(dict.fromkeys(w for w in results if isinstance(w, str))))


def fit(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    """Read a value of a fact as plain data gives it.

    Returns:
        The value as judgments take it (a set fact as a tuple of words), and what is wrong with it.
    """
    return _READERS[kind.type](kind, value)


def _bad(wanted_zh: str, wanted_en: str, hint_zh: str, hint_en: str, value: Any) -> list[Misfit]:
    return [
        Misfit(
            what=Text(
                zh=f"应为{wanted_zh}，却是 {shown(value)}。", en=f"{wanted_en} is wanted here, not {shown(value)}."
            ),
            hint=Text(zh=hint_zh, en=hint_en),
        )
    ]


def _yes_no(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    if isinstance(value, str) and value.lower() in _YES_NO:
        return _YES_NO[value.lower()], []
    if not isinstance(value, bool):
        return value, _bad("是或否", "Yes or no", "写 true 或 false。", "Write true or false.", value)
    return value, []


_YES_NO = {"yes": True, "no": False}
"""What people write; older YAML reads these words so too."""


def _one_of(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    if not isinstance(value, str):
        hint = _options_hint(kind, value)
        return value, _bad("一个选项", "One option", hint.zh, hint.en, value)
    return value, _unknown_option(kind, value, ())


def _some_of(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    if not isinstance(value, list | tuple):
        return value, _bad(
            "选项列表", "A list of options", "写成 [a, b]；没有就写 []。", "Write [a, b]; write [] for none.", value
        )
    found: list[Misfit] = []
    for place, one in enumerate(value):
        if isinstance(one, str):
            found += _unknown_option(kind, one, (place,))
        else:
            hint = _options_hint(kind, one)
            what = Text(zh=f"{shown(one)} 不是选项。", en=f"{shown(one)} is no option.")
            found.append(Misfit(path=(place,), what=what, hint=hint))
    return tuple(dict.fromkeys(value)) if not found else tuple(map(str, value)), found


def _number(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return value, _bad(
            "数字", "A number", "写数字，例如 1000000 或 1.0e+25。", "Write a number like 1000000 or 1.0e+25.", value
        )
    if kind.minimum is not None and value < kind.minimum:
        least = f"{kind.minimum:g}"
        what = Text(zh=f"{value:g} 小于下限 {least}。", en=f"{value:g} is less than the least allowed, {least}.")
        return value, [Misfit(what=what, hint=Text(zh="请核对这个数。", en="Check the number."))]
    return value, []


def _date(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    if isinstance(value, date):
        return value, []
    try:
        if isinstance(value, str) and len(value) == len("2026-07-27"):
            return date.fromisoformat(value), []
    except ValueError:
        pass
    return value, _bad("日期", "A date", "写成 2026-07-27 的形式。", "Write it like 2026-07-27.", value)


def _text(kind: Kind, value: Any) -> tuple[Any, list[Misfit]]:
    if not isinstance(value, str) or not value.strip():
        return value, _bad("文字", "Text", "写一段文字；数字加引号。", "Write text; put numbers in quotes.", value)
    return value.strip(), []


_READERS: dict[FactType, Callable[[Kind, Any], tuple[Any, list[Misfit]]]] = {
    FactType.YES_NO: _yes_no,
    FactType.ONE_OF: _one_of,
    FactType.SOME_OF: _some_of,
    FactType.NUMBER: _number,
    FactType.DATE: _date,
    FactType.TEXT: _text,
}


def _unknown_option(kind: Kind, word: str, path: Path) -> list[Misfit]:
    if not kind.options or word in kind.options:
        return []
    what = Text(zh=f"没有选项 {shown(word)}。", en=f"There is no option {shown(word)}.")
    return [Misfit(path=path, what=what, hint=_options_hint(kind, word))]


def _options_hint(kind: Kind, word: Any) -> Text:
    close = suggestion(str(word), kind.options)
    listed = ", ".join(kind.options[:SHOWN_OPTIONS]) + (" …" if len(kind.options) > SHOWN_OPTIONS else "")
    return Text(
        zh=f"{close.zh if close else ''}可用：{listed}。", en=f"{close.en + ' ' if close else ''}Use one of: {listed}."
    )
