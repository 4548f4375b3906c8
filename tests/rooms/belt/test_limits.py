"""Limits through every door: ordered with a reason, on the ledger, shown with how much is used, lifted by who may."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.control.rations import Rations
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.model import Command, OrderTerms
from safebelt.web.terminal import Answer

OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")
TEN = OrderTerms(per_minute=10, basis="contract 7 § 3")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    made = build(sql, tmp_path)
    made.belt.fit(made.system_id, by=OWNER)
    yield made
    sql.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient[Any]]:
    with TestClient(build_app(house)) as found:
        yield found


@pytest.fixture
def run(house: House) -> Callable[..., Answer]:
    app = commands(house.belt)

    def call(*words: str) -> Answer:
        answer: Any = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
        json.dumps(answer.data)
        assert answer.as_text("zh") and answer.as_text("en")
        return answer  # type: ignore[no-any-return]

    return call


def test_a_limit_is_on_the_ledger_with_what_it_rests_on_and_with_its_effect(house: House) -> None:
    with house.watcher():
        order = house.belt.limit(house.system_id, TEN, "overload", OWNER)
        assert house.belt.wait_effective(order.id, 2)
    house.belt.collect_proofs()

    kept = house.belt.stop(order.id)
    assert (kept.order, kept.proof is not None) == (order, True) and kept.ordered_entry and kept.effective_entry
    entry = house.belt._t.ledger.entry(kept.ordered_entry)
    assert entry.kind == "belt.limit_ordered.v1" and entry.data["per_minute"] == 10
    assert "basis" not in entry.data and "reason" not in entry.data, "what people type stays out of the leaf"
    assert house.belt.in_force(house.system_id).command is Command.RUN, "a limit stops nothing"
    assert house.belt.transparency().stops == {"limit": 1}


@pytest.mark.parametrize(
    ("target", "terms"),
    [
        ("", OrderTerms()),
        ("", OrderTerms(per_minute=-1)),
        ("", OrderTerms(per_minute=10**9)),
        ("tool:pay", OrderTerms(at_once=1)),
        ("limit|sys_1", TEN),
        ("bus/sys_1", TEN),
    ],
)
def test_what_makes_no_limit_is_told_and_nothing_is_ordered(house: House, target: str, terms: OrderTerms) -> None:
    with pytest.raises(Invalid):
        house.belt.limit(target, terms, "why", OWNER)
    with pytest.raises(Invalid):
        house.belt.limit("", TEN, " ", OWNER)

    assert house.belt.state().waiting == ()


def test_a_slip_in_a_name_is_told_and_the_limit_holds_for_it(house: House) -> None:
    with pytest.raises(NotFound):
        house.belt.limit("sys_slip", TEN, "why", OWNER)

    assert [order.system_id for order in house.belt.state().waiting] == ["sys_slip"]


def test_who_may_only_stop_may_tighten_a_limit_and_not_ease_it(house: House) -> None:
    def order(terms: OrderTerms, by: Actor) -> None:
        house.belt.limit(house.system_id, terms, "why", by)

    with house.watcher():
        order(TEN, OPERATOR)
        order(OrderTerms(per_minute=5, at_once=2), OPERATOR)
        for easier in (OrderTerms(per_minute=6, at_once=2), OrderTerms(per_minute=5), OrderTerms(at_once=1)):
            with pytest.raises(Conflict):
                order(easier, OPERATOR)
        order(OrderTerms(per_minute=6), OWNER)
        house.belt.unlimit(house.system_id, "over", OWNER)
        order(OrderTerms(per_minute=99), OPERATOR)


@pytest.mark.parametrize("name", ["bus/sys_1", "lease/", "limit|sys_1", "limit|bus/sys_1"])
def test_no_resume_reaches_into_another_layer_or_matter_by_its_name(house: House, name: str) -> None:
    """A bus order is kept as `bus/<system>`: a resume of a system of that name would have lifted it."""
    with pytest.raises(Invalid, match="no system's id"):
        house.belt.order(Command.RUN, name, "why", OWNER)

    assert house.belt.state().waiting == ()


def test_a_command_line_limits_lists_and_lifts(house: House, run: Callable[..., Answer]) -> None:
    with house.watcher():
        given = run("limit", "--system", house.system_id, "--per-minute", "5", "--basis", "§ 1", "--reason", "drill")
        listed, state = run("limits").data["limits"], run("state").data
        lifted = run("unlimit", "--system", house.system_id, "--reason", "over")

        assert (given.exit_code, given.data["terms"]["per_minute"]) == (0, 5)
        assert [(each["for"], each["per_minute"], each["basis"]) for each in listed] == [(house.system_id, 5, "§ 1")]
        assert state["limits"] == [given.data["order"]] and state["systems"] == {}
        assert lifted.exit_code == 0 and run("limits").data["limits"] == []


def test_the_api_limits_and_tells_how_much_is_used(client: TestClient[Any], house: House) -> None:
    with house.watcher():
        asked = {"per_minute": 2, "reason": "drill", "model": "qwen"}
        given = client.post("/api/belt/limit", json=asked)
        worker = Switch(house.belt._t.box.state().orders, {}, Rations(house.belt._t.box.limits))
        assert [worker.take(worker.open("s"), "qwen") is None for _ in range(3)] == [True, True, False]
        found = client.get("/api/belt/limits").json()
        bad = client.post("/api/belt/limit", json={"reason": "drill"})
        lifted = client.post("/api/belt/unlimit", json={"reason": "over", "model": "qwen"})

    assert given.status_code == 201 and given.json()["proof"] and given.json()["order"]["terms"]["per_minute"] == 2
    assert [(each["target"], each["used"]) for each in found] == [
        ("model:qwen", {"in_minute": 2, "running": 2, "refused": 1})
    ]
    assert bad.status_code == 422 and lifted.status_code == 201 and client.get("/api/belt/limits").json() == []


def test_lifting_takes_the_right_to_resume(house: House) -> None:
    with TestClient(build_app(house, actor=OPERATOR, may=lambda action: action != "belt.resume")) as client:
        assert client.post("/api/belt/unlimit", json={"reason": "over"}).status_code == 403
        assert client.post("/api/belt/limit", json={"reason": "why", "per_minute": 3}).status_code == 201
        assert 'action="/en/belt/limits"' in client.get("/en/belt/limits").text
        assert "limits/lift" not in client.get("/en/belt/limits").text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_orders_shows_and_lifts(client: TestClient[Any], house: House, lang: str) -> None:
    page = f"/{lang}/belt/limits"
    with house.watcher():
        wrong = client.post(page, data={"per_minute": "many", "reason": "why"})
        given = client.post(
            page, data={"per_minute": "7", "at_once": "", "basis": "§ 1", "reason": "drill", "system": house.system_id}
        )
        shown, control = client.get(page).text, client.get(f"/{lang}/belt/stop").text
        again = client.post(f"{page}/lift", data={"system": house.system_id, "why": ""})
        client.post(f"{page}/lift", data={"system": house.system_id, "why": "over"})

        assert wrong.status_code == 422 and "govuk-error-summary" in wrong.text
        assert given.status_code == 200 and "§ 1" in given.text, "the proof"
        most = "每分钟 7 次" if lang == "zh" else "7 a minute"
        assert most in shown and "§ 1" in shown and most in control
        assert again.status_code == 422
        assert most not in client.get(page).text
        assert most not in client.get(f"/{lang}/belt/stop").text
