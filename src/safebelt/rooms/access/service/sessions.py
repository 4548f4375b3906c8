"""Letting people in: passwords under lock-out, sessions, and who a credential stands for."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from safebelt.kernel.actors import PUBLIC, Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.access import decide, store
from safebelt.rooms.access.model import (
    Attempts,
    LockedOut,
    OpenedSession,
    PasswordChanged,
    Session,
    SignedIn,
    SignedOut,
    SignInFailed,
    User,
)
from safebelt.rooms.access.service.base import Desk, actor, hashed

NOBODY = "nobody"
"""Subject of entries about names that no user bears."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A password that was right a moment ago.

    Attributes:
        user: Whose it is.
        stored: The hash it was checked against.
        renewed: The hash to keep: another one where the cost parameters have changed since.
    """

    user: User
    stored: str
    renewed: str


class Sessions(Desk):
    """Deeds around signing in."""

    def sign_in(self, name: str, password: str) -> OpenedSession:
        """Open a session for a name and password.

        A wrong name and a wrong password look the same and take the same time.

        Raises:
            Unauthenticated: Name or password is wrong, or the user is disabled.
            TooMany: The name is locked after repeated failures, or too many people sign in at once.
        """
        proof = self._prove(password, name=name)
        now = self._clock()
        with self._sql.begin() as tx:
            store.sweep_sessions(tx, now=now, idle_since=now - timedelta(seconds=decide.IDLE_SECONDS))
            user = self._settled(tx, proof)
            opened = self._open_session(tx, user)
            unrecorded = self._tallied(tx, is_due=True) or 0
            event = SignedIn(subject=user.id, session=opened.session.id, unrecorded_failures=unrecorded)
            self._ledger.append(tx, event, by=actor(user, "web"))
        return opened

    def authenticate_session(self, token: str) -> Actor:
        """Return who a session's secret stands for.

        Raises:
            Unauthenticated: It opens nothing, or no longer.
        """
        now = self._clock()
        with self._sql.read() as tx:
            found = store.session_by(tx, hashed(token))
        if found is None or found[1].is_disabled or not decide.is_session_alive(found[0], now):
            raise decide.unknown_credential()
        session, user = found
        if decide.is_stale(session.seen_at, now):
            with self._sql.begin() as tx:
                store.see_session(tx, session.id, now)
        return actor(user, "web")

    def sign_out(self, token: str) -> None:
        """End the session that a secret opens; one that opens nothing is already over."""
        with self._sql.begin() as tx:
            found = store.session_by(tx, hashed(token))
            if found is not None:
                session, user = found
                store.end_sessions(tx, user_id=user.id, session_id=session.id)
                self._ledger.append(tx, SignedOut(subject=user.id, sessions_ended=1), by=actor(user, "web"))

    def end_session(self, session_id: str, *, user: str, by: Actor) -> None:
        """End one session of a user.

        Raises:
            NotFound: The user has no such session.
        """
        with self._sql.begin() as tx:
            if store.end_sessions(tx, user_id=user, session_id=session_id) == 0:
                raise decide.missing(Text(zh="会话", en="session"), session_id)
            self._ledger.append(tx, SignedOut(subject=user, sessions_ended=1), by=by)

    def sign_out_everywhere(self, user: str, *, by: Actor) -> int:
        """End every session of a user; return how many."""
        with self._sql.begin() as tx:
            ended = store.end_sessions(tx, user_id=user)
            if ended:
                self._ledger.append(tx, SignedOut(subject=user, sessions_ended=ended, is_everywhere=True), by=by)
        return ended

    def sessions(self, user: str) -> list[Session]:
        """Return a user's sessions that still count, latest first."""
        now = self._clock()
        with self._sql.read() as tx:
            return [found for found in store.sessions(tx, user) if decide.is_session_alive(found, now)]

    def session_id(self, token: str) -> str:
        """Return the id of the session a secret opens, or nothing: to show people which one is *this one*."""
        with self._sql.read() as tx:
            found = store.session_by(tx, hashed(token))
        return "" if found is None else found[0].id

    def change_password(self, user: str, *, old: str, new: str, by: Actor) -> OpenedSession:
        """Change one's own password; every session ends and a fresh one begins.

        Raises:
            Unauthenticated: The old password is wrong.
            TooMany: It was wrong too often.
            Invalid: The new one is not fit.
        """
        decide.check_password(new, name=self._named(user))
        proof = self._prove(old, user_id=user)
        with self._passwords.turn():
            fresh = self._passwords.hash(new)
        with self._sql.begin() as tx:
            found = self._settled(tx, proof)
            store.set_password(tx, found.id, fresh)
            ended = store.end_sessions(tx, user_id=found.id)
            opened = self._open_session(tx, found)
            self._ledger.append(tx, PasswordChanged(subject=found.id, is_reset=False, sessions_ended=ended), by=by)
        return opened

    def _named(self, user: str) -> str:
        with self._sql.read() as tx:
            return self._found(tx, user)[0].name

    def _prove(self, password: str, *, name: str = "", user_id: str = "") -> Proof:
        """Check a password under the rules of lock-out.

        The try is charged first, in a transaction of its own: a hundred tries at once cannot all be the first,
        and no write lock is held while a slow hash is computed.
        """
        with self._passwords.turn():
            nobodys = self._passwords.nobodys  # made before it is known whether it is needed: equal time
            user, stored, attempts = self._charged(name=name, user_id=user_id)
            is_right = self._passwords.matches(stored or nobodys, password[: decide.MAX_PASSWORD + 1])
            if user is None or not is_right or user.is_disabled:
                raise self._failed(user, attempts)
            renewed = self._passwords.hash(password) if self._passwords.is_outdated(stored) else stored
        return Proof(user=user, stored=stored, renewed=renewed)

    def _charged(self, *, name: str, user_id: str) -> tuple[User | None, str, Attempts]:
        now, bucket = self._clock(), decide.bucket(name)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "access.attempts")
            found = store.user_with(tx, id=user_id, name_key=decide.name_key(name))
            before = found[2] if found else store.stranger_attempts(tx, bucket)
            if decide.is_locked(before, now):
                raise decide.locked(before)
            after = decide.charge(before, now)
            if found is None:
                store.save_stranger(tx, bucket, after)
                return None, "", after
            store.save_attempts(tx, found[0].id, after)
            return found[0], found[1], after

    def _failed(self, user: User | None, attempts: Attempts) -> Problem:
        """Remember a failure, within bounds, and return what to say."""
        subject, is_lock = user.id if user else NOBODY, decide.is_locked(attempts, self._clock())
        with self._sql.begin() as tx:
            unrecorded = self._tallied(tx, is_due=is_lock and user is not None)
            until = decide.locked_until(attempts) if is_lock else None
            if unrecorded is not None:
                event: Event = SignInFailed(subject=subject, unrecorded_failures=unrecorded)
                if until is not None:
                    event = LockedOut(
                        subject=subject, failures=attempts.failures, until=until, unrecorded_failures=unrecorded
                    )
                self._ledger.append(tx, event, by=PUBLIC)
        return decide.locked(attempts) if is_lock else decide.wrong()

    def _settled(self, tx: sa.Connection, proof: Proof) -> User:
        """Forget the failures of who proved a password, unless things changed meanwhile."""
        user, stored, _ = self._found(tx, proof.user.id)
        if user.is_disabled or stored != proof.stored:
            raise decide.wrong()
        store.set_password(tx, user.id, proof.renewed)
        return user

    def _tallied(self, tx: sa.Connection, *, is_due: bool) -> int | None:
        self._sql.exclusive(tx, "access.tally")
        after, unrecorded = decide.tally(store.get_tally(tx), self._clock(), is_due=is_due)
        store.save_tally(tx, after)
        return unrecorded
