"""Overlays change what exists, in ways it can be changed, and the change is tried from both sides."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import OverlayStanding, Part
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.lints.references import NORM, PARAMETER, PROVISION, TERM
from safebelt.rooms.rulebook.packs.messages import validated
from safebelt.rooms.rulebook.packs.overlaying import full_id
from safebelt.rooms.rulebook.packs.schemas.others import SETS
from safebelt.rooms.rulebook.packs.sources import Entry

_TARGETS: dict[str, tuple[str, Text]] = {
    "norm": ("norms", NORM),
    "term": ("terms", TERM),
    "parameter": ("parameters", PARAMETER),
    "provision": ("provisions", PROVISION),
    "class": ("classes", Text(zh="类别", en="class")),
    "derived": ("derived", Text(zh="推算事实", en="derived fact")),
}


def overlays_are_sound(index: Index) -> Iterator[Finding]:
    """An overlay's instrument and targets exist, and its new values have the right form."""
    called = Text(zh="文件", en="instrument")
    for entry in index.sources.overlays:
        yield from index.missing("overlays", entry.where("instrument"), "instruments", entry.doc.instrument, called)
        for place, change in enumerate(entry.doc.changes):
            noun = change.deed.split("_", 1)[1]
            for target in change.targets:
                where = entry.where("changes", place, change.deed)
                kind, word = _TARGETS[noun]
                name = full_id(Part(noun), entry.doc.instrument, target)
                yield from index.missing("overlays", where, kind, name, word)
            if change.set is not None:
                found = validated(entry.document, SETS[change.deed], change.set, (*entry.path, "changes", place, "set"))
                yield from found if isinstance(found, list) else ()
                yield from _cited(index, entry, place, change.set)


def _cited(index: Index, entry: Entry[Any], place: int, new: dict[str, Any]) -> Iterator[Finding]:
    cites = new.get("cites")
    for number, cite in enumerate(cites if isinstance(cites, list) else ()):
        where = entry.where("changes", place, "set", "cites", number)
        yield from index.missing("cites-exist", where, "provisions", str(cite), PROVISION)


def parts_have_one_header(index: Index) -> Iterator[Finding]:
    """Files with the same overlay id carry the same header."""
    first: dict[str, Entry[Any]] = {}
    for entry in index.sources.overlays:
        other = first.setdefault(entry.doc.id, entry)
        for key in ("title", "instrument", "standing", "effective"):
            if getattr(entry.doc, key) != getattr(other.doc, key):
                what = Text(
                    zh=f"{entry.doc.id} 的 {key} 与 {other.document.file} 不同。",
                    en=f"{key} of {entry.doc.id} differs from that in {other.document.file}.",
                )
                hint = Text(zh="同一修改案的各文件抬头要一致。", en="Files of one overlay carry the same header.")
                yield finding(entry.where(key), "overlays", what, hint)
    yield from _one_voice(index)


def _one_voice(index: Index) -> Iterator[Finding]:
    """Two instructions that change the same key on the same day would leave the result to chance."""
    seen: dict[tuple[Any, ...], str] = {}
    for entry in index.sources.overlays:
        for place, change in enumerate(entry.doc.changes):
            for target in change.targets:
                for key in change.set or change.values or {"repeal": None}:
                    mark = (entry.doc.standing, entry.doc.effective, change.deed, target, key)
                    where = entry.where("changes", place)
                    if mark in seen and entry.doc.standing is OverlayStanding.ENACTED:
                        what = Text(
                            zh=f"{target} 的 {key} 在同一天已被修改，见 {seen[mark]}。",
                            en=f"{key} of {target} is already changed from that day, at {seen[mark]}.",
                        )
                        yield finding(where, "versions-do-not-overlap", what, Text(zh="请合并。", en="Merge them."))
                    seen.setdefault(mark, f"{where[0]}:{where[1]}")


def amended_norms_have_cases_on_both_sides(index: Index) -> Iterator[Finding]:
    """A norm whose conditions an enacted overlay changes is tried before and after its day."""
    days: dict[str, set[date]] = {}
    for case in index.sources.cases:
        for name in (*case.doc.norms, *case.doc.expect):
            days.setdefault(name, set()).add(case.doc.on or case.head.on)
    for entry in index.sources.overlays:
        if entry.doc.standing is not OverlayStanding.ENACTED or entry.doc.instrument in index.unread:
            continue
        for place, change in enumerate(entry.doc.changes):
            if change.deed == "amend_norm" and {"when", "unless"} & set(change.set or {}):
                for target in change.targets:
                    yield from _sides(entry, place, target, days.get(target, set()))


def _sides(entry: Entry[Any], place: int, target: str, days: set[date]) -> Iterator[Finding]:
    day = entry.doc.effective
    before, after = any(d < day for d in days), any(d >= day for d in days)
    if not (before and after):
        what = Text(
            zh=f"{target} 自 {day} 修改，用例没有覆盖修改{'前' if after else '后'}。",
            en=f"{target} is amended from {day}, but no case tries it {'before' if after else 'after'}.",
        )
        hint = Text(zh="给用例写 on: 修改前、后的日期。", en="Give cases an on: before and after that day.")
        yield finding(entry.where("changes", place), "both-sides", what, hint)
