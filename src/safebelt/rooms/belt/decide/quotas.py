"""Judgments about quotas: when a span of time begins and ends, what an exchange used, and what is used up.

Spans are whole minutes, hours, days and months of UTC: whoever is refused can be told when to come again, and a count
can be made again from records.  Tokens are the upstream's own count; where it gives none they are estimated, rather
too many than too few.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from safebelt.rooms.belt.model import Limit, Measure, Span, Used

SPANS = tuple(Span)
_FIXED = {Span.MINUTE: timedelta(minutes=1), Span.HOUR: timedelta(hours=1), Span.DAY: timedelta(days=1)}
_TOTAL = "total_tokens"
_PARTS = (
    "input_tokens",
    "output_tokens",
    "prompt_tokens",
    "completion_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)
"""Names in the usage figures of the guarded interfaces.  A total counts its parts; Anthropic's has none, and counts
what was read from and written to its cache apart."""
_UNASKED = frozenset({"refused", "not_admitted", "upstream_error", "records_failed", "belt_error"})
"""Ends at which a model may not have been asked: without an answer, nothing counts as used."""
ASCII_CHARS_PER_TOKEN = 3
"""Text in Latin letters has some four characters a token, Chinese some one and a half; we count three, and one."""


def begun(span: Span, at: datetime) -> datetime:
    """Return when the span began that a moment (UTC) is in."""
    start = at.replace(second=0, microsecond=0)
    if span is Span.MINUTE:
        return start
    start = start.replace(minute=0)
    if span is Span.HOUR:
        return start
    start = start.replace(hour=0)
    return start if span is Span.DAY else start.replace(day=1)


def over_at(span: Span, at: datetime) -> datetime:
    """Return when the span ends that a moment (UTC) is in."""
    start = begun(span, at)
    if span is Span.MONTH:
        return (start + timedelta(days=32)).replace(day=1)
    return start + _FIXED[span]


def counted(usage: Mapping[str, Any]) -> int | None:
    """Return the tokens of an upstream's own figures; None where they say nothing."""
    total = _whole(usage, _TOTAL) or sum(_whole(usage, name) for name in _PARTS)
    return total or None


def _whole(usage: Mapping[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53 else 0


_MOST_CHARS = 64 * 1024 * 1024
"""No line of the records holds more: a changed record must not fill the memory."""


def estimated(texts: Iterable[Any]) -> int:
    """Estimate the tokens of texts, rather too many than too few."""
    total = 0
    for text in texts:
        if isinstance(text, str) and text:
            total += -(-len(text) // ASCII_CHARS_PER_TOKEN) if text.isascii() else len(text)
    return total


class Spent(NamedTuple):
    """What one exchange used; `is_estimated` where no upstream counted."""

    tokens: int
    is_estimated: bool


def texts_of(content: Mapping[str, Any] | None) -> Iterable[Any]:
    """Return the texts of a record's content; where only digests are kept, what is as long and of such characters."""
    content = content or {}
    texts, digests = content.get("texts"), content.get("digests")
    if isinstance(texts, Mapping):
        return texts.values()
    return [_as_long(each) for each in digests.values()] if isinstance(digests, Mapping) else ()


def _as_long(digest: Any) -> str:
    chars = digest.get("chars") if isinstance(digest, Mapping) else 0
    return ("x" if digest.get("ascii") else "字") * min(chars, _MOST_CHARS) if isinstance(chars, int) else ""


def spent(asked: Callable[[], int], outcome: Mapping[str, Any], said: Callable[[], int]) -> Spent:
    """Return what an exchange used.

    Args:
        asked: Estimates what was asked; called only where no upstream counted, as `said`.
        outcome: Facts of the outcome.
        said: Estimates what was answered.
    """
    usage = outcome.get("usage")
    if isinstance(usage, Mapping) and (tokens := counted(usage)) is not None:
        return Spent(tokens, is_estimated=False)
    answered = said()
    if not answered and str(outcome.get("finish")) in _UNASKED:
        return Spent(0, is_estimated=False)
    return Spent(asked() + answered, is_estimated=True)


def used_up(limits: tuple[Limit, ...], used: Callable[[Span], Used]) -> Limit | None:
    """Return the limit that is used up and opens again last; None where none is."""
    full = [limit for limit in limits if _amount(limit, used(limit.span)) >= limit.most]
    return max(full, key=_longest, default=None)


def _amount(limit: Limit, used: Used) -> int:
    return used.requests if limit.measure is Measure.REQUESTS else used.tokens


def _longest(limit: Limit) -> int:
    return SPANS.index(limit.span)
