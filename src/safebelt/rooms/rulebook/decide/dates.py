"""Legal time: what is due when, in words and as a date.

A period in days, weeks, months or years runs from the day after the event; one in months or years ends on the day of
the same number, or on the last day of a month that has none.  Working days are Monday to Friday: public holidays are
not taken out, which the wording says.  Of a period in hours only whole days are counted, since only the day of the
event is known, so that the date given is never later than the true one.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import EVENTS, UNITS, Due, DueKind, DueOn, LawText, Unit

_MOST_OCCURRENCES = 10_000  # a daily duty over 27 years; a bound, since amounts come from files


def add_months(day: date, months: int) -> date:
    """Return the same day so many months on, or the last day of a shorter month; 9999-12-31 where dates end."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def add_working_days(day: date, days: int) -> date:
    """Return the day so many Mondays to Fridays on."""
    weeks, rest = divmod(days, 5)
    day = add_days(day, weeks * 7)
    while rest > 0 or (days and day.weekday() >= 5):
        forward = 1 if rest > 0 else -1
        day = add_days(day, forward)
        if day == date.max:
            return day
        rest -= 1 if forward > 0 and day.weekday() < 5 else 0
    return day


def add_days(day: date, days: int) -> date:
    """Return the day so many days on; 9999-12-31 where dates end."""
    return day + timedelta(days=min(days, (date.max - day).days))


def add(day: date, amount: int, unit: Unit) -> date:
    """Return the last day of a period that runs from a day."""
    match unit:
        case Unit.HOURS:
            return add_days(day, amount // 24)
        case Unit.DAYS:
            return add_days(day, amount)
        case Unit.WEEKS:
            return add_days(day, 7 * amount)
        case Unit.WORKING_DAYS:
            return add_working_days(day, amount)
        case Unit.MONTHS:
            return add_months(day, amount)
    return add_months(day, 12 * amount)


def fact_of(due: Due) -> str:
    """Return the date fact that fixes a due date; empty where none does."""
    if due.fact:
        return due.fact
    event = EVENTS.get(due.event)
    return event.fact or "" if event else ""


def occurrences(due: Due, anchor: date) -> Iterator[date]:
    """Yield the due dates of a recurring duty, each counted from the anchor so that no month's end is worn off."""
    if due.amount is None or due.unit is None or due.amount < 1:
        return
    for number in range(1, _MOST_OCCURRENCES):
        day = add(anchor, number * due.amount, due.unit)
        if day in (anchor, date.max):  # a period of hours within a day, or the end of dates: no days to name
            return
        yield day


def due_dates(due: Due, facts: Mapping[str, Any], *, effective: date) -> Iterator[date]:
    """Yield the days on which a duty is due, none before it can bite; nothing where no known date fixes one.

    Args:
        due: The duty's time.
        facts: Known facts; only date facts are read.
        effective: The first day the norm can bite.
    """
    name = fact_of(due)
    event = facts.get(name) if name else None
    match due.kind:
        case DueKind.ALWAYS:
            return
        case DueKind.BY:
            yield from () if due.by is None else (max(due.by, effective),)
        case DueKind.EVERY:
            anchor = event if due.event or due.fact else effective
            yield from () if anchor is None else (day for day in occurrences(due, anchor) if day >= effective)
        case DueKind.WITHIN if event is not None and due.amount is not None and due.unit is not None:
            yield max(add(event, due.amount, due.unit), effective)
        case DueKind.BEFORE | DueKind.AT | DueKind.PROMPTLY if event is not None:
            yield max(event, effective)


def due_of(text: LawText, due: Due, facts: Mapping[str, Any], on: date, *, effective: date) -> DueOn:
    """Return when a duty is due: of a recurring one the next day from `on`, else the day, past or to come."""
    days = due_dates(due, facts, effective=effective)
    day = next((one for one in days if due.kind is not DueKind.EVERY or one >= on), None)
    name = fact_of(due)
    return DueOn(kind=due.kind, text=says(text, due), on=day, fact=name if day is None and name not in facts else "")


def _event(text: LawText, due: Due) -> Text:
    if due.fact:
        return text.facts[due.fact].label if due.fact in text.facts else Text(zh=due.fact, en=due.fact)  # a name, both
    return EVENTS[due.event].title if due.event in EVENTS else Text(zh=due.event, en=due.event)  # a name, both


_EACH = {
    Unit.HOURS: Text(zh="每小时", en="every hour"),
    Unit.DAYS: Text(zh="每日", en="every day"),
    Unit.WORKING_DAYS: Text(zh="每个工作日", en="every working day"),
    Unit.WEEKS: Text(zh="每周", en="every week"),
    Unit.MONTHS: Text(zh="每月", en="every month"),
    Unit.YEARS: Text(zh="每年", en="every year"),
}


def _period(due: Due) -> Text:
    unit = UNITS[due.unit or Unit.DAYS]
    english = unit.en.removesuffix("s") if due.amount == 1 else unit.en
    return Text(zh=f"{due.amount} {unit.zh}", en=f"{due.amount} {english}")


def says(text: LawText, due: Due) -> Text:
    """Return when a duty is due, in words."""
    if due.kind in (DueKind.WITHIN, DueKind.EVERY):
        said = _counted(text, due)
        if due.unit is Unit.WORKING_DAYS:
            return Text(
                zh=said.zh + "（按周一至周五计，未扣除法定节假日）",
                en=said.en + " (Monday to Friday; public holidays are not taken out)",
            )
        return said
    event = _event(text, due)
    day = due.by.isoformat() if due.by else ""
    return {
        DueKind.BEFORE: Text(zh=f"{event.zh}之前", en=f"before {event.en}"),
        DueKind.AT: Text(zh=f"{event.zh}时", en=f"at {event.en}"),
        DueKind.PROMPTLY: Text(zh=f"{event.zh}后及时", en=f"promptly after {event.en}"),
        DueKind.BY: Text(zh=f"不迟于 {day}", en=f"by {day}"),
        DueKind.ALWAYS: Text(zh="持续履行", en="at all times"),
    }[due.kind]


def _counted(text: LawText, due: Due) -> Text:
    event, period = _event(text, due), _period(due)
    if due.kind is DueKind.WITHIN:
        return Text(zh=f"{event.zh}后 {period.zh}内", en=f"within {period.en} after {event.en}")
    each = Text(zh=f"每 {period.zh}", en=f"every {period.en}")
    if due.amount == 1 and due.unit is not None:
        each = _EACH[due.unit]
    if not (due.event or due.fact):
        return Text(zh=f"{each.zh}一次", en=each.en)
    return Text(zh=f"自{event.zh}起{each.zh}一次", en=f"{each.en}, counted from {event.en}")
