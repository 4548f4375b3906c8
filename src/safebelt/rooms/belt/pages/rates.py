"""Shares as bars with their interval, SVG drawn on the server; all words stand beside them, so they read on a phone."""

from collections.abc import Iterable

from markupsafe import Markup

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model.over_blocking import Share

_WIDTH, _HEIGHT, _THICK = 400, 22, 12
_TOPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_LEAST_FAR = 0.2
"""Even where nothing hit, the interval is drawn; a scale that it fills would look like a finding."""


def top_of(shares: Iterable[Share | None]) -> float:
    """Return where a scale ends that all intervals fit on: a round share."""
    highest = max((one.high for one in shares if one is not None), default=0.0)
    return next((top for top in _TOPS if top * (1 - _LEAST_FAR) >= highest), 1.0)


def bar(share: Share, top: float, tone: str, lang: Lang) -> Markup:
    """Draw a share as a bar, and its interval as a line with two ends.

    Args:
        share: What is drawn.
        top: Where the scale ends.
        tone: What is done there: `flag`, `mask`, `refuse`.
        lang: The reader's language.
    """
    x, low, high = (round(min(1.0, value / top) * _WIDTH, 1) for value in (share.rate, share.low, share.high))
    middle, edge = _HEIGHT / 2, (_HEIGHT - _THICK) / 2
    return Markup(
        '<svg class="sb-rate" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" aria-label="{label}">'
        '<rect class="sb-bar--{tone}" x="0" y="{edge}" width="{x}" height="{thick}"/>'
        '<line class="sb-whisker" x1="{low}" x2="{high}" y1="{middle}" y2="{middle}"/>'
        '<line class="sb-whisker" x1="{low}" x2="{low}" y1="{edge}" y2="{foot}"/>'
        '<line class="sb-whisker" x1="{high}" x2="{high}" y1="{edge}" y2="{foot}"/></svg>'
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        label=said(share, lang),
        tone=tone,
        x=x,
        low=max(1.0, low),
        high=min(_WIDTH - 1.0, high),
        edge=edge,
        foot=_HEIGHT - edge,
        middle=middle,
        thick=_THICK,
    )


def percent(value: float) -> str:
    """Write a share for people: two digits that count, and no false precision."""
    hundred = value * 100
    return f"{hundred:.2f}%" if 0 < hundred < 10 else f"{hundred:.0f}%"


def end(top: float) -> str:
    """Write where a scale ends."""
    return f"{top * 100:g}%"


def said(share: Share, lang: Lang) -> str:
    """Say a share with its interval."""
    rate, low, high = (percent(value) for value in (share.rate, share.low, share.high))
    return Text(
        zh=f"{share.of} 条中 {share.hits} 条，{rate}（95% 区间 {low} 至 {high}）",
        en=f"{share.hits} of {share.of}, {rate} (95 % interval {low} to {high})",
    ).in_(lang)
