"""A minute-by-minute bar chart as SVG, drawn on the server: a pure function of what it shows."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.decide.timing import split
from safebelt.rooms.belt.model import UNGUARDED
from safebelt.rooms.belt.service import Minute

__all__ = ["HEIGHT", "SERIES", "SPLIT", "WIDTH", "bars", "nice_top", "rows", "shares", "split", "timing"]

WIDTH, HEIGHT = 720, 170
_LEFT, _BOTTOM, _TOP = 50, 28, 16
"""Room for words twice as large: on a telephone the picture shrinks to half, and the style sheet doubles them."""
SERIES: tuple[tuple[str, Text], ...] = (
    ("allow", Text(zh="放行", en="allowed")),
    ("flag", Text(zh="标记", en="flagged")),
    ("mask", Text(zh="遮盖", en="masked")),
    ("refuse", Text(zh="拒绝", en="refused")),
    (UNGUARDED, Text(zh="未守护", en="unguarded")),
)
"""Bottom to top.  Colours come from the style sheet (`sb-bar--…`); the table beside the chart needs none."""


def nice_top(highest: int) -> int:
    """Return the round number the axis ends at: 1, 2 or 5 times a power of ten, and at least 4."""
    if highest <= 4:
        return 4
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= highest:
                return step * power
        power *= 10


def bars(minutes: Sequence[Minute], lang: Lang) -> Markup:
    """Draw one stacked bar a minute, oldest on the left.

    Args:
        minutes: What each minute saw, oldest first.
        lang: The reader's language.
    """
    top = nice_top(max((minute.total for minute in minutes), default=0))
    step = (WIDTH - _LEFT) / max(1, len(minutes))
    parts = [
        _axis(top),
        *(_bar(minute, place, step, top) for place, minute in enumerate(minutes)),
        _times(minutes, step),
    ]
    return Markup(
        '<svg class="sb-chart" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{body}</svg>'
    ).format(width=WIDTH, height=HEIGHT, label=_label(minutes, lang), body=Markup("").join(parts))


def _label(minutes: Sequence[Minute], lang: Lang) -> str:
    total, most = sum(minute.total for minute in minutes), max((minute.total for minute in minutes), default=0)
    return Text(
        zh=f"过去 {len(minutes)} 分钟共 {total} 次往来，每分钟最多 {most} 次。数据见下方表格。",
        en=f"{total} exchanges in the last {len(minutes)} minutes, at most {most} in one. The table has the data.",
    ).in_(lang)


def _y(value: float, top: int) -> float:
    return round(HEIGHT - _BOTTOM - value / top * (HEIGHT - _BOTTOM - _TOP), 1)


def _axis(top: int) -> Markup:
    lines = (
        Markup(
            '<line class="sb-axis" x1="{x}" x2="{end}" y1="{y}" y2="{y}"/><text x="{tx}" y="{ty}">{value}</text>'
        ).format(x=_LEFT, end=WIDTH, y=_y(value, top), tx=_LEFT - 6, ty=_y(value, top) + 4, value=value)
        for value in (0, top // 2, top)
    )
    return Markup("").join(lines)


def _bar(minute: Minute, place: int, step: float, top: int) -> Markup:
    below, parts = 0, []
    for name, _title in SERIES:
        count = minute.by_done.get(name, 0)
        if count:
            y, foot = _y(below + count, top), _y(below, top)
            parts.append(
                Markup('<rect class="sb-bar sb-bar--{name}" x="{x}" y="{y}" width="{w}" height="{h}"/>').format(
                    name=name, x=round(_LEFT + place * step + 1, 1), y=y, w=round(step - 2, 1), h=round(foot - y, 1)
                )
            )
            below += count
    return Markup("").join(parts)


def _times(minutes: Sequence[Minute], step: float) -> Markup:
    every = max(1, len(minutes) // 6)
    marks = (
        Markup('<text class="sb-axis__time{between}" x="{x}" y="{y}">{time}</text>').format(
            x=round(_LEFT + (place + 0.5) * step, 1),
            y=HEIGHT - 7,
            time=f"{minute.at:%H:%M}",
            between=" sb-axis__time--between" if place // every % 2 else "",
        )
        for place, minute in enumerate(minutes)
        if place % every == every // 2
    )
    return Markup("").join(marks)


SPLIT: tuple[tuple[str, Text], ...] = (
    ("before", Text(zh="请求模型之前", en="before the model")),
    ("waited", Text(zh="等待人工", en="waiting for a person")),
    ("model", Text(zh="模型", en="the model")),
    ("after", Text(zh="模型之后", en="after the model")),
)
"""Parts of an exchange's time, in their order."""


def timing(parts: Sequence[tuple[str, float]], lang: Lang, *, share: float = 1.0) -> Markup:
    """Draw the parts of a time as one bar; the list beside it says the same in figures.

    Args:
        parts: By name, in milliseconds.
        lang: The reader's language.
        share: How much of the width the whole bar takes, where several are compared.
    """
    total, at, drawn = sum(ms for _, ms in parts) or 1.0, 0.0, list[Markup]()
    shares = [max(ms / total, _LEAST) if ms else 0.0 for _, ms in parts]
    for (name, _), part in zip(parts, shares, strict=True):
        width = part / (sum(shares) or 1.0) * WIDTH * share
        box = Markup('<rect class="sb-part--{name}" x="{x}" y="0" width="{w}" height="{h}"/>')
        drawn.append(box.format(name=name, x=round(at, 1), w=round(width, 1), h=_THICK))
        at += width
    titles = dict(SPLIT)
    told = Text(zh="，", en=", ").in_(lang).join(f"{titles[name].in_(lang)} {ms:.1f} ms" for name, ms in parts)
    label = Text(zh=f"耗时：{told}", en=f"Times: {told}").in_(lang)
    return Markup(
        '<svg class="sb-split" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        "{body}</svg>"
    ).format(w=WIDTH, h=_THICK, label=label, body=Markup("").join(drawn))


_THICK, _LEAST = 26, 0.02
"""A part of microseconds beside seconds of the model is still to be seen."""


def rows(minutes: Sequence[Minute]) -> list[tuple[str, list[int]]]:
    """Return the chart's data for its table, newest first, without the minutes that saw nothing."""
    return [
        (f"{minute.at:%H:%M}", [minute.by_done.get(name, 0) for name, _ in SERIES])
        for minute in reversed(minutes)
        if minute.total
    ]


def shares(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return what was done in the order of the series, with the counts."""
    return [(name, counts.get(name, 0)) for name, _ in SERIES]
