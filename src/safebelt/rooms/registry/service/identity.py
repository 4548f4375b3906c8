"""Deeds about parties: the numbers by which the world knows them, and what the register says of them."""

from collections.abc import Sequence

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import identity as decide
from safebelt.rooms.registry.model import Act, Party
from safebelt.rooms.registry.model.identity import ChangeParty, Identifier, Identify, PartyView, Scheme
from safebelt.rooms.registry.model.things import Thing
from safebelt.rooms.registry.service.registering import ACTS_SHOWN, Registering
from safebelt.rooms.registry.service.remembering import act_of

SYSTEMS_AT_ONCE = 500
"""Systems whose search entry is renewed in one step when a party's name changes."""
THINGS_SHOWN = 50
"""Things a party's page lists; the list of things finds the rest."""


class Identity(Registering):
    """Deeds about parties and their identifiers."""

    def party_view(self, party_id: str) -> PartyView:
        """Return a party with its identifiers, and the seal a change of it quotes.

        Raises:
            NotFound: There is no such party.
        """
        with self._sql.read() as tx:
            return _view(tx, party_id)

    def party_with(self, scheme: Scheme, value: str, *, named: str = "") -> Party | None:
        """Return the party that bears an identifier, or None."""
        plain = decide.plain(scheme, value).replace("\0", "")
        with self._sql.read() as tx:
            found = store.identity.holder(tx, scheme, named.strip().replace("\0", ""), plain)
            return None if found is None else store.register.party_by_id(tx, found.party_id)

    def providers_known_as(self, scheme: Scheme, system_ids: Sequence[str]) -> dict[str, str]:
        """Return the identifier of a scheme that each system's provider bears, by system; none for who bears none."""
        with self._sql.read() as tx:
            return store.identity.of_providers(tx, scheme, system_ids)

    def identify(self, party_id: str, cmd: Identify, *, by: Actor) -> Identifier:
        """Enter an identifier of a party.

        Raises:
            NotFound: There is no such party.
            Invalid: It is not well-formed; the reason says what is wrong, and what the check digit should be.
            Conflict: The party has one of this scheme, or another party bears it, which is named.
        """
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, f"registry.identifier.{cmd.scheme.value}")
            view = _view(tx, party_id)
            identifier, event, _reason = decide.identify(
                view.party,
                cmd,
                held=view.identifiers,
                new_id=self._new_id("idf"),
                at=self._clock(),
                by=by.id,
            )
            holder = store.identity.holder(tx, identifier.scheme, identifier.named, identifier.value)
            decide.hold_unshared(holder, _name_of(tx, holder))
            store.identity.add(tx, identifier)
            self._ledger.append(tx, event, by=by)
        return identifier

    def remove_identifier(self, party_id: str, identifier_id: str, reason: str, *, by: Actor) -> PartyView:
        """Remove an identifier of a party.

        Raises:
            NotFound: There is no such party, or it bears no such identifier.
            Invalid: No reason is given.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, party_id)
            view = _view(tx, party_id)
            event = decide.remove(view.party, identifier_id, view.identifiers, reason)
            if event is None:
                raise NotFound(
                    what=Text(zh="该主体没有这个编号。", en="This party has no such identifier."),
                    hint=Text(zh="请重新载入主体页面。", en="Load the party's page again."),
                )
            store.identity.remove(tx, event.identifier_id)
            self._ledger.append(tx, event, by=by)
            return _view(tx, party_id)

    def change_party(self, party_id: str, cmd: ChangeParty, *, by: Actor) -> PartyView:
        """Change what the register says of a party; its systems are found by its new name at once.

        Raises:
            NotFound: There is no such party.
            Conflict: It was changed since it was read, or nothing would change.
            Invalid: A text is missing or too long.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, party_id)
            before = _view(tx, party_id).party
            party, event = decide.change_party(before, cmd)
            store.identity.save_party(tx, party)
            if party.name != before.name:
                self._renew_search(tx, party_id)
            self._ledger.append(tx, event, by=by)
            return _view(tx, party_id)

    def things_of(self, party_id: str) -> tuple[Thing, ...]:
        """Return things a party answers for, newest first, at most 50."""
        with self._sql.read() as tx:
            return store.things.things_of(tx, party_id, THINGS_SHOWN)

    def acts_of(self, subject_id: str) -> tuple[Act, ...]:
        """Return what was done about a party or a thing, newest first, at most 50; the ledger has it all."""
        entries = self._ledger.entries(subject=subject_id, limit=ACTS_SHOWN)
        return tuple(act_of(each) for each in entries)

    def _renew_search(self, tx: sa.Connection, party_id: str) -> None:
        after = ""
        while ids := store.identity.systems_with(tx, party_id, after, SYSTEMS_AT_ONCE):
            systems = [system for each in ids if (system := store.register.system_by_id(tx, each)) is not None]
            store.search.enter(tx, [(system.id, store.register.document(tx, system)) for system in systems])
            after = ids[-1]


def _view(tx: sa.Connection, party_id: str) -> PartyView:
    party = store.register.party_by_id(tx, party_id)
    if party is None:
        raise NotFound(
            what=Text(zh=f"没有登记主体 {party_id}。", en=f"There is no party {party_id} in the register."),
            hint=Text(zh="请在登记主体列表中查找。", en="Look it up in the list of parties."),
        )
    return PartyView(party=party, identifiers=store.identity.of(tx, party_id), seal=decide.seal(party))


def _name_of(tx: sa.Connection, holder: Identifier | None) -> str:
    party = None if holder is None else store.register.party_by_id(tx, holder.party_id)
    return "" if party is None else party.name
