"""A demonstration register: invented systems that have no traffic, as much at home in their dossiers as a chat service.

Everything comes from `registry/demonstration/`, where each name says that it is invented.  Nothing is forced: evidence
is attested as *claimed*, gates are asked, and a system stays where its gates leave it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec

from safebelt.app import House
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterParty, RegisterSystem, Status, System
from safebelt.rooms.registry.model.lifecycle import Attest, Move, SignGate
from safebelt.rooms.registry.model.things import LinkThing, RegisterThing, Relation, ThingKind

CLAIMED_DAYS = 180
"""How long the demonstration's statements count."""
_CLAIM = "Invented for the demonstration; nothing was examined. 为演示而虚构，未作任何检查。"
_REASON = "Demonstration · 演示"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a demonstration system."""

    kind: ThingKind
    relation: Relation
    name_zh: str
    name_en: str
    licence: str = ""
    details: Mapping[str, str | float | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A demonstration system: its descriptor, its provider, its people, its parts, and how far it should come."""

    descriptor: str
    provider: RegisterParty
    people: Mapping[PersonRole, str]
    parts: tuple[Piece, ...]
    to: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A system of the demonstration register.

    Attributes:
        system: The system, at the stage where its gates left it.
        is_new: Whether it was entered just now.
    """

    system: System
    is_new: bool


def load_demonstration(house: House) -> tuple[Loaded, ...]:
    """Enter the demonstration systems that are not there yet, and return all of them."""
    folder = house.settings.data / "registry" / "demonstration"
    listed = msgspec.yaml.decode((folder / "register.yaml").read_bytes(), type=tuple[Shown, ...])
    return tuple(_load(house, folder, one) for one in listed)


def _load(house: House, folder: Path, shown: Shown) -> Loaded:
    source = (folder / shown.descriptor).read_text("utf-8")
    described = house.rulebook.read(source)
    found = house.registry.systems(search=described.name.en).items
    if found:
        return Loaded(system=found[0], is_new=False)
    party = house.registry.register_party(shown.provider, by=OWNER)
    purpose = described.purpose or described.name
    command = RegisterSystem(
        provider_id=party.id,
        name_zh=described.name.zh,
        name_en=described.name.en,
        purpose_zh=purpose.zh,
        purpose_en=purpose.en,
    )
    system_id = house.registry.register_system(command, by=OWNER).id
    house.registry.describe(system_id, source, by=OWNER)
    for role, name in shown.people.items():
        house.registry.name_person(system_id, NamePerson(role=role, name=name), by=OWNER)
    _put_together(house, system_id, party.id, shown.parts)
    return Loaded(system=_come_as_far_as(house, system_id, shown.to), is_new=True)


def _put_together(house: House, system_id: str, owner_id: str, parts: tuple[Piece, ...]) -> None:
    for one in parts:
        thing = house.registry.register_thing(
            RegisterThing(
                kind=one.kind,
                name_zh=one.name_zh,
                name_en=one.name_en,
                owner_id=owner_id,
                licence=one.licence,
                details=one.details,
            ),
            by=OWNER,
        )
        house.registry.link_thing(system_id, LinkThing(thing_id=thing.id, relation=one.relation), by=OWNER)


def _come_as_far_as(house: House, system_id: str, to: Status) -> System:
    """Attest what the way to a stage asks for, sign, and pass if the gates hold; else stay."""
    system = house.registry.system(system_id)
    accountable = system.current(PersonRole.ACCOUNTABLE)[0].id
    expires = house.clock().date() + timedelta(days=CLAIMED_DAYS)
    for kind in house.registry.gate(system_id, to).asked:
        statement = Attest(kind=kind, statement=_CLAIM, expires_on=expires, person_id=accountable)
        house.registry.attest(system_id, statement, by=OWNER)
    house.registry.sign_off(system_id, SignGate(to=to, person_id=accountable, statement=_CLAIM), by=OWNER)
    if house.registry.gate(system_id, to).holds is Truth.TRUE:
        return house.registry.move(system_id, Move(to=to, reason=_REASON), by=OWNER)
    return system
