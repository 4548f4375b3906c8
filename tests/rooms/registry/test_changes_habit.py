"""What the house looks at by itself, and what two processes do at once, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import sqlalchemy as sa
from tests.rooms.registry.test_changes import CALIFORNIA, LARGE, SMALL, attest, described, open_kinds, register
from tests.rooms.registry.test_responsibility import TOOL, people

from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.jobs import habits
from safebelt.rooms.registry.model import PersonRole, Status
from safebelt.rooms.registry.model.changes import Cause, Trigger
from safebelt.rooms.registry.model.responsibility import HandOver, Part
from safebelt.rooms.registry.service import Registry
from safebelt.rooms.registry.store.changes import sweep


def test_a_red_line_that_begins_takes_a_system_out_of_service_once(registry: Registry, sql: Sql, ledger, clock) -> None:
    system = register(registry, described("us-midjourney", use__military="also"))  # before the house's red lines begin
    registry.watch()
    assert registry.system(system.id).status is Status.IN_SERVICE

    clock.move(days=10)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: registry.watch(), range(2)))

    assert registry.system(system.id).status is Status.SUSPENDED
    kinds = [one.kind for one in ledger.entries(subject=system.id, limit=100)]
    assert kinds.count("registry.system_moved.v1") == 1
    assert "house.red-lines.line_1" in registry.life(system.id).passages[0].reason.en


def test_a_turn_with_nothing_to_do_writes_nothing(registry: Registry, sql: Sql, ledger: Ledger) -> None:
    register(registry, SMALL)
    registry.watch()
    entries = ledger.count()

    with sql.read() as tx:
        before = tx.execute(sa.select(sweep)).all()
    assert [one.is_done for one in registry.watch()] == [True, True]
    with sql.read() as tx:
        assert tx.execute(sa.select(sweep)).all() == before
    assert ledger.count() == entries


def test_evidence_that_runs_out_opens_its_gate_again_once(registry: Registry, sql: Sql, ledger: Ledger, clock) -> None:
    clock.move(days=20)  # so that nothing in the law begins within the days looked at
    system = register(registry, SMALL)
    kinds = registry.gate(system.id, Status.IN_SERVICE).asked
    attest(registry, system, clock, *kinds, days=5)
    registry.watch()

    clock.move(days=6)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: registry.watch(), range(2)))

    (change,) = [one for one in registry.changes(system.id) if one.trigger is Trigger.EXPIRY]
    assert {one.evidence for one in change.difference.reopened} == set(kinds)
    assert {one.cause for one in change.difference.reopened} == {Cause.EXPIRED}
    judged = [one for one in ledger.entries(subject=system.id, limit=100) if one.kind == "registry.change_judged.v1"]
    assert len(judged) == len(registry.changes(system.id))
    assert open_kinds(registry, system) == set(kinds)


def test_a_date_of_the_law_opens_what_it_asks_for_of_whom_it_binds(registry: Registry, sql: Sql, clock) -> None:
    clock.now = datetime(2026, 8, 1, 12, tzinfo=UTC)
    bound, other = register(registry, LARGE), register(registry, described("eu-spam-filter"))
    registry.watch()

    clock.now = datetime(2026, 8, 2, 0, 1, tzinfo=UTC)
    registry.watch()

    (change,) = registry.changes(bound.id)
    assert change.trigger is Trigger.LAW
    assert {one.evidence for one in change.difference.reopened} >= CALIFORNIA
    assert registry.changes(other.id) == ()  # the control: nothing begins for it on that day


def test_the_house_has_a_habit_which_takes_the_turn_and_every_habit_can_rest(registry: Registry) -> None:
    for habit in habits(registry):
        habit.step()

    assert "registry.watch" in {habit.name for habit in habits(registry)}
    assert [one.is_done for one in registry.watch()] == [True, True]


def test_a_change_put_back_and_a_hand_over_are_kept_as_they_were(registry: Registry, clock) -> None:
    system = register(registry, SMALL)
    named = people(registry, system)
    would = registry.preview(system.id, LARGE).difference
    registry.describe(system.id, LARGE, by=OWNER)
    boss, operator = named[PersonRole.ACCOUNTABLE], named[PersonRole.OPERATOR]
    for giver, taker in ((boss, operator), (operator, boss)):
        command = HandOver(scope=TOOL, part=Part.ACCOUNTABLE, from_person=giver, to_person=taker, reason="turns")
        registry.hand_over(system.id, command, by=OWNER)

    (change,) = registry.changes(system.id)
    assert registry.change(change.id).difference == would == change.difference
    assert [(one.person_id, one.until) for one in registry.assignments(system.id)] == [
        (operator, clock().date()),
        (boss, None),
    ]


def test_two_descriptions_at_once_are_each_compared_with_the_one_before(registry: Registry) -> None:
    system = register(registry, SMALL)
    sources = [LARGE, described("us-midjourney", scale__monthly_users=100_000, offer__open_source=True)]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda source: registry.describe(system.id, source, by=OWNER), sources))

    pairs = [(one.before_version, one.version) for one in registry.changes(system.id)]
    assert pairs == [(2, 3), (1, 2)]
