"""Access's JSON door: who am I, why may I, users and tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition, PathParameter, QueryParameter

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.access.decide import MAX_NAME, MAX_REASON, MAX_TOKEN_DAYS, TOKEN_DAYS
from safebelt.rooms.access.model import ApiToken, Proposal, User
from safebelt.rooms.access.service import Access
from safebelt.web.openapi import problems
from safebelt.web.security import open_to_all, requires

# msgspec enforces its limits; Litestar describes its own: the API description must say what the door does.
Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_NAME), KwargDefinition(min_length=1, max_length=MAX_NAME)
]
SomeRoles = Annotated[list[Role], msgspec.Meta(min_length=1), KwargDefinition(min_items=1)]
Days = Annotated[int, msgspec.Meta(ge=1, le=MAX_TOKEN_DAYS), KwargDefinition(ge=1, le=MAX_TOKEN_DAYS)]

_OPEN: list[dict[str, list[str]]] = [{}, {"token": []}]
"""OpenAPI's way to say that a token is welcome and not needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """Who asks.

    Attributes:
        id: Pseudonymous id; `public` where nobody is signed in.
        roles: The roles the caller acts in.
        door: `web` for a session, `api` for a token.
        may: Every action the caller may do.
    """

    id: str
    roles: list[str]
    door: str
    may: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether an actor may do something, and which policies say so."""

    action: str
    allowed: bool
    reason: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser:
    """Add somebody who can sign in; without a password one is drawn and returned once."""

    name: Name
    roles: SomeRoles
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedUser:
    """The new user; `password` only where it was drawn, and only this once."""

    user: User
    password: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """The roles a user shall have."""

    roles: SomeRoles


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a user shall be shut out."""

    is_disabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToken:
    """Issue an API token, for oneself or, with the right to, for another user (id or name)."""

    name: Name
    days: Days = TOKEN_DAYS
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """The new token; `token` is the secret, shown only this once."""

    id: str
    user: str
    name: str
    expires_at: datetime
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why a proposal is refused or withdrawn; it goes to the ledger."""

    reason: Annotated[
        str, msgspec.Meta(min_length=1, max_length=MAX_REASON), KwargDefinition(min_length=1, max_length=MAX_REASON)
    ]


class AccessApi(Controller):
    """`/api/access`."""

    path = "/api/access"
    tags = ["access"]  # noqa: RUF012  Litestar reads it as a list

    @get(
        "/me",
        guards=[open_to_all("everybody may know who they are here")],
        responses=problems(),
        security=_OPEN,
        sync_to_thread=True,
    )
    def me(self, access: NamedDependency[Access], by: NamedDependency[Actor]) -> Me:
        """Say who the caller is and what the caller may do."""
        may = [action for action in access.permissions.actions if access.may(by, action)]
        return Me(id=by.id, roles=sorted(by.roles), door=by.door, may=sorted(may))

    @get(
        "/why",
        guards=[open_to_all("tells callers only what they may do themselves, and the policies are public")],
        responses=problems(),
        security=_OPEN,
        sync_to_thread=True,
    )
    def why(
        self,
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        action: Annotated[str, QueryParameter(min_length=1, max_length=80)],
    ) -> Verdict:
        """Say which policies decide whether the caller may do `action` (`room.verb`)."""
        allowed, reason = access.why(by, action)
        return Verdict(action=action, allowed=allowed, reason=reason.as_data())

    @get("/users", guards=[requires("access.manage_users")], responses=problems(), sync_to_thread=True)
    def users(self, access: NamedDependency[Access]) -> list[User]:
        """List the users, by name."""
        return access.users()

    @post(
        "/users",
        guards=[requires("access.manage_users")],
        responses=problems(Invalid, Conflict, has_body=True),
        sync_to_thread=True,
    )
    def add_user(
        self, access: NamedDependency[Access], by: NamedDependency[Actor], data: JSONBody[AddUser]
    ) -> AddedUser:
        """Add a user."""
        new = access.add_user(data.name, data.roles, password=data.password, by=by)
        return AddedUser(user=new.user, password=new.password)

    @put(
        "/users/{user:str}/roles",
        guards=[requires("access.manage_users", resource="user")],
        responses=problems(NotFound, Invalid, Conflict, has_body=True),
        sync_to_thread=True,
    )
    def change_roles(
        self,
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        user: Annotated[str, PathParameter()],
        data: JSONBody[Roles],
    ) -> User:
        """Give a user, by id, other roles."""
        return access.change_roles(user, data.roles, by=by)

    @put(
        "/users/{user:str}/standing",
        guards=[requires("access.manage_users", resource="user")],
        responses=problems(NotFound, Conflict, has_body=True),
        sync_to_thread=True,
    )
    def change_standing(
        self,
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        user: Annotated[str, PathParameter()],
        data: JSONBody[Standing],
    ) -> User:
        """Shut a user, by id, out at once, or let the user in again."""
        return access.disable(user, by=by) if data.is_disabled else access.enable(user, by=by)

    @get("/tokens", guards=[requires("access.own_account")], responses=problems(), sync_to_thread=True)
    def tokens(self, access: NamedDependency[Access], by: NamedDependency[Actor]) -> list[ApiToken]:
        """List the caller's API tokens, latest first; secrets are not kept and so not shown."""
        return access.tokens(by.id)

    @post(
        "/tokens",
        guards=[requires("access.own_account")],
        responses=problems(NotFound, Invalid, Conflict, has_body=True),
        sync_to_thread=True,
    )
    def issue_token(
        self, access: NamedDependency[Access], by: NamedDependency[Actor], data: JSONBody[IssueToken]
    ) -> NewToken:
        """Issue an API token."""
        if data.user not in {"", by.id}:
            access.authorize(by, "access.manage_tokens", data.user)
        issued = access.issue_token(data.user or by.id, name=data.name, days=data.days, by=by)
        token = issued.token
        return NewToken(id=token.id, user=token.user, name=token.name, expires_at=token.expires_at, token=issued.secret)

    @delete(
        "/tokens/{token:str}",
        guards=[requires("access.own_account")],
        responses=problems(NotFound),
        sync_to_thread=True,
        status_code=200,
    )
    def revoke_token(
        self, access: NamedDependency[Access], by: NamedDependency[Actor], token: Annotated[str, PathParameter()]
    ) -> ApiToken:
        """Revoke a token by its id: one's own, or anybody's with the right to."""
        only_of = "" if access.may(by, "access.manage_tokens") else by.id
        return access.revoke_token(token, only_of=only_of, by=by)

    @get("/proposals", guards=[requires("access.proposals")], responses=problems(), sync_to_thread=True)
    def proposals(self, access: NamedDependency[Access]) -> list[Proposal]:
        """List the acts that need two people, latest first, at most 100."""
        return access.proposals()

    @get(
        "/proposals/{proposal_id:str}",
        guards=[requires("access.proposals")],
        responses=problems(NotFound),
        sync_to_thread=True,
    )
    def proposal(self, access: NamedDependency[Access], proposal_id: Annotated[str, PathParameter()]) -> Proposal:
        """Return one such act, with all it would do."""
        return access.proposal(proposal_id)

    @post(
        "/proposals/{proposal_id:str}/refusal",
        guards=[requires("access.proposals")],
        responses=problems(NotFound, Invalid, Conflict, has_body=True),
        sync_to_thread=True,
        status_code=200,
    )
    def refuse(
        self,
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        proposal_id: Annotated[str, PathParameter()],
        data: JSONBody[Answer],
    ) -> Proposal:
        """Refuse what another proposed; the caller needs the right to the act."""
        return access.refuse(proposal_id, answer=data.reason, by=by)

    @post(
        "/proposals/{proposal_id:str}/withdrawal",
        guards=[requires("access.proposals")],
        responses=problems(NotFound, Invalid, Conflict, has_body=True),
        sync_to_thread=True,
        status_code=200,
    )
    def withdraw(
        self,
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        proposal_id: Annotated[str, PathParameter()],
        data: JSONBody[Answer],
    ) -> Proposal:
        """Withdraw one's own proposal."""
        return access.withdraw(proposal_id, answer=data.reason, by=by)
