"""The register, on both databases."""

import pytest

from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.model import (
    ChangeSystem,
    NamePerson,
    Party,
    PartyKind,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Standing,
    Status,
    System,
)
from safebelt.rooms.registry.service import Registry


def party(registry: Registry, name: str = "明理科技有限公司") -> Party:
    return registry.register_party(RegisterParty(name=name), by=OWNER)


def system(registry: Registry, zh: str = "政务问答助手", en: str = "Public Service Helper", **more: object) -> System:
    provider = more.pop("provider_id", None) or party(registry).id
    command = RegisterSystem(
        provider_id=provider, name_zh=zh, name_en=en, purpose_zh="回答办事问题", purpose_en="Answers questions", **more
    )
    return registry.register_system(command, by=OWNER)


def test_what_is_registered_is_found_again_as_it_was(registry: Registry) -> None:
    registered = system(registry)

    assert registry.system(registered.id) == registered
    assert registry.party(registered.provider_id).name == "明理科技有限公司"


def test_every_deed_appends_exactly_one_entry(registry: Registry, ledger: Ledger) -> None:
    one = system(registry)
    registry.name_person(one.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王敏"), by=OWNER)
    registry.change_system(one.id, ChangeSystem(version=2, reason="更名", name_en="Helper"), by=OWNER)

    kinds = [entry.kind for entry in ledger.entries(subject=one.id, limit=10)]
    assert kinds == ["registry.system_changed.v2", "registry.person_named.v1", "registry.system_registered.v2"]
    assert [e.kind for e in ledger.entries(subject=one.provider_id, limit=10)] == ["registry.party_registered.v1"]


def test_a_refused_deed_leaves_nothing_behind(registry: Registry, ledger: Ledger) -> None:
    with pytest.raises(Invalid) as error:
        system(registry, provider_id="pty_nobody")

    assert error.value.details == {"field": "provider_id"}
    assert registry.systems().total == 0
    assert ledger.entries(subject="pty_nobody", limit=10) == []


def test_a_deployer_must_be_registered_too(registry: Registry) -> None:
    with pytest.raises(Invalid) as error:
        system(registry, deployer_id="pty_nobody")

    assert error.value.details == {"field": "deployer_id"}


def test_names_of_people_are_not_in_what_the_ledger_proves(registry: Registry, ledger: Ledger) -> None:
    one = system(registry)
    registry.name_person(
        one.id, NamePerson(role=PersonRole.OVERSEER, name="王敏", contact="wang@example.org"), by=OWNER
    )
    registry.register_party(RegisterParty(name="赵六", kind=PartyKind.PERSON), by=OWNER)

    bodies = b"".join(entry.body for entry in ledger.entries(limit=100))
    assert "王敏".encode() not in bodies and b"wang@example.org" not in bodies and "赵六".encode() not in bodies
    assert "明理科技".encode() in bodies  # the control: what is public is there


def test_people_come_back_with_their_terms(registry: Registry) -> None:
    one = system(registry)
    registry.name_person(one.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="甲"), by=OWNER)
    registry.name_person(one.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="乙"), by=OWNER)

    found = registry.system(one.id)

    assert [(p.name, p.until is None) for p in found.people] == [("乙", True), ("甲", False)]
    assert found.version == 3


def test_of_two_changes_on_one_version_the_second_is_a_conflict(registry: Registry) -> None:
    one = system(registry)
    registry.change_system(one.id, ChangeSystem(version=1, reason="first", name_en="One"), by=OWNER)

    with pytest.raises(Conflict):
        registry.change_system(one.id, ChangeSystem(version=1, reason="second", name_en="Two"), by=OWNER)

    assert registry.system(one.id).name.en == "One"


@pytest.mark.parametrize(
    ("search", "finds"),
    [
        ("问答", True),
        ("政务 助手", True),
        ("ANSWERS", True),
        ("ｈｅｌｐｅｒ", True),
        ("helper 医疗", False),
        ("%", False),
        ("_", True),  # every id holds one: it means itself, and itself is there
        ("\0", True),
    ],
)
def test_search_finds_parts_of_words_in_both_languages(registry: Registry, search: str, finds: bool) -> None:
    system(registry)

    assert (registry.systems(search=search).total == 1) is finds


def test_pages_are_newest_first_and_count_everything(registry: Registry) -> None:
    provider = party(registry).id
    made = [system(registry, zh=f"系统{n}", provider_id=provider).id for n in range(5)]

    first, last = registry.systems(page=1, size=2), registry.systems(page=3, size=2)

    assert [s.id for s in (*first.items, *registry.systems(page=2, size=2).items, *last.items)] == made[::-1]
    assert (first.total, first.pages) == (5, 3)
    assert registry.systems(status=Status.RETIRED).total == 0
    assert registry.parties(search="明理").total == 1


def test_a_dossier_says_what_is_missing_rather_than_passing(registry: Registry) -> None:
    one = system(registry)

    bare = registry.dossier(one.id)
    for role in (PersonRole.ACCOUNTABLE, PersonRole.OVERSEER):
        registry.name_person(one.id, NamePerson(role=role, name="甲"), by=OWNER)
    named = registry.dossier(one.id)

    assert (bare.standing, named.standing) == (Standing.INCOMPLETE, Standing.NOT_EVALUATED)
    assert [act.kind for act in bare.acts] == ["registry.system_registered.v2"]
    assert bare.provider and bare.provider.name == "明理科技有限公司"
    assert bare.deployer is None


def test_what_is_not_there_is_said_so(registry: Registry, sql: Sql) -> None:
    for ask in (registry.system, registry.dossier, registry.party):
        for wrong in ("sys_nothing", "a\0b", "'; drop table registry_system; --"):
            with pytest.raises(NotFound):
                ask(wrong)
    with pytest.raises(NotFound):
        registry.name_person("sys_nothing", NamePerson(role=PersonRole.OVERSEER, name="甲"), by=OWNER)
    with pytest.raises(NotFound):
        registry.change_system("sys_nothing", ChangeSystem(version=1, reason="r", name_en="x"), by=OWNER)
