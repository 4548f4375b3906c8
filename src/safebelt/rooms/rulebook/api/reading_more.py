"""`/api/rulebook`: the law across instruments: crosswalks, coverage, completeness, facts, exports, covenants, gaps."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.api import reading_words as shape
from safebelt.rooms.rulebook.api.law import counted
from safebelt.rooms.rulebook.api.reading_words import Ids, InstrumentId, OnDay, Words
from safebelt.rooms.rulebook.decide.deeds import covenants
from safebelt.rooms.rulebook.exports.catalog import law_json, oscal_catalog
from safebelt.rooms.rulebook.model import Basis, Fact, FactType, Held, RelationKind, Subject
from safebelt.rooms.rulebook.model.deeds import Commitment, Gap
from safebelt.rooms.rulebook.service import Rules, looking
from safebelt.rooms.rulebook.service.bindings import AdoptCovenant, LeaveCovenant
from safebelt.web.openapi import problems
from safebelt.web.security import requires

TEMPLATE_TYPE = "text/plain; charset=utf-8"
"""YAML with its comments is what is handed out, so it is declared as the text it is."""


class Form(StrEnum):
    """In what form the law is exported."""

    OSCAL = "oscal"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """How a provision of `a` stands to one of `b`."""

    a: str
    b: str
    relation: RelationKind
    why: Text
    basis: Basis
    norms_a: list[str]
    norms_b: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalks:
    """The relations asked for, and which pairs of instruments have any written."""

    relations: list[Relation]
    written: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AskCoverage:
    """What somebody holds.

    Attributes:
        evidence: Ids of kinds of evidence.
        instruments: Only these; all, if empty.
    """

    evidence: Ids
    instruments: Ids = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far evidence reaches in one instrument: norm id to how much of its evidence is held."""

    instrument: str
    norms: dict[str, Held]
    counts: dict[str, int]
    lacking: dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaches:
    """How far evidence reaches, and what that does not say."""

    reach: list[Reach]
    notice: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionShown:
    """One of the values a fact may have."""

    id: str
    label: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class FactShown:
    """Something that can be known, and the question that asks for it."""

    id: str
    type: FactType
    subject: Subject
    label: Text
    question: Text
    help: Text | None
    source: Text | None
    unit: str
    options: list[OptionShown]
    instrument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CovenantShown:
    """A covenant, its norms, and who is or was bound."""

    id: str
    instrument: str
    title: Text
    norms: list[str]
    commitments: list[Commitment]


NOTICE = Text(zh="持有证据不等于义务已经履行。", en="Holding evidence does not say that a duty is met.")


class MoreApi(Controller):
    """`/api/rulebook`: the law across instruments."""

    path = "/api/rulebook"
    tags = ("rulebook",)

    @get("/crosswalks", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems(NotFound))
    def crosswalks(self, rulebook: NamedDependency[Rules], a: InstrumentId = "", b: InstrumentId = "") -> Crosswalks:
        """Show how the provisions of two instruments relate, seen from the first."""
        rulebook.known(one for one in (a, b) if one)
        book = rulebook.rulebook
        return Crosswalks(
            relations=[
                Relation(
                    a=one.a.id,
                    b=one.b.id,
                    relation=one.relation,
                    why=one.why,
                    basis=one.basis,
                    norms_a=list(one.norms_a),
                    norms_b=list(one.norms_b),
                )
                for one in decide.crosswalk(book, rulebook.text(), a, b)
            ],
            written=[(one.a, one.b) for one in book.crosswalks.values()],
        )

    @post(
        "/coverage",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound, has_body=True),
    )
    def coverage(self, rulebook: NamedDependency[Rules], data: JSONBody[AskCoverage]) -> Reaches:
        """Show how far evidence reaches in each regime; it never says that a duty is met."""
        held, asked = rulebook.known_evidence(data.evidence), rulebook.known(data.instruments)
        found = decide.coverage(rulebook.text(), held, asked or None)
        reach = [
            Reach(
                instrument=one.instrument,
                norms=dict(one.norms),
                counts={how.value: one.count(how) for how in Held},
                lacking={name: list(ids) for name, ids in one.lacking.items()},
            )
            for one in found.values()
        ]
        return Reaches(reach=reach, notice=NOTICE)

    @get("/completeness", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def completeness(self, rulebook: NamedDependency[Rules]) -> list[shape.Counts]:
        """Show, per instrument, how many provisions have a norm and how many norms are verified."""
        return [counted(one) for one in packs.completeness(rulebook.rulebook, rulebook.law.cases)]

    @get("/facts", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def facts(self, rulebook: NamedDependency[Rules], search: Words = "") -> list[FactShown]:
        """List the facts norms ask about, as they are asked for."""
        found = (one for one in rulebook.text().facts.values() if looking.mentions(one, search))
        return [_fact(one) for one in sorted(found, key=lambda one: (one.rank, one.id))]

    @get("/schema", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def schema(self, rulebook: NamedDependency[Rules]) -> dict[str, Any]:
        """Return the JSON Schema of a described system."""
        return packs.description_schema(rulebook.rulebook)

    @get(
        "/template",
        sync_to_thread=True,
        media_type=TEMPLATE_TYPE,
        guards=[requires("rulebook.read")],
        responses=problems(NotFound),
    )
    def template(
        self,
        rulebook: NamedDependency[Rules],
        language: Annotated[Lang, QueryParameter()] = "en",
        instrument: InstrumentId = "",
    ) -> Response[str]:
        """Return a descriptor to fill in, YAML, with every question as a comment."""
        asked = rulebook.known((instrument,) if instrument else ())
        return Response(packs.template(rulebook.rulebook, language, asked or None), media_type=TEMPLATE_TYPE)

    @get("/export", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems(NotFound, Invalid))
    def export(
        self,
        rulebook: NamedDependency[Rules],
        form: Annotated[Form, QueryParameter(description="An OSCAL catalog, or all of it as JSON.")] = Form.OSCAL,
        instrument: InstrumentId = "",
        on: OnDay = "",
    ) -> dict[str, Any]:
        """Return the law for other tools."""
        asked, day = rulebook.known((instrument,) if instrument else ()), shape.day(on) or rulebook.today()
        text = rulebook.text(day)
        if form is Form.OSCAL:
            return oscal_catalog(text, at=rulebook.now(), instruments=asked)
        return law_json(text, on=day, instruments=asked)

    @get("/covenants", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def covenants(self, rulebook: NamedDependency[Rules]) -> list[CovenantShown]:
        """List covenants with their norms and who is bound."""
        text = rulebook.text()
        return [
            CovenantShown(
                id=name,
                instrument=instrument,
                title=text.instruments[instrument].title,
                norms=[one.id for one in text.norms.values() if one.instrument == instrument],
                commitments=rulebook.commitments(covenant=name),
            )
            for name, instrument in covenants(text).items()
        ]

    @post(
        "/covenants/adopt",
        sync_to_thread=True,
        guards=[requires("rulebook.describe")],
        responses=problems(NotFound, Conflict, has_body=True),
    )
    def adopt(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], data: JSONBody[AdoptCovenant]
    ) -> Commitment:
        """Bind a party by a covenant from today."""
        return rulebook.adopt_covenant(data.party, data.covenant, by=by)

    @post(
        "/covenants/leave",
        sync_to_thread=True,
        guards=[requires("rulebook.describe")],
        responses=problems(NotFound, Invalid, has_body=True),
    )
    def leave(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], data: JSONBody[LeaveCovenant]
    ) -> list[Commitment]:
        """End a commitment today; returns the party's commitments as they are then."""
        rulebook.leave_covenant(data.party, data.covenant, reason=data.reason, by=by)
        return rulebook.commitments(party=data.party)

    @get("/gaps", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def gaps(self, rulebook: NamedDependency[Rules]) -> list[Gap]:
        """List incidents, complaints and sandbox findings that met no norm, latest first."""
        return rulebook.gaps()


API: tuple[type[Controller], ...] = (MoreApi,)


def _fact(one: Fact) -> FactShown:
    return FactShown(
        id=one.id,
        type=one.type,
        subject=one.subject,
        label=one.label,
        question=one.question,
        help=one.help,
        source=one.source,
        unit=one.unit,
        options=[OptionShown(id=each.id, label=each.label) for each in one.options],
        instrument=one.instrument,
    )
