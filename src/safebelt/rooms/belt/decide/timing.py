"""Where the time of exchanges went: the parts of one, and what many come to.  Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from safebelt.rooms.belt.model.upstreams import Spread, Timed

BEFORE, WAITED, MODEL, AFTER = "before", "waited", "model", "after"
PARTS = (BEFORE, WAITED, MODEL, AFTER)
OTHER = "other"
MOST_GROUPS = 20
"""Upstreams and models listed; callers choose models' names, and the rest is *other*."""
_LONGEST_MS = 1e10


class Took(NamedTuple):
    """One exchange's times, in milliseconds.

    Attributes:
        upstream, model: Who answered, and what was asked for.
        is_stream, is_broken: Whether it was streamed; whether the upstream broke it off.
        parts: By part; *waited* only where somebody was waited for.
        total, added, first_byte: In all, the belt's own, and until the first byte (0 where none is told).
    """

    upstream: str
    model: str
    is_stream: bool
    is_broken: bool
    parts: Mapping[str, float]
    total: float
    added: float
    first_byte: float


def split(facts: Mapping[str, object]) -> list[tuple[str, float]]:
    """Return the parts of an exchange's time in milliseconds; none where its record does not say them.

    Time waited for a person is a part only where there was some, whenever it was.
    What the belt did meanwhile, between two pieces of a stream, is the model's part: nobody waited for it alone.
    """
    before, model, total = (known_ms(facts.get(name)) for name in ("before_ms", "upstream_ms", "total_ms"))
    if min(before, model, total) < 0 or not total:
        return []
    waited, at_first = (max(0.0, known_ms(facts.get(name))) for name in ("waited_ms", "waited_before_ms"))
    after = total - before - model - max(0.0, waited - at_first)
    lasted = (max(0.0, before - at_first), waited, model, max(0.0, after))
    return [(name, ms) for name, ms in zip(PARTS, lasted, strict=True) if ms or name != WAITED]


def known_ms(ms: object) -> float:
    """Return milliseconds as a record says them; -1 where it says none."""
    is_number = isinstance(ms, int | float) and not isinstance(ms, bool)
    return float(ms) if is_number and 0 <= ms < _LONGEST_MS else -1.0  # type: ignore[operator, arg-type]


def grouped(all_took: Iterable[Took]) -> tuple[Timed, ...]:
    """Return what they come to by upstream and model, most exchanges first; those beyond the most listed as *other*."""
    groups: dict[tuple[str, str], list[Took]] = {}
    for took in all_took:
        groups.setdefault((took.upstream, took.model), []).append(took)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    kept, rest = ordered[:MOST_GROUPS], [took for _, some in ordered[MOST_GROUPS:] for took in some]
    if rest:
        kept.append(((OTHER, OTHER), rest))
    return tuple(_timed(upstream, model, some) for (upstream, model), some in kept)


def _timed(upstream: str, model: str, some: Sequence[Took]) -> Timed:
    by_total = sorted(some, key=lambda took: took.total)
    firsts = [took.first_byte for took in some if took.is_stream and took.first_byte]
    count = len(by_total)
    middle = by_total[count * 2 // 5 : max(count * 3 // 5, count * 2 // 5 + 1)]
    slow = by_total[min(count - 1, count * 95 // 100) :]
    return Timed(
        upstream=upstream,
        model=model,
        exchanges=count,
        streams=sum(took.is_stream for took in some),
        broken=sum(took.is_broken for took in some),
        total=spread(took.total for took in some),
        added=spread(took.added for took in some),
        before=spread(took.parts.get(BEFORE, 0.0) for took in some),
        upstream_part=spread(took.parts.get(MODEL, 0.0) for took in some),
        after=spread(took.parts.get(AFTER, 0.0) for took in some),
        first_byte=spread(firsts) if firsts else None,
        middle=_mean(middle),
        slow=_mean(slow),
    )


def spread(values: Iterable[float]) -> Spread:
    """Return median and 95th percentile, by nearest rank (NIST/SEMATECH e-Handbook, section 7.2.6.2)."""
    ordered = sorted(values)
    p50, p95 = (ordered[max(0, -(-len(ordered) * share // 100) - 1)] for share in (50, 95))
    return Spread(p50_ms=round(p50, 3), p95_ms=round(p95, 3))


def _mean(some: Sequence[Took]) -> dict[str, float]:
    sums = {part: sum(took.parts.get(part, 0.0) for took in some) / len(some) for part in PARTS}
    return {part: round(ms, 3) for part, ms in sums.items() if ms or part != WAITED}
