"""`/api/rulebook/drafts` and `/impact`: what a change of the law says, whom it touches, and two people's decision."""

from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.access.service import Access
from safebelt.rooms.rulebook.api.judging import overlay_of
from safebelt.rooms.rulebook.decide.contract import words
from safebelt.rooms.rulebook.exports.impact import impact_data, reform_data
from safebelt.rooms.rulebook.model.deeds import Adoption
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.deciding import ADOPT
from safebelt.rooms.rulebook.service.weighing import LISTED, Whom
from safebelt.web.openapi import problems
from safebelt.web.security import requires

DraftText = Annotated[str, msgspec.Meta(min_length=1), KwargDefinition(min_length=1)]
"""Its reader takes no more than a megabyte, and says so."""

ProposalId = Annotated[str, PathParameter(description="Id, `prp_…`.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactRequest:
    """Weigh a change of the law.

    Attributes:
        overlay: Id of a known one, for example `eu/ai-act@2026-1744`; or the text of a draft, YAML.
        population: The register, or the described examples.
        on: The day judged on; the first day of the change, if none is given.
        listed: How many of the affected systems are listed one by one, at most 10,000; counts are exact whatever it
            is.
    """

    overlay: DraftText
    population: Whom = Whom.REGISTER
    on: date | None = None
    listed: int = LISTED


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRequest:
    """A draft, as YAML text."""

    draft: DraftText


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProposal:
    """A draft, as YAML text, and why it should judge."""

    draft: DraftText
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftAnswer:
    """A second person's reason; it goes to the ledger."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftsNow:
    """Every change of the law this house knows, and what waits for a second person.

    Attributes:
        unfit: Adopted drafts that no longer fit the law and so do not judge, with what is wrong.
    """

    overlays: list[dict[str, Any]]
    adoptions: list[Adoption]
    unfit: list[dict[str, Any]]
    proposals: list[Proposal]


class DraftsApi(Controller):
    """`/api/rulebook`: changes of the law."""

    path = "/api/rulebook"
    tags = ("rulebook",)

    @post(
        "/impact",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("rulebook.read")],
        responses=problems(Invalid, NotFound, has_body=True),
    )
    def weigh(self, rulebook: NamedDependency[Rules], data: JSONBody[ImpactRequest]) -> dict[str, Any]:
        """Weigh a change of the law on a population: who changes class or duties.  Nothing is remembered."""
        overlay = overlay_of(rulebook, data.overlay)
        return impact_data(rulebook.impact(overlay, data.population, on=data.on, listed=data.listed))

    @get(
        "/impact/{overlay_id:path}",
        sync_to_thread=True,
        guards=[requires("rulebook.read")],
        responses=problems(Invalid, NotFound),
    )
    def weigh_known(
        self,
        rulebook: NamedDependency[Rules],
        overlay_id: Annotated[PurePosixPath, PathParameter(description="For example `eu/ai-act@2026-1744`.")],
        population: Annotated[Whom, QueryParameter()] = Whom.REGISTER,
        on: Annotated[date | None, QueryParameter()] = None,
    ) -> dict[str, Any]:
        """Weigh an amendment, or a draft that comes with the law, on a population."""
        overlay = rulebook.overlay(str(overlay_id).strip("/"))
        return impact_data(rulebook.impact(overlay, population, on=on))

    @get("/drafts", sync_to_thread=True, guards=[requires("rulebook.read")], responses=problems())
    def drafts(self, rulebook: NamedDependency[Rules], access: NamedDependency[Access]) -> DraftsNow:
        """List amendments and drafts, the adoptions of this house, and proposals."""
        return DraftsNow(
            overlays=[
                {
                    "id": one.id,
                    "title": words(one.title),
                    "instrument": one.instrument,
                    "standing": one.standing.value,
                    "effective": one.effective.isoformat(),
                }
                for one in rulebook.overlays()
            ],
            adoptions=rulebook.adoptions(),
            unfit=[{"overlay": one.adoption.overlay, "why": words(one.why)} for one in rulebook.unfit()],
            proposals=access.proposals(actions=(ADOPT,)),
        )

    @post(
        "/drafts/check",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("rulebook.read")],
        responses=problems(Invalid, has_body=True),
    )
    def check(self, rulebook: NamedDependency[Rules], data: JSONBody[DraftRequest]) -> dict[str, Any]:
        """Read a draft and say exactly what it changes; every error at once where it cannot be read."""
        return reform_data(rulebook.reform(rulebook.draft(data.draft)))

    @post(
        "/drafts",
        sync_to_thread=True,
        guards=[requires("rulebook.adopt")],
        responses=problems(Invalid, Conflict, has_body=True),
    )
    def propose(
        self, rulebook: NamedDependency[Rules], by: NamedDependency[Actor], data: JSONBody[DraftProposal]
    ) -> Proposal:
        """Propose that a draft be adopted; another person must second it."""
        return rulebook.propose_draft(data.draft, reason=data.reason, by=by)

    @post(
        "/drafts/{proposal_id:str}/second",
        sync_to_thread=True,
        guards=[requires("rulebook.adopt")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def second(
        self,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        proposal_id: ProposalId,
        data: JSONBody[DraftAnswer],
    ) -> Adoption:
        """Second a draft that another proposed: it judges from its day on."""
        return rulebook.adopt_draft(proposal_id, answer=data.answer, by=by)


API: tuple[type[Controller], ...] = (DraftsApi,)
