"""API tokens."""

from dataclasses import replace

from safebelt.kernel.actors import Actor
from safebelt.kernel.text import Text
from safebelt.rooms.access import decide, store
from safebelt.rooms.access.model import ApiToken, IssuedToken, TokenIssued, TokenRevoked
from safebelt.rooms.access.service.base import Desk, actor, hashed

TOKEN_PREFIX = "sbt_"  # noqa: S105  lets secret scanners recognise a leaked token


class Tokens(Desk):
    """Deeds about API tokens."""

    def authenticate_token(self, token: str) -> Actor:
        """Return who an API token stands for.

        Raises:
            Unauthenticated: It is not known, expired, revoked, or its user is disabled.
        """
        now = self._clock()
        with self._sql.read() as tx:
            found = store.token_by(tx, hashed(token)) if token.startswith(TOKEN_PREFIX) else None
        if found is None or found[1].is_disabled or not decide.is_token_good(found[0], now):
            raise decide.unknown_credential()
        issued, user = found
        if decide.is_stale(issued.last_used_at, now):
            with self._sql.begin() as tx:
                store.use_token(tx, issued.id, now)
        return actor(user, "api")

    def issue_token(self, user: str, *, name: str, days: int = decide.TOKEN_DAYS, by: Actor) -> IssuedToken:
        """Issue an API token that acts for a user, by id or name.

        Raises:
            NotFound: There is no such user.
            Invalid: Name or days are not fit.
            Conflict: The user is disabled.
        """
        name, life, now = decide.check_name(name), decide.check_days(days), self._clock()
        secret = TOKEN_PREFIX + self._secret()
        with self._sql.begin() as tx:
            owner = self._found(tx, user)[0]
            if owner.is_disabled:
                raise decide.disabled()
            issued = ApiToken(id=self._new_id("tok"), user=owner.id, name=name, created_at=now, expires_at=now + life)
            store.add_token(tx, issued, hashed(secret))
            event = TokenIssued(subject=issued.id, user=owner.id, expires_at=issued.expires_at, personal={"name": name})
            self._ledger.append(tx, event, by=by)
        return IssuedToken(token=issued, secret=secret)

    def tokens(self, user: str = "") -> list[ApiToken]:
        """Return a user's tokens (by id or name), or everybody's, latest first."""
        with self._sql.read() as tx:
            return store.tokens(tx, self._found(tx, user)[0].id if user else "")

    def revoke_token(self, token_id: str, *, only_of: str = "", by: Actor) -> ApiToken:
        """Revoke an API token; it is refused from this moment on.

        Args:
            token_id: Its id, not its secret.
            only_of: Id of a user; tokens of others are as good as not there.
            by: Who revokes it.

        Raises:
            NotFound: There is no such token.
        """
        now = self._clock()
        with self._sql.begin() as tx:
            found = store.token_with(tx, token_id)
            if found is None or (only_of and found.user != only_of):
                raise decide.missing(Text(zh="令牌", en="token"), token_id)
            if found.revoked_at is not None:
                return found
            store.revoke_token(tx, token_id, now)
            self._ledger.append(tx, TokenRevoked(subject=token_id, user=found.user), by=by)
        return replace(found, revoked_at=now)
