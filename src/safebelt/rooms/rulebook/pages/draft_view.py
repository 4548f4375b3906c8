"""What a change of the law says, entry by entry, before and after; and whom it touches, as pictures.  Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.decide.impact import Division, Impact, Reform
from safebelt.rooms.rulebook.exports.impact import norm_title
from safebelt.rooms.rulebook.model import Changed, Part
from safebelt.rooms.rulebook.pages import words
from safebelt.rooms.rulebook.pages.cited import cited
from safebelt.rooms.rulebook.pages.reading_changes import value_said

WIDTH, ROW, LEFT, RIGHT = 860, 30, 260, 90
NORMS_DRAWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """One attribute before and after; lines are separated by line breaks."""

    name: Text
    before: Text
    after: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChange:
    """What happens to one entry.

    Attributes:
        says: Of an added or repealed entry, what it says or said.
    """

    deed: Text
    part: Text
    id: str
    title: Text
    says: Text | None
    fields: tuple[ShownField, ...]
    why: Text | None
    cites: tuple[str, ...]


def changes(reform: Reform) -> list[ShownChange]:
    """Return what a change of the law does, entry by entry, in words."""
    return [_shown(one, reform) for one in reform.changes]


def _shown(one: Changed, reform: Reform) -> ShownChange:
    entry: Any = one.after if one.after is not None else one.before
    text = reform.after if one.after is not None else reform.before
    title: Text | None = getattr(entry, "title", None) or getattr(entry, "label", None)
    if one.part is Part.PROVISION:
        title = cited(text, one.id).label
    return ShownChange(
        deed=words.DEEDS[one.deed],
        part=words.PARTS[one.part],
        id=one.id,
        title=title or Text(zh=one.id, en=one.id),
        says=None if one.fields else getattr(entry, "says", None) or getattr(entry, "summary", None),
        fields=tuple(_field(each.field, each.before, each.after, reform) for each in one.fields),
        why=one.why,
        cites=one.cites,
    )


def _field(name: str, before: Any, after: Any, reform: Reform) -> ShownField:
    label = words.FIELDS.get(name, Text(zh=name, en=name))
    if name == "values":
        return ShownField(name=label, before=_values(before), after=_values(after))
    return ShownField(
        name=label,
        before=value_said(before, reform.before, reform.on),
        after=value_said(after, reform.after, reform.on),
    )


def _values(values: Any) -> Text:
    """A parameter's values, each from its day."""
    found = sorted(values.items())
    return Text(
        zh="\n".join(f"自 {day} 起：{value:,}" for day, value in found),
        en="\n".join(f"from {day}: {value:,}" for day, value in found),
    )


# ---- pictures


def share_bars(divisions: Sequence[Division], lang: Lang) -> Markup:
    """Draw, for each sector or size, how many systems there are and how many are affected."""
    shown = [one for one in divisions if one.count.systems]
    top = max((one.count.systems for one in shown), default=0)
    if not top:
        return Markup()
    label = Text(
        zh=f"{len(shown)} 组系统中受影响的数量；数据见下方表格。",
        en=f"How many systems are affected in {len(shown)} groups; the table has the data.",
    )
    rows = (
        _name(place, one.label.in_(lang))
        + _rect("all", place, 0, one.count.systems / top)
        + _rect("part", place, 0, one.count.affected / top)
        + _value(place, one.count.systems / top, f"{one.count.affected} / {one.count.systems}")
        for place, one in enumerate(shown)
    )
    return _svg(len(shown), label.in_(lang), rows)


def norm_bars(impact: Impact, lang: Lang) -> Markup:
    """Draw, for the norms that change for most systems, how; those that only become a question come last."""
    shown = sorted(impact.norms, key=lambda one: -(one.gained + one.lost + one.moved))[:NORMS_DRAWN]
    top = max((one.gained + one.lost + one.moved + one.opened for one in shown), default=0)
    if not top:
        return Markup()
    label = Text(
        zh=f"变化最多的 {len(shown)} 条规则；数据见下方表格。",
        en=f"The {len(shown)} norms that change for most; the table has the data.",
    )
    rows = []
    for place, one in enumerate(shown):
        row, at = _name(place, norm_title(impact.reform, one.norm).in_(lang)), 0.0
        for kind, count in (("part", one.gained), ("lost", one.lost), ("moved", one.moved), ("opened", one.opened)):
            row += _rect(kind, place, at, count / top)
            at += count / top
        rows.append(row + _value(place, at, str(one.gained + one.lost + one.moved + one.opened)))
    return _svg(len(shown), label.in_(lang), rows)


def _svg(rows: int, label: str, body: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="sb-impact-bars" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{body}</svg>'
    ).format(w=WIDTH, h=rows * ROW + 6, label=label, body=Markup("").join(body))


def _name(place: int, name: str) -> Markup:
    return Markup('<text class="sb-impact-bars__name" x="{x}" y="{y}">{name}</text>').format(
        x=LEFT - 10, y=place * ROW + 20, name=_cut(name)
    )


def _cut(name: str) -> str:
    """Cut a name to the margin; a Chinese character is as wide as two Latin ones."""
    width = 0
    for place, char in enumerate(name):
        width += 2 if ord(char) > 0x2E80 else 1
        if width > 36:
            return name[:place].rstrip() + "…"
    return name


def _rect(kind: str, place: int, start: float, share: float) -> Markup:
    if share <= 0:
        return Markup()
    room = WIDTH - LEFT - RIGHT
    css = "sb-impact-bars__all" if kind == "all" else f"sb-impact-bars__part sb-impact-bars__part--{kind}"
    return Markup('<rect class="{css}" x="{x}" y="{y}" width="{w}" height="18" rx="3"/>').format(
        css=css, x=round(LEFT + start * room, 1), y=place * ROW + 6, w=round(max(share * room, 2), 1)
    )


def _value(place: int, share: float, value: str) -> Markup:
    room = WIDTH - LEFT - RIGHT
    return Markup('<text class="sb-impact-bars__value" x="{x}" y="{y}">{value}</text>').format(
        x=round(LEFT + share * room + 8, 1), y=place * ROW + 20, value=value
    )
