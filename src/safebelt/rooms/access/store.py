"""What access remembers.  Secrets are only ever kept as hashes."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.kernel.actors import Role
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import ApiToken, Attempts, Proposal, Session, Stand, Tally, User

_UNKNOWN_TO_DATABASES = re.compile("[\x00\ud800-\udfff]")

user = sa.Table(
    "access_user",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("name_key", sa.String(256), nullable=False, unique=True),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("is_disabled", sa.Boolean, nullable=False, default=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("failed_at", UtcDateTime),
)

session = sa.Table(
    "access_session",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(40), sa.ForeignKey("access_user.id"), nullable=False, index=True),
    sa.Column("secret_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("seen_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

token = sa.Table(
    "access_token",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("user_id", sa.String(40), sa.ForeignKey("access_user.id"), nullable=False, index=True),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("secret_hash", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("last_used_at", UtcDateTime),
    sa.Column("revoked_at", UtcDateTime),
)

stranger = sa.Table(
    "access_stranger",
    metadata,
    sa.Column("bucket", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("failed_at", UtcDateTime),
)

tally = sa.Table(
    "access_tally",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("since", UtcDateTime),
    sa.Column("recorded", sa.Integer, nullable=False),
    sa.Column("unrecorded", sa.Integer, nullable=False),
)

proposal = sa.Table(
    "access_proposal",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("action", sa.String(64), nullable=False, index=True),
    sa.Column("subject", sa.String(200), nullable=False, index=True),
    sa.Column("says_zh", sa.Text, nullable=False),
    sa.Column("says_en", sa.Text, nullable=False),
    sa.Column("content", sa.JSON, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("where", sa.String(400), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("stand", sa.String(16), nullable=False),
    sa.Column("decided_by", sa.String(64), nullable=False),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("answer", sa.Text, nullable=False),
)

TABLES = (user, session, token, stranger, tally, proposal)


def add_user(tx: sa.Connection, new: User, *, name_key: str, password_hash: str) -> None:
    """Remember a new user."""
    tx.execute(sa.insert(user).values(**_row(new), name_key=name_key, password_hash=password_hash))


def save_user(tx: sa.Connection, changed: User) -> None:
    """Remember a user's roles and standing."""
    tx.execute(sa.update(user).where(user.c.id == changed.id).values(**_row(changed)))


def set_password(tx: sa.Connection, user_id: str, password_hash: str) -> None:
    """Remember another password, and forget the failures of the old one."""
    values = {"password_hash": password_hash, "failures": 0, "failed_at": None}
    tx.execute(sa.update(user).where(user.c.id == user_id).values(**values))


def users(tx: sa.Connection) -> list[User]:
    """Return every user, by name."""
    return [_user(row) for row in tx.execute(sa.select(user).order_by(user.c.name_key))]


def user_with(tx: sa.Connection, *, id: str = "", name_key: str = "") -> tuple[User, str, Attempts] | None:
    """Return a user with the password's hash and the failures, found by id or by name."""
    if not _is_text(id) or not _is_text(name_key):
        return None
    where = user.c.id == id if id else user.c.name_key == name_key
    row = tx.execute(sa.select(user).where(where)).one_or_none()
    return None if row is None else (_user(row), row.password_hash, _attempts(row))


def save_attempts(tx: sa.Connection, user_id: str, attempts: Attempts) -> None:
    """Remember a user's failures."""
    values = {"failures": attempts.failures, "failed_at": attempts.failed_at}
    tx.execute(sa.update(user).where(user.c.id == user_id).values(**values))


def stranger_attempts(tx: sa.Connection, bucket: int) -> Attempts:
    """Return the failures of names nobody bears, by bucket."""
    row = tx.execute(sa.select(stranger).where(stranger.c.bucket == bucket)).one_or_none()
    return Attempts() if row is None else _attempts(row)


def save_stranger(tx: sa.Connection, bucket: int, attempts: Attempts) -> None:
    """Remember the failures of names nobody bears."""
    values = {"bucket": bucket, "failures": attempts.failures, "failed_at": attempts.failed_at}
    upsert(tx, stranger, values, ["bucket"])


def get_tally(tx: sa.Connection) -> Tally:
    """Return how many failures were recorded lately."""
    row = tx.execute(sa.select(tally)).one_or_none()
    return Tally() if row is None else Tally(since=row.since, recorded=row.recorded, unrecorded=row.unrecorded)


def save_tally(tx: sa.Connection, counted: Tally) -> None:
    """Remember how many failures were recorded lately."""
    values = {"since": counted.since, "recorded": counted.recorded, "unrecorded": counted.unrecorded}
    upsert(tx, tally, {"id": 1, **values}, ["id"])


def add_session(tx: sa.Connection, new: Session, secret_hash: bytes) -> None:
    """Remember a session by the hash of its secret."""
    times = {"created_at": new.created_at, "seen_at": new.seen_at, "expires_at": new.expires_at}
    tx.execute(sa.insert(session).values(id=new.id, user_id=new.user, secret_hash=secret_hash, **times))


def session_by(tx: sa.Connection, secret_hash: bytes) -> tuple[Session, User] | None:
    """Return the session that a secret opens, with its user."""
    row = tx.execute(sa.select(session).where(session.c.secret_hash == secret_hash)).one_or_none()
    found = row and user_with(tx, id=row.user_id)
    return None if row is None or not found else (_session(row), found[0])


def sessions(tx: sa.Connection, user_id: str) -> list[Session]:
    """Return a user's sessions, latest first."""
    wanted = sa.select(session).where(session.c.user_id == user_id).order_by(session.c.created_at.desc())
    return [_session(row) for row in tx.execute(wanted)]


def see_session(tx: sa.Connection, session_id: str, at: datetime) -> None:
    """Remember that a session was used."""
    tx.execute(sa.update(session).where(session.c.id == session_id).values(seen_at=at))


def end_sessions(tx: sa.Connection, *, user_id: str, session_id: str = "") -> int:
    """Forget one session of a user, or all; return how many."""
    if not _is_text(session_id):
        return 0
    where = [session.c.user_id == user_id]
    if session_id:
        where.append(session.c.id == session_id)
    return tx.execute(sa.delete(session).where(*where)).rowcount


def sweep_sessions(tx: sa.Connection, *, now: datetime, idle_since: datetime) -> None:
    """Forget sessions that time has ended."""
    tx.execute(sa.delete(session).where((session.c.expires_at <= now) | (session.c.seen_at <= idle_since)))


def add_token(tx: sa.Connection, new: ApiToken, secret_hash: bytes) -> None:
    """Remember an API token by the hash of its secret."""
    times = {"created_at": new.created_at, "expires_at": new.expires_at}
    tx.execute(sa.insert(token).values(id=new.id, user_id=new.user, name=new.name, secret_hash=secret_hash, **times))


def token_by(tx: sa.Connection, secret_hash: bytes) -> tuple[ApiToken, User] | None:
    """Return the token that a secret opens, with its user."""
    row = tx.execute(sa.select(token).where(token.c.secret_hash == secret_hash)).one_or_none()
    found = row and user_with(tx, id=row.user_id)
    return None if row is None or not found else (_token(row), found[0])


def tokens(tx: sa.Connection, user_id: str = "") -> list[ApiToken]:
    """Return a user's tokens, or everybody's, latest first."""
    wanted = sa.select(token).order_by(token.c.created_at.desc(), token.c.id.desc())
    return [_token(row) for row in tx.execute(wanted.where(token.c.user_id == user_id) if user_id else wanted)]


def token_with(tx: sa.Connection, token_id: str) -> ApiToken | None:
    """Return a token by its id."""
    row = tx.execute(sa.select(token).where(token.c.id == token_id)).one_or_none() if _is_text(token_id) else None
    return None if row is None else _token(row)


def use_token(tx: sa.Connection, token_id: str, at: datetime) -> None:
    """Remember that a token was used."""
    tx.execute(sa.update(token).where(token.c.id == token_id).values(last_used_at=at))


def revoke_token(tx: sa.Connection, token_id: str, at: datetime) -> None:
    """Remember that a token is revoked."""
    tx.execute(sa.update(token).where(token.c.id == token_id).values(revoked_at=at))


def add_proposal(tx: sa.Connection, new: Proposal) -> None:
    """Remember an act that waits for a second person."""
    says = {"says_zh": new.says.zh, "says_en": new.says.en}
    row = {name: getattr(new, name) for name in _PROPOSED} | says | {"content": dict(new.content), "stand": new.stand}
    tx.execute(sa.insert(proposal).values(**row))


def close_proposal(tx: sa.Connection, decided: Proposal) -> bool:
    """Remember how a proposal ended; False where somebody else ended it first."""
    values = {
        "stand": decided.stand,
        "decided_by": decided.decided_by,
        "decided_at": decided.decided_at,
        "answer": decided.answer,
    }
    is_open = (proposal.c.id == decided.id) & (proposal.c.stand == Stand.OPEN)
    return tx.execute(sa.update(proposal).where(is_open).values(**values)).rowcount == 1


def proposal_with(tx: sa.Connection, proposal_id: str) -> Proposal | None:
    """Return a proposal by its id."""
    if not _is_text(proposal_id):
        return None
    row = tx.execute(sa.select(proposal).where(proposal.c.id == proposal_id)).one_or_none()
    return None if row is None else _proposal(row)


def proposals(tx: sa.Connection, *, actions: tuple[str, ...], subject: str, limit: int) -> list[Proposal]:
    """Return proposals, latest first."""
    wanted = sa.select(proposal).order_by(proposal.c.at.desc(), proposal.c.id.desc()).limit(limit)
    wanted = wanted.where(proposal.c.action.in_(actions)) if actions else wanted
    return [_proposal(row) for row in tx.execute(wanted.where(proposal.c.subject == subject) if subject else wanted)]


def _is_text(wanted: str) -> bool:
    """Whether a database could hold it at all: PostgreSQL knows no NUL, and no encoding knows half a surrogate."""
    return _UNKNOWN_TO_DATABASES.search(wanted) is None


def _row(word: User) -> dict[str, Any]:
    return {
        "id": word.id,
        "name": word.name,
        "roles": sorted(word.roles),
        "is_disabled": word.is_disabled,
        "created_at": word.created_at,
    }


def _roles(stored: Iterable[str]) -> frozenset[Role]:
    return frozenset(Role(role) for role in stored)


def _user(row: sa.Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        roles=_roles(row.roles),
        is_disabled=row.is_disabled,
        created_at=row.created_at,
    )


_PROPOSED = (
    "id",
    "action",
    "subject",
    "reason",
    "where",
    "by",
    "at",
    "expires_at",
    "decided_by",
    "decided_at",
    "answer",
)


def _proposal(row: sa.Row[Any]) -> Proposal:
    return Proposal(
        **{name: row._mapping[name] for name in _PROPOSED},
        says=Text(zh=row.says_zh, en=row.says_en),
        content=row.content,
        stand=Stand(row.stand),
    )


def _attempts(row: sa.Row[Any]) -> Attempts:
    return Attempts(failures=row.failures, failed_at=row.failed_at)


def _session(row: sa.Row[Any]) -> Session:
    return Session(
        id=row.id, user=row.user_id, created_at=row.created_at, seen_at=row.seen_at, expires_at=row.expires_at
    )


def _token(row: sa.Row[Any]) -> ApiToken:
    return ApiToken(
        id=row.id,
        user=row.user_id,
        name=row.name,
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
