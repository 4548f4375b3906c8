"""What a belt's worker asks of the register, in plain words of the database, is what the register itself answers."""

from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.model import RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.identity import Identify, Scheme
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.service import providers as providers_module
from safebelt.rooms.registry.service.providers import codes_of


def system(registry: Registry, provider: str, name: str) -> str:
    words = {"name_zh": name, "name_en": name, "purpose_zh": "回答办事问题", "purpose_en": "Answers questions"}
    return registry.register_system(RegisterSystem(provider_id=provider, **words), by=OWNER).id


def test_the_codes_are_those_the_register_answers(registry: Registry, sql: Sql, monkeypatch) -> None:
    monkeypatch.setattr(providers_module, "_AT_ONCE", 2)  # so that the few systems here are several queries
    known = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER).id
    other = registry.register_party(RegisterParty(name="Elsewhere Ltd"), by=OWNER).id
    registry.identify(known, Identify(scheme=Scheme.USCC, value="914403001922038216"), by=OWNER)
    registry.identify(other, Identify(scheme=Scheme.DUNS, value="150483782"), by=OWNER)
    mine = [system(registry, known, name) for name in "abc"]
    theirs = system(registry, other, "d")

    found = codes_of(sql, [*mine, theirs, "sys_none"])

    assert found == registry.providers_known_as(Scheme.USCC, [*mine, theirs, "sys_none"])
    assert found == dict.fromkeys(mine, "914403001922038216"), "and nothing for who bears another number"
    assert codes_of(sql, []) == {}
