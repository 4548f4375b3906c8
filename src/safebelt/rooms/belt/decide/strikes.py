"""When repeated abuse comes to a strike, and how a key stands.  Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256

from safebelt.rooms.belt.model import Abuse, Decision, Standing, Strike, StrikeRule

COUNTED_FOR = timedelta(days=30)
"""How long a strike that only warns is held up to its caller: one of last year says nothing about today."""


def due(rule: StrikeRule, abuses: Iterable[Abuse], after: datetime | None = None) -> Iterator[tuple[Abuse, ...]]:
    """Yield what comes to a strike each.

    A request counts in one strike at most, and what came before the last strike, or before the rule, in none.

    Args:
        rule: What the policy says.
        abuses: Refused requests of one key, in the order they came.
        after: Only later ones count.
    """
    window, counted = timedelta(minutes=rule.within_minutes), list[Abuse]()
    for abuse in abuses:
        if after is not None and abuse.at <= after:
            continue
        counted = [each for each in counted if abuse.at - each.at < window]
        counted.append(abuse)
        if len(counted) == rule.exchanges:
            yield tuple(counted)
            counted, after = [], abuse.at


def evidence_of(records: Iterable[str]) -> str:
    """Return the digest by which the ledger knows a strike's records."""
    return sha256("\n".join(records).encode()).hexdigest()


def standing(strikes: Iterable[Strike], now: datetime) -> Standing | None:
    """Say how a key stands by its strikes, oldest first; None where none counts."""
    counting = [each for each in strikes if _counts(each, now)]
    if not counting:
        return None
    suspending = [each.id for each in counting if each.decision is Decision.SUSPENDED]
    return Standing(strikes=len(counting), newest=counting[-1].id, suspended_by=suspending[-1] if suspending else "")


def _counts(strike: Strike, now: datetime) -> bool:
    if strike.decision is Decision.SUSPENDED:
        return True
    return strike.decision is not Decision.WITHDRAWN and now - strike.at < COUNTED_FOR
