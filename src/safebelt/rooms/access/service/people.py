"""Users and their roles."""

from collections.abc import Iterable
from dataclasses import replace

import sqlalchemy as sa

from safebelt.kernel.actors import MACHINE, Actor, Role
from safebelt.rooms.access import decide, store
from safebelt.rooms.access.model import (
    FIRST_ADMIN_NAME,
    FIRST_ADMIN_ROLES,
    NewUser,
    PasswordChanged,
    RolesChanged,
    User,
    UserAdded,
    UserDisabled,
    UserEnabled,
)
from safebelt.rooms.access.service.rights import Rights

_MANAGE = "access.manage_users"


class People(Rights):
    """Deeds about users."""

    def first_run(self) -> str | None:
        """Add the user `admin` where there are no users yet.

        Returns:
            The password drawn by lot, to be shown once; None where one was preset or users exist.

        Raises:
            Invalid: The preset password is longer than a password can be.
        """
        with self._sql.read() as tx:
            if store.users(tx):
                return None
        password = self._admin_password or self._draw_password()
        if len(password) > decide.MAX_PASSWORD:
            decide.check_password(password, name=FIRST_ADMIN_NAME)
        hashed = self._passwords.hash(password)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "access.first_run")
            if store.users(tx):
                return None
            self._add(tx, FIRST_ADMIN_NAME, FIRST_ADMIN_ROLES, hashed, by=MACHINE)
        return None if self._admin_password else password

    def add_user(self, name: str, roles: Iterable[Role], *, password: str = "", by: Actor) -> NewUser:
        """Add somebody who can sign in.

        Args:
            name: What they sign in with.
            roles: What they may act as.
            password: Their first password; empty draws one, which the answer holds.
            by: Who adds them.

        Raises:
            Invalid: Name, roles or password are not fit.
            Conflict: Somebody bears the name already.
        """
        name, given = decide.check_name(name), decide.check_roles(roles)
        if password:
            decide.check_password(password, name=name)
        drawn = None if password else self._draw_password()
        with self._passwords.turn():
            hashed = self._passwords.hash(drawn or password)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "access.users")
            if store.user_with(tx, name_key=decide.name_key(name)) is not None:
                raise decide.taken()
            user = self._add(tx, name, given, hashed, by=by)
        return NewUser(user=user, password=drawn)

    def user(self, user: str) -> User:
        """Return a user by id or name.

        Raises:
            NotFound: There is none.
        """
        with self._sql.read() as tx:
            return self._found(tx, user)[0]

    def users(self) -> list[User]:
        """Return every user, by name."""
        with self._sql.read() as tx:
            return store.users(tx)

    def change_roles(self, user: str, roles: Iterable[Role], *, by: Actor) -> User:
        """Give a user other roles; they count from the next request on.

        Raises:
            NotFound: There is no such user.
            Refused: It is oneself, or one has no right to.
            Invalid: The roles are not fit.
            Conflict: It would leave nobody to manage users.
        """
        given = decide.check_roles(roles)
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "access.users")
            before = self._managed(tx, user, by)
            after = replace(before, roles=given)
            if before.roles != given:
                if Role.ADMIN in before.roles - given:
                    decide.keep_an_admin(store.users(tx), losing=before.id)
                store.save_user(tx, after)
                event = RolesChanged(subject=after.id, before=tuple(sorted(before.roles)), after=tuple(sorted(given)))
                self._ledger.append(tx, event, by=by)
        return after

    def disable(self, user: str, *, by: Actor) -> User:
        """Shut a user out at once: no sign-in, no session, no token.

        Raises:
            NotFound: There is no such user.
            Refused: It is oneself, or one has no right to.
            Conflict: It would leave nobody to manage users.
        """
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "access.users")
            before = self._managed(tx, user, by)
            after = replace(before, is_disabled=True)
            if not before.is_disabled:
                if Role.ADMIN in before.roles:
                    decide.keep_an_admin(store.users(tx), losing=before.id)
                store.save_user(tx, after)
                ended = store.end_sessions(tx, user_id=after.id)
                self._ledger.append(tx, UserDisabled(subject=after.id, sessions_ended=ended), by=by)
        return after

    def enable(self, user: str, *, by: Actor) -> User:
        """Let a disabled user in again.

        Raises:
            NotFound: There is no such user.
            Refused: It is oneself, or one has no right to.
        """
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, "access.users")
            before = self._managed(tx, user, by)
            after = replace(before, is_disabled=False)
            if before.is_disabled:
                store.save_user(tx, after)
                self._ledger.append(tx, UserEnabled(subject=after.id), by=by)
        return after

    def reset_password(self, user: str, *, by: Actor) -> str:
        """Draw a new password for a user, end their sessions, lift a lock-out; return it, to be shown once.

        Raises:
            NotFound: There is no such user.
            Refused: It is oneself, or one has no right to.
        """
        password = self._draw_password()
        with self._passwords.turn():
            hashed = self._passwords.hash(password)
        with self._sql.begin() as tx:
            found = self._managed(tx, user, by)
            store.set_password(tx, found.id, hashed)
            ended = store.end_sessions(tx, user_id=found.id)
            self._ledger.append(tx, PasswordChanged(subject=found.id, is_reset=True, sessions_ended=ended), by=by)
        return password

    def _managed(self, tx: sa.Connection, user: str, by: Actor) -> User:
        """Find a user somebody wants to change, and ask once more by id: a door may have been given a name."""
        found = self._found(tx, user)[0]
        self.authorize(by, _MANAGE, found.id)
        return found

    def _add(self, tx: sa.Connection, name: str, roles: frozenset[Role], hashed: str, *, by: Actor) -> User:
        user = User(id=self._new_id("usr"), name=name, roles=roles, created_at=self._clock())
        store.add_user(tx, user, name_key=decide.name_key(name), password_hash=hashed)
        event = UserAdded(subject=user.id, roles=tuple(sorted(roles)), personal={"name": name})
        self._ledger.append(tx, event, by=by)
        return user
