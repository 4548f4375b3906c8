"""Load the law: read, check, and put together the `Rulebook`, or say everything that is wrong."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.faults import faults
from safebelt.rooms.rulebook.decide.overlays import consolidate, in_order, text_on
from safebelt.rooms.rulebook.model import Fault, LawText, Overlay, OverlayStanding, Rulebook
from safebelt.rooms.rulebook.packs import build
from safebelt.rooms.rulebook.packs.documents import read_document
from safebelt.rooms.rulebook.packs.findings import HARMLESS, Finding, finding, unreadable
from safebelt.rooms.rulebook.packs.lints import LINTS_OF_AN_OVERLAY, lint
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.messages import few_suggestions
from safebelt.rooms.rulebook.packs.overlaying import overlay
from safebelt.rooms.rulebook.packs.schemas.others import CaseDoc, OverlayDoc
from safebelt.rooms.rulebook.packs.sources import Entry, Sources, add_overlay, read_sources

SUBJECT = Text(zh="法规文件夹", en="The folder of law")

PLACED = 50
"""Misfits of one overlay whose instruction is looked for; the rest are named at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A folder of law, read.

    Attributes:
        rulebook: What judgments take.
        cases: The cases beside the norms.
        warnings: What is odd but can be used.
    """

    rulebook: Rulebook
    cases: tuple[Entry[CaseDoc], ...]
    warnings: tuple[Finding, ...]


_DRAFTS = "drafts/"
"""Where drafts are, in the names of files."""


def load_law(folder: Path) -> Rulebook:
    """Read a folder of law.

    Raises:
        Unreadable: Something is wrong; `findings` has every error with its file and line.
    """
    return open_law(folder).rulebook


def open_law(folder: Path) -> Law:
    """Read a folder of law with its cases and warnings.

    A draft that cannot be used is left out, and what is wrong with it is a warning: a draft is not law, so it must not
    be able to take the law down.

    Raises:
        Unreadable: Something is wrong; `findings` has every error with its file and line.
    """
    sources = read_sources(folder)
    found = sorted(_of_drafts({*sources.findings, *lint(Index(sources))}, sources))
    if any(not one.is_warning for one in found):
        raise unreadable(SUBJECT, found)
    rulebook = rulebook_of(sources)
    misfits = set(overlays_fit(rulebook, sources))
    if any(not one.file.startswith(_DRAFTS) for one in misfits):
        raise unreadable(SUBJECT, misfits)
    if misfits:
        found = sorted((*found, *_of_drafts(misfits, sources)))
        rulebook = rulebook_of(sources)
    return Law(rulebook=rulebook, cases=tuple(sources.cases), warnings=tuple(found))


def _of_drafts(found: set[Finding], sources: Sources) -> Iterator[Finding]:
    """Yield the findings, errors in drafts as warnings, and take drafts with errors away."""
    of_drafts = {one for one in found if not one.is_warning and one.file.startswith(_DRAFTS)}
    broken = {one.file for one in of_drafts if one.rule not in HARMLESS}
    sources.overlays = [entry for entry in sources.overlays if entry.document.file not in broken]
    for one in found:
        yield replace(one, is_warning=True) if one in of_drafts else one


def rulebook_of(sources: Sources) -> Rulebook:
    """Put together what was read; the form has been checked."""
    overlays = _overlays(sources)
    return Rulebook(
        base=LawText(
            facts=_by_id(build.fact(e.doc, e.instrument) for e in _own(sources.facts)),
            evidence=_by_id(build.evidence(e.doc) for e in sources.evidence),
            controls=_by_id(build.control_kind(e.doc) for e in sources.controls),
            instruments=_by_id(build.instrument(e.doc) for e in sources.instruments),
            provisions=_by_id(build.provision(e.doc, e.instrument) for e in _own(sources.provisions)),
            terms=_by_id(build.term(e.doc, e.instrument) for e in _own(sources.terms)),
            norms=_by_id(build.norm(e.doc, e.instrument) for e in _own(sources.norms)),
            parameters=_by_id(build.parameter(e.doc, e.instrument) for e in _own(sources.parameters)),
            derived=_by_id(build.derived(e.doc, e.instrument) for e in _own(sources.derived)),
        ),
        enacted=tuple(one for one in overlays if one.standing is OverlayStanding.ENACTED),
        drafts=tuple(one for one in overlays if one.standing is OverlayStanding.DRAFT),
        crosswalks=_by_id(build.crosswalk(e.doc) for e in sources.crosswalks),
    )


def _own(entries: list[Entry[Any]]) -> list[Entry[Any]]:
    return [entry for entry in entries if not entry.overlay]


def _by_id(made: Any) -> Mapping[str, Any]:
    return {one.id: one for one in made}


def _overlays(sources: Sources) -> tuple[Overlay, ...]:
    entries = sorted(sources.overlays, key=lambda entry: (entry.doc.id, entry.document.file))
    return tuple(overlay(entry.doc for entry in parts) for _, parts in groupby(entries, key=lambda entry: entry.doc.id))


def load_overlay(path: Path, rulebook: Rulebook) -> Overlay:
    """Read one overlay file, for example a draft somebody wants to try.

    Raises:
        Unreadable: Something is wrong; every error with its line.
    """
    return _overlay(path.read_bytes(), path.name, rulebook)


def read_overlay(source: str, rulebook: Rulebook) -> Overlay:
    """Read an overlay from text.

    Raises:
        Unreadable: Something is wrong; every error with its line.
    """
    return _overlay(source, "overlay.yaml", rulebook)


@few_suggestions()
def _overlay(raw: bytes | str, file: str, rulebook: Rulebook) -> Overlay:
    document = read_document(raw, file)
    found = list(document.findings)
    sources = Sources(folder=Path())
    if not found and not isinstance(document.data, dict):
        what = Text(zh="不是修改案。", en="This is no overlay.")
        hint = Text(zh="写明 id、title、instrument、changes 等。", en="Write id, title, instrument, changes and so on.")
        found.append(finding(document.where(), "form", what, hint))
    elif not found:
        add_overlay(sources, document, "")
        found += sources.findings
    if not found:
        found += _misfits(sources, rulebook)
    if any(not one.is_warning for one in found):
        raise unreadable(Text(zh="修改案", en="The overlay"), set(found))
    return overlay([sources.overlays[0].doc])


def _misfits(sources: Sources, rulebook: Rulebook) -> list[Finding]:
    """What does not fit the text as it reads when the overlay takes effect."""
    doc = sources.overlays[0].doc
    text = text_on(rulebook, doc.effective)
    index = Index(sources, base=text)
    found = [one for rule in LINTS_OF_AN_OVERLAY for one in rule(index) if not one.is_warning]
    return found or list(_placed(sources.overlays, text)) or list(_later(sources.overlays[0], rulebook))


def _later(entry: Entry[OverlayDoc], rulebook: Rulebook) -> Iterator[Finding]:
    """What an overlay would do to changes that take effect after it and are law already: they must still fit."""
    whole = replace(overlay([entry.doc]), standing=OverlayStanding.ENACTED)
    others = tuple(one for one in rulebook.enacted if one.id != whole.id)
    for day in sorted({one.effective for one in others if one.effective >= whole.effective}):
        due, with_it = (
            consolidate(rulebook.base, tuple(one for one in in_order(some) if one.effective <= day))
            for some in (others, (*others, whole))
        )
        known = {*due.faults, *faults(due.text)}
        new = [one for one in (*with_it.faults, *faults(with_it.text)) if one not in known]
        for fault in new:
            what = Text(
                zh=f"与 {day} 生效的文本不合：{fault.what.zh}",
                en=f"With the text of {day} it does not fit: {fault.what.en}",
            )
            yield finding(entry.where("effective"), "fits", what, fault.hint)
        if new:
            return


def _placed(parts: Sequence[Entry[OverlayDoc]], text: LawText) -> Iterator[Finding]:
    """What is wrong once an overlay is applied, each at the instruction after which it is."""
    whole = overlay(part.doc for part in parts)
    lines = [part.where("changes", place) for part in parts for place in range(len(part.doc.changes))]

    @cache
    def begun(place: int) -> tuple[Fault, ...]:
        return _faults(text, replace(whole, changes=whole.changes[: place + 1]))

    for number, fault in enumerate(begun(len(lines) - 1)):
        # Halving: a long draft is read a dozen times, not once for each of its instructions.
        first = bisect_left(range(len(lines) - 1), True, key=lambda place: fault in begun(place))
        yield finding(lines[first if number < PLACED else len(lines) - 1], "fits", fault.what, fault.hint)


def _faults(text: LawText, whole: Overlay) -> tuple[Fault, ...]:
    """What is wrong once an overlay is applied, and was not before."""
    done = consolidate(text, (whole,))
    before = frozenset(faults(text))
    return done.faults or tuple(fault for fault in faults(done.text) if fault not in before)


def overlays_fit(rulebook: Rulebook, sources: Sources) -> Iterator[Finding]:
    """Apply every overlay to the text as it reads on its day, and yield what does not fit.

    A rule of form sees each file as it is; this sees what is left after a repeal.
    """
    text = rulebook.base
    for one in in_order((*rulebook.enacted, *rulebook.drafts)):
        parts = sorted((e for e in sources.overlays if e.doc.id == one.id), key=lambda entry: entry.document.file)
        found = list(_placed(parts, text))
        yield from found
        if one.standing is OverlayStanding.ENACTED and not found:
            text = consolidate(text, (one,)).text
