"""`/api/belt/strikes`: repeated abuse, and what a person decides about it."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.api.words import Id, PageNumber, PageSize
from safebelt.rooms.belt.model import Decision, Strike
from safebelt.rooms.belt.service import Belt, StrikesFound
from safebelt.web.openapi import problems
from safebelt.web.security import requires

KeyId = Annotated[str, QueryParameter(max_length=80, description="Key id; empty for all.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person decides: `withdrawn`, `upheld` (a warning), or `suspended`, which suspends the key."""

    decision: Decision
    reason: str


class StrikeApi(Controller):
    """`/api/belt/strikes`."""

    path = "/api/belt/strikes"
    tags = ("belt",)

    @get(sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def strikes(
        self, belt: NamedDependency[Belt], key: KeyId = "", page: PageNumber = 1, size: PageSize = 50
    ) -> StrikesFound:
        """List strikes, those that wait for a person first."""
        return belt.strikes(page, size, key)

    @get("/{strike_id:str}", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound))
    def strike(self, belt: NamedDependency[Belt], strike_id: Id) -> Strike:
        """Return one strike: what it rests on, what was decided, and whether the caller appealed."""
        return belt.strike(strike_id)

    @post(
        "/{strike_id:str}/review",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def review(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], strike_id: Id, data: JSONBody[Review]
    ) -> Strike:
        """Decide about a strike; a later decision replaces an earlier one, so a suspended key is freed the same way."""
        return belt.review_strike(strike_id, data.decision, data.reason, by=by)
