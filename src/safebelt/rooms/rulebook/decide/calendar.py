"""Every date to come for these facts: what begins, ends, takes hold, falls due, and what changes the text.

The time ahead is cut where enacted overlays (and drafts, if the text has any) take effect: between two cuts the text
as it reads then is judged, so that a date that an amendment has moved is given only once, where it is now.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.dates import add_months, due_dates
from safebelt.rooms.rulebook.decide.judging import judge
from safebelt.rooms.rulebook.decide.overlays import coming_overlays, reading
from safebelt.rooms.rulebook.model import (
    DueKind,
    Entry,
    EntryKind,
    Finding,
    Judgment,
    LawText,
    Modality,
    Overlay,
    OverlayStanding,
    Status,
    Verdict,
)

RECURRING_MONTHS = 24
"""How far ahead recurring duties are listed unless a last day is given, so that a yearly duty shows twice."""

RECURRING_TIMES = 12
"""How often one recurring duty is listed unless a last day is given: a weekly one would bury the rest."""


def calendar(
    text: LawText,
    facts: Mapping[str, Any],
    on: date,
    *,
    instruments: Collection[str] | None = None,
    recurring_until: date | None = None,
) -> tuple[Entry, ...]:
    """Return every date to come, in order.

    Args:
        text: The text as it reads on the day.
        facts: What is known.
        on: The day; dates on it are listed if something is due on it, dates before it are not.
        instruments: Only these.
        recurring_until: The last day for recurring duties; if None, two years ahead and at most twelve times.

    Raises:
        Invalid: The text, or a later state of it, has faults.
    """
    horizon = recurring_until or add_months(on, RECURRING_MONTHS)
    times = RECURRING_TIMES if recurring_until is None else None
    turns = tuple(dict.fromkeys(one.effective for one in coming_overlays(text, on)))
    entries: list[Entry] = []
    before: Judgment | None = None
    for start, end in zip((on, *turns), (*turns, date.max), strict=True):
        judgment = judge(reading(text, start) if start != on else text, facts, start, instruments)
        if before is not None:
            entries += _at_the_turn(judge(reading(text, _eve(start)), facts, _eve(start), instruments), judgment)
        entries += (one for one in _between(judgment, facts, horizon, times) if one.on < end or end == date.max)
        before = judgment
    entries += _classes(judge(text, facts, on, instruments))
    entries += _amendments(text, on, instruments)
    return tuple(sorted(set(entries), key=lambda one: (one.on, one.kind, one.about)))


def _eve(day: date) -> date:
    return day - timedelta(days=1)


def _between(judgment: Judgment, facts: Mapping[str, Any], horizon: date, times: int | None) -> Iterator[Entry]:
    """Dates to come under one state of the text."""
    for finding in judgment.findings.values():
        if finding.verdict is Verdict.APPLIES:
            yield from _starts_and_ends(finding, judgment.on)
            yield from islice(_due(finding, facts, judgment.on, horizon), times)


def _starts_and_ends(finding: Finding, on: date) -> Iterator[Entry]:
    span, effective = finding.in_force, finding.effective
    if span.from_ > on and len(span.possible) == 1:
        yield _entry(finding, EntryKind.STARTS, span.from_, _STARTS)
    elif len(span.possible) > 1:
        for day in (one for one in span.possible if one > on):
            yield _entry(finding, EntryKind.STARTS, day, _MAY_START)
    if effective > on and effective != span.from_:
        yield _entry(finding, EntryKind.STARTS, effective, _BITES)
    if span.until is not None and span.until > on:
        yield _entry(finding, EntryKind.ENDS, span.until, _ENDS)


def _due(finding: Finding, facts: Mapping[str, Any], on: date, horizon: date) -> Iterator[Entry]:
    """When a duty falls due; not while its clock waits for an occurrence that is not established."""
    due, norm = finding.norm.due, finding.norm
    if due is None or norm.modality is Modality.EXEMPT or finding.contingent or finding.due is None:
        return
    until, words = norm.in_force.until, finding.due.text
    for day in due_dates(due, facts, effective=finding.effective):
        if due.kind is DueKind.EVERY and day > horizon:
            return
        if day >= on and (until is None or day < until):
            yield _entry(finding, EntryKind.DUE, day, Text(zh=f"到期（{words.zh}）", en=f"is due ({words.en})"))


_STARTS = Text(zh="开始生效", en="begins to apply")
_MAY_START = Text(zh="可能开始生效（视尚不清楚的事实而定）", en="may begin to apply (facts not yet known decide)")
_BITES = Text(zh="实际起作用", en="can bite")
_ENDS = Text(zh="停止生效", en="ends")


def _entry(finding: Finding, kind: EntryKind, day: date, what: Text) -> Entry:
    norm = finding.norm
    return Entry(
        on=day,
        kind=kind,
        about=norm.id,
        instrument=norm.instrument,
        title=Text(zh=f"{norm.title.zh}：{what.zh}", en=f"{norm.title.en}: {what.en}"),
        why=finding.why,
        cites=norm.cites,
        status=finding.status,
    )


def _at_the_turn(eve: Judgment, after: Judgment) -> Iterator[Entry]:
    """What an overlay begins or ends on its own day, which neither state of the text says by itself."""
    old, new = _live(eve), _live(after)
    for name in new.keys() - old.keys():
        yield _entry(new[name], EntryKind.STARTS, after.on, _STARTS)
    for name in old.keys() - new.keys():
        yield _entry(old[name], EntryKind.ENDS, after.on, _ENDS)


def _live(judgment: Judgment) -> dict[str, Finding]:
    found = judgment.findings.items()
    return {name: one for name, one in found if one.verdict is Verdict.APPLIES and one.in_force.now is not Truth.FALSE}


def _classes(judgment: Judgment) -> Iterator[Entry]:
    """Classes that take hold later."""
    for instrument, result in judgment.classes.items():
        for coming in result.coming:
            if not coming.class_id:
                continue
            title = coming.title
            said = Text(zh=f"将属于“{title.zh}”", en=f"falls into “{title.en}” from then on")
            yield Entry(
                on=coming.on,
                kind=EntryKind.CLASS,
                about=f"{instrument}.{coming.class_id}",
                instrument=instrument,
                title=said,
                why=Reason(says=said, holds=Truth.TRUE, cites=coming.norms),
                cites=coming.norms,
                status=coming.status,
            )


def _amendments(text: LawText, on: date, instruments: Collection[str] | None) -> Iterator[Entry]:
    """Overlays that take effect later."""
    for overlay in coming_overlays(text, on):
        if instruments is None or overlay.instrument in instruments:
            yield _amendment(overlay)


def _amendment(overlay: Overlay) -> Entry:
    title, is_draft = overlay.title, overlay.standing is OverlayStanding.DRAFT
    said = Text(
        zh=f"{title.zh}：{'（草案）' if is_draft else ''}文本自此修改",
        en=f"{title.en}: the text changes{' (draft)' if is_draft else ''}",
    )
    cites = tuple(dict.fromkeys(cite for change in overlay.changes for cite in change.cites)) or (overlay.id,)
    return Entry(
        on=overlay.effective,
        kind=EntryKind.AMENDED,
        about=overlay.id,
        instrument=overlay.instrument,
        title=said,
        why=Reason(says=said, holds=Truth.UNKNOWN if is_draft else Truth.TRUE, cites=cites),
        cites=cites,
        status=Status.UNVERIFIED if is_draft or overlay.basis != "primary" else Status.VERIFIED,
    )
