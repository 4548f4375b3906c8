"""Bars as SVG, drawn on the server; a table with the same numbers stands beneath each."""

from collections.abc import Sequence

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal.model import Count, CountTable

WIDTH, _ROW, _LEFT, _RIGHT = 640, 30, 230, 70
MOST = 24
"""Bars drawn of one table; the table beneath has every line."""


def bars(table: CountTable, lang: Lang) -> Markup:
    """Draw a table's lines as bars, one a line, each as long as its number; an empty table gives nothing."""
    lines = table.lines[-MOST:] if table.id == "month" else table.lines[:MOST]
    if not lines:
        return Markup()
    most = max(line.number for line in lines)
    drawn = Markup("").join(_bar(line, place, most, lang) for place, line in enumerate(lines))
    return Markup(
        '<svg class="sb-public__chart" viewBox="0 0 {w} {h}" role="img" aria-label="{label}" focusable="false">'
        "{drawn}</svg>"
    ).format(w=WIDTH, h=_ROW * len(lines) + 4, label=_label(table, lines, lang), drawn=drawn)


def _bar(line: Count, place: int, most: int, lang: Lang) -> Markup:
    y = place * _ROW + 4
    length = round(line.number / most * (WIDTH - _LEFT - _RIGHT), 1) if most else 0
    return Markup(
        '<text class="sb-public__chart-name" x="{nx}" y="{ty}">{name}</text>'
        '<rect class="sb-public__chart-bar" x="{x}" y="{y}" width="{w}" height="20" rx="2"/>'
        '<text class="sb-public__chart-number" x="{vx}" y="{ty}">{number}</text>'
    ).format(
        nx=_LEFT - 10, ty=y + 15, name=_short(line.label.in_(lang)), x=_LEFT, y=y, w=length, vx=_LEFT + length + 8,
        number=line.number,
    )  # fmt: skip


def _label(table: CountTable, lines: Sequence[Count], lang: Lang) -> str:
    return Text(
        zh=f"{table.title.zh}的条形图，{len(lines)} 行。数据见下表。",
        en=f"Bar chart, {table.title.en.lower()}, {len(lines)} lines. The table has the data.",
    ).in_(lang)


def _short(name: str) -> str:
    """Cut a name to its margin; a Chinese character is as wide as two Latin ones."""
    kept, width = "", 0
    for char in name:
        width += 2 if ord(char) > 0x2E80 else 1
        if width > 30:
            return kept.rstrip() + "…"
        kept += char
    return kept
