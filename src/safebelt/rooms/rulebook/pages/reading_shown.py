"""What templates show of the law: shelves of instruments, norms by day, articles in order, one norm whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide import dates, saying
from safebelt.rooms.rulebook.decide.crosswalks import turned
from safebelt.rooms.rulebook.model import (
    RELATIONS,
    Instrument,
    LawText,
    Norm,
    Parameter,
    ParameterRef,
    Provision,
    Rulebook,
    Status,
)
from safebelt.rooms.rulebook.model.deeds import OPINIONS, Reviewed
from safebelt.rooms.rulebook.pages import words
from safebelt.rooms.rulebook.pages.cited import Cited, cited, place_of
from safebelt.rooms.rulebook.pages.reading_charts import Mark
from safebelt.rooms.rulebook.pages.reading_trees import Leaf, Node, tree
from safebelt.rooms.rulebook.service import looking
from safebelt.rooms.rulebook.service.deciding import norm_digest

# ---- the room's home


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """An instrument on its shelf."""

    instrument: Instrument
    norms: int
    unverified: int
    next_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The instruments of one jurisdiction."""

    id: str
    title: Text
    instruments: tuple[Shelved, ...]
    norms: int


def shelves(text: LawText, today: date) -> list[Shelf]:
    """Return instruments by jurisdiction, law before standards, those with most norms in front."""
    by_place: dict[str, list[Shelved]] = {name: [] for name in words.JURISDICTIONS}
    of: dict[str, list[Norm]] = {name: [] for name in text.instruments}
    for norm in text.norms.values():
        of[norm.instrument].append(norm)
    for instrument in text.instruments.values():
        by_place.setdefault(instrument.jurisdiction, []).append(_shelved(instrument, of[instrument.id], today))
    order = list(words.KINDS)
    return [
        Shelf(
            id=name,
            title=words.JURISDICTIONS.get(name, saying.same(name)),
            instruments=tuple(sorted(found, key=lambda one: (order.index(one.instrument.kind), -one.norms))),
            norms=sum(one.norms for one in found),
        )
        for name, found in by_place.items()
        if found
    ]


def _shelved(instrument: Instrument, norms: list[Norm], today: date) -> Shelved:
    return Shelved(
        instrument=instrument,
        norms=len(norms),
        unverified=sum(one.status is Status.UNVERIFIED for one in norms),
        next_on=min((looking.bites(one) for one in norms if looking.bites(one) > today), default=None),
    )


# ---- days


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShown:
    """One day of a calendar, in words."""

    day: looking.Day
    instrument: Instrument
    what: Text


def days_shown(days: Iterable[looking.Day], text: LawText) -> list[DayShown]:
    """Return days with what happens on them besides norms."""
    return [DayShown(day=one, instrument=text.instruments[one.instrument], what=_what(one)) for one in days]


def _what(day: looking.Day) -> Text:
    said = [words.MILESTONES.get(one, saying.same(one)) for one in day.milestones]
    said += [Text(zh="文本修改", en="text amended") for _ in day.overlays]
    if day.end:
        said.append(Text(zh=f"{len(day.end)} 条规则失效", en=f"{len(day.end)} end"))
    return Text(zh="、".join(one.zh for one in said), en=", ".join(one.en for one in said))


def marks(days: Iterable[looking.Day]) -> list[Mark]:
    """Return days as the picture takes them."""
    return [Mark(on=one.on, begin=len(one.begin), by_facts=len(one.begin_by_facts), what=_what(one)) for one in days]


# ---- norms in a list


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A norm as a list shows it.

    Attributes:
        also: Other days it may begin on, by the facts.
    """

    norm: Norm
    instrument: Instrument
    cites: tuple[Cited, ...]
    also: tuple[date, ...]
    due: Text | None


def by_day(norms: Sequence[Norm], text: LawText, today: date) -> list[tuple[date, bool, list[Line]]]:
    """Return norms under the day they can first bite, and whether that day is past."""
    return [(on, on <= today, [line(one, text) for one in same]) for on, same in groupby(norms, key=looking.bites)]


def line(norm: Norm, text: LawText) -> Line:
    """Return a norm as a list shows it."""
    return Line(
        norm=norm,
        instrument=text.instruments[norm.instrument],
        cites=tuple(cited(text, one) for one in norm.cites),
        also=tuple(day for day in looking.starts(norm) if day not in (looking.bites(norm), norm.in_force.from_)),
        due=dates.says(text, norm.due) if norm.due else None,
    )


# ---- an instrument's provisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A provision where it stands."""

    provision: Provision
    place: Text
    norms: tuple[Norm, ...]
    path: str


def articles(text: LawText, instrument: str) -> list[tuple[Text, list[Place]]]:
    """Return an instrument's provisions in order, under the article, annex or section they are in."""
    mine = [one for one in text.provisions.values() if one.instrument == instrument]
    citing = looking.citing(text)
    found = []
    for top, same in groupby(mine, key=lambda one: one.eid.split("__")[0]):
        places = [_placed(one, text, citing.get(one.id, looking.Citing()).norms) for one in same]
        found.append((place_of(top) or saying.same(top.replace("_", " ")), places))
    return found


def _placed(one: Provision, text: LawText, norms: Iterable[str]) -> Place:
    return Place(
        provision=one,
        place=place_of(one.eid) or one.title or saying.same(one.eid.replace("__", " · ").replace("_", " ")),
        norms=tuple(text.norms[name] for name in norms),
        path=f"rulebook/provisions/{one.id.replace('#', '/')}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """What rests on a provision."""

    norms: tuple[Norm, ...]
    terms: tuple[Leaf, ...]
    classes: tuple[Leaf, ...]


def resting(text: LawText, provision: str) -> Resting:
    """Return what cites a provision."""
    found = looking.citing(text).get(provision, looking.Citing())
    classes = []
    for name in found.classes:
        instrument, _, class_id = name.rpartition(".")
        label = next(one for one in text.instruments[instrument].classes if one.id == class_id)
        classes.append(Leaf(title=label.title, path=f"rulebook/instruments/{instrument}#class-{class_id}"))
    return Resting(
        norms=tuple(text.norms[name] for name in found.norms),
        terms=tuple(Leaf(title=text.terms[name].title, path=f"rulebook/terms/{name}") for name in found.terms),
        classes=tuple(classes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A provision of another instrument, and how it stands to the one shown."""

    relation: Text
    other: Cited
    why: Text
    basis: Text


def relations(book: Rulebook, text: LawText, provision: str) -> list[Related]:
    """Return the relations of a provision to those of other instruments, seen from it."""
    every = (each for one in book.crosswalks.values() for each in one.relations)
    mine = [one if one.a == provision else turned(one) for one in every if provision in (one.a, one.b)]
    return [
        Related(relation=RELATIONS[one.kind], other=cited(text, one.b), why=one.why, basis=words.BASES[one.basis])
        for one in mine
    ]


# ---- one norm whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """Everything about a norm, in words."""

    when: Node | None
    unless: Node | None
    upon: Node | None
    starts: tuple[tuple[date, Node | None, tuple[Cited, ...]], ...]
    due: Text | None
    evidence: tuple[Text, ...]
    controls: tuple[tuple[Text, Text | None, tuple[tuple[str, str], ...]], ...]
    overrides: tuple[Norm, ...]
    overridden_by: tuple[Norm, ...]
    cites: tuple[tuple[Cited, Provision | None], ...]
    penalty_cites: tuple[Cited, ...]
    bites: date


def whole(norm: Norm, text: LawText, today: date) -> Whole:
    """Return one norm in words."""
    return Whole(
        when=tree(norm.when, text, today),
        unless=tree(norm.unless, text, today),
        upon=tree(norm.upon, text, today),
        starts=tuple(
            (one.from_, tree(one.when, text, today, 1), tuple(cited(text, cite) for cite in one.cites))
            for one in norm.starts
        ),
        due=dates.says(text, norm.due) if norm.due else None,
        evidence=tuple(text.evidence[one].title for one in norm.evidence if one in text.evidence),
        controls=tuple(_control(one.kind, one.fields, text, today) for one in norm.controls),
        overrides=tuple(text.norms[one] for one in norm.overrides if one in text.norms),
        overridden_by=tuple(one for one in text.norms.values() if norm.id in one.overrides),
        cites=tuple((cited(text, one), text.provisions.get(one)) for one in norm.cites),
        penalty_cites=tuple(cited(text, one) for one in norm.penalty.cites) if norm.penalty else (),
        bites=looking.bites(norm),
    )


def _control(
    kind: str, fields: Any, text: LawText, today: date
) -> tuple[Text, Text | None, tuple[tuple[str, str], ...]]:
    """A measure's title, what it means, and its fields as a machine reads them."""
    known = text.controls.get(kind)
    values = tuple((name, _field(value, text, today)) for name, value in fields.items())
    return (known.title if known else saying.same(kind)), (known.says if known else None), values


def _field(value: Any, text: LawText, today: date) -> str:
    if isinstance(value, ParameterRef):
        return number_on(text.parameters[value.parameter], today)
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def number_on(parameter: Parameter, on: date) -> str:
    """Return a dated number as people write it, with its unit."""
    return f"{saying.number(parameter.on(on))} {parameter.unit}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewShown:
    """A review, and whether the norm still reads as it did then."""

    review: Reviewed
    opinion: Text
    is_of_this_wording: bool


def reviews(found: Iterable[Reviewed], norm: Norm) -> list[ReviewShown]:
    """Return reviews with whether they are of the wording shown."""
    digest = norm_digest(norm)
    return [
        ReviewShown(review=one, opinion=OPINIONS[one.opinion], is_of_this_wording=one.sha256 == digest) for one in found
    ]
