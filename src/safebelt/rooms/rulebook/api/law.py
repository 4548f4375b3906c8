"""`/api/rulebook`: instruments, norms, provisions, and reviews of how norms are read."""

from pathlib import PurePosixPath
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.api import reading_words as shape
from safebelt.rooms.rulebook.api.reading_words import InstrumentId, Name, OnDay, PageNumber, PageSize, Words
from safebelt.rooms.rulebook.decide.showing import norm_data
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, Bearer, Changed, Kind, Modality, Norm, Part, Status
from safebelt.rooms.rulebook.model.deeds import Reviewed, ReviewNorm
from safebelt.rooms.rulebook.service import Rules, looking
from safebelt.rooms.rulebook.service.deciding import norm_digest
from safebelt.web.openapi import problems
from safebelt.web.security import requires

PathOf = Annotated[PurePosixPath, PathParameter(description="An id; slashes may stand in it as they are.")]


class LawApi(Controller):
    """`/api/rulebook`: the law as it is read."""

    path = "/api/rulebook"
    tags = ("rulebook",)

    @get("/instruments", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems(Invalid))
    def instruments(self, rulebook: NamedDependency[Rules], on: OnDay = "") -> list[shape.InstrumentLine]:
        """List every instrument in the rulebook."""
        text = rulebook.text(shape.day(on))
        return [shape.instrument_line(one, text) for one in text.instruments.values()]

    @get(
        "/instruments/{name:path}",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound, Invalid),
    )
    def instrument(self, rulebook: NamedDependency[Rules], name: PathOf, on: OnDay = "") -> shape.InstrumentShown:
        """Return one instrument: what it is, its classes, its calendar, its amendments, how complete it is."""
        day = shape.day(on) or rulebook.today()
        text, book = rulebook.text(day), rulebook.rulebook
        (wanted,) = rulebook.known((str(name).strip("/"),))
        one = text.instruments[wanted]
        counts = next(each for each in packs.completeness(book, rulebook.law.cases) if each.instrument == wanted)
        return shape.InstrumentShown(
            line=shape.instrument_line(one, text),
            authority=one.authority,
            identifiers=list(one.identifiers),
            dates=dict(one.dates),
            languages=list(one.languages),
            text_licence=one.text_licence,
            scope_note=one.scope_note,
            classes=shape.classes_shown(one, text, day),
            counts=counted(counts),
            calendar=[_day(each) for each in looking.days(text, book, [wanted])],
            amendments=_amendments(rulebook, wanted),
        )

    @get("/norms", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems(NotFound, Invalid))
    def norms(
        self,
        *,
        rulebook: NamedDependency[Rules],
        search: Words = "",
        jurisdiction: Annotated[str, QueryParameter(max_length=20)] = "",
        instrument: InstrumentId = "",
        class_id: Annotated[str, QueryParameter(name="class", max_length=80, description="Of `instrument`.")] = "",
        kind: Annotated[Kind | None, QueryParameter()] = None,
        bearer: Annotated[Bearer | None, QueryParameter()] = None,
        modality: Annotated[Modality | None, QueryParameter()] = None,
        status: Annotated[Status | None, QueryParameter()] = None,
        red_line: Annotated[bool, QueryParameter(description="Only red lines.")] = False,
        in_force: Annotated[str, QueryParameter(pattern=shape.DAY, description="In force on this day.")] = "",
        page: PageNumber = 1,
        size: PageSize = 50,
    ) -> shape.NormPage:
        """List norms, those that begin to apply first in front."""
        rulebook.known((instrument,) if instrument else ())
        wanted = looking.Wanted(
            search=search,
            jurisdiction=jurisdiction,
            instrument=instrument,
            class_id=class_id,
            kind=kind,
            bearer=bearer,
            modality=modality,
            status=status,
            red_line=red_line,
            in_force=shape.day(in_force, "in_force"),
        )
        text = rulebook.text(wanted.in_force)
        found = looking.norms(text, wanted)
        items = [shape.norm_line(one, text) for one in shape.page_of(found, page, size)]
        return shape.NormPage(items=items, total=len(found), page=page, size=size)

    @get(
        "/norms/{name:str}",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound, Invalid),
    )
    def norm(self, rulebook: NamedDependency[Rules], name: Name, on: OnDay = "") -> shape.NormShown:
        """Return one norm: duty, bearer, dates, condition in words, what it rests on, reviews."""
        day = shape.day(on) or rulebook.today()
        text, found = rulebook.text(day), rulebook.norm(name, day)
        return shape.NormShown(
            norm=norm_data(found, text, day),
            overridden_by=[one.id for one in text.norms.values() if name in one.overrides],
            changed_by=[one.overlay for one in looking.history(rulebook.rulebook, Part.NORM, name)],
            reviews=[_review(one, found) for one in rulebook.reviews(name)],
            notice=NOT_LEGAL_ADVICE,
        )

    @post(
        "/norms/{name:str}/reviews",
        sync_to_thread=True,
        guards=[requires("rulebook.review")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def review(
        self,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        name: Name,
        data: JSONBody[ReviewNorm],
    ) -> Reviewed:
        """Record what you make of how a norm is read; two different people should."""
        return rulebook.review(name, data, by=by)

    @get("/reviews", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def reviews(
        self, rulebook: NamedDependency[Rules], norm: Annotated[str, QueryParameter(max_length=200)] = ""
    ) -> list[shape.ReviewShown]:
        """List reviews, of one norm where given, latest first."""
        norms = rulebook.text().norms
        return [_review(one, norms.get(one.norm)) for one in rulebook.reviews() if norm in {"", one.norm}]

    @get("/provisions", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems(NotFound, Invalid))
    def provisions(
        self,
        *,
        rulebook: NamedDependency[Rules],
        search: Words = "",
        instrument: InstrumentId = "",
        on: OnDay = "",
        page: PageNumber = 1,
        size: PageSize = 50,
    ) -> shape.ProvisionPage:
        """List provisions in our words, in the order of the law, with the norms that cite each."""
        rulebook.known((instrument,) if instrument else ())
        text = rulebook.text(shape.day(on))
        found = looking.provisions(text, search=search, instrument=instrument)
        items = [shape.provision_shown(one, text) for one in shape.page_of(found, page, size)]
        return shape.ProvisionPage(items=items, total=len(found), page=page, size=size)

    @get(
        "/provisions/{name:path}",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound, Invalid),
    )
    def provision(self, rulebook: NamedDependency[Rules], name: PathOf, on: OnDay = "") -> shape.ProvisionShown:
        """Return one provision; in its id a slash may stand for the hash: `eu/ai-act/art_26__para_2`."""
        text, wanted = rulebook.text(shape.day(on)), str(name).strip("/")
        instrument, _, eid = wanted.rpartition("/")
        found = text.provisions.get(wanted) or text.provisions.get(f"{instrument}#{eid}")
        if found is None:
            raise NotFound(
                what=Text(zh=f"规则库中没有条款“{wanted}”。", en=f"The rulebook has no provision {wanted!r}."),
                hint=Text(zh="请在 /api/rulebook/provisions 中查找。", en="Look for it in /api/rulebook/provisions."),
            )
        return shape.provision_shown(found, text)


API: tuple[type[Controller], ...] = (LawApi,)


def counted(one: packs.Completeness) -> shape.Counts:
    """Return a row of the completeness table."""
    return shape.Counts(
        instrument=one.instrument,
        title=one.title,
        kind=one.kind,
        provisions=one.provisions,
        duties=one.duties,
        with_norm=one.with_norm,
        without_norm=one.without_norm,
        missing=list(one.missing),
        verified=one.verified,
        unverified=one.unverified,
        cases=one.cases,
    )


def _day(one: looking.Day) -> shape.DayShown:
    return shape.DayShown(
        on=one.on,
        milestones=list(one.milestones),
        begin=list(one.begin),
        begin_by_facts=list(one.begin_by_facts),
        end=list(one.end),
        amendments=[each.id for each in one.overlays],
    )


def _amendments(rules: Rules, instrument: str) -> list[shape.AmendmentShown]:
    book = rules.rulebook
    return [
        shape.AmendmentShown(
            id=one.id,
            title=one.title,
            effective=one.effective,
            url=one.url,
            changes=[_change(each) for each in looking.changes(book) if each.overlay == one.id],
        )
        for one in looking.in_order(book.enacted)
        if one.instrument == instrument
    ]


def _change(one: Changed) -> dict[str, object]:
    return {
        "deed": one.deed.value,
        "part": one.part.value,
        "id": one.id,
        "fields": [each.field for each in one.fields],
    }


def _review(one: Reviewed, norm: Norm | None) -> shape.ReviewShown:
    return shape.ReviewShown(
        norm=one.norm,
        opinion=one.opinion.value,
        note=one.note,
        by=one.by,
        at=one.at,
        is_of_this_wording=norm is not None and one.sha256 == norm_digest(norm),
    )
