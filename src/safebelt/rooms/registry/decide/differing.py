"""What differs between two judgments: duties gained and lost, classes, days."""

from collections.abc import Iterator
from datetime import date

from safebelt.rooms.registry.model.changes import MovedDate, Regraded
from safebelt.rooms.rulebook.model import Finding, Judgment, Modality, Verdict

_DUTIES = frozenset({Modality.MUST, Modality.MUST_NOT})


def gained(before: Judgment, after: Judgment) -> tuple[Finding, ...]:
    """Return the duties and prohibitions that apply after and did not apply before."""
    return tuple(one for one in _duties(after) if not _applies(before, one.norm.id))


def lost(before: Judgment, after: Judgment) -> tuple[Finding, ...]:
    """Return the duties and prohibitions that applied before and do not apply after, or are a question now."""
    return tuple(one for one in _duties(before) if not _applies(after, one.norm.id))


def moved(before: Judgment, after: Judgment) -> tuple[MovedDate, ...]:
    """Return the duties that apply before and after, with another day."""
    pairs = ((before.findings[one.norm.id], one) for one in _duties(after) if _applies(before, one.norm.id))
    days = ((new.norm.id, _day(old, before.on), _day(new, after.on)) for old, new in pairs)
    return tuple(MovedDate(norm=name, before=was, after=now) for name, was, now in days if was != now)


def regraded(before: Judgment, after: Judgment) -> tuple[Regraded, ...]:
    """Return the instruments whose strictest class is another."""
    return tuple(_regraded(before, after))


def _regraded(before: Judgment, after: Judgment) -> Iterator[Regraded]:
    for name in dict.fromkeys((*before.classes, *after.classes)):
        was = before.classes[name].strictest if name in before.classes else ""
        now = after.classes[name].strictest if name in after.classes else ""
        if was != now:
            yield Regraded(instrument=name, before=was, after=now)


def _duties(judgment: Judgment) -> Iterator[Finding]:
    found = judgment.findings.values()
    return (one for one in found if one.verdict is Verdict.APPLIES and one.norm.modality in _DUTIES)


def _applies(judgment: Judgment, norm: str) -> bool:
    finding = judgment.findings.get(norm)
    return finding is not None and finding.verdict is Verdict.APPLIES


def _day(finding: Finding, on: date) -> date | None:
    """The day a duty is due, or else the first day it can bite, where that still lies ahead."""
    if finding.due is not None and finding.due.on is not None:
        return finding.due.on
    return finding.effective if finding.effective > on else None
