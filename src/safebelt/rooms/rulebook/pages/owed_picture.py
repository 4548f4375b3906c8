"""The dates to come as a picture: one lane for each regime, time from left to right.  Pure, drawn on the server."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.model import Entry, EntryKind

WIDTH = 960
_LEFT, _RIGHT, _TOP, _LANE, _FOOT = 250, 24, 8, 40, 26
_NEAREST = 30
"""Marks closer than this many pixels are drawn as one, so that their numbers can be read."""

KINDS: Mapping[EntryKind, Text] = {
    EntryKind.STARTS: Text(zh="开始适用", en="begins"),
    EntryKind.DUE: Text(zh="到期", en="is due"),
    EntryKind.CLASS: Text(zh="类别变化", en="class changes"),
    EntryKind.AMENDED: Text(zh="文本修改", en="text changes"),
    EntryKind.ENDS: Text(zh="停止适用", en="ends"),
}


def timeline(entries: Sequence[Entry], names: Mapping[str, Text], on: date, lang: Lang) -> Markup:
    """Draw dates to come.

    Args:
        entries: The dates, by day; none gives nothing.
        names: Instrument id to its short title.
        on: The day the line begins on.
        lang: The reader's language.
    """
    if not entries:
        return Markup()
    lanes = list(dict.fromkeys(one.instrument for one in entries))
    end = max(one.on for one in entries) + timedelta(days=20)
    height = _TOP + _LANE * len(lanes) + _FOOT
    body = [_years(on, max(one.on for one in entries), end, height)]
    for place, lane in enumerate(lanes):
        here = [one for one in entries if one.instrument == lane]
        body.append(_lane(here, names[lane].in_(lang), place, on, end))
    return Markup('<svg class="sb-lanes" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{body}</svg>').format(
        w=WIDTH, h=height, label=_label(entries, len(lanes), lang), body=Markup("").join(body)
    )


def _label(entries: Sequence[Entry], lanes: int, lang: Lang) -> str:
    first, last = entries[0].on, entries[-1].on
    count = len(entries)
    return Text(
        zh=f"{lanes} 部规则共 {count} 个将来日期，自 {first} 至 {last}。数据见下方表格。",
        en=f"{count} dates to come under {lanes} regimes, from {first} to {last}. The table has the data.",
    ).in_(lang)


def _x(day: date, on: date, end: date) -> float:
    share = (day - on).days / max(1, (end - on).days)
    return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)


def _years(on: date, last: date, end: date, height: int) -> Markup:
    """The day itself, turns of the year (of the quarter, where less than two years are shown), and the last date."""
    months = (1,) if (end - on).days > 730 else (1, 4, 7, 10)
    turns = [date(year, month, 1) for year in range(on.year, end.year + 1) for month in months]
    between = [day for day in turns if _x(on, on, end) + 90 < _x(day, on, end) < _x(last, on, end) - 90]
    shown = [(on, on.isoformat()), *((day, _tick(day)) for day in between), (last, last.isoformat())]
    marks = (
        Markup(
            '<line class="sb-axis" x1="{x}" x2="{x}" y1="{top}" y2="{foot}"/>'
            '<text class="sb-axis__time" x="{x}" y="{y}">{said}</text>'
        ).format(x=_x(day, on, end), top=_TOP, foot=height - _FOOT, y=height - 8, said=said)
        for day, said in shown
    )
    return Markup("").join(marks)


def _tick(day: date) -> str:
    return f"{day:%Y}" if day.month == 1 else f"{day:%Y-%m}"


def _lane(entries: Sequence[Entry], name: str, place: int, on: date, end: date) -> Markup:
    middle = _TOP + _LANE * place + _LANE // 2
    line = Markup(
        '<line class="sb-lanes__line" x1="{a}" x2="{b}" y1="{y}" y2="{y}"/>'
        '<text class="sb-lanes__name" x="{x}" y="{ty}">{name}</text>'
    ).format(a=_LEFT, b=WIDTH - _RIGHT, y=middle, x=_LEFT - 14, ty=middle + 5, name=_short(name))
    marks = (_mark(cluster, middle, on, end) for cluster in _clusters(entries, on, end))
    return line + Markup("").join(marks)


def _short(name: str) -> str:
    """Cut a name to its lane's margin; a Chinese character is as wide as two Latin ones."""
    kept, width = "", 0
    for char in name:
        width += 2 if ord(char) > 0x2E80 else 1
        if width > 30:
            return kept.rstrip() + "…"
        kept += char
    return kept


def _clusters(entries: Sequence[Entry], on: date, end: date) -> list[list[Entry]]:
    clusters: list[list[Entry]] = []
    for entry in sorted(entries, key=lambda one: one.on):
        if clusters and _x(entry.on, on, end) - _x(clusters[-1][0].on, on, end) < _NEAREST:
            clusters[-1].append(entry)
        else:
            clusters.append([entry])
    return clusters


def _mark(cluster: Sequence[Entry], middle: int, on: date, end: date) -> Markup:
    kind = Counter(one.kind for one in cluster).most_common(1)[0][0]
    x = (_x(cluster[0].on, on, end) + _x(cluster[-1].on, on, end)) / 2
    return Markup(
        '<circle class="sb-lanes__mark sb-lanes__mark--{kind}" cx="{x}" cy="{y}" r="13"/>'
        '<text class="sb-lanes__count" x="{x}" y="{ty}">{count}</text>'
    ).format(kind=kind.value, x=round(x, 1), y=middle, ty=middle + 4.5, count=len(cluster))


def legend(entries: Sequence[Entry]) -> list[tuple[EntryKind, Text]]:
    """Return the kinds of dates that are there, in the order they are explained in."""
    here = {one.kind for one in entries}
    return [(kind, words) for kind, words in KINDS.items() if kind in here]
