"""Tool calls held for a person: put before people, answered once, remembered, and carried to the belt."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import POLICY, House, build, held_call
from tests.rooms.belt.test_service import OVERSEER, stuck

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import LANGS
from safebelt.rooms.belt import store
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.model import Answer, Answered, Held


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> House:
    made = build(sql, tmp_path, clock=clock, new_id=real_ids(), chance=real_chance)
    made.belt.fit(made.system_id, by=OWNER)
    return made


@pytest.fixture
def box(house: House) -> CallBox:
    return CallBox(house.box.folder / "calls")


@pytest.fixture
def hold(house: House, box: CallBox) -> Callable[..., Held]:
    def held(**more: Any) -> Held:
        usual = {"caller": "agent <b>", "arguments": '{"amount": 500, "to": "<script>"}'}
        made = held_call(house.new_id, house.clock, 120, **{"system_id": house.system_id, **usual, **more})
        box.hold(made)
        return made

    return held


def test_a_call_waits_until_a_person_answers_and_the_ledger_has_both(
    house: House, box: CallBox, hold: Callable[..., Held]
) -> None:
    later = hold(expires_at=house.clock() + timedelta(seconds=300))
    urgent = hold()
    assert [each.held.id for each in house.belt.waiting_calls()] == [urgent.id, later.id]
    assert house.belt.waiting_calls("sys_other") == ()

    answered = house.belt.answer_call(urgent.id, is_approved=True, reason=" checked ", by=OVERSEER)

    assert box.answered(urgent.id) == answered.answer
    assert answered.answer == Answer(answered=Answered.APPROVED, at=house.clock(), by="usr_overseer", reason="checked")
    assert [each.held.id for each in house.belt.waiting_calls()] == [later.id]
    (entry,) = house.entries("tool_approved")
    assert (entry["approval"], entry["reason"]) == (urgent.id, "checked")
    assert "500" not in json.dumps(house.entries("tool_held"))
    house.belt.collect_calls()
    house.belt.collect_calls()
    assert [entry["approval"] for entry in house.entries("tool_held")] == [urgent.id, later.id]
    assert len(house.entries("tool_approved")) == 1


def test_a_call_is_answered_once_with_a_reason_and_in_time(
    house: House, hold: Callable[..., Held], clock: StillClock
) -> None:
    held, late = hold(), hold(expires_at=house.clock())
    with pytest.raises(Invalid):
        house.belt.answer_call(held.id, is_approved=True, reason="  ", by=OVERSEER)
    with pytest.raises(NotFound):
        house.belt.answer_call("apr_none", is_approved=True, reason="x", by=OVERSEER)
    with pytest.raises(Conflict):
        house.belt.answer_call(late.id, is_approved=True, reason="x", by=OVERSEER)
    house.belt.answer_call(held.id, is_approved=False, reason="no", by=OVERSEER)
    with pytest.raises(Conflict):
        house.belt.answer_call(held.id, is_approved=True, reason="but yes", by=OVERSEER)

    assert [entry["answered"] for entry in house.entries("tool_refused")] == ["refused"]
    assert house.entries("tool_approved") == []


def test_where_the_belt_was_first_the_person_hears_it_and_the_ledger_says_no_approval(
    house: House, box: CallBox, hold: Callable[..., Held]
) -> None:
    held = hold()
    box.answer(held.id, Answer(answered=Answered.EXPIRED, at=house.clock(), by="machine"))

    with pytest.raises(Conflict):
        house.belt.answer_call(held.id, is_approved=True, reason="x", by=OVERSEER)
    house.belt.collect_calls()

    assert house.entries("tool_approved") == []
    assert [entry["answered"] for entry in house.entries("tool_refused")] == ["expired"]


def test_without_the_database_nothing_is_approved(
    house: House, box: CallBox, hold: Callable[..., Held], sql: Sql
) -> None:
    held = hold()
    with stuck(sql), pytest.raises(Exception):  # noqa: B017  whatever the database says
        house.belt.answer_call(held.id, is_approved=True, reason="x", by=OVERSEER)

    assert box.answered(held.id) is None
    assert house.belt.answer_call(held.id, is_approved=True, reason="x", by=OVERSEER).answer is not None


def test_an_answer_that_the_database_lost_is_brought_in_with_its_author(
    house: House, box: CallBox, hold: Callable[..., Held]
) -> None:
    held = hold()
    box.answer(held.id, Answer(answered=Answered.APPROVED, at=house.clock(), by="usr_9", reason="yes"))
    house.belt.collect_calls()

    (entry,) = house.ledger.entries(kind="belt.tool_approved.v1", limit=5)
    assert entry.actor == "usr_9"


def test_a_call_whose_belt_died_is_refused_when_its_time_is_over(
    house: House, box: CallBox, hold: Callable[..., Held], clock: StillClock
) -> None:
    held = hold()
    clock.move(seconds=126)
    house.belt.collect_calls()

    assert house.belt.approval(held.id).answer.answered is Answered.EXPIRED  # type: ignore[union-attr]
    assert box.held(held.id) is not None  # a belt may still look
    clock.move(seconds=61)
    house.belt.collect_calls()
    assert box.held(held.id) is None
    assert house.belt.approval(held.id).acted_at is None


def test_what_the_belt_acted_on_is_forgotten_by_the_box_and_kept_by_the_house(
    house: House, box: CallBox, hold: Callable[..., Held]
) -> None:
    held = hold()
    house.belt.answer_call(held.id, is_approved=True, reason="x", by=OVERSEER)
    box.act(held.id, house.clock())
    house.belt.collect_calls()

    assert box.all() == []
    kept = house.belt.approval(held.id)
    assert kept.held == held
    assert kept.acted_at == house.clock()
    assert house.belt.approvals().items == (kept,)


def test_erasing_a_record_erases_what_its_calls_said(house: House, box: CallBox, hold: Callable[..., Held]) -> None:
    held, other = hold(), hold(record="rec_2")
    house.belt.collect_calls()
    with house.belt._t.sql.begin() as tx:
        store.blank_calls(tx, "rec_1")

    assert house.belt.approval(held.id).held == replace(held, arguments="", said="")
    assert house.belt.approval(other.id).held == other


# ---------------------------------------------------------------------- doors


@pytest.fixture
def client(house: House) -> Iterator[TestClient[Any]]:
    with TestClient(build_app(house)) as found:
        yield found


def test_the_api_lists_shows_and_answers(client: TestClient[Any], hold: Callable[..., Held]) -> None:
    held = hold()

    listed = client.get("/api/belt/approvals").json()
    assert (listed["waiting"], listed["items"][0]["held"]["id"]) == (1, held.id)
    assert client.get(f"/api/belt/approvals/{held.id}").json()["held"]["arguments"] == held.arguments
    assert client.post(f"/api/belt/approvals/{held.id}/approve", json={"reason": ""}).status_code == 422
    answer = client.post(f"/api/belt/approvals/{held.id}/approve", json={"reason": "ok"})
    assert (answer.status_code, answer.json()["answer"]["answered"]) == (200, "approved")
    assert client.post(f"/api/belt/approvals/{held.id}/refuse", json={"reason": "no"}).status_code == 409
    assert client.get("/api/belt/approvals/apr_none").status_code == 404


def test_looking_and_answering_are_two_rights(house: House, hold: Callable[..., Held]) -> None:
    held = hold()
    with TestClient(build_app(house, may=lambda action: action != "belt.approve")) as client:
        assert client.get(f"/api/belt/approvals/{held.id}").status_code == 200
        assert client.post(f"/api/belt/approvals/{held.id}/approve", json={"reason": "ok"}).status_code == 403
        assert client.post(f"/en/belt/approvals/{held.id}/refuse", data={"reason": "no"}).status_code == 403
    with TestClient(build_app(house, may=lambda action: action != "belt.read_content")) as client:
        assert client.get("/api/belt/approvals").status_code == 403
        assert client.get("/en/belt/approvals").status_code == 403


@pytest.mark.parametrize("lang", LANGS)
def test_the_pages_show_all_that_a_person_needs_and_nothing_becomes_markup(
    client: TestClient[Any], hold: Callable[..., Held], lang: str
) -> None:
    held = hold()
    listed = client.get(f"/{lang}/belt/approvals").text
    one = client.get(f"/{lang}/belt/approvals/{held.id}").text

    assert held.id in listed
    for shown in ("pay", "Pay the bill.", "t.pay_more", "&lt;script&gt;", "agent &lt;b&gt;", "500", POLICY.id):
        assert shown in one, shown
    assert "<script>&#34;" not in one


@pytest.mark.parametrize(("deed", "answered"), [("approve", "approved"), ("refuse", "refused")])
def test_a_person_answers_on_the_page(
    client: TestClient[Any], house: House, hold: Callable[..., Held], deed: str, answered: str
) -> None:
    held = hold()
    assert client.post(f"/en/belt/approvals/{held.id}/{deed}", data={"reason": " "}).status_code == 422
    done = client.post(f"/en/belt/approvals/{held.id}/{deed}", data={"reason": "seen"}, follow_redirects=True)

    assert done.status_code == 200
    assert {"approve": "The call goes on", "refuse": "The call is refused"}[deed] in done.text
    assert house.belt.approval(held.id).answer.answered.value == answered  # type: ignore[union-attr]
    again = client.post(f"/en/belt/approvals/{held.id}/{deed}", data={"reason": "seen"})
    assert again.status_code == 409


def test_the_shell_lists_and_answers(house: House, hold: Callable[..., Held]) -> None:
    held, other = hold(), hold()
    app = commands(house.belt)

    def run(*asked: str) -> Any:
        return app(list(asked), exit_on_error=False, print_error=False, result_action="return_value")

    assert run("approvals").data["waiting"] == 2
    assert run("approve", held.id, "--reason", "ok").data["answered"] == "approved"
    assert run("refuse", other.id, "--reason", "no").data["answered"] == "refused"
    assert run("approvals").data["waiting"] == 0
    with pytest.raises((Conflict, Unavailable)):
        run("approve", held.id, "--reason", "again")
