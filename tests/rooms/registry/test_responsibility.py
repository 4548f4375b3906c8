"""Who answers for which duty, hand-overs on record, and the rights of each party."""

from datetime import timedelta
from pathlib import Path

import pytest
from tests.rooms.registry.test_changes import LARGE, described, register

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.api.changes import as_csv
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterParty, RegisterSystem, System
from safebelt.rooms.registry.model.responsibility import Assign, EndAssignment, HandOver, Origin, Part
from safebelt.rooms.registry.service import Registry

TOOL = "us.ca-sb-942.sec_22757.2__para_a"
"""The duty to offer a detection tool: one of the provider's."""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database: nothing here depends on it; `test_changes_habit.py` takes both."""
    return f"sqlite:///{tmp_path / 'test.db'}"


def people(registry: Registry, system: System) -> dict[PersonRole, str]:
    for role, name in ((PersonRole.OPERATOR, "李雷"), (PersonRole.OVERSEER, "韩梅")):
        registry.name_person(system.id, NamePerson(role=role, name=name), by=OWNER)
    return {one.role: one.id for one in registry.system(system.id).people}


def duty(registry: Registry, system: System, norm: str = TOOL):
    return next(one for one in registry.responsibility(system.id).duties if one.norm == norm)


def held(registry: Registry, system: System, part: Part, norm: str = TOOL) -> list[tuple[str, Origin]]:
    return [(one.person_id, one.origin) for one in duty(registry, system, norm).holders[part]]


def test_by_default_the_people_named_for_the_system_answer_by_their_roles(registry: Registry) -> None:
    system = register(registry, LARGE)
    named = people(registry, system)

    found = duty(registry, system)

    assert held(registry, system, Part.ACCOUNTABLE) == [(named[PersonRole.ACCOUNTABLE], Origin.ROLE)]
    assert held(registry, system, Part.ACTING) == [(named[PersonRole.OPERATOR], Origin.ROLE)]
    assert held(registry, system, Part.TOLD) == [(named[PersonRole.OVERSEER], Origin.ROLE)]
    assert found.binds and found.cites and found.gap is None


def test_a_duty_nobody_is_accountable_for_is_named_as_a_gap(registry: Registry) -> None:
    party = registry.register_party(RegisterParty(name="Provider"), by=OWNER)
    system = registry.register_system(RegisterSystem(provider_id=party.id, name_en="A", purpose_en="B"), by=OWNER)
    assert registry.responsibility(system.id).facts_version == 0  # not evaluated: neither a duty nor a gap is shown
    registry.describe(system.id, LARGE, by=OWNER)

    gaps = registry.responsibility(system.id).gaps

    assert TOOL in {one.norm for one in gaps}
    assert all(one.is_ours for one in gaps)
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王芳"), by=OWNER)
    assert registry.responsibility(system.id).gaps == ()


def test_an_assignment_to_a_duty_goes_before_one_to_its_bearer_and_that_before_a_role(registry: Registry) -> None:
    system = register(registry, LARGE)
    named = people(registry, system)
    operator, overseer = named[PersonRole.OPERATOR], named[PersonRole.OVERSEER]

    for scope, person in (("bearer:provider", operator), (TOOL, overseer)):
        command = Assign(scope=scope, part=Part.ACCOUNTABLE, person_id=person, reason="knows it best")
        registry.assign(system.id, command, by=OWNER)

    assert held(registry, system, Part.ACCOUNTABLE) == [(overseer, Origin.DUTY)]
    others = [one for one in registry.responsibility(system.id).duties if one.bearer == "provider" and one.norm != TOOL]
    assert others
    assert all(one.holders[Part.ACCOUNTABLE][0].person_id == operator for one in others)


def test_a_hand_over_ends_one_term_and_begins_the_next_on_the_ledger_without_names(
    registry: Registry, ledger: Ledger, clock
) -> None:
    system = register(registry, LARGE)
    named = people(registry, system)
    boss, operator = named[PersonRole.ACCOUNTABLE], named[PersonRole.OPERATOR]
    day = clock().date() + timedelta(days=3)

    first = HandOver(scope=TOOL, part=Part.ACCOUNTABLE, from_person=boss, to_person=operator, reason="runs it")
    registry.hand_over(system.id, first, by=OWNER)
    back = HandOver(scope=TOOL, part=Part.ACCOUNTABLE, from_person=operator, to_person=boss, reason="left", on=day)
    registry.hand_over(system.id, back, by=OWNER)

    before, after = registry.assignments(system.id)
    assert (before.person_id, before.until, after.person_id, after.since) == (operator, day, boss, day)
    assert held(registry, system, Part.ACCOUNTABLE) == [(operator, Origin.DUTY)]
    clock.move(days=3)
    assert held(registry, system, Part.ACCOUNTABLE) == [(boss, Origin.DUTY)]
    kinds = [one.kind for one in ledger.entries(subject=system.id, limit=2)]
    assert kinds == ["registry.responsibility_handed_over.v1"] * 2
    bodies = b"".join(one.body for one in ledger.entries(limit=100))
    assert operator.encode() in bodies and "李雷".encode() not in bodies


def test_who_does_not_have_it_cannot_hand_it_over_and_nobody_is_made_accountable_twice(registry: Registry) -> None:
    system = register(registry, LARGE)
    named = people(registry, system)
    boss, operator, overseer = (named[role] for role in PersonRole)

    with pytest.raises(Conflict, match="does not have this"):
        command = HandOver(scope=TOOL, part=Part.ACCOUNTABLE, from_person=overseer, to_person=operator, reason="x")
        registry.hand_over(system.id, command, by=OWNER)
    with pytest.raises(Invalid, match="same person"):
        command = HandOver(scope=TOOL, part=Part.ACCOUNTABLE, from_person=boss, to_person=boss, reason="x")
        registry.hand_over(system.id, command, by=OWNER)
    registry.assign(system.id, Assign(scope=TOOL, part=Part.ACCOUNTABLE, person_id=operator, reason="x"), by=OWNER)
    with pytest.raises(Conflict, match="accountable for this already"):
        registry.assign(system.id, Assign(scope=TOOL, part=Part.ACCOUNTABLE, person_id=overseer, reason="x"), by=OWNER)
    with pytest.raises(NotFound):
        registry.assign(system.id, Assign(scope="no.such", part=Part.TOLD, person_id=overseer, reason="x"), by=OWNER)
    with pytest.raises(NotFound):
        registry.assign(system.id, Assign(scope=TOOL, part=Part.TOLD, person_id="per_nobody", reason="x"), by=OWNER)
    with pytest.raises(Invalid):
        registry.assign(system.id, Assign(scope=TOOL, part=Part.TOLD, person_id=boss, reason=" "), by=OWNER)


def test_whoever_no_longer_stands_for_the_system_leaves_a_gap_and_not_a_false_name(registry: Registry, clock) -> None:
    system = register(registry, LARGE)
    boss = system.current(PersonRole.ACCOUNTABLE)[0].id
    made = registry.assign(
        system.id, Assign(scope=TOOL, part=Part.ACCOUNTABLE, person_id=boss, reason="in person"), by=OWNER
    )

    clock.move(days=1)
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="赵云"), by=OWNER)

    assert held(registry, system, Part.ACCOUNTABLE) == []
    gap = duty(registry, system).gap
    assert gap is not None and gap.cites == (boss,)
    registry.end_assignment(system.id, EndAssignment(assignment_id=made.id, reason="left"), by=OWNER)
    assert duty(registry, system).gap is None
    with pytest.raises(Conflict):
        registry.end_assignment(system.id, EndAssignment(assignment_id=made.id, reason="left"), by=OWNER)


def test_the_csv_names_people_and_gives_no_spreadsheet_a_formula(registry: Registry) -> None:
    system = register(registry, LARGE)
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="=cmd|' /C calc'!A0"), by=OWNER)

    found = registry.system(system.id)
    lines = as_csv(registry.responsibility(system.id), {one.id: one for one in found.people}).splitlines()

    (row,) = [line for line in lines if line.startswith(TOOL)]
    assert ",'=cmd|" in row or ",\"'=cmd|" in row


def test_rights_are_grouped_by_whose_they_are_with_citation_and_standing(registry: Registry) -> None:
    system = register(registry, described("eu-cv-ranking"))

    rights = registry.rights_of(system.id)

    assert rights
    assert all(one.cites and one.why.because for one in rights)
    bearers = [one.bearer for one in rights]
    assert bearers == sorted(bearers, key=bearers.index)  # each bearer's stand together
    assert {one.binds for one in rights} <= {True, False}
    assert all(one.is_verified for one in rights if one.binds)
