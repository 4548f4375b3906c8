"""What an amendment changed, in words: each entry, each attribute, before and after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.rulebook import decide
from safebelt.rooms.rulebook.decide import dates, saying
from safebelt.rooms.rulebook.decide.showing import condition_lines
from safebelt.rooms.rulebook.model import (
    BASES,
    BEARERS,
    MODALITIES,
    STATUSES,
    Basis,
    Bearer,
    Changed,
    Due,
    Effective,
    InForce,
    Interpretation,
    LawText,
    Modality,
    Overlay,
    Part,
    Penalty,
    Rulebook,
    Start,
    Status,
)
from safebelt.rooms.rulebook.pages import words
from safebelt.rooms.rulebook.pages.cited import cited

NOTHING = Text(zh="（无）", en="(none)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """One attribute before and after; lines are separated by line breaks."""

    name: Text
    before: Text
    after: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What happened to one entry.

    Attributes:
        path: Of its page, after `/{lang}/`; empty where it has none today.
        says: Of an added or repealed entry, what it says or said.
    """

    deed: Text
    part: Text
    id: str
    title: Text
    path: str
    says: Text | None
    fields: tuple[ShownField, ...]
    why: Text | None


def shown(changed: Changed, rulebook: Rulebook, overlay: Overlay, today: LawText) -> Shown:
    """Return one change in words, its old values as the old text words them."""
    eve = decide.text_on(rulebook, overlay.effective - timedelta(days=1))
    after = decide.text_on(rulebook, overlay.effective)
    entry = changed.after if changed.after is not None else changed.before
    return Shown(
        deed=words.DEEDS[changed.deed],
        part=words.PARTS[changed.part],
        id=changed.id,
        title=_title(changed, entry, after),
        path=_path(changed, today),
        says=None if changed.fields else (getattr(entry, "says", None) or getattr(entry, "summary", None)),
        fields=tuple(
            ShownField(
                name=words.FIELDS.get(one.field, Text(zh=one.field, en=one.field)),
                before=value_said(one.before, eve, overlay.effective - timedelta(days=1)),
                after=value_said(one.after, after, overlay.effective),
            )
            for one in changed.fields
        ),
        why=changed.why,
    )


def _title(changed: Changed, entry: Any, text: LawText) -> Text:
    if changed.part is Part.PROVISION:
        return cited(text, changed.id).label
    named: Text | None = getattr(entry, "title", None) or getattr(entry, "label", None)
    return named or saying.same(changed.id)


def _path(changed: Changed, today: LawText) -> str:
    if changed.part is Part.NORM and changed.id in today.norms:
        return f"rulebook/norms/{changed.id}"
    if changed.part is Part.TERM and changed.id in today.terms:
        return f"rulebook/terms/{changed.id}"
    if changed.part is Part.PROVISION and changed.id in today.provisions:
        return f"rulebook/provisions/{changed.id.replace('#', '/')}"
    return ""


def value_said(value: Any, text: LawText, on: date) -> Text:
    """Return an attribute's value in words."""
    if value is None or value in ((), {}):
        return NOTHING
    for kind, say in _SAY.items():
        if isinstance(value, kind):
            return say(value, text, on)
    if isinstance(value, tuple | list):
        return _lines(value_said(one, text, on) for one in value)
    return saying.value_of(None, value)


def _lines(parts: Any) -> Text:
    every = list(parts)
    return Text(zh="\n".join(one.zh for one in every), en="\n".join(one.en for one in every))


def _text(value: Text, _text: LawText, _on: date) -> Text:
    return value


def _condition(value: Condition, text: LawText, on: date) -> Text:
    return Text(**{lang: "\n".join(condition_lines(value, text, on, lang)) for lang in LANGS})


def _in_force(value: InForce, _text: LawText, _on: date) -> Text:
    end = value.until
    return Text(
        zh=f"自 {value.from_} 起" + (f"，至 {end}（不含当日）" if end else ""),
        en=f"from {value.from_}" + (f" until {end} (that day not included)" if end else ""),
    )


def _start(value: Start, text: LawText, on: date) -> Text:
    when = _condition(value.when, text, on)
    return Text(zh=f"自 {value.from_} 起：{when.zh}", en=f"from {value.from_}: {when.en}")


def _effective(value: Effective, _text: LawText, _on: date) -> Text:
    note = value.note
    return Text(
        zh=f"{value.from_}" + (f"（{note.zh}）" if note else ""),
        en=f"{value.from_}" + (f" ({note.en})" if note else ""),
    )


def _penalty(value: Penalty, _text: LawText, _on: date) -> Text:
    return value.says


def _interpretation(value: Interpretation, _text: LawText, _on: date) -> Text:
    return value.note or NOTHING


def _due(value: Due, text: LawText, _on: date) -> Text:
    return dates.says(text, value)


def _word(value: StrEnum, _text: LawText, _on: date) -> Text:
    named: Mapping[Any, Text] = {**BASES, **STATUSES, **MODALITIES, **BEARERS}
    return named[value]


def _id(value: str, text: LawText, _on: date) -> Text:
    if value in text.evidence:
        return text.evidence[value].title
    return cited(text, value).label


_SAY: Mapping[type[Any], Callable[[Any, LawText, date], Text]] = {
    Text: _text,
    Condition: _condition,
    InForce: _in_force,
    Start: _start,
    Effective: _effective,
    Penalty: _penalty,
    Interpretation: _interpretation,
    Due: _due,
    Basis: _word,
    Status: _word,
    Modality: _word,
    Bearer: _word,
    str: _id,
}
"""How each kind of value is said; words of the closed vocabularies before `str`, which they also are."""
