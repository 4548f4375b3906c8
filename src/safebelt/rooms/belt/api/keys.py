"""`/api/belt/keys`: who may call, for what, how much, and until when."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from litestar import Controller, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.belt.api.setting import Version
from safebelt.rooms.belt.api.words import Id, SystemId, WhyRequest
from safebelt.rooms.belt.model import Key, KeyTerms, Span
from safebelt.rooms.belt.service import Belt
from safebelt.web.openapi import problems
from safebelt.web.problems import invalid_field
from safebelt.web.security import requires


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """Issue a caller's key; without terms it opens everything, and without an end it never ends."""

    name: str
    terms: KeyTerms = field(default_factory=KeyTerms)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """Change what a key is for, how much it may do, or until when; what is given replaces what was."""

    version: Version
    reason: str
    terms: KeyTerms
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateRequest:
    """Put a new key in a key's place; the old one stays valid for `grace_hours`, at most 720."""

    reason: str
    grace_hours: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShown:
    """A key without its digest."""

    id: str
    system_id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None
    expires_at: datetime | None
    replaced_by: str
    terms: KeyTerms
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A new key; `key` is shown this once."""

    id: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanUsed:
    """What was used since a span began; `estimated` are those of the tokens that no upstream counted."""

    span: Span
    since: datetime
    requests: int
    tokens: int
    estimated: int


class KeyApi(Controller):
    """`/api/belt/keys`."""

    path = "/api/belt"
    tags = ("belt",)

    @get("/keys", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(Invalid))
    def every_key(self, belt: NamedDependency[Belt], system: SystemId = "") -> list[KeyShown]:
        """List keys, newest first, of one system where it is named."""
        return [_shown(key) for key in belt.keys(system)]

    @get("/keys/{key_id:str}", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound))
    def key(self, belt: NamedDependency[Belt], key_id: Id) -> KeyShown:
        """Return one key: what it is for, how much it may do, until when."""
        return _shown(belt.key(key_id))

    @get("/keys/{key_id:str}/usage", sync_to_thread=True, guards=[requires("belt.read")], responses=problems(NotFound))
    def usage(self, belt: NamedDependency[Belt], key_id: Id) -> list[SpanUsed]:
        """Return what a key used in the current minute, hour, day and month (UTC), by the records of exchanges."""
        usage = belt.usage(belt.key(key_id).id)
        return [SpanUsed(span=span, since=usage.since[span], **used._asdict()) for span, used in usage.used.items()]

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
        ends = _moment(data.expires_at)
        key, secret = belt.issue_key(system_id, data.name, by, terms=data.terms, expires_at=ends)
        return IssuedKey(id=key.id, key=secret)

    @patch(
        "/keys/{key_id:str}",
        sync_to_thread=True,
        guards=[requires("belt.keys", resource="key_id")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def change_key(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], key_id: Id, data: JSONBody[KeyChange]
    ) -> KeyShown:
        """Change a key's terms and end; the belt goes by them within a second."""
        changed = belt.change_key(
            key_id,
            terms=data.terms,
            expires_at=_moment(data.expires_at),
            version=data.version,
            reason=data.reason,
            by=by,
        )
        return _shown(changed)

    @post(
        "/keys/{key_id:str}/rotate",
        sync_to_thread=True,
        guards=[requires("belt.keys", resource="key_id")],
        responses=problems(Invalid, NotFound, Conflict, has_body=True),
    )
    def rotate_key(
        self, belt: NamedDependency[Belt], by: NamedDependency[Actor], key_id: Id, data: JSONBody[RotateRequest]
    ) -> IssuedKey:
        """Put a new key on the same terms in a key's place; it is shown this once."""
        key, secret = belt.rotate_key(key_id, data.reason, by, grace_hours=data.grace_hours)
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


def _moment(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise invalid_field(
            "expires_at",
            Text(zh="时刻没有时区。", en="The moment says no zone."),
            Text(zh="请写成 2026-11-21T12:00:00Z 的形式。", en="Write it like 2026-11-21T12:00:00Z."),
        )
    return at.astimezone(UTC) if at else None


def _shown(key: Key) -> KeyShown:
    return KeyShown(
        id=key.id,
        system_id=key.system_id,
        name=key.name,
        created_at=key.created_at,
        revoked_at=key.revoked_at,
        expires_at=key.expires_at,
        replaced_by=key.replaced_by,
        terms=key.terms,
        version=key.version,
    )
