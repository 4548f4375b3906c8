"""Look into the law's text: find norms and provisions, who must do what in which class, what begins next, what changed.

Pure, like `decide`; both doors that show the law, pages and API, ask here so that they cannot tell different things.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from safebelt.kernel.conditions import Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide
from safebelt.rooms.rulebook.model import (
    BEARERS,
    Bearer,
    Changed,
    ClassLabel,
    Fact,
    Instrument,
    Kind,
    LawText,
    Modality,
    Norm,
    Overlay,
    Part,
    Provision,
    Rulebook,
    Status,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which norms are looked for; what is left empty does not narrow.

    Attributes:
        search: Words that must all occur, in either language or in an id.
        class_id: A class of `instrument`: norms whose condition asks for it.
        in_force: Norms that are in force on that day in at least one case, by their literal dates.
        bites: Norms that can first bite on that day.
    """

    search: str = ""
    jurisdiction: str = ""
    instrument: str = ""
    class_id: str = ""
    kind: Kind | None = None
    bearer: Bearer | None = None
    modality: Modality | None = None
    status: Status | None = None
    red_line: bool = False
    in_force: date | None = None
    bites: date | None = None


def bites(norm: Norm) -> date:
    """Return the first day a norm can bite where no other start is chosen by the facts."""
    return norm.effective.from_ if norm.effective else norm.in_force.from_


def starts(norm: Norm) -> tuple[date, ...]:
    """Return every literal day a norm may begin on, by the facts, earliest first."""
    return tuple(sorted({norm.in_force.from_, *(one.from_ for one in norm.starts)}))


def can_be_in_force(norm: Norm, on: date) -> bool:
    """Whether a norm is in force on a day in at least one case."""
    until = norm.in_force.until
    return starts(norm)[0] <= on and (until is None or on < until)


# ---- finding


def norms(text: LawText, wanted: Wanted) -> tuple[Norm, ...]:
    """Return the norms sought: those that bite first in front, on one day in the order of the law."""
    words, members = sought(wanted.search), class_members(text, wanted.instrument, wanted.class_id)
    found = (
        one
        for one in text.norms.values()
        if _is_wanted(text, one, wanted)
        and (members is None or one.id in members)
        and (not words or _occur(words, _haystack(text)[one.id]))
    )
    return tuple(sorted(found, key=bites))


def _is_wanted(text: LawText, norm: Norm, wanted: Wanted) -> bool:
    instrument = text.instruments[norm.instrument]
    asked = (
        (wanted.jurisdiction, instrument.jurisdiction),
        (wanted.instrument, norm.instrument),
        (wanted.kind, instrument.kind),
        (wanted.bearer, norm.bearer),
        (wanted.modality, norm.modality),
        (wanted.status, norm.status),
        (wanted.red_line, norm.red_line),
        (wanted.bites, bites(norm)),
    )
    if any(want and want != has for want, has in asked):
        return False
    return wanted.in_force is None or can_be_in_force(norm, wanted.in_force)


def provisions(text: LawText, *, search: str = "", instrument: str = "") -> tuple[Provision, ...]:
    """Return provisions whose id, place, title or summary holds every word sought, in the order of the law."""
    words = sought(search)
    return tuple(
        one
        for one in text.provisions.values()
        if (not instrument or one.instrument == instrument) and (not words or _occur(words, _provision_words(one)))
    )


_ARTICLE = re.compile(r"\bart(?:icle|\.)?\s*([0-9]+[a-z]*)(?:\s*\(([0-9]+[a-z]*)\))?(?:\s*\(([a-z]+)\))?")
_TIAO = re.compile(r"第?\s*([0-9]+[a-z]*)\s*条(?:\s*第\s*([0-9]+[a-z]*)\s*款)?()")


def sought(search: str) -> list[str]:
    """Return the words of a search; a place written as lawyers do becomes the id it has here.

    Example:
        >>> sought("Art. 26(2) oversight"), sought("第26条")
        (['#art_26__para_2__', 'oversight'], ['#art_26__'])
    """
    words = _TIAO.sub(_as_eid, _ARTICLE.sub(_as_eid, search.casefold()))
    return words.split()


def _as_eid(found: re.Match[str]) -> str:
    steps = zip(("art", "para", "point"), found.groups(), strict=True)
    return " #" + "".join(f"{kind}_{number}__" for kind, number in steps if number) + " "


def _occur(words: Iterable[str], hay: str) -> bool:
    return all(word in hay for word in words)


@lru_cache(maxsize=8)
def _haystack(text: LawText) -> Mapping[str, str]:
    """Everything a norm may be found by.  A state of the text is one object, so it is put together once."""
    return {one.id: _norm_words(one, text) for one in text.norms.values()}


def _norm_words(norm: Norm, text: LawText) -> str:
    instrument = text.instruments[norm.instrument]
    said = (norm.title, norm.says, instrument.short, instrument.title, BEARERS[norm.bearer])
    places = (f"{cite}__" for cite in norm.cites)
    return " ".join((norm.id, *places, *(f"{one.zh} {one.en}" for one in said))).casefold()


def _provision_words(one: Provision) -> str:
    said = (one.summary, *((one.title,) if one.title else ()))
    return " ".join((f"{one.id}__", *(f"{each.zh} {each.en}" for each in said))).casefold()


def mentions(one: Fact, search: str) -> bool:
    """Whether a fact's id, label, question or options hold every word sought."""
    said: list[Text] = [one.label, one.question, *(option.label for option in one.options)]
    ids = (one.id, *(option.id for option in one.options))
    hay = " ".join((*ids, *(f"{text.zh} {text.en}" for text in said))).casefold()
    return all(word in hay for word in search.casefold().split())


# ---- what points at what


@dataclass(frozen=True, slots=True, kw_only=True)
class Citing:
    """What of the rulebook rests on one provision."""

    norms: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@lru_cache(maxsize=8)
def citing(text: LawText) -> Mapping[str, Citing]:
    """Return provision id to what cites it; a provision nothing cites is left out."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for kind, name, cites in _cites(text):
        for cite in cites:
            found.setdefault(cite, {}).setdefault(kind, {})[name] = None
    return {cite: Citing(**{kind: tuple(names) for kind, names in by.items()}) for cite, by in found.items()}


def _cites(text: LawText) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for norm in text.norms.values():
        yield "norms", norm.id, (*norm.cites, *(cite for start in norm.starts for cite in start.cites))
    for term in text.terms.values():
        yield "terms", term.id, term.cites
    for instrument in text.instruments.values():
        for one in instrument.classes:
            yield "classes", f"{instrument.id}.{one.id}", one.cites


def users_of_term(text: LawText, term: str) -> tuple[str, ...]:
    """Return the norms whose condition, exception or trigger names a term itself."""
    return tuple(
        norm.id
        for norm in text.norms.values()
        if any(term in _leaf_names(one) for one in (norm.when, norm.unless, norm.upon) if one)
    )


def _leaf_names(condition: Condition) -> set[str]:
    own = set(condition.names) if condition.form == "term" else set()
    return own.union(*(_leaf_names(part) for part in condition.parts))


# ---- who must do what in which class


def class_members(text: LawText, instrument: str, class_id: str) -> frozenset[str] | None:
    """Return the norms of an instrument that make a class, or ask for it by its term; None where no class is asked for.

    A class that is what is left of others (*minimal*, *out of scope*) has no norms of its own.
    """
    if not class_id:
        return None
    found = text.instruments.get(instrument)
    label = next((one for one in found.classes if one.id == class_id), None) if found else None
    if label is None or label.when.form not in ("term", "applies"):
        return frozenset()
    _terms, made_of = _asked(text, label.when)
    names = _ways(text, label.when)
    mine = (one for one in text.norms.values() if one.instrument == instrument)
    return frozenset(one.id for one in mine if one.id in made_of or names & _asked(text, one.when)[0])


def _ways(text: LawText, condition: Condition) -> set[str]:
    """Terms each of which is enough for a condition to hold."""
    if condition.form == "any":
        return set().union(*(_ways(text, part) for part in condition.parts))
    if condition.form != "term" or len(condition.names) != 1:
        return set()
    (name,) = condition.names
    found = text.terms.get(name)
    return {name, *(_ways(text, found.when) if found and found.unless is None else ())}


def _asked(text: LawText, condition: Condition | None) -> tuple[set[str], set[str]]:
    """Terms that must or may hold for a condition to, and norms that must or may apply; nothing under a *not*."""
    terms: set[str] = set()
    applying: set[str] = set()
    waiting = [condition] if condition else []
    while waiting:
        one = waiting.pop()
        if one.form in ("all", "any"):
            waiting += one.parts
        elif one.form == "applies":
            applying.update(one.names)
        elif one.form == "term":
            new = [name for name in one.names if name not in terms]
            terms.update(new)
            waiting += [text.terms[name].when for name in new if name in text.terms]
    return terms, applying


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """How many norms lie on whom in which class.

    Attributes:
        classes: Those that some norm asks for, strictest first.
        rows: Bearer, then a count for each of `classes`, then those that ask for none of them, then all.
    """

    classes: tuple[ClassLabel, ...]
    rows: tuple[tuple[Bearer, tuple[int, ...], int, int], ...]


def grid(text: LawText, instrument: Instrument) -> Grid:
    """Count an instrument's norms by bearer and class."""
    members = {one.id: class_members(text, instrument.id, one.id) or frozenset() for one in instrument.classes}
    kept = tuple(one for one in instrument.classes if members[one.id])
    sorted_ids = frozenset().union(*members.values())
    by_bearer: dict[Bearer, list[str]] = {}
    for norm in text.norms.values():
        if norm.instrument == instrument.id:
            by_bearer.setdefault(norm.bearer, []).append(norm.id)
    rows = tuple(
        (
            bearer,
            tuple(sum(name in members[one.id] for name in mine) for one in kept),
            sum(name not in sorted_ids for name in mine),
            len(mine),
        )
        for bearer, mine in sorted(by_bearer.items(), key=lambda pair: -len(pair[1]))
    )
    return Grid(classes=kept, rows=rows)


# ---- dates


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What begins or ends on one day in one instrument.

    Attributes:
        begin: Norms that can first bite on that day.
        end: Norms that are in force until that day.
        begin_by_facts: Norms that begin on that day only in the cases they name.
        overlays: Changes of the text that take effect.
        milestones: `adopted`, `published`, `in_force` of the instrument itself.
    """

    on: date
    instrument: str
    begin: tuple[str, ...] = ()
    begin_by_facts: tuple[str, ...] = ()
    end: tuple[str, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    milestones: tuple[str, ...] = ()


@dataclass(slots=True)
class _Gathered:
    begin: list[str] = field(default_factory=list)
    begin_by_facts: list[str] = field(default_factory=list)
    end: list[str] = field(default_factory=list)
    overlays: list[Overlay] = field(default_factory=list)
    milestones: list[str] = field(default_factory=list)


def days(text: LawText, rulebook: Rulebook, instruments: Collection[str] | None = None) -> tuple[Day, ...]:
    """Return every dated day of instruments (of all, if None is given), in order."""
    found: dict[tuple[date, str], _Gathered] = {}

    def at(on: date, instrument: str) -> _Gathered:
        return found.setdefault((on, instrument), _Gathered())

    for name, instrument in text.instruments.items():
        for milestone, on in instrument.dates.items():
            at(on, name).milestones.append(milestone)
    for norm in text.norms.values():
        at(bites(norm), norm.instrument).begin.append(norm.id)
        for start in {one.from_ for one in norm.starts} - {bites(norm)}:
            at(start, norm.instrument).begin_by_facts.append(norm.id)
        if norm.in_force.until:
            at(norm.in_force.until, norm.instrument).end.append(norm.id)
    for overlay in rulebook.enacted:
        at(overlay.effective, overlay.instrument).overlays.append(overlay)
    return tuple(
        Day(
            on=on,
            instrument=name,
            begin=tuple(one.begin),
            begin_by_facts=tuple(one.begin_by_facts),
            end=tuple(one.end),
            overlays=tuple(one.overlays),
            milestones=tuple(one.milestones),
        )
        for (on, name), one in sorted(found.items(), key=lambda pair: pair[0])
        if instruments is None or name in instruments
    )


# ---- what amendments changed


@lru_cache(maxsize=8)
def changes(rulebook: Rulebook) -> tuple[Changed, ...]:
    """Return everything enacted overlays did, in the order they take effect."""
    return decide.consolidate(rulebook.base, in_order(rulebook.enacted)).changes


def in_order(overlays: Iterable[Overlay]) -> tuple[Overlay, ...]:
    """Return overlays by the day they take effect."""
    return tuple(sorted(overlays, key=lambda one: (one.effective, one.id)))


def history(rulebook: Rulebook, part: Part, name: str) -> tuple[Changed, ...]:
    """Return what overlays did to one entry, in order."""
    return tuple(one for one in changes(rulebook) if one.part is part and one.id == name)


def overlay(rulebook: Rulebook, name: str) -> Overlay:
    """Return an enacted overlay by id."""
    return next(one for one in rulebook.enacted if one.id == name)
