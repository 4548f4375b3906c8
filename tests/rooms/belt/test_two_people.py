"""Where a system asks for it, one person's word neither lifts a stop nor, if it asks for that too, places one."""

import json
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide.two_people import needs_two
from safebelt.rooms.belt.model import STOPS, Command, Order, OrderTerms, TwoPeople
from safebelt.web.terminal import Answer

LIFTING, PLACING, BOTH = TwoPeople(lifting=True), TwoPeople(placing=True), TwoPeople(lifting=True, placing=True)
OTHER = Actor(id="usr_other", roles=frozenset({Role.OVERSEER}), door="web")
OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    made = build(sql, tmp_path)
    made.belt.fit(made.system_id, by=OWNER)
    yield made
    sql.close()


def _command(house: House) -> Command:
    return house.belt.in_force(house.system_id).command


def _done(house: House, order: Order | None) -> None:
    assert order is not None and house.belt.wait_effective(order.id, 2) is not None


# ------------------------------------------------------------------ the judgment


@pytest.mark.parametrize(
    ("rules", "target", "expected"),
    [
        ({}, "sys_1", set()),
        ({"sys_1": LIFTING}, "sys_1", {Command.RUN}),
        ({"sys_1": LIFTING}, "sys_2", set()),
        ({"": LIFTING}, "sys_2", {Command.RUN}),
        ({"sys_1": LIFTING}, "", {Command.RUN}),  # to resume all would let it run too
        ({"sys_1": LIFTING}, "model:m", {Command.RUN}),
        ({"sys_1": PLACING}, "sys_1", {Command.PAUSE, Command.DRAIN, Command.CUT}),
        ({"sys_1": PLACING}, "", set()),  # to stop all stays one person's
        ({"": PLACING, "sys_1": LIFTING}, "sys_1", {Command.RUN}),  # the system's own rule counts
        ({"sys_1": BOTH}, "sys_1", set(STOPS)),
    ],
)
def test_a_rule_says_which_orders_take_two(rules: dict[str, TwoPeople], target: str, expected: set[Command]) -> None:
    assert {command for command in STOPS if needs_two(rules, command, target)} == expected


def test_a_drain_that_lets_held_answers_go_on_lifts_a_pause() -> None:
    rules = {"sys_1": LIFTING}

    assert needs_two(rules, Command.DRAIN, "sys_1", Command.PAUSE)
    assert not needs_two(rules, Command.DRAIN, "sys_1", Command.CUT)
    assert not needs_two(rules, Command.CUT, "sys_1", Command.PAUSE)


def test_asking_two_to_lift_is_safer_and_asking_two_to_stop_is_not() -> None:
    every = [TwoPeople(lifting=lifting, placing=placing) for lifting, placing in product((False, True), repeat=2)]
    may = {(a, b) for a in every for b in every if b.is_no_laxer(a)}

    assert (TwoPeople(), LIFTING) in may and (LIFTING, TwoPeople()) not in may
    assert (TwoPeople(), PLACING) not in may and (PLACING, TwoPeople()) in may
    assert all((each, each) in may for each in every) and (PLACING, LIFTING) in may and (LIFTING, PLACING) not in may


# ------------------------------------------------------------------ the deeds


def test_a_stop_is_one_persons_and_its_lifting_two_peoples(house: House) -> None:
    with house.watcher():
        assert house.belt.require_two(house.system_id, LIFTING, "matters", OWNER) is None
        _done(house, house.belt.order(Command.CUT, house.system_id, "stop", OWNER))
        with pytest.raises(Conflict):
            house.belt.order(Command.RUN, house.system_id, "go on", OWNER)
        with pytest.raises(Conflict):
            house.belt.order(Command.RUN, "", "go on, all", OWNER)
        asked = house.belt.ask(house.belt.to_stop(Command.RUN, house.system_id), "corrected", OWNER)
        assert isinstance(asked, Proposal) and _command(house) is Command.CUT, "nothing happens by one person's word"
        with pytest.raises(Refused):
            house.belt.second_order(asked.id, answer="me again", by=OWNER)
        with pytest.raises(Refused):
            house.belt.second_order(asked.id, answer="I may not", by=OPERATOR)
        assert _command(house) is Command.CUT

        made = house.belt.second_order(asked.id, answer="I agree", by=OTHER)
        _done(house, made)
        assert _command(house) is Command.RUN
        with pytest.raises(Conflict):
            house.belt.second_order(asked.id, answer="again", by=OTHER)
    house.belt.collect_proofs()
    assert made is not None and asked.id in made.reason and made.by == OTHER.id
    entries = [house.belt._t.ledger.entry(house.belt.stop(made.id).ordered_entry)]
    assert [(each.kind, each.data["command"]) for each in entries] == [("belt.stop_ordered.v1", "run")]


def test_without_a_rule_one_person_stops_and_resumes(house: House) -> None:
    with house.watcher():
        for command in (Command.CUT, Command.RUN):
            asked = house.belt.ask(house.belt.to_stop(command, house.system_id), "why", OWNER)
            assert isinstance(asked, Order)
            _done(house, asked)
            assert _command(house) is command


def test_a_rule_becomes_laxer_only_by_two_people(house: House) -> None:
    assert house.belt.require_two(house.system_id, LIFTING, "matters", OWNER) is None
    waits = house.belt.require_two(house.system_id, TwoPeople(), "too slow", OWNER)

    assert waits is not None and house.belt.two_people() == {house.system_id: LIFTING}
    assert house.belt.takes_two(Command.RUN, house.system_id)
    assert house.belt.second_order(waits.id, answer="yes", by=OTHER) is None
    assert house.belt.two_people() == {house.system_id: TwoPeople()}
    assert not house.belt.takes_two(Command.RUN, house.system_id)
    placing = house.belt.require_two(house.system_id, PLACING, "stopping costs lives too", OWNER)
    assert placing is not None and not house.belt.takes_two(Command.CUT, house.system_id)


def test_where_stopping_takes_two_the_stop_file_still_stops_by_one_hand(house: House) -> None:
    waits = house.belt.require_two(house.system_id, BOTH, "why", OWNER)
    assert waits is not None
    house.belt.second_order(waits.id, answer="yes", by=OTHER)
    with house.watcher():
        with pytest.raises(Conflict):
            house.belt.order(Command.CUT, house.system_id, "alone", OWNER)
        house.box.stop_file.write_text(f"cut {house.system_id}\n")
        _until(lambda: _command(house) is Command.CUT)
        assert _command(house) is Command.CUT


@pytest.mark.parametrize("is_ruled", [True, False])
def test_the_stop_file_lifts_only_what_one_person_may_lift(house: House, is_ruled: bool) -> None:
    if is_ruled:
        house.belt.require_two(house.system_id, LIFTING, "why", OWNER)
    with house.watcher():
        _done(house, house.belt.order(Command.CUT, house.system_id, "stop", OWNER))
        house.box.stop_file.write_text(f"run {house.system_id}\n")
        _until(lambda: _command(house) is Command.RUN, 0.6 if is_ruled else 5.0)

        assert _command(house) is (Command.CUT if is_ruled else Command.RUN)


def _until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    import time

    until = time.monotonic() + seconds
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)


def test_a_copy_of_the_rules_that_cannot_be_read_lets_nobody_lift_alone_and_everybody_stop(house: House) -> None:
    (house.box.folder / "two-people.json").write_text("{broken")

    assert house.belt.takes_two(Command.RUN, "sys_any") and not house.belt.takes_two(Command.CUT, "sys_any")
    assert house.belt.keep_two_people() == 1, "and is written anew from the database"
    assert not house.belt.takes_two(Command.RUN, "sys_any")


def test_what_cannot_be_set_is_told(house: House) -> None:
    with pytest.raises(NotFound):
        house.belt.require_two("sys_slip", LIFTING, "why", OWNER)
    with pytest.raises(Invalid):
        house.belt.require_two(house.system_id, LIFTING, " ", OWNER)
    with pytest.raises(Refused):
        house.belt.require_two(house.system_id, LIFTING, "why", OPERATOR)
    with pytest.raises(NotFound):
        house.belt.second_order("prp_none", answer="why", by=OTHER)

    assert house.belt.two_people() == {}


# ------------------------------------------------------------------ the doors


def test_the_command_line_sets_proposes_and_seconds(house: House) -> None:
    app = commands(house.belt)

    def run(*words: str) -> Answer:
        answer: Any = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
        json.dumps(answer.data)
        assert answer.as_text("zh") and answer.as_text("en")
        return answer  # type: ignore[no-any-return]

    with house.watcher():
        assert run("require-two", "--system", house.system_id, "--lifting", "--reason", "matters").exit_code == 0
        assert run("stop", "--system", house.system_id, "--reason", "stop").exit_code == 0
        waits = run("resume", "--system", house.system_id, "--reason", "corrected")
        listed = run("two-people").data
        theirs = house.belt.propose_order(Command.RUN, house.system_id, "corrected", OTHER)
        seconded = run("second-order", theirs.id, "--reason", "I agree")

    assert waits.exit_code == 3 and [each["proposal"] for each in listed["waiting"]] == [waits.data["proposal"]]
    assert listed["rules"] == [{"system": house.system_id, "lifting": True, "placing": False}]
    assert (seconded.exit_code, seconded.data["command"]) == (0, "run")


def test_the_api_refuses_one_person_and_takes_two(house: House) -> None:
    target = {"system_id": house.system_id}
    with house.watcher(), TestClient(build_app(house)) as one, TestClient(build_app(house, actor=OTHER)) as two:
        set_ = one.post("/api/belt/two-people", json={"lifting": True, "reason": "matters", **target})
        one.post("/api/belt/stop", json={"command": "cut", "reason": "stop", **target})
        alone = one.post("/api/belt/resume", json={"reason": "corrected", **target})
        waits = one.post("/api/belt/resume/propose", json={"reason": "corrected", **target}).json()["proposal"]
        own = one.post(f"/api/belt/orders/{waits}/second", json={"reason": "me again"})
        given = two.post(f"/api/belt/orders/{waits}/second", json={"reason": "I agree"})
        rules = two.get("/api/belt/two-people").json()

    assert set_.json() == {"proposal": ""} and rules == {house.system_id: {"lifting": True, "placing": False}}
    assert (alone.status_code, own.status_code, given.status_code) == (409, 403, 201)
    assert given.json()["ordered"]["order"]["command"] == "run" and given.json()["ordered"]["proof"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_propose_and_second(house: House, lang: str) -> None:
    stop = {"command": "cut", "system": house.system_id, "reason": "stop"}
    rule = {"lifting": "two", "placing": "one", "system": house.system_id, "reason": "matters"}
    with house.watcher(), TestClient(build_app(house)) as one, TestClient(build_app(house, actor=OTHER)) as two:
        one.post(f"/{lang}/belt/two-people", data=rule)
        one.post(f"/{lang}/belt/stop", data=stop)
        proposed = one.post(f"/{lang}/belt/resume", data={**stop, "command": "run", "reason": "corrected"})
        where = proposed.url.path
        still = _command(house)
        own = one.post(f"{where}/second", data={"answer": "me again"})
        shown = two.get(where).text
        given = two.post(f"{where}/second", data={"answer": "I agree"})
        listed = one.get(f"/{lang}/belt/two-people").text

        assert proposed.status_code == 200 and "/belt/orders/prp_" in where and still is Command.CUT
        assert own.status_code == 403 and f'action="{where}/second"' in shown
        assert f'action="{where}/second"' not in proposed.text, "whoever proposed is not asked"
        assert "/belt/stops/ord_" in given.url.path and _command(house) is Command.RUN
        assert where in listed


# ------------------------------------------------------------------ limits and roll-backs

TEN, TWENTY = OrderTerms(per_minute=10), OrderTerms(per_minute=20)


@pytest.mark.parametrize(
    ("command", "eases", "takes"),
    [
        (Command.LIMIT, False, False),
        (Command.LIMIT, True, True),
        (Command.UNLIMIT, False, True),
        (Command.ROLL_BACK, False, False),
        (Command.ROLL_BACK, True, True),
        (Command.FORWARD, False, True),
    ],
)
def test_easing_and_lifting_take_two_where_lifting_does_and_tightening_stays_one_persons(
    command: Command, eases: bool, takes: bool
) -> None:
    assert needs_two({"sys_1": LIFTING}, command, "sys_1", eases=eases) is takes
    assert needs_two({"sys_1": PLACING}, command, "sys_1", eases=eases) is not takes
    assert not needs_two({}, command, "sys_1", eases=eases)


def test_a_limit_is_tightened_by_one_person_and_eased_and_lifted_by_two(house: House) -> None:
    def stands() -> list[int]:
        return [each.terms.per_minute for each in house.belt.state().limits]

    with house.watcher():
        house.belt.require_two(house.system_id, LIFTING, "matters", OWNER)
        _done(house, house.belt.limit(house.system_id, TWENTY, "much", OWNER))
        _done(house, house.belt.limit(house.system_id, TEN, "still much", OWNER))
        with pytest.raises(Conflict):
            house.belt.limit(house.system_id, TWENTY, "easier", OWNER)
        with pytest.raises(Conflict):
            house.belt.unlimit(house.system_id, "off", OWNER)
        with pytest.raises(Conflict):
            house.belt.unlimit("", "off for all", OWNER)
        assert stands() == [10]
        eased = house.belt.ask(house.belt.to_limit(house.system_id, TWENTY, OWNER), "easier", OWNER)
        assert isinstance(eased, Proposal) and "per_minute=20" in eased.says.en and stands() == [10]
        with pytest.raises(Refused):
            house.belt.second_order(eased.id, answer="I may only stop", by=OPERATOR)
        _done(house, house.belt.second_order(eased.id, answer="agreed", by=OTHER))
        assert stands() == [20], "what was seconded is what was proposed, with its terms"
        lifted = house.belt.propose_order(Command.UNLIMIT, house.system_id, "over", OWNER)
        _done(house, house.belt.second_order(lifted.id, answer="agreed", by=OTHER))
        assert stands() == []


def test_a_roll_back_is_one_persons_and_the_way_forward_two_peoples(house: House) -> None:
    with house.watcher():
        house.belt.require_two(house.system_id, LIFTING, "matters", OWNER)
        _done(house, house.belt.roll_back(house.system_id, "model:old", "harm", OWNER))
        with pytest.raises(Conflict):
            house.belt.forward(house.system_id, "mended", OWNER)
        with pytest.raises(Conflict):
            house.belt.roll_back(house.system_id, "model:new", "another", OWNER)
        assert [each.terms.model for each in house.belt.state().versions] == ["old"]
        asked = house.belt.propose_order(Command.FORWARD, house.system_id, "mended", OWNER)
        _done(house, house.belt.second_order(asked.id, answer="seen", by=OTHER))
        assert house.belt.state().versions == ()


def test_where_placing_takes_two_so_do_limit_roll_back_and_a_pause_that_holds(house: House) -> None:
    with house.watcher():
        house.belt.require_two(house.system_id, TwoPeople(placing=False), "as before", OWNER)
        waits = house.belt.require_two(house.system_id, PLACING, "matters", OWNER)
        assert waits is not None
        house.belt.second_order(waits.id, answer="yes", by=OTHER)
        for wanted in (
            house.belt.to_limit(house.system_id, TEN, OWNER),
            house.belt.to_roll_back(house.system_id, "model:old", OWNER),
            house.belt.to_stop(Command.PAUSE, house.system_id, house.belt.hold(7, 3)),
        ):
            asked = house.belt.ask(wanted, "why", OWNER)
            assert isinstance(asked, Proposal)
            made = house.belt.second_order(asked.id, answer="yes", by=OTHER)
            _done(house, made)
            assert made is not None and made.terms == wanted.terms
    house.belt.collect_proofs()
    kind = house.belt._t.ledger.entry(house.belt.stop(made.id).ordered_entry)
    assert (kind.kind, kind.data["hold_seconds"], kind.data["hold_most"]) == ("belt.hold_ordered.v1", 7, 3)


@pytest.mark.parametrize(
    ("command", "target", "terms"),
    [
        (Command.CUT, "", OrderTerms(hold_seconds=5, hold_most=5)),
        (Command.PAUSE, "tool:pay", OrderTerms(hold_seconds=5, hold_most=5)),
        (Command.PAUSE, "", OrderTerms(hold_seconds=301, hold_most=5)),
        (Command.PAUSE, "", OrderTerms(hold_seconds=-1, hold_most=5)),
        (Command.PAUSE, "", OrderTerms(hold_seconds=5, hold_most=10_001)),
        (Command.PAUSE, "", OrderTerms(hold_seconds=5)),
        (Command.PAUSE, "", TEN),
    ],
)
def test_what_lets_nothing_wait_is_told_and_nothing_is_ordered(
    house: House, command: Command, target: str, terms: OrderTerms
) -> None:
    with pytest.raises(Invalid):
        house.belt.order(command, target, "why", OWNER, terms)

    assert house.belt.state().waiting == ()
