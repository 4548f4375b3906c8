"""Roll-backs through every door: to a version that the settings name, on the ledger, shown, and undone by who may."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from pydantic import ValidationError
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.model import Command, Earlier
from safebelt.settings import EarlierVersion, Settings
from safebelt.web.terminal import Answer

OPERATOR = Actor(id="usr_operator", roles=frozenset({Role.OPERATOR}), door="web")
V1 = Earlier(name="v1", upstream="https://old.example.org/v1", model="m-1")
V2 = Earlier(name="v2", model="m-2")
THEIRS = Earlier(name="theirs", model="m-3", systems=("sys_other",))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    made = build(sql, tmp_path, earlier=(V1, V2, THEIRS))
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


def test_a_roll_back_says_where_it_leads_and_the_ledger_has_it_with_its_effect(house: House) -> None:
    with house.watcher():
        order = house.belt.roll_back(house.system_id, "v1", "wrong answers since Monday", OWNER, ends_running=True)
        assert house.belt.wait_effective(order.id, 2)
        house.belt.collect_proofs()
        now = house.belt.state()

    kept = house.belt.stop(order.id)
    assert kept.order == order and kept.effective_entry
    assert (order.terms.to, order.terms.upstream, order.terms.model) == ("v1", V1.upstream, "m-1")
    entry = house.belt._t.ledger.entry(kept.ordered_entry)
    assert entry.kind == "belt.version_ordered.v1"
    assert entry.data == {"order_id": order.id, "command": "roll_back", "ends_running": True}, "no names in the leaf"
    assert [(each.target, each.terms.to) for each in now.versions] == [(house.system_id, "v1")]
    assert house.belt.in_force(house.system_id).command is Command.RUN, "it stops nothing"


@pytest.mark.parametrize(
    ("target", "to"), [("", "v9"), ("", ""), ("tool:pay", "v1"), ("", "theirs"), ("", "model: "), ("version|x", "v1")]
)
def test_where_nothing_leads_nothing_is_ordered(house: House, target: str, to: str) -> None:
    with pytest.raises(Invalid):
        house.belt.roll_back(target, to, "why", OWNER)
    with pytest.raises(Invalid):
        house.belt.roll_back("", "v1", " ", OWNER)

    assert house.belt.state().waiting == ()


def test_without_a_name_it_is_the_version_that_is_named_for_the_system(house: House) -> None:
    with pytest.raises(NotFound):  # the register does not know it; the order holds
        house.belt.roll_back("sys_other", "", "why", OWNER)

    assert [order.terms.to for order in house.belt.state().waiting] == ["theirs"]


def test_who_may_not_resume_does_not_turn_a_standing_roll_back_elsewhere(house: House) -> None:
    with house.watcher():
        house.belt.roll_back("", "v1", "why", OPERATOR)
        house.belt.roll_back("", "v1", "and cut what runs", OPERATOR, ends_running=True)
        for other in ("v2", "model:m"):
            with pytest.raises(Conflict):
                house.belt.roll_back("", other, "why", OPERATOR)
        house.belt.roll_back("", "v2", "why", OWNER)


def test_a_command_line_rolls_back_lists_and_goes_forward(house: House, run: Callable[..., Answer]) -> None:
    with house.watcher():
        back = run("roll-back", house.system_id, "--to", "v1", "--cut", "--reason", "drill")
        listed, state = run("versions").data, run("state").data
        forward = run("roll-forward", house.system_id, "--reason", "corrected")

        assert (back.exit_code, back.data["terms"]["to"], back.data["terms"]["ends_running"]) == (0, "v1", True)
        assert [each["name"] for each in listed["earlier"]] == ["v1", "v2", "theirs"]
        assert [each["to"] for each in listed["in_force"]] == ["v1"] and state["versions"] == [back.data["order"]]
        assert forward.exit_code == 0 and run("versions").data["in_force"] == []


def test_the_api_rolls_back_and_forward(client: TestClient[Any], house: House) -> None:
    with house.watcher():
        back = client.post("/api/belt/roll-back", json={"to": "model:m-0", "reason": "drill", "model": "m"})
        found = client.get("/api/belt/versions").json()
        bad = client.post("/api/belt/roll-back", json={"to": "v9", "reason": "drill"})
        forward = client.post("/api/belt/roll-forward", json={"reason": "over", "model": "m"})

    assert back.status_code == 201 and back.json()["proof"]
    assert [(each["target"], each["terms"]["model"]) for each in found["in_force"]] == [("model:m", "m-0")]
    assert bad.status_code == 422 and forward.status_code == 201
    assert client.get("/api/belt/versions").json()["in_force"] == []


def test_going_forward_takes_the_right_to_resume(house: House) -> None:
    with TestClient(build_app(house, actor=OPERATOR, may=lambda action: action != "belt.resume")) as client:
        assert client.post("/api/belt/roll-forward", json={"reason": "over"}).status_code == 403
        assert client.post("/api/belt/roll-back", json={"reason": "why", "to": "v1"}).status_code == 201


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_rolls_back_shows_and_goes_forward(client: TestClient[Any], house: House, lang: str) -> None:
    page = f"/{lang}/belt/versions"
    with house.watcher():
        wrong = client.post(page, data={"reason": "why", "system": house.system_id})
        given = client.post(
            page, data={"to": "v1", "running": "cut", "reason": "drill", "system": house.system_id, "to_model": ""}
        )
        shown, control = client.get(page).text, client.get(f"/{lang}/belt/stop").text
        again = client.post(f"{page}/forward", data={"system": house.system_id, "why": ""})
        client.post(f"{page}/forward", data={"system": house.system_id, "why": "over"})

        assert wrong.status_code == 422 and "govuk-error-summary" in wrong.text
        assert given.status_code == 200 and V1.upstream in given.text, "the proof"
        assert V1.upstream in control and "versions/forward" in shown
        assert again.status_code == 422
        assert "versions/forward" not in client.get(page).text


def test_the_settings_name_versions_and_refuse_what_is_none() -> None:
    set_ = Settings(earlier_versions={"v1": {"upstream": "https://old.example.org/v1", "systems": ["sys_1"]}})  # type: ignore[dict-item]

    assert set_.earlier_versions == {"v1": EarlierVersion(upstream="https://old.example.org/v1", systems=("sys_1",))}
    wrong: list[dict[str, Any]] = [{"v1": {}}, {"v1": {"upstream": "ftp://x"}}, {"model:x": {"model": "m"}}]
    for each in [*wrong, {"v1": {"model": "m", "modle": "n"}}]:
        with pytest.raises(ValidationError):
            Settings(earlier_versions=each)
