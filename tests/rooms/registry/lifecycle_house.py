"""What tests need to lead systems through their lives: real descriptions, people, evidence, signatures."""

from datetime import timedelta
from pathlib import Path

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.rooms.registry.model import (
    NamedPerson,
    NamePerson,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Status,
    System,
)
from safebelt.rooms.registry.model.lifecycle import Attest, Evidence, Move, SignGate

SYSTEMS = Path(__file__).parents[3] / "law" / "systems"
OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")
ASSESSOR = Actor(id="usr_assessor", roles=frozenset({Role.ASSESSOR}), door="web")
AUTHORITY = Actor(id="usr_authority", roles=frozenset({Role.AUTHORITY}), door="web")

DESCRIBED = """
safebelt: system/1
id: described
name: {zh: 垃圾邮件过滤, en: Spam filter}
facts:
  system.is_ai: true
  market.jurisdictions: [eu]
  use.purposes: [office_productivity]
  system.functions: [searches_or_filters_content]
  use.practices: []
  use.military: none
  use.only_for: []
  offer.open_source: false
  model.provided: false
  eu.product.annex_i: []
"""
"""A system that leaves no duty open, with few of them."""


EU_MORE = """  eu.supply.parts: none
  event.placed_on_market_on: 2028-02-01
  deployer.public_authority: false
  event.kinds: []
  data.personal_information: true
  deployer.private_public_service: false
  provider.established_in: [eu]
  eu.product.annex_i: []
  eu.component.failure_endangers: neither
  eu.component.safety_function: false
  eu.component.solely_non_safety: []
"""
CN_MORE = """  cn.science_activity: false
  cn.ethics_triggers: []
  cn.interface_label: false
  cn.label_free_copies: false
  data.personal_information: true
  data.persons_count: 5000000
"""
"""What the public description leaves open and a provider knows."""


def real(name: str, more: str = "") -> str:
    """The description of a real system that comes with the law, with facts it leaves open added."""
    return (SYSTEMS / f"{name}.yaml").read_text("utf-8").replace("expected:", f"{more}expected:")


def enter(registry, source: str | None = None) -> System:
    """Register a system, and put its facts on record if there are any."""
    party = registry.register_party(RegisterParty(name="明理科技"), by=OWNER)
    if source is not None:
        return registry.register_described(source, provider_id=party.id, by=OWNER)
    command = RegisterSystem(provider_id=party.id, name_en="Helper", purpose_en="Helps")
    return registry.register_system(command, by=OWNER)


def name(registry, system_id: str, role: PersonRole, who: str = "王敏") -> NamedPerson:
    return registry.name_person(system_id, NamePerson(role=role, name=who), by=OPERATOR)


def staff(registry, system_id: str) -> NamedPerson:
    """Name an overseer and an accountable person; return the latter."""
    name(registry, system_id, PersonRole.OVERSEER, "李华")
    return name(registry, system_id, PersonRole.ACCOUNTABLE)


def attest(registry, system_id: str, kind: str, person: NamedPerson, *, by: Actor = OPERATOR) -> Evidence:
    until = registry.today() + timedelta(days=100)
    cmd = Attest(kind=kind, statement=f"{kind} is kept in the safe", person_id=person.id, expires_on=until)
    return registry.attest(system_id, cmd, by=by)


def attest_all(registry, system_id: str, person: NamedPerson) -> tuple[Evidence, ...]:
    """Attest whatever the gate into service asks for and is not held."""
    kinds = [one.id for one in registry.gate(system_id, Status.IN_SERVICE).missing if one.kind == "evidence"]
    return tuple(attest(registry, system_id, kind, person) for kind in kinds)


def sign(registry, system_id: str, person: NamedPerson) -> None:
    registry.sign_off(system_id, SignGate(to=Status.IN_SERVICE, person_id=person.id), by=OPERATOR)


def move(registry, system_id: str, to: Status, reason: str = "ready") -> System:
    return registry.move(system_id, Move(to=to, reason=reason), by=OPERATOR)


def into_service(registry, system_id: str) -> System:
    """Lead a described system, whose duties are determined, into service on claims."""
    person = staff(registry, system_id)
    attest_all(registry, system_id, person)
    sign(registry, system_id, person)
    return move(registry, system_id, Status.IN_SERVICE)
