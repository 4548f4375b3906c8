"""What the law's JSON door answers with; law itself in both languages, conditions as trees of sentences."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from litestar.params import KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide import dates, showing
from safebelt.rooms.rulebook.model import (
    Basis,
    Bearer,
    Identifier,
    Instrument,
    Kind,
    LawText,
    Modality,
    Norm,
    Provision,
    Standing,
    Status,
)
from safebelt.rooms.rulebook.service import looking
from safebelt.web.problems import invalid_field

DAY = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$"
"""A calendar day, and not `date`: a query's text would then also be read as seconds since 1970."""
MOST_IDS = 200

OnDay = Annotated[str, QueryParameter(pattern=DAY, description="A day such as 2026-11-22; empty for today.")]
Words = Annotated[str, QueryParameter(max_length=200, description="Every word must occur, in either language.")]
InstrumentId = Annotated[str, QueryParameter(max_length=80, description="An instrument's id, such as `eu/ai-act`.")]
Name = Annotated[str, PathParameter(description="An id.")]
PageNumber = Annotated[int, QueryParameter(ge=1, le=10_000)]
PageSize = Annotated[int, QueryParameter(ge=1, le=200)]
_Id = Annotated[str, msgspec.Meta(max_length=120)]
Ids = Annotated[list[_Id], msgspec.Meta(max_length=MOST_IDS), KwargDefinition(max_items=MOST_IDS)]

One = TypeVar("One")


def day(typed: str, name: str = "on") -> date | None:
    """Return the day a query names; None where it is empty.

    Raises:
        Invalid: There is no such day.
    """
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise invalid_field(
            name,
            Text(zh=f"没有 {typed} 这一天。", en=f"There is no day {typed}."),
            Text(zh="请核对日期。", en="Check the date."),
        ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How complete the files of one instrument are."""

    instrument: str
    title: Text
    kind: Kind
    provisions: int
    duties: int
    with_norm: int
    without_norm: int
    missing: list[str]
    verified: int
    unverified: int
    cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentLine:
    """An instrument in a list."""

    id: str
    kind: Kind
    jurisdiction: str
    title: Text
    short: Text
    standing: Standing
    basis: Basis
    url: str
    norms: int
    unverified: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassShown:
    """A class of systems; `when` is a tree of sentences."""

    id: str
    title: Text
    says: Text
    bars: bool
    cites: list[str]
    when: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayShown:
    """A day of an instrument's calendar; norms by id.

    Attributes:
        begin_by_facts: Norms that begin on it only in the cases they name.
        amendments: Ids of enacted amendments that take effect.
    """

    on: date
    milestones: list[str]
    begin: list[str]
    begin_by_facts: list[str]
    end: list[str]
    amendments: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentShown:
    """An enacted amendment, and which entries it changed how."""

    id: str
    title: Text
    effective: date
    url: str
    changes: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentShown:
    """An instrument whole, without the texts of its provisions and norms."""

    line: InstrumentLine
    authority: Text
    identifiers: list[Identifier]
    dates: dict[str, date]
    languages: list[str]
    text_licence: Text | None
    scope_note: Text | None
    classes: list[ClassShown]
    counts: Counts
    calendar: list[DayShown]
    amendments: list[AmendmentShown]


@dataclass(frozen=True, slots=True, kw_only=True)
class NormLine:
    """A norm in a list.

    Attributes:
        from_day: The first day it can bite, unless the facts choose another start.
        other_starts: Those other starts.
    """

    id: str
    instrument: str
    title: Text
    duty: Text
    kind: Modality
    bearer: Bearer
    cites: list[str]
    from_day: date
    other_starts: list[date]
    until: date | None
    due: Text | None
    red_line: bool
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class NormPage:
    """A page of norms, those that begin first in front."""

    items: list[NormLine]
    total: int
    page: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewShown:
    """A review, and whether the norm still reads as it did then."""

    norm: str
    opinion: str
    note: str
    by: str
    at: datetime
    is_of_this_wording: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NormShown:
    """A norm whole.

    Attributes:
        norm: As `safebelt rulebook explain --format json` gives it.
        overridden_by: Norms that defeat it where they apply.
        changed_by: Amendments that changed it, in order.
    """

    norm: dict[str, Any]
    overridden_by: list[str]
    changed_by: list[str]
    reviews: list[ReviewShown]
    notice: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionShown:
    """A provision in our words, and what rests on it."""

    id: str
    instrument: str
    eid: str
    title: Text | None
    summary: Text
    duty: bool
    no_norm: Text | None
    basis: Basis
    source: str
    norms: list[str]
    terms: list[str]
    classes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionPage:
    """A page of provisions, in the order of the law."""

    items: list[ProvisionShown]
    total: int
    page: int
    size: int


def page_of(found: tuple[One, ...], page: int, size: int) -> tuple[One, ...]:
    """Return one page of a list."""
    return found[(page - 1) * size : page * size]


def instrument_line(one: Instrument, text: LawText) -> InstrumentLine:
    """Return an instrument as lists show it."""
    mine = [norm for norm in text.norms.values() if norm.instrument == one.id]
    return InstrumentLine(
        id=one.id,
        kind=one.kind,
        jurisdiction=one.jurisdiction,
        title=one.title,
        short=one.short,
        standing=one.standing,
        basis=one.basis,
        url=one.url,
        norms=len(mine),
        unverified=sum(norm.status is Status.UNVERIFIED for norm in mine),
    )


def norm_line(one: Norm, text: LawText) -> NormLine:
    """Return a norm as lists show it."""
    begins = looking.bites(one)
    return NormLine(
        id=one.id,
        instrument=one.instrument,
        title=one.title,
        duty=one.says,
        kind=one.modality,
        bearer=one.bearer,
        cites=list(one.cites),
        from_day=begins,
        other_starts=[each for each in looking.starts(one) if each not in (begins, one.in_force.from_)],
        until=one.in_force.until,
        due=dates.says(text, one.due) if one.due else None,
        red_line=one.red_line,
        status=one.status,
    )


def provision_shown(one: Provision, text: LawText) -> ProvisionShown:
    """Return a provision with what rests on it."""
    citing = looking.citing(text).get(one.id, looking.Citing())
    return ProvisionShown(
        id=one.id,
        instrument=one.instrument,
        eid=one.eid,
        title=one.title,
        summary=one.summary,
        duty=one.duty,
        no_norm=one.no_norm,
        basis=one.basis,
        source=text.instruments[one.instrument].url,
        norms=list(citing.norms),
        terms=list(citing.terms),
        classes=list(citing.classes),
    )


def classes_shown(one: Instrument, text: LawText, on: date) -> list[ClassShown]:
    """Return an instrument's classes, strictest first."""
    return [
        ClassShown(
            id=each.id,
            title=each.title,
            says=each.says,
            bars=each.bars,
            cites=list(each.cites),
            when=showing.condition_data(each.when, text, on),
        )
        for each in one.classes
    ]
