"""What every deed of access needs: tables, ledger, policies, time, ids, chance, and how secrets are made."""

import base64
from datetime import timedelta
from hashlib import sha256

import sqlalchemy as sa

from safebelt.engines.clock import Chance, Clock
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.access import decide, store
from safebelt.rooms.access.model import Attempts, OpenedSession, Session, User
from safebelt.rooms.access.passwords import Passwords
from safebelt.rooms.access.permissions import Permissions
from safebelt.rooms.ledger.service import Ledger

SECRET_BYTES = 32
"""256 random bits: beyond guessing, so that a plain SHA-256 of it is a safe thing to store."""
_PASSWORD_BYTES = 15  # 120 bits, 24 characters in base 32


class Desk:
    """The desk that all deeds of access work at; `Access` documents the arguments."""

    def __init__(
        self,
        sql: Sql,
        ledger: Ledger,
        permissions: Permissions,
        *,
        clock: Clock,
        new_id: NewId,
        chance: Chance,
        admin_password: str = "",
        passwords: Passwords | None = None,
    ) -> None:
        self._sql, self._ledger, self.permissions = sql, ledger, permissions
        self._clock, self._new_id, self._chance = clock, new_id, chance
        self._admin_password = admin_password
        self._passwords = passwords or Passwords(chance)

    def _open_session(self, tx: sa.Connection, user: User) -> OpenedSession:
        now, secret = self._clock(), self._secret()
        session = Session(
            id=self._new_id("ses"),
            user=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + timedelta(seconds=decide.SESSION_SECONDS),
        )
        store.add_session(tx, session, hashed(secret))
        return OpenedSession(session=session, token=secret)

    def _found(self, tx: sa.Connection, user: str) -> tuple[User, str, Attempts]:
        found = store.user_with(tx, id=user) if user else None
        found = found or store.user_with(tx, name_key=decide.name_key(user))
        if found is None:
            raise decide.missing(Text(zh="用户", en="user"), user)
        return found

    def _secret(self) -> str:
        return base64.urlsafe_b64encode(self._chance(SECRET_BYTES)).rstrip(b"=").decode()

    def _draw_password(self) -> str:
        drawn = base64.b32encode(self._chance(_PASSWORD_BYTES)).decode().lower()
        return "-".join(drawn[i : i + 6] for i in range(0, len(drawn), 6))


def actor(user: User, door: str) -> Actor:
    """Return a user as the actor that came through a door."""
    return Actor(id=user.id, roles=user.roles, door=door)


def hashed(secret: str) -> bytes:
    """Return what is stored of a 256-bit random secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
