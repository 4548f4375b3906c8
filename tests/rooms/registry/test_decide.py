"""What the registry judges, with nothing but words."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.rooms.registry.decide import (
    NAME_LIMIT,
    change_system,
    name_person,
    register_party,
    register_system,
    standing,
)
from safebelt.rooms.registry.model import (
    ChangeSystem,
    NamePerson,
    PartyKind,
    PartyRole,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Standing,
    Status,
    System,
    folded,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = date(2026, 11, 21)


def system(**change: object) -> System:
    command = RegisterSystem(provider_id="pty_1", name_zh="问答助手", purpose_en="Answers questions")
    return replace(register_system(command, new_id="sys_1", at=AT)[0], **change)


def named(one: System, role: PersonRole, name: str, **more: object) -> System:
    new_id = f"per_{name}_{role}"
    return name_person(one, NamePerson(role=role, name=name, **more), new_id=new_id, today=TODAY)[0]


def test_a_text_in_one_language_stands_for_both() -> None:
    found = system()

    assert (found.name.zh, found.name.en) == ("问答助手", "问答助手")
    assert (found.purpose.zh, found.purpose.en) == ("Answers questions", "Answers questions")


@pytest.mark.parametrize(
    ("command", "field"),
    [
        (RegisterSystem(provider_id="p", purpose_zh="用途"), "name_zh"),
        (RegisterSystem(provider_id="p", name_en="  ", purpose_zh="用途"), "name_zh"),
        (RegisterSystem(provider_id="p", name_zh="名"), "purpose_zh"),
        (RegisterSystem(provider_id="p", name_en="x" * (NAME_LIMIT + 1), purpose_zh="用途"), "name_en"),
        (RegisterSystem(provider_id="p", name_zh="a\x00b", purpose_zh="用途"), "name_zh"),
    ],
)
def test_a_system_that_breaks_a_rule_of_form_names_the_field(command: RegisterSystem, field: str) -> None:
    with pytest.raises(Invalid) as error:
        register_system(command, new_id="sys_1", at=AT)

    assert error.value.details == {"field": field}


def test_a_persons_name_is_personal_and_an_organisations_is_not() -> None:
    person, of_person = register_party(
        RegisterParty(name="张三", kind=PartyKind.PERSON, contact="z@example.org"), new_id="pty_1", at=AT
    )
    _, of_company = register_party(RegisterParty(name="Acme", contact="a@example.org"), new_id="pty_2", at=AT)

    assert person.name == "张三"
    assert "张三" not in str(of_person.data())
    assert of_person.personal == {"name": "张三", "contact": "z@example.org"}
    assert of_company.data()["name"] == "Acme"
    assert of_company.personal == {"contact": "a@example.org"}


def test_roles_are_kept_once_and_in_the_houses_order() -> None:
    command = RegisterParty(name="A", roles=(PartyRole.DEPLOYER, PartyRole.PROVIDER, PartyRole.DEPLOYER))

    assert register_party(command, new_id="pty_1", at=AT)[0].roles == (PartyRole.PROVIDER, PartyRole.DEPLOYER)


def test_a_new_accountable_person_ends_the_former_term() -> None:
    first = named(system(), PersonRole.ACCOUNTABLE, "甲", since=date(2026, 1, 1))

    second = named(first, PersonRole.ACCOUNTABLE, "乙")

    (now,) = second.current(PersonRole.ACCOUNTABLE)
    assert now.name == "乙"
    assert [(p.name, p.until) for p in second.people if p.until] == [("甲", TODAY)]
    assert second.version == 3


def test_overseers_add_up_unless_one_takes_over() -> None:
    two = named(named(system(), PersonRole.OVERSEER, "甲"), PersonRole.OVERSEER, "乙")
    first = next(p for p in two.people if p.name == "甲")

    three = named(two, PersonRole.OVERSEER, "丙", replaces=first.id)

    assert [p.name for p in two.current(PersonRole.OVERSEER)] == ["乙", "甲"] or len(
        two.current(PersonRole.OVERSEER)
    ) == 2
    assert {p.name for p in three.current(PersonRole.OVERSEER)} == {"乙", "丙"}


def test_nobody_can_take_over_from_someone_in_another_role() -> None:
    one = named(system(), PersonRole.OPERATOR, "甲")

    with pytest.raises(Invalid):
        named(one, PersonRole.OVERSEER, "乙", replaces=one.people[0].id)


@pytest.mark.parametrize("role", list(PersonRole))
def test_naming_the_same_person_again_is_refused(role: PersonRole) -> None:
    with pytest.raises(Conflict):
        named(named(system(), role, "甲"), role, "甲")


def test_a_persons_name_is_in_the_personal_part_of_the_event_only() -> None:
    command = NamePerson(role=PersonRole.OVERSEER, name="李四", contact="li@example.org")

    event = name_person(system(), command, new_id="per_1", today=TODAY)[2]

    assert "李四" not in str(event.data()) and "li@example.org" not in str(event.data())
    assert event.personal == {"name": "李四", "contact": "li@example.org"}


def test_a_change_on_an_older_version_is_a_conflict() -> None:
    newer = change_system(system(), ChangeSystem(version=1, reason="改名", name_en="Helper"))[0]

    with pytest.raises(Conflict) as error:
        change_system(newer, ChangeSystem(version=1, reason="again", name_en="Other"))

    assert error.value.details == {"version": "2"}


def test_a_change_says_what_was_and_what_is() -> None:
    changed, event = change_system(system(), ChangeSystem(version=1, reason="更名", name_en="Helper"))

    assert changed.name.zh == "问答助手"
    assert event.changes == {"name_en": ("问答助手", "Helper")}
    assert event.data()["fields"] == ["name_en"] and "Helper" not in str(event.data())


def test_a_change_of_nothing_and_a_change_without_reason_are_refused() -> None:
    with pytest.raises(Conflict):
        change_system(system(), ChangeSystem(version=1, reason="x", name_zh="问答助手"))
    with pytest.raises(Invalid):
        change_system(system(), ChangeSystem(version=1, reason=" ", name_zh="新名"))


def test_nothing_comes_back_from_retirement() -> None:
    with pytest.raises(Conflict):
        named(system(status=Status.RETIRED), PersonRole.OVERSEER, "甲")


def test_a_dossier_without_named_people_is_incomplete() -> None:
    verdict, reason = standing(system(), has_duties=True, has_evidence=True)

    assert (verdict, reason.holds) == (Standing.INCOMPLETE, Truth.FALSE)


def test_a_dossier_nobody_has_looked_at_is_not_evaluated() -> None:
    full = named(named(system(), PersonRole.ACCOUNTABLE, "甲"), PersonRole.OVERSEER, "乙")

    assert standing(full, has_duties=None, has_evidence=None)[0] is Standing.NOT_EVALUATED
    assert standing(full, has_duties=True, has_evidence=None)[0] is Standing.NOT_EVALUATED
    assert standing(full, has_duties=True, has_evidence=True)[0] is Standing.EVALUATED


@given(duties=st.sampled_from([True, False, None]), evidence=st.sampled_from([True, False, None]))
def test_want_of_evidence_never_evaluates_a_dossier(duties: bool | None, evidence: bool | None) -> None:
    full = named(named(system(), PersonRole.ACCOUNTABLE, "甲"), PersonRole.OVERSEER, "乙")

    verdict, reason = standing(full, has_duties=duties, has_evidence=evidence)

    assert (verdict is Standing.EVALUATED) == (duties is True and evidence is True)
    assert reason.because


def test_a_dossier_says_in_the_same_breath_how_much_of_its_evidence_is_only_claimed() -> None:
    full = named(named(system(), PersonRole.ACCOUNTABLE, "甲"), PersonRole.OVERSEER, "乙")

    said = {n: standing(full, has_duties=True, has_evidence=True, claimed=n)[1].as_text("en") for n in (0, 1, 3)}
    silent = standing(full, has_duties=True, has_evidence=False, claimed=3)[1].as_text("en")

    assert "1 kind of it only claimed" in said[1] and "3 kinds of it only claimed" in said[3]
    assert "claimed" not in said[0] + silent


@given(st.text())
def test_folding_twice_changes_nothing_more_for_search(text: str) -> None:
    assert folded(text.upper()) == folded(text.upper())
    assert folded("ＡＢc") == folded("abC")
