"""`/api/belt`: harnesses and keys."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody, KwargDefinition

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.belt.api.words import Id, WhyRequest
from safebelt.rooms.belt.model import Harness, Key, NoticeMode, RecordMode, Stance
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.security import requires

_MAX_VERSION = 2**31 - 1  # what an INTEGER column holds on PostgreSQL
# msgspec enforces its limits; Litestar describes its own: the API description must say what the door does.
Version = Annotated[int, msgspec.Meta(ge=1, le=_MAX_VERSION), KwargDefinition(ge=1, le=_MAX_VERSION)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """Fit the belt to a system; it observes unless told otherwise."""

    system_id: str
    policy: str = ""
    stance: Stance = Stance.OBSERVE
    record_mode: RecordMode = RecordMode.STRICT
    notice: NoticeMode = NoticeMode.END


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """Change how the belt sits on a system; what is left out stays."""

    version: Version
    policy: str | None = None
    stance: Stance | None = None
    record_mode: RecordMode | None = None
    notice: NoticeMode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """Issue a caller's key."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShown:
    """A key without its digest."""

    id: str
    system_id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; `key` is shown this once."""

    id: str
    key: str


class SettingApi(Controller):
    """`/api/belt`: harnesses and keys."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/systems", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def harnesses(self, belt: NamedDependency[Belt]) -> list[Harness]:
        """List the systems the belt is fitted to."""
        return list(belt.harnesses())

    @post(
        "/systems",
        sync_to_thread=True,
        guards=[requires("belt.configure")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def fit(self, belt: NamedDependency[Belt], by: NamedDependency[Actor], data: JSONBody[FitRequest]) -> Harness:
        """Fit the belt to a system."""
        return belt.fit(data.system_id, data.policy, data.stance, data.record_mode, data.notice, by=by)

    @get("/systems/{system_id:str}", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound))
    def harness(self, belt: NamedDependency[Belt], system_id: Id) -> Harness:
        """Say how the belt sits on a system."""
        return belt.harness(system_id)

    @patch(
        "/systems/{system_id:str}",
        sync_to_thread=True,
        guards=[requires("belt.configure", resource="system_id")],
        responses=problems(Invalid, NotFound, Conflict, Refused, has_body=True),
    )
    def change(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], system_id: Id, data: JSONBody[ChangeRequest]
    ) -> Harness:
        """Change how the belt sits on a system."""
        return belt.change(
            system_id,
            by=by,
            version=data.version,
            policy=data.policy,
            stance=data.stance,
            record_mode=data.record_mode,
            notice=data.notice,
        )

    @get("/systems/{system_id:str}/keys", sync_to_thread=True, guards=[requires("belt.read")], responses=problems())
    def keys(self, belt: NamedDependency[Belt], system_id: Id) -> list[KeyShown]:
        """List a system's keys, newest first."""
        return [_shown(key) for key in belt.keys(system_id)]

    @post(
        "/systems/{system_id:str}/keys",
        sync_to_thread=True,
        guards=[requires("belt.keys", resource="system_id")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def issue_key(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], system_id: Id, data: JSONBody[KeyRequest]
    ) -> IssuedKey:
        """Issue a key; it is shown this once."""
        key, secret = belt.issue_key(system_id, data.name, by)
        return IssuedKey(id=key.id, key=secret)

    @post(
        "/keys/{key_id:str}/revoke",
        sync_to_thread=True,
        guards=[requires("belt.keys", resource="key_id")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def revoke_key(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], key_id: Id, data: JSONBody[WhyRequest]
    ) -> KeyShown:
        """Revoke a key; the belt refuses it within a second."""
        return _shown(belt.revoke_key(key_id, data.reason, by))


def _shown(key: Key) -> KeyShown:
    return KeyShown(
        id=key.id, system_id=key.system_id, name=key.name, created_at=key.created_at, revoked_at=key.revoked_at
    )
