"""Deeds of the registry: load, decide, save, remember, in one transaction."""

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import decide, store
from safebelt.rooms.registry.model import (
    DUTIES_AWAITED,
    Act,
    Awaited,
    ChangeSystem,
    Dossier,
    Duties,
    NamedPerson,
    NamePerson,
    Party,
    PartyKind,
    PartyPage,
    RegisterParty,
    RegisterSystem,
    Status,
    System,
    SystemPage,
    SystemRegistered,
)
from safebelt.rooms.registry.model.search import Judged
from safebelt.rooms.registry.service.base import found_system, pages_of
from safebelt.rooms.registry.service.remembering import act_of
from safebelt.rooms.registry.service.seeing import Seeing
from safebelt.rooms.rulebook.model import Description
from safebelt.rooms.rulebook.model.deeds import OnRecord

ACTS_SHOWN = 50
"""Acts a dossier carries; the ledger has them all."""

SYSTEMS_OF_A_PARTY = 200
"""Systems listed for one party; search and paging reach the rest."""


class Registering(Seeing):
    """Deeds that enter parties and systems, name people, put facts on record, and look them up."""

    def register_party(self, cmd: RegisterParty, *, by: Actor) -> Party:
        """Enter a party into the register.

        Raises:
            Invalid: It has no name, or a text is too long.
        """
        party, event = decide.register_party(cmd, new_id=self._new_id("pty"), at=self._clock())
        with self._sql.begin() as tx:
            store.register.add_party(tx, party)
            self._ledger.append(tx, event, by=by)
        return party

    def register_system(self, cmd: RegisterSystem, *, by: Actor) -> System:
        """Enter an AI system into the register.

        Raises:
            Invalid: A text is missing or too long, or a party is not in the register.
        """
        system, event = decide.register_system(cmd, new_id=self._new_id("sys"), at=self._clock())
        with self._sql.begin() as tx:
            self._enter(tx, system, event, by)
        return system

    def name_person(self, system_id: str, cmd: NamePerson, *, by: Actor) -> NamedPerson:
        """Name a person who stands for something about a system.

        Raises:
            NotFound: There is no such system.
            Invalid: There is no name.
            Conflict: The person already stands for it, or the system is retired or was changed meanwhile.
        """
        new_id, today = self._new_id("per"), self._clock().date()
        with self._sql.begin() as tx:
            system, person, event = decide.name_person(found_system(tx, system_id), cmd, new_id=new_id, today=today)
            store.register.save_system(tx, system)
            store.register.save_people(tx, system, person)
            self._ledger.append(tx, event, by=by)
        return person

    def change_system(self, system_id: str, cmd: ChangeSystem, *, by: Actor) -> System:
        """Change what the register says of a system.

        Raises:
            NotFound: There is no such system.
            Conflict: It was changed since `cmd.version`, or it is retired.
            Invalid: A text is missing or too long, or a party is not in the register.
        """
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            before = found_system(tx, system_id)
            system, event = decide.change_system(before, cmd)
            _hold_parties(tx, system)
            store.register.save_system(tx, system)
            store.search.enter(tx, ((system.id, store.register.document(tx, system)),))
            self._ledger.append(tx, event, by=by)
        return system

    def describe(self, system_id: str, source: str, *, by: Actor) -> OnRecord:
        """Put a system's facts on record; a system in service that they bar from it is suspended at once.

        Args:
            system_id: Which.
            source: Its descriptor, YAML or JSON, in the form `system/1`.
            by: Who does.

        Raises:
            NotFound: There is no such system.
            Invalid: The descriptor cannot be read; every finding with its line.
            Conflict: These very facts are on record, or the system is retired.
        """
        description = self._rules.read(source)
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, system_id)
            return self._describe_within(tx, system_id, description, by)

    def _describe_within(self, tx: sa.Connection, system_id: str, description: Description, by: Actor) -> OnRecord:
        system = decide.hold_describable(found_system(tx, system_id))
        record, barred = self._rules.describe(tx, system_id, description, party=system.provider_id, by=by)
        self._label(tx, system, description)
        if barred and system.status is Status.IN_SERVICE:
            self._put(tx, system, Status.SUSPENDED, decide.suspended_by(barred), by)
        return record

    def register_described(
        self, source: str, *, provider_id: str, deployer_id: str = "", purpose: tuple[str, str] = ("", ""), by: Actor
    ) -> System:
        """Enter the system a descriptor describes, and put its facts on record, in one transaction.

        Args:
            source: The descriptor, YAML or JSON, in the form `system/1`.
            provider_id: The party that provides it.
            deployer_id: The party that uses it under its own authority.
            purpose: What it is for, in Chinese and English; its name, where neither is given.
            by: Who does.

        Raises:
            Invalid: The descriptor cannot be read, or a party is not in the register.
        """
        description = self._rules.read(source)
        zh, en = purpose if any(purpose) else (description.name.zh, description.name.en)
        command = RegisterSystem(
            provider_id=provider_id,
            name_zh=description.name.zh,
            name_en=description.name.en,
            purpose_zh=zh,
            purpose_en=en,
            deployer_id=deployer_id,
        )
        system, event = decide.register_system(command, new_id=self._new_id("sys"), at=self._clock())
        with self._sql.begin() as tx:
            self._enter(tx, system, event, by)
            self._rules.describe(tx, system.id, description, party=provider_id, by=by)
            self._label(tx, system, description)
        return system

    def _label(self, tx: sa.Connection, system: System, description: Description) -> None:
        """Keep what a system is looked up by once it is judged."""
        found = self._rules.weigh_one(tx, description.values(), system.provider_id)
        judged = Judged(classes=found.classes, red_lines=found.barred_by)
        store.search.set_judged(tx, {system.id: judged})

    def _enter(self, tx: sa.Connection, system: System, event: SystemRegistered, by: Actor) -> None:
        _hold_parties(tx, system)
        store.register.add_system(tx, system)
        store.search.enter(tx, ((system.id, store.register.document(tx, system)),))
        self._ledger.append(tx, event, by=by)

    def barred_by(self, system_id: str) -> tuple[str, ...]:
        """Return the red lines that bar a system from service now.

        Raises:
            NotFound: There is no such system.
        """
        return self._rules.barred_by(system_id, party=self.system(system_id).provider_id)

    def descriptions(self, system_id: str) -> list[OnRecord]:
        """Return what was put on record about a system, latest first.

        Raises:
            NotFound: There is no such system.
        """
        return self._rules.versions(self.system(system_id).id)

    def system(self, system_id: str) -> System:
        """Return one system.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            return found_system(tx, system_id)

    def party(self, party_id: str) -> Party:
        """Return one party.

        Raises:
            NotFound: There is no such party.
        """
        with self._sql.read() as tx:
            party = store.register.party_by_id(tx, party_id)
        if party is None:
            raise NotFound(
                what=Text(zh=f"没有登记主体 {party_id}。", en=f"There is no party {party_id} in the register."),
                hint=Text(zh="请在登记主体列表中查找。", en="Look it up in the list of parties."),
            )
        return party

    def parties(self, *, search: str = "", kind: PartyKind | None = None, page: int = 1, size: int = 20) -> PartyPage:
        """Return a page of parties, newest first; every word of `search` must occur."""
        with self._sql.read() as tx:
            items, total = store.register.parties(tx, search=search, kind=kind, page=page, size=size)
        return PartyPage(items=items, total=total, page=page, pages=pages_of(total, size))

    def systems(self, *, search: str = "", status: Status | None = None, page: int = 1, size: int = 20) -> SystemPage:
        """Return a page of systems, newest first; every word of `search` must occur, in either language."""
        with self._sql.read() as tx:
            items, total = store.register.systems(tx, search=search, status=status, page=page, size=size)
        return SystemPage(items=items, total=total, page=page, pages=pages_of(total, size))

    def systems_of(self, party_id: str) -> tuple[str, ...]:
        """Return ids of the systems a party provides or deploys, newest first, at most 200."""
        with self._sql.read() as tx:
            return store.register.systems_of(tx, party_id, SYSTEMS_OF_A_PARTY)

    def about(self, system_id: str) -> tuple[Text, str, dict[str, tuple[str, ...]]]:
        """Return a system's name, its provider, and who is named for the duties of each bearer.

        Raises:
            NotFound: There is no such system.
        """
        system = self.system(system_id)
        return system.name, system.provider_id, decide.persons_by_bearer(system)

    def dossier(self, system_id: str) -> Dossier:
        """Return a system's dossier.

        Raises:
            NotFound: There is no such system.
        """
        with self._sql.read() as tx:
            system = found_system(tx, system_id)
            provider = store.register.party_by_id(tx, system.provider_id)
            deployer = store.register.party_by_id(tx, system.deployer_id) if system.deployer_id else None
            into_service = self._gate(tx, system, Status.IN_SERVICE)
            held = store.lifecycle.held(tx, system_id, self._clock().date())
        standing, reason = decide.standing(
            system,
            has_duties=decide.has_duties(into_service),
            has_evidence=decide.has_evidence(into_service),
            claimed=len(into_service.claimed),
        )
        return Dossier(
            system=system,
            provider=provider,
            deployer=deployer,
            duties=self._duties(system, tuple(held)),
            evidence=decide.on_file(into_service, held),
            acts=self._acts(system_id),
            standing=standing,
            reason=reason,
        )

    def _duties(self, system: System, held: tuple[str, ...]) -> Duties | Awaited:
        named = decide.persons_by_bearer(system)
        owed = self._rules.owed(system.id, party=system.provider_id, persons=named, held=held)
        return DUTIES_AWAITED if owed is None else Duties(**owed)

    def _acts(self, system_id: str) -> tuple[Act, ...]:
        entries = self._ledger.entries(subject=system_id, limit=ACTS_SHOWN)
        return tuple(act_of(entry) for entry in entries)


def _hold_parties(tx: sa.Connection, system: System) -> None:
    """Hold that the parties a system names are in the register."""
    for field, party_id in (("provider_id", system.provider_id), ("deployer_id", system.deployer_id)):
        needed = field == "provider_id" or party_id
        if needed and store.register.party_by_id(tx, party_id) is None:
            raise Invalid(
                what=Text(zh=f"没有登记主体“{party_id}”。", en=f"There is no party “{party_id}” in the register."),
                hint=Text(
                    zh="请先登记该主体，或选择已登记的主体。", en="Register the party first, or choose one that is."
                ),
                details={"field": field},
            )
