"""Change control: what changed facts re-open, exactly, and by when."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.rooms.rulebook.house import ROOT

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.model import NamePerson, PersonRole, RegisterParty, RegisterSystem, Status, System
from safebelt.rooms.registry.model.changes import HOUSE_RULE, Cause, ChangeKind, Standing, Weight
from safebelt.rooms.registry.model.lifecycle import Attest, Withdraw
from safebelt.rooms.registry.model.road import AskKind
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.rulebook.packs.documents import read_document

CALIFORNIA = {"detection_tool", "explicit_label", "implicit_label_metadata", "watermark"}
"""What the Californian law asks of whoever has more than a million monthly users."""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """One database: what is judged here does not depend on it; `test_changes_habit.py` takes both."""
    return f"sqlite:///{tmp_path / 'test.db'}"


def described(name: str, **facts: object) -> str:
    """A real described system of this repository, with some facts otherwise; None takes one away."""
    data = read_document((ROOT / "law" / "systems" / f"{name}.yaml").read_bytes(), "system.yaml").data
    for fact, value in facts.items():
        data["facts"][fact.replace("__", ".")] = {"value": value}
        if value is None:
            del data["facts"][fact.replace("__", ".")]
    return json.dumps(data, default=str)


def bring_into_service(registry: Registry, system: System) -> None:
    """Put a system into service behind the gates' back: what is tested is what happens to it there."""
    with registry._sql.begin() as tx:
        tx.execute(sa.text("update registry_system set status = 'in_service' where id = :id"), {"id": system.id})


def register(registry: Registry, source: str, *, in_service: bool = True) -> System:
    """A system with somebody accountable and facts on record; in service, so that gates can open again."""
    party = registry.register_party(RegisterParty(name="Provider"), by=OWNER)
    command = RegisterSystem(provider_id=party.id, name_en="Pictures", purpose_en="Makes pictures from text")
    system = registry.register_system(command, by=OWNER)
    registry.name_person(system.id, NamePerson(role=PersonRole.ACCOUNTABLE, name="王芳"), by=OWNER)
    registry.describe(system.id, source, by=OWNER)
    if in_service:
        bring_into_service(registry, system)
    return registry.system(system.id)


def attest(registry: Registry, system: System, clock, *kinds: str, days: int = 300) -> None:
    person = system.current(PersonRole.ACCOUNTABLE)[0]
    until = clock().date() + timedelta(days=days)
    for kind in kinds:
        command = Attest(kind=kind, statement="kept by us", expires_on=until, person_id=person.id)
        registry.attest(system.id, command, by=OWNER)


def open_kinds(registry: Registry, system: System) -> set[str]:
    wanted = (Standing.OPEN, Standing.OVERDUE)
    return {one.redo.evidence for one in registry.to_do(system.id) if one.standing in wanted}


SMALL = described("us-midjourney", scale__monthly_users=100_000)
LARGE = described("us-midjourney", scale__monthly_users=10_000_000)


def test_a_hundred_times_the_users_opens_what_the_threshold_asks_and_nothing_else(registry: Registry, clock) -> None:
    system = register(registry, SMALL)
    before = set(registry.gate(system.id, Status.IN_SERVICE).asked)
    attest(registry, system, clock, *before)

    registry.describe(system.id, LARGE, by=OWNER)

    found = registry.changes(system.id)[0].difference
    assert found.kinds == (ChangeKind.SCALE,)
    assert found.facts == ("scale.monthly_users",)
    assert [one.instrument for one in found.regraded] == ["us/ca-sb-942"]
    assert {one.evidence for one in found.reopened} == CALIFORNIA - before == open_kinds(registry, system)
    assert {(one.cause, one.due, one.basis) for one in found.reopened} == {
        (Cause.NEW, clock().date() + timedelta(days=registry.change_rules.new_within_days), HOUSE_RULE)
    }
    asked = registry.gate(system.id, Status.IN_SERVICE)
    assert {one.evidence for one in found.reopened} <= set(asked.asked)
    assert found.gates == (Status.IN_SERVICE.value,)
    assert {one.id for one in asked.missing if one.kind is AskKind.EVIDENCE} == open_kinds(registry, system)


def test_a_new_jurisdiction_opens_what_its_law_asks_and_what_speaks_to_its_people(registry: Registry, clock) -> None:
    here = described("us-midjourney", market__jurisdictions=["us-ca"], output__used_in=["us-ca"])
    there = described("us-midjourney", market__jurisdictions=["us-ca", "eu"], output__used_in=["us-ca", "eu"])
    system = register(registry, here)
    before = set(registry.gate(system.id, Status.IN_SERVICE).asked)
    attest(registry, system, clock, *before)

    registry.describe(system.id, there, by=OWNER)

    found = registry.changes(system.id)[0].difference
    after = registry.gate(system.id, Status.IN_SERVICE).asked
    assert found.kinds == (ChangeKind.JURISDICTION,)
    assert {one.evidence for one in found.reopened} == set(after) - before == open_kinds(registry, system)
    assert before & set(after) == CALIFORNIA  # what California asks is held, still asked for, and stays as it is
    assert {norm.split(".")[0] for one in found.reopened for norm in one.norms} == {"eu"}
    assert all(one.due is not None for one in found.reopened)


def test_evidence_that_a_change_makes_stale_is_open_again_until_it_is_made_anew(registry: Registry, clock) -> None:
    system = register(registry, described("us-midjourney", output__used_in=["eu"]))
    attest(registry, system, clock, *registry.gate(system.id, Status.IN_SERVICE).asked)
    assert open_kinds(registry, system) == set()

    registry.describe(system.id, described("us-midjourney", output__used_in=["eu", "gb"]), by=OWNER)

    (one,) = (each for each in registry.to_do(system.id) if each.standing is Standing.OPEN)
    assert (one.redo.evidence, one.redo.cause) == ("transparency_notice", Cause.STALE)
    assert one.redo.kinds == (ChangeKind.JURISDICTION,)
    assert [each.kind for each in registry.stale(system.id)] == ["transparency_notice"]
    assert "transparency_notice" in {m.id for m in registry.gate(system.id, Status.IN_SERVICE).missing}

    attest(registry, system, clock, "transparency_notice")

    assert open_kinds(registry, system) == set()
    assert [each.standing for each in registry.reopened(system.id)] == [Standing.DONE]
    assert "transparency_notice" not in {m.id for m in registry.gate(system.id, Status.IN_SERVICE).missing}


def test_what_is_not_done_in_time_is_overdue_and_suspends_nothing(registry: Registry, clock) -> None:
    system = register(registry, SMALL)
    registry.describe(system.id, LARGE, by=OWNER)
    stage = registry.system(system.id).status

    clock.move(days=31)
    registry.watch()

    late = {one.redo.evidence for one in registry.to_do(system.id) if one.standing is Standing.OVERDUE}
    assert "detection_tool" in late
    assert registry.system(system.id).status is stage


def test_an_undone_change_leaves_nothing_open(registry: Registry, ledger: Ledger, clock) -> None:
    system = register(registry, SMALL)
    attest(registry, system, clock, *registry.gate(system.id, Status.IN_SERVICE).asked)
    registry.describe(system.id, LARGE, by=OWNER)
    assert open_kinds(registry, system)

    record = registry.put_back(system.id, 1, by=OWNER)

    assert record.version == 3
    assert open_kinds(registry, system) == set()
    assert {one.standing for one in registry.reopened(system.id)} == {Standing.LAPSED}
    kinds = [one.kind for one in ledger.entries(subject=system.id, limit=4)]
    assert kinds == ["registry.change_judged.v1", "rulebook.system_described.v1"] * 2


def test_a_preview_says_the_same_and_leaves_nothing_behind(registry: Registry, ledger: Ledger, clock) -> None:
    system = register(registry, SMALL)
    entries = ledger.count()

    seen = registry.preview(system.id, LARGE)

    assert (ledger.count(), registry.changes(system.id), seen.version) == (entries, (), 1)
    registry.describe(system.id, LARGE, by=OWNER)
    assert registry.changes(system.id)[0].difference == seen.difference
    with pytest.raises(Invalid):
        registry.preview(system.id, "nonsense")
    with pytest.raises(NotFound):
        registry.preview("sys_nobody", LARGE)


def test_the_first_facts_and_the_same_facts_are_no_change(registry: Registry) -> None:
    system = register(registry, SMALL)

    assert registry.changes(system.id) == ()
    with pytest.raises(Conflict, match="on record already"):
        registry.describe(system.id, SMALL.replace("Midjourney image generator", "Midjourney image generatr"), by=OWNER)
    assert not registry.preview(system.id, SMALL).difference.is_felt


def test_what_is_not_verified_is_told_and_opens_nothing(registry: Registry) -> None:
    system = register(registry, described("us-midjourney", market__jurisdictions=["us-ca"]))

    found = registry.preview(system.id, described("us-midjourney", market__jurisdictions=["us-ca", "kr"])).difference

    told = [one for one in found.redos if one.weight is Weight.INFORMS]
    assert found.informs and told
    assert not {norm for one in found.reopened for norm in one.norms} & set(found.informs)


def test_evidence_that_was_taken_back_does_not_close_what_it_had_closed(registry: Registry, clock) -> None:
    system = register(registry, SMALL)
    registry.describe(system.id, LARGE, by=OWNER)
    attest(registry, system, clock, "detection_tool")
    piece = registry.life(system.id).evidence[0]
    assert "detection_tool" not in open_kinds(registry, system)

    registry.withdraw(piece.id, Withdraw(reason="made for another system"), by=OWNER)

    assert "detection_tool" in open_kinds(registry, system)


def test_what_a_gate_ahead_asks_is_asked_there_and_has_no_day_of_its_own(registry: Registry, clock) -> None:
    system = register(registry, SMALL, in_service=False)
    registry.describe(system.id, LARGE, by=OWNER)
    clock.move(days=100)

    assert {one.standing for one in registry.to_do(system.id)} == {Standing.AHEAD}
    bring_into_service(registry, system)
    assert Standing.OVERDUE in {one.standing for one in registry.to_do(system.id)}
