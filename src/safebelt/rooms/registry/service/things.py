"""Deeds about what systems are made of and where they run."""

from datetime import date

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import things as decide
from safebelt.rooms.registry.model.things import (
    PREFIXES,
    ChangeThing,
    Link,
    Linked,
    LinkedPage,
    LinkThing,
    RegisterThing,
    Thing,
    ThingKind,
    ThingPage,
)
from safebelt.rooms.registry.service.base import found_system, pages_of
from safebelt.rooms.registry.service.versions import Versions


class Things(Versions):
    """Deeds about models, agents, components, datasets and deployments, and how systems stand to them."""

    def register_thing(self, cmd: RegisterThing, *, by: Actor) -> Thing:
        """Enter a thing into the register.

        Raises:
            Invalid: A text or particular is missing or wrong, or its party is not in the register.
            Conflict: Another agent holds the public key.
        """
        thing, event = decide.register_thing(cmd, new_id=self._new_id(PREFIXES[cmd.kind]), at=self._clock())
        with self._sql.begin() as tx:
            self._hold_things_own(tx, thing)
            store.things.add_thing(tx, thing)
            self._ledger.append(tx, event, by=by)
        return thing

    def change_thing(self, thing_id: str, cmd: ChangeThing, *, by: Actor) -> Thing:
        """Change what the register says of a thing.

        Raises:
            NotFound: There is no such thing.
            Conflict: It was changed since `cmd.revision`, nothing would change, or another agent holds the key.
            Invalid: A text or particular is missing or wrong, or its party is not in the register.
        """
        with self._sql.begin() as tx:
            thing, event = decide.change_thing(found_thing(tx, thing_id), cmd)
            self._hold_things_own(tx, thing)
            store.things.save_thing(tx, thing)
            self._ledger.append(tx, event, by=by)
        return thing

    def thing(self, thing_id: str) -> Thing:
        """Return one thing.

        Raises:
            NotFound: There is no such thing.
        """
        with self._sql.read() as tx:
            return found_thing(tx, thing_id)

    def things(
        self,
        *,
        search: str = "",
        kind: ThingKind | None = None,
        most_depended: bool = False,
        page: int = 1,
        size: int = 20,
    ) -> ThingPage:
        """Return a page of things, newest first, or those most systems depend on first."""
        with self._sql.read() as tx:
            items, total = store.things.things(
                tx, search=search, kind=kind, most_depended=most_depended, page=page, size=size
            )
        return ThingPage(items=items, total=total, page=page, pages=pages_of(total, size))

    def link_thing(self, system_id: str, cmd: LinkThing, *, by: Actor) -> Link:
        """Say how a system stands to a thing.

        Raises:
            NotFound: There is no such system.
            Invalid: There is no such thing, or the relation does not lead to its kind.
            Conflict: It is on record already, or the system is retired.
        """
        with self._sql.begin() as tx:
            return self._link_thing(tx, system_id, cmd, by=by)

    def unlink_thing(self, link_id: str, *, reason: str, until: date | None = None, by: Actor) -> Link:
        """End how a system stands to a thing; the link stays in the history.

        Raises:
            NotFound: There is no such link.
            Conflict: It ended already.
            Invalid: No reason is given, or the day lies before its beginning or has not come.
        """
        with self._sql.begin() as tx:
            found = _found_link(tx, link_id)
            self._one_at_a_time(tx, found.thing_id)
            link, event = decide.unlink(
                _found_link(tx, link_id), until=until, reason=reason, today=self._clock().date()
            )
            store.things.end_link(tx, link)
            self._ledger.append(tx, event, by=by)
        return link

    def links(self, system_id: str) -> tuple[Linked, ...]:
        """Return how a system stands to things: what holds first, then what ended.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            found_system(tx, system_id)
            return store.things.links_of(tx, system_id)

    def link(self, link_id: str) -> Linked:
        """Return one link with the names of both ends.

        Raises:
            NotFound: There is no such link.
        """
        with self._sql.read() as tx:
            found = _found_link(tx, link_id)
            every = store.things.links_of(tx, found.system_id, found.thing_id)
            return next(each for each in every if each.link.id == found.id)

    def used_by(self, thing_id: str, *, is_open: bool = False, page: int = 1, size: int = 50) -> LinkedPage:
        """Return a page of the systems that stand to a thing: those that depend on it now first.

        Raises:
            NotFound: There is no such thing.
        """
        with self._sql.read() as tx:
            found_thing(tx, thing_id)
            items, total = store.things.used_by(tx, thing_id, is_open=is_open, page=page, size=size)
        return LinkedPage(items=items, total=total, page=page, pages=pages_of(total, size))

    # ---- inside a larger deed

    def _link_thing(self, tx: sa.Connection, system_id: str, cmd: LinkThing, *, by: Actor) -> Link:
        """Say how a system stands to a thing, inside the caller's transaction."""
        system = found_system(tx, system_id)
        self._one_at_a_time(tx, cmd.thing_id)
        thing = store.things.thing_by_id(tx, cmd.thing_id)
        if thing is None:
            raise Invalid(
                what=Text(zh=f"没有登记部件“{cmd.thing_id}”。", en=f"There is no part “{cmd.thing_id}”."),
                hint=Text(zh="请先登记该部件，或选择已登记的部件。", en="Register it first, or choose one that is."),
                details={"field": "thing_id"},
            )
        held = tuple(each.link for each in store.things.links_of(tx, system_id, thing.id))
        link, event = decide.link(system, thing, cmd, held=held, new_id=self._new_id("lnk"), today=self._clock().date())
        store.things.add_link(tx, link)
        self._ledger.append(tx, event, by=by)
        return link

    def _hold_things_own(self, tx: sa.Connection, thing: Thing) -> None:
        """Hold that a thing's party is in the register, and that its key is its own."""
        if thing.owner_id and store.register.party_by_id(tx, thing.owner_id) is None:
            raise Invalid(
                what=Text(
                    zh=f"没有登记主体“{thing.owner_id}”。", en=f"There is no party “{thing.owner_id}” in the register."
                ),
                hint=Text(
                    zh="请先登记该主体，或选择已登记的主体。", en="Register the party first, or choose one that is."
                ),
                details={"field": "owner_id"},
            )
        if key := thing.details.get("key_fingerprint"):
            self._sql.exclusive(tx, f"registry.key.{key}")
            decide.hold_own_key(thing, store.things.thing_by_key(tx, str(key)))


def found_thing(tx: sa.Connection, thing_id: str) -> Thing:
    """Return one thing.

    Raises:
        NotFound: There is no such thing.
    """
    thing = store.things.thing_by_id(tx, thing_id)
    if thing is None:
        raise NotFound(
            what=Text(zh=f"没有登记部件 {thing_id}。", en=f"There is no part {thing_id} in the register."),
            hint=Text(zh="请在部件列表中查找。", en="Look it up in the list of parts."),
        )
    return thing


def _found_link(tx: sa.Connection, link_id: str) -> Link:
    link = store.things.link_by_id(tx, link_id)
    if link is None:
        raise NotFound(
            what=Text(zh=f"没有关联 {link_id}。", en=f"There is no link {link_id}."),
            hint=Text(zh="请在系统的部件页查找。", en="Look it up among the system's parts."),
        )
    return link
