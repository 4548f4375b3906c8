"""Bars, drawn on the server; a table with the same numbers stands beneath each."""

from collections.abc import Sequence

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal.model import Count, CountTable

MOST = 24
"""Bars drawn of one table; the table beneath has every line."""


def bars(table: CountTable, lang: Lang) -> Markup:
    """Draw a table's lines as bars, one a line, each as long as its number; an empty table gives nothing.

    Names and numbers are text of the page, not of a picture, so they keep their size on a narrow screen.
    """
    lines = table.lines[-MOST:] if table.id == "month" else table.lines[:MOST]
    if not lines:
        return Markup()
    most = max(line.number for line in lines)
    drawn = Markup("").join(_bar(line, most, lang) for line in lines)
    return Markup('<div class="sb-public__chart" role="img" aria-label="{label}">{drawn}</div>').format(
        label=_label(table, lines, lang), drawn=drawn
    )


def _bar(line: Count, most: int, lang: Lang) -> Markup:
    """Return one line: its name, its bar in hundredths of the longest, its number."""
    return Markup(
        '<div class="sb-public__chart-line"><span class="sb-public__chart-name">{name}</span>'
        '<svg class="sb-public__chart-bar" viewBox="0 0 100 1" preserveAspectRatio="none" focusable="false">'
        '<rect width="{length}" height="1"/></svg><span class="sb-public__chart-number">{number}</span></div>'
    ).format(name=line.label.in_(lang), length=round(100 * line.number / most, 1) if most else 0, number=line.number)


def _label(table: CountTable, lines: Sequence[Count], lang: Lang) -> str:
    return Text(
        zh=f"{table.title.zh}的条形图，{len(lines)} 行。数据见下表。",
        en=f"Bar chart, {table.title.en.lower()}, {len(lines)} lines. The table has the data.",
    ).in_(lang)
