"""What comes next for a system, from every part of its dossier, soonest first."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.agenda import NextKind, Upcoming
from safebelt.rooms.registry.model.changes import Reopened, Standing
from safebelt.rooms.registry.model.lifecycle import Evidence
from safebelt.rooms.registry.model.supervision import Case


def agenda(*parts: Iterable[Upcoming]) -> tuple[Upcoming, ...]:
    """Return everything that comes next: overdue and dated things by day, then what has no day."""
    every = (one for part in parts for one in part)
    return tuple(sorted(every, key=lambda one: (one.on is None, one.on or date.max, one.kind, one.about)))


def of_duties(owed: Iterable[Mapping[str, Any]], today: date) -> Iterable[Upcoming]:
    """Yield the duties that are due on a day to come.  Unverified ones say so; none is ever called met.

    Args:
        owed: Duties in the rulebook's contract.
        today: Duties whose day has passed are the duties part's matter: nobody knows whether they were done.
    """
    for duty in owed:
        due = duty.get("due") or {}
        day = date.fromisoformat(due["on"]) if due.get("on") else None
        if day is not None and day >= today:
            title = duty["title"]
            yield Upcoming(
                kind=NextKind.DUTY,
                on=day,
                about=duty["norm"],
                title=Text(zh=title["zh"], en=title["en"]),
                is_verified=duty["status"] == "verified",
            )


def of_changes(reopened: Iterable[Reopened], names: Mapping[str, Text]) -> Iterable[Upcoming]:
    """Yield what changes re-opened and nobody has made anew yet."""
    for one in reopened:
        if one.standing in (Standing.OPEN, Standing.OVERDUE):
            kind = one.redo.evidence
            yield Upcoming(
                kind=NextKind.REDO,
                on=one.redo.due,
                about=kind,
                title=names.get(kind, Text(zh=kind, en=kind)),
                is_overdue=one.standing is Standing.OVERDUE,
            )


def of_evidence(expiring: Iterable[Evidence], names: Mapping[str, Text]) -> Iterable[Upcoming]:
    """Yield evidence that stops counting soon."""
    for one in expiring:
        name = names.get(one.kind, Text(zh=one.kind, en=one.kind))
        yield Upcoming(kind=NextKind.EXPIRY, on=one.expires_on, about=one.kind, title=name)


def of_cases(cases: Iterable[Case], today: date) -> Iterable[Upcoming]:
    """Yield cases in which somebody is to do something by a day."""
    for one in cases:
        if one.due_on is not None:
            title = Text(zh=f"监督案件 {one.id}", en=f"Supervision case {one.id}")
            overdue = one.due_on < today
            yield Upcoming(kind=NextKind.CASE, on=one.due_on, about=one.id, title=title, is_overdue=overdue)
