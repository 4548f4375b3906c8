"""Pictures of the law as SVG, drawn on the server: pure functions; a table with the same numbers stands beneath each.

Rows run downwards, so that a telephone shows them as large as a screen does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text

WIDTH = 440
_ROW, _LEFT, _RIGHT = 27, 96, 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One day of an instrument's calendar.

    Attributes:
        begin: How many norms can first bite on it.
        by_facts: How many begin on it only in the cases they name.
        what: Milestones and amendments, in words.
    """

    on: date
    begin: int
    by_facts: int
    what: Text


def calendar_picture(marks: Sequence[Mark], today: date, lang: Lang) -> Markup:
    """Draw one row a day: the day, how many norms begin, what else happens, and where today is.

    Args:
        marks: In order of their days.
        today: Where the line is drawn.
        lang: The reader's language.
    """
    most = max((one.begin + one.by_facts for one in marks), default=0) or 1
    turn = sum(one.on <= today for one in marks)
    height = _ROW * (len(marks) + 1) + 6
    rows = [_day(one, place + (place >= turn), most, lang) for place, one in enumerate(marks)]
    label = Text(
        zh=f"从 {marks[0].on} 到 {marks[-1].on} 的 {len(marks)} 个日期，每个日期开始适用的规则数。数据见下表。",
        en=f"{len(marks)} days from {marks[0].on} to {marks[-1].on} and how many norms begin on each. "
        "The table has the data.",
    )
    return _svg(height, label.in_(lang), (_today(turn, today, lang), *rows))


def _day(one: Mark, row: int, most: int, lang: Lang) -> Markup:
    y = row * _ROW + 4
    room = WIDTH - _LEFT - _RIGHT
    first, second = round(one.begin / most * room, 1), round(one.by_facts / most * room, 1)
    parts = [Markup('<text class="sb-law-day" x="{x}" y="{y}">{on}</text>').format(x=_LEFT - 10, y=y + 15, on=one.on)]
    parts.append(_bar("now", _LEFT, y + 3, first))
    parts.append(_bar("maybe", _LEFT + first, y + 3, second))
    counted = one.begin + one.by_facts
    said = " · ".join(part for part in (str(counted) if counted else "", one.what.in_(lang)) if part)
    parts.append(
        Markup('<text class="sb-law-count" x="{x}" y="{y}">{said}</text>').format(
            x=_LEFT + first + second + 6 if counted else _LEFT, y=y + 15, said=said
        )
    )
    return Markup("").join(parts)


def _bar(kind: str, x: float, y: float, width: float) -> Markup:
    if not width:
        return Markup("")
    return Markup('<rect class="sb-law-bar--{kind}" x="{x}" y="{y}" width="{w}" height="15" rx="2"/>').format(
        kind=kind, x=x, y=y, w=width
    )


def _today(row: int, today: date, lang: Lang) -> Markup:
    y, said = row * _ROW + 4, Text(zh=f"今天 {today}", en=f"today, {today}").in_(lang)
    return Markup(
        '<line class="sb-law-today" x1="0" x2="{end}" y1="{y}" y2="{y}"/>'
        '<text class="sb-law-now" x="{end}" y="{ty}">{said}</text>'
    ).format(end=WIDTH, y=y + 20, ty=y + 14, said=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far evidence reaches in one instrument: norms by how much of their evidence is held."""

    name: Text
    fully: int
    partly: int
    none: int

    @property
    def total(self) -> int:
        """All norms that name evidence."""
        return self.fully + self.partly + self.none


def reach_picture(rows: Sequence[Reach], lang: Lang) -> Markup:
    """Draw one bar an instrument, each as long as the others: the shares are what is compared."""
    step = 40
    parts = [_reach(one, place * step, lang) for place, one in enumerate(rows)]
    label = Text(
        zh=f"{len(rows)} 个文件中，所列证据都有、有一部分、都没有的规则各占多少。数据见下表。",
        en=f"For {len(rows)} instruments, the share of norms whose evidence is held in full, in part or not at all. "
        "The table has the data.",
    )
    return _svg(step * max(1, len(rows)), label.in_(lang), parts)


def _reach(one: Reach, y: int, lang: Lang) -> Markup:
    parts = [
        Markup(
            '<text class="sb-law-name" x="0" y="{y}">{name}</text>'
            '<text class="sb-law-share" x="{end}" y="{y}">{count}</text>'
        ).format(y=y + 14, name=one.name.in_(lang), end=WIDTH, count=f"{one.fully} + {one.partly} / {one.total}")
    ]
    x = 0.0
    for kind, count in (("now", one.fully), ("maybe", one.partly), ("none", one.none)):
        width = round(count / one.total * WIDTH, 1) if one.total else 0.0
        parts.append(_bar(kind, x, y + 20, width))
        x += width
    return Markup("").join(parts)


def _svg(height: int, label: str, parts: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="sb-law-chart" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{body}</svg>'
    ).format(width=WIDTH, height=height, label=label, body=Markup("").join(parts))
