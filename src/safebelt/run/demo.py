"""What a first visitor finds: one system with a belt on it, and a key to try it."""

import os
from dataclasses import dataclass
from pathlib import Path

from safebelt.app import House
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.rooms.belt.model import Stance
from safebelt.rooms.registry.model import (
    NamePerson,
    PartyKind,
    PartyRole,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Status,
)
from safebelt.rooms.registry.model.lifecycle import Move

_NAME_EN = "Demonstration assistant"
_NOBODY = "演示人物（虚构） Demonstration person (invented)"
_REASON = "演示：供来访者试用 Demonstration: for visitors to try"
_FACTS = Path(__file__).with_name("demo_system.yaml")
"""What is true of the demonstration system, so that its dossier shows duties from the first minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """The demonstration system.

    Attributes:
        system_id: In the registry.
        key_file: Holds a caller's key, mode 0600.
    """

    system_id: str
    key_file: Path


def prepare_demo(house: House) -> Demo:
    """Register the demonstration system once, fit the belt, and keep a key for it.

    The belt *enforces* on our own small model; on an operator's own upstream it *observes* until they say otherwise.
    """
    key_file = house.settings.home / "keys" / "demo.key"
    found = house.registry.systems(search=_NAME_EN).items
    system_id = found[0].id if found else _register(house)
    if not key_file.exists():
        _key, secret = house.belt.issue_key(system_id, "demo", OWNER)
        key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{secret}\n")
    return Demo(system_id=system_id, key_file=key_file)


def _register(house: House) -> str:
    own = house.settings.upstream
    party = house.registry.register_party(
        RegisterParty(name="Safebelt demo", kind=PartyKind.ORGANISATION, roles=(PartyRole.PROVIDER,)), by=OWNER
    )
    command = RegisterSystem(
        provider_id=party.id,
        name_zh="演示助手",
        name_en=_NAME_EN,
        purpose_zh="让第一次来的人亲眼看到安全带如何审查、标识、记录和停止一个真实的语言模型。",
        purpose_en="Let a first visitor see the belt screen, label, record and stop a real language model.",
    )
    system = house.registry.register_system(command, by=OWNER)
    stance = Stance.OBSERVE if own else Stance.ENFORCE
    house.belt.fit(system.id, "safebelt/baseline", stance, by=OWNER)
    house.registry.describe(system.id, _FACTS.read_text("utf-8"), by=OWNER)
    _try_out(house, system.id)
    return system.id


def _try_out(house: House, system_id: str) -> None:
    """Bring the system as far as it honestly is: it is being tried out.

    Its people are invented, and say so.  Nobody claims evidence for it that is not there, so that the gate into service
    stays shut and shows what it asks for.
    """
    for role in (PersonRole.ACCOUNTABLE, PersonRole.OVERSEER):
        house.registry.name_person(system_id, NamePerson(role=role, name=_NOBODY), by=OWNER)
    if house.registry.gate(system_id, Status.TESTING).holds is Truth.TRUE:
        house.registry.move(system_id, Move(to=Status.TESTING, reason=_REASON), by=OWNER)
