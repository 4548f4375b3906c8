"""JSON door to parties: their identifiers, and what the register says of them."""

from dataclasses import dataclass
from typing import Annotated

from litestar import Controller, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.identity import VALUE_LIMIT, well_formed
from safebelt.rooms.registry.model.identity import ChangeParty, Identifier, Identify, PartyView, Scheme
from safebelt.rooms.registry.service import Registry
from safebelt.web.openapi import problems
from safebelt.web.security import requires

Id = Annotated[str, PathParameter(description="Id of the party, `pty_…`.")]
Why = Annotated[str, QueryParameter(description="Why; it goes to the ledger.", max_length=4000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One statement and how it stands: true, false or unknown."""

    says: Text
    holds: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierJudged:
    """What an identifier comes to.

    Attributes:
        value: Its plain form.
        is_well_formed: true, false, or unknown where we do not know the form.  Well-formed is not verified.
        because: Why.
        party_id: The party that bears it in this register; empty where none does.
    """

    scheme: Scheme
    value: str
    is_well_formed: Truth
    because: list[Judged]
    party_id: str


class IdentityApi(Controller):
    """`/api/registry/parties/{id}/…` and `/api/registry/identifiers`."""

    path = "/api/registry"
    tags = ("registry",)

    @get("/identifiers", sync_to_thread=True, guards=[requires("registry.read")], responses=problems())
    def check_identifier(
        self,
        registry: NamedDependency[Registry],
        scheme: Annotated[Scheme, QueryParameter()],
        value: Annotated[str, QueryParameter(max_length=VALUE_LIMIT)],
        named: Annotated[str, QueryParameter(max_length=VALUE_LIMIT)] = "",
    ) -> IdentifierJudged:
        """Say whether an identifier is well-formed, and which party bears it."""
        plain, reason = well_formed(scheme, value)
        party = registry.party_with(scheme, value, named=named)
        return IdentifierJudged(
            scheme=scheme,
            value=plain,
            is_well_formed=reason.holds,
            because=[Judged(says=part.says, holds=part.holds) for part in reason.because],
            party_id="" if party is None else party.id,
        )

    @get(
        "/parties/{party_id:str}/identity",
        sync_to_thread=True,
        guards=[requires("registry.read")],
        responses=problems(NotFound),
    )
    def get_identity(self, registry: NamedDependency[Registry], party_id: Id) -> PartyView:
        """Return a party with its identifiers, and the seal a change of it quotes."""
        return registry.party_view(party_id)

    @patch(
        "/parties/{party_id:str}/identity",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def change_party(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        party_id: Id,
        data: JSONBody[ChangeParty],
    ) -> PartyView:
        """Change a party; `seal` is the one it was read with."""
        return registry.change_party(party_id, data, by=by)

    @post(
        "/parties/{party_id:str}/identifiers",
        sync_to_thread=True,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Conflict, Invalid, has_body=True),
    )
    def identify_party(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        party_id: Id,
        data: JSONBody[Identify],
    ) -> Identifier:
        """Enter an identifier of a party; two parties never share one."""
        return registry.identify(party_id, data, by=by)

    @delete(
        "/parties/{party_id:str}/identifiers/{identifier_id:str}",
        sync_to_thread=True,
        status_code=200,
        guards=[requires("registry.change")],
        responses=problems(NotFound, Invalid),
    )
    def remove_identifier(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        party_id: Id,
        identifier_id: Annotated[str, PathParameter(description="`idf_…`.")],
        reason: Why,
    ) -> PartyView:
        """Remove an identifier of a party; the ledger remembers it."""
        return registry.remove_identifier(party_id, identifier_id, reason, by=by)


API: tuple[type, ...] = (IdentityApi,)
