"""What a change of the law does to a population, as JSON-ready data and as CSV."""

import csv
from dataclasses import asdict
from io import StringIO
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.contract import UNKNOWN_TITLE, words
from safebelt.rooms.rulebook.decide.impact import Affected, Division, Gained, Impact, Reform
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, UNKNOWN_CLASS

NO_CLASS = Text(zh="不属于任何类别", en="in none of the classes")


def impact_data(impact: Impact) -> dict[str, Any]:
    """Return the change, every count, and the affected systems that are listed."""
    return {
        **reform_data(impact.reform),
        "total": _count(impact.total),
        "by_sector": [_division(one) for one in impact.by_sector],
        "by_size": [_division(one) for one in impact.by_size],
        "transitions": [asdict(one) for one in impact.transitions],
        "norms": [{**asdict(one), "title": words(norm_title(impact.reform, one.norm))} for one in impact.norms],
        "listed": [_affected(one) for one in impact.listed],
        "is_list_complete": impact.is_list_complete,
        "notice": words(NOT_LEGAL_ADVICE),
    }


def reform_data(change: Reform) -> dict[str, Any]:
    """Return what a change of the law is: its header, the day, and which entries it adds, amends and repeals."""
    overlay = change.overlay
    return {
        "overlay": overlay.id,
        "title": words(overlay.title),
        "instrument": overlay.instrument,
        "standing": overlay.standing.value,
        "effective": overlay.effective.isoformat(),
        "on": change.on.isoformat(),
        "changes": [
            {
                "deed": one.deed.value,
                "part": one.part.value,
                "id": one.id,
                "fields": [each.field for each in one.fields],
                "why": words(one.why) if one.why else None,
                "cites": list(one.cites),
            }
            for one in change.changes
        ],
    }


def impact_csv(impact: Impact) -> str:
    """Return the listed systems as CSV (RFC 4180), one row for each thing that changes for one."""
    out = StringIO()
    sheet = csv.writer(out)
    sheet.writerow(("system", "name_zh", "name_en", "change", "about", "before", "after", "title_zh", "title_en"))
    for one in impact.listed:
        for kind, about, before, after in _rows(one):
            title = norm_title(impact.reform, about)
            row = (one.id, one.name.zh, one.name.en, kind, about, before, after, title.zh, title.en)
            sheet.writerow([_harmless(cell) for cell in row])
    return out.getvalue()


def norm_title(change: Reform, norm: str) -> Text:
    """Return a norm's title, as it reads after the change or read before; of an instrument, its short title."""
    for text in (change.after, change.before):
        if norm in text.norms:
            return text.norms[norm].title
        if norm in text.instruments:
            return text.instruments[norm].short
    return Text(zh=norm, en=norm)  # an id, the same in both languages


def class_title(change: Reform, instrument: str, class_id: str) -> Text:
    """Return what a class is called."""
    if class_id == UNKNOWN_CLASS:
        return UNKNOWN_TITLE
    for text in (change.after, change.before):
        for label in text.instruments[instrument].classes if instrument in text.instruments else ():
            if label.id == class_id:
                return label.title
    return NO_CLASS if not class_id else Text(zh=class_id, en=class_id)  # an id, the same in both languages


def _harmless(cell: str) -> str:
    """A spreadsheet would run a cell that begins like a formula (OWASP, CSV injection)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _rows(one: Affected) -> list[tuple[str, str, str, str]]:
    effect = one.effect
    rows = [("class", each.instrument, each.before, each.after) for each in effect.regraded]
    rows += [("duty begins", each.norm, "", each.from_.isoformat()) for each in effect.gained]
    rows += [("duty ends", each, "", "") for each in effect.lost]
    rows += [("right begins", each.norm, "", each.from_.isoformat()) for each in effect.rights_gained]
    rows += [("right ends", each, "", "") for each in effect.rights_lost]
    rows += [("date moves", each.norm, each.before.isoformat(), each.after.isoformat()) for each in effect.moved]
    return rows + [("becomes a question", each, "", "") for each in effect.opened]


def _division(one: Division) -> dict[str, Any]:
    return {"id": one.id, "label": words(one.label), **_count(one.count)}


def _count(count: Any) -> dict[str, Any]:
    return {**asdict(count), "share": count.share}


def _affected(one: Affected) -> dict[str, Any]:
    effect = one.effect
    return {
        "id": one.id,
        "name": words(one.name),
        "regraded": [asdict(each) for each in effect.regraded],
        "gained": [_gained(each) for each in effect.gained],
        "lost": list(effect.lost),
        "rights_gained": [_gained(each) for each in effect.rights_gained],
        "rights_lost": list(effect.rights_lost),
        "opened": list(effect.opened),
        "moved": [
            {"norm": each.norm, "before": each.before.isoformat(), "after": each.after.isoformat()}
            for each in effect.moved
        ],
    }


def _gained(one: Gained) -> dict[str, str]:
    return {"norm": one.norm, "from": one.from_.isoformat()}
