"""Judgments of what the public is told in numbers."""

SMALL = 5
"""Counts of exchanges below this are not told, and larger ones only in whole fives.

One exchange is one person's act: where a rule hit once this month, who knows of one person's question would read the
rest.  Five is a common smallest cell where statistics of people are published (a rule of this house, by no law);
telling all in fives keeps a hidden count from being worked out of the others.
"""


def coarse(count: int) -> int | None:
    """Return a count of exchanges as the public is told it: in whole fives; None for a small one; 0 stays 0."""
    if 0 < count < SMALL:
        return None
    return count - count % SMALL
