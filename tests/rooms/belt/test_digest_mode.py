"""Where a system keeps digests only: what a replay can say, what held calls leave behind, what erasing reaches."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, held_call, intent, outcome

from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import NotFound
from safebelt.rooms.belt import store
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.model import ContentMode, Held, Record
from safebelt.rooms.belt.records.digests import digested
from safebelt.rooms.belt.records.disk import path_of, segments
from safebelt.web.terminal import NOT_EVALUATED, Answer

RULES = """policy: house/new
version: 1
title: {zh: 新, en: New}
appeal: {zh: 请来信, en: Write to us}
rules:
  - {id: house.whale, kind: keywords, title: {zh: 鲸, en: Whales}, sides: [input], action: flag, terms: [blue whale]}
"""


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> Iterator[House]:
    house = build(sql, tmp_path, clock=clock)
    house.belt.fit(house.system_id, by=OWNER)
    yield house


def only_digests(record: Record) -> Record:
    kept = digested(record.content or {}, os.urandom(16))
    return Record(type=record.type, id=record.id, core=record.core, content=kept)


def judged() -> dict[str, Any]:
    return {"policy_digest": "ab" * 32, "rules": []}


def record(house: House, id_: str, *, is_digest: bool) -> None:
    halves = intent(id_, house.system_id, text="a blue whale", **judged()), outcome(id_)
    with house.writing() as put:
        for half in halves:
            put(only_digests(half) if is_digest else half)
    house.belt.index()


# ---------------------------------------------------------------- replay


def test_a_replay_says_of_digests_that_they_cannot_be_evaluated_and_names_them(house: House, tmp_path: Path) -> None:
    for id_ in ("rec_d1", "rec_d2"):
        record(house, id_, is_digest=True)
    record(house, "rec_text", is_digest=False)
    (tmp_path / "new.yaml").write_text(RULES)

    app = commands(house.belt)
    words = ["replay", str(tmp_path / "new.yaml"), "--since", (house.clock() - timedelta(days=1)).isoformat()]
    answer: Any = app(words, exit_on_error=False, print_error=False, result_action="return_value")

    assert isinstance(answer, Answer)
    assert (answer.data["exchanges"], answer.data["evaluated"]) == (3, 1), answer.data
    assert answer.data["not_evaluated"] == {"digest_only": 2}
    assert set(answer.data["not_evaluated_examples"]["digest_only"]) == {"rec_d1", "rec_d2"}
    assert all(id_ in answer.says.en and id_ in answer.says.zh for id_ in ("rec_d1", "rec_d2"))
    assert [(rule["rule"], rule["newly"]) for rule in answer.data["rules"]] == [("house.whale", 1)], "the one with text"


def test_a_replay_over_digests_alone_was_no_evaluation(house: House, tmp_path: Path) -> None:
    record(house, "rec_d", is_digest=True)
    (tmp_path / "new.yaml").write_text(RULES)

    app = commands(house.belt)
    words = ["replay", str(tmp_path / "new.yaml"), "--since", (house.clock() - timedelta(days=1)).isoformat()]
    answer: Any = app(words, exit_on_error=False, print_error=False, result_action="return_value")

    assert answer.exit_code == NOT_EVALUATED and answer.data["after"] == {}


def test_an_exchange_without_any_text_is_not_taken_for_a_digest(house: House) -> None:
    with house.writing() as put:
        asked = intent("rec_empty", house.system_id, **judged())
        put(Record(type="intent", id="rec_empty", core=asked.core, content={}))
        done = outcome("rec_empty", finish="refused")
        put(Record(type="outcome", id="rec_empty", core=done.core, content=None))
    house.belt.index()

    found = house.belt.replay(house.belt.policy("house/basic"), house.clock() - timedelta(days=1))

    assert "digest_only" not in found.not_evaluated


def test_the_page_of_an_exchange_says_that_only_digests_are_kept(house: House) -> None:
    record(house, "rec_d", is_digest=True)
    record(house, "rec_text", is_digest=False)

    with TestClient(build_app(house)) as client:
        digest, text = (client.get(f"/en/belt/exchanges/{id_}").text for id_ in ("rec_d", "rec_text"))

    assert "Only digests are kept" in digest and "blue whale" not in digest
    assert "Only digests are kept" not in text and "blue whale" in text


# ---------------------------------------------------------------- held calls


def hold(house: House) -> Held:
    made = held_call(house.new_id, house.clock, record="rec_1", system_id=house.system_id)
    CallBox(house.box.folder / "calls").hold(made)
    return made


def kept_row(house: House, sql: Sql, id_: str) -> str:
    with sql.read() as tx:
        return str(tx.execute(store.call.select().where(store.call.c.id == id_)).mappings().one()["held"])


@pytest.mark.parametrize(("content", "is_kept"), [(ContentMode.DIGEST, False), (ContentMode.MASKED, True)])
def test_what_a_held_call_said_is_shown_while_it_waits_and_kept_only_where_texts_are(
    house: House, sql: Sql, clock: StillClock, content: ContentMode, is_kept: bool
) -> None:
    house.belt.change(house.system_id, by=OWNER, version=1, content=content)
    held = hold(house)
    house.belt.collect_calls()

    row = kept_row(house, sql, held.id)
    shown = house.belt.approval(held.id).held
    with TestClient(build_app(house)) as client:
        page = client.get(f"/en/belt/approvals/{held.id}").text
    house.belt.answer_call(held.id, is_approved=True, reason="checked", by=OWNER)
    after = house.belt.approval(held.id)

    assert ("500" in row, "Pay the bill." in row) == (is_kept, is_kept)
    assert (shown.arguments, shown.said) == (held.arguments, held.said) and "Pay the bill." in page
    assert after.answer is not None and (after.held.arguments == held.arguments) is is_kept
    assert ("500" in kept_row(house, sql, held.id)) is is_kept
    clock.now += timedelta(minutes=5)
    house.belt.collect_calls()
    assert not list((house.box.folder / "calls").glob("*.held")), "nor is it left beside the table"
    assert (house.belt.approval(held.id).held.tool, len(house.entries("tool_held"))) == ("pay", 1)


def test_a_call_answered_before_it_was_collected_leaves_nothing_either(house: House, sql: Sql) -> None:
    house.belt.change(house.system_id, by=OWNER, version=1, content=ContentMode.DIGEST)
    held = hold(house)

    house.belt.answer_call(held.id, is_approved=False, reason="no", by=OWNER)

    assert "Pay the bill." not in kept_row(house, sql, held.id)


# ---------------------------------------------------------------- erasing


def tear(house: House, content: bytes = b'{"data":{"texts":{"a":"secret-to') -> Path:
    """Leave a last line as a killed belt does: begun, and without its end."""
    path = path_of(house.records, segments(house.records)[-1])
    core = path.read_bytes().splitlines()[0].partition(b"\t")[0].replace(b"rec_1", b"rec_torn")
    with path.open("ab") as file:
        file.write(core + b"\t" + content)
    return path


@pytest.mark.parametrize("content", [b'{"data":{"texts":{"a":"secret-to', b'{"data":{"a":"secret"},"salt":"00"}'])
def test_erasing_blanks_a_last_line_that_a_killed_belt_did_not_end(house: House, content: bytes) -> None:
    record(house, "rec_1", is_digest=False)
    path = tear(house, content)
    before = path.read_bytes()

    assert house.belt.erase("rec_torn", "on request", OWNER) == 1

    after = path.read_bytes()
    assert b"secret" in before and b"secret" not in after and len(after) == len(before)
    assert after[: len(before) - len(content)] == before[: len(before) - len(content)], "nothing else was touched"
    assert house.belt.erase("rec_1", "on request", OWNER) == 2
    path.write_bytes(path.read_bytes()[: before.rindex(b"\n") + 1])
    found = house.belt.verify()
    assert (found.holds, found.erased) == (Truth.TRUE, 2), "what was whole is as it was signed"


def test_a_line_that_a_living_belt_is_writing_is_left_alone(house: House) -> None:
    record(house, "rec_1", is_digest=False)
    with house.writing():
        path = tear(house)
        before = path.read_bytes()

        with pytest.raises(NotFound):
            house.belt.erase("rec_torn", "too early", OWNER)

        assert path.read_bytes() == before
        path.write_bytes(before[: before.rindex(b"\n") + 1])


def test_erasing_what_was_never_there_says_so(house: House) -> None:
    record(house, "rec_1", is_digest=False)
    tear(house)

    with pytest.raises(NotFound):
        house.belt.erase("rec_none", "on request", OWNER)
    assert house.entries("record_erased") == []
