"""Days: how a deadline runs.  The day of service or receipt is day nought; nothing begins to run unproven."""

from datetime import date, timedelta

from safebelt.rooms.registry.model.supervision import CountsFrom, DayUnit, Deadline

_SATURDAY = 5
"""First day of the week that is no working day (`date.weekday`)."""


def last_day(deadline: Deadline, *, served_on: date, received_on: date | None) -> date | None:
    """Return the last day of a deadline; None where there is none, or where it has not begun to run.

    Args:
        deadline: As the step states it.
        served_on: The day it was served, where the authority's days are counted.
        received_on: The day it was received; None while nobody has shown that it was.
    """
    if deadline.on is not None or not deadline.days:
        return deadline.on
    start = served_on if deadline.counts_from is CountsFrom.SERVICE else received_on
    if start is None:
        return None
    if deadline.unit is DayUnit.CALENDAR:
        return start + timedelta(days=deadline.days)
    return _working(start, deadline)


def _working(start: date, deadline: Deadline) -> date:
    """Monday to Friday, less the days off that were named: which days are holidays is never assumed."""
    day, left = start, deadline.days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY and day not in deadline.not_counted
    return day


def days_left(due: date, today: date) -> int:
    """Return how many days are left; negative once it is overdue.

    Example:
        >>> days_left(date(2026, 11, 25), date(2026, 11, 22))
        3
    """
    return (due - today).days
