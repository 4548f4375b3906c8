"""Word lists of policies at the doors: loaded whole or not at all, replayed, and told to the public by number and basis."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build
from tests.rooms.belt.test_policy_versions import OPERATOR, OVERSEER, PLAIN, RED, written
from tests.rooms.belt.test_replay import say

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, Refused
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.service import NotTaken
from safebelt.web.terminal import Answer

BASIS = {
    "provision": "example/code#3",
    "authority": {"zh": "示例公司", "en": "Example Ltd"},
    "scope": {"zh": "全部", "en": "everything"},
}
LISTED: dict[str, object] = {
    "id": "house.listed",
    "kind": "keywords",
    "title": {"zh": "清单", "en": "Listed"},
    "sides": ["input"],
    "action": "refuse",
    "terms_file": "words.txt",
    "basis": BASIS,
}
PLAIN_TERMS = ("blue whale",)
RED_LIST = {key: value for key, value in RED.items() if key != "terms"} | {"terms_file": "red.txt"}


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    database = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> House:
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "words.txt").write_text("first word\nsecond word\n")
    (folder / "red.txt").write_text("one dreadful thing\n")
    (folder / "red-lines.txt").write_text("harm.red\n")
    (folder / "house.yaml").write_bytes(written(rules=(RED_LIST, PLAIN)))
    house = build(sql, tmp_path, clock=clock, screening=folder, default_policy="house/rules")
    house.belt.open_policies()
    house.belt.fit(house.system_id, by=OWNER)
    return house


def ask(house: House, *words: str) -> Answer:
    answer: Any = commands(house.belt)(words, exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(answer, Answer)
    return answer


def test_a_changed_list_is_loaded_as_a_version_and_rolled_back_without_its_file(house: House, tmp_path: Path) -> None:
    words = tmp_path / "screening" / "words.txt"
    house.belt.load_policy(written(2, rules=(RED_LIST, LISTED)), "a list", by=OPERATOR)
    second = house.belt.policy("house/rules")
    words.write_text("third word\n")
    house.belt.load_policy(written(3, rules=(RED_LIST, LISTED)), "another list", by=OPERATOR)
    words.unlink()

    assert house.belt.policy("house/rules").rules[1].terms == ("third word",)
    house.belt.roll_back_policy("house/rules", "back", by=OPERATOR)

    assert house.belt.policy("house/rules") == second
    assert second.rules[1].terms == ("first word", "second word")


def test_a_list_of_a_red_line_changes_only_by_two_people_at_a_load_and_at_a_start(
    house: House, sql: Sql, tmp_path: Path
) -> None:
    red = tmp_path / "screening" / "red.txt"
    red.write_text("# nothing is forbidden\nharmless\n")

    loaded = house.belt.load_policy(written(2, rules=(RED_LIST, PLAIN)), "weaker", by=OPERATOR)
    reopened = build(sql, tmp_path, clock=house.clock, screening=tmp_path / "screening")
    (left,) = reopened.belt.open_policies()

    assert loaded.adoption is None and loaded.proposal is not None and loaded.changes[0].is_weaker
    assert isinstance(left, NotTaken) and left.changes[0].rule == "harm.red"
    assert house.belt.policy("house/rules").rules[0].terms == ("one dreadful thing",)
    with pytest.raises(Refused):
        house.belt.second_policy(loaded.proposal.id, answer="myself", by=OPERATOR)
    red.write_text("something else again\n")  # what the second person agrees to is what was proposed
    house.belt.second_policy(loaded.proposal.id, answer="read", by=OVERSEER)
    assert house.belt.policy("house/rules").rules[0].terms == ("harmless",)


def test_whoever_looks_while_lists_change_sees_one_whole_list_and_a_bad_one_changes_nothing(
    house: House, tmp_path: Path
) -> None:
    words, over, seen = tmp_path / "screening" / "words.txt", Event(), set[tuple[str, ...]]()

    def look() -> None:
        while not over.is_set():
            rules = house.belt.snapshot().policies["house/rules"].rules
            seen.add(rules[1].terms)

    lists = {number: [f"word{number} no{each}" for each in range(500)] for number in range(2, 12)}
    thread = Thread(target=look)
    thread.start()
    try:
        for number, terms in lists.items():
            words.write_text("\n".join(terms))
            house.belt.load_policy(written(number, rules=(RED_LIST, LISTED)), "next", by=OPERATOR)
            words.write_bytes(b"\xff")
            with pytest.raises(Invalid):
                house.belt.load_policy(written(number + 100, rules=(RED_LIST, LISTED)), "bad", by=OPERATOR)
            assert house.belt.policy("house/rules").rules[1].terms == tuple(terms)
    finally:
        over.set()
        thread.join()

    assert len(seen) > 1 and seen <= {PLAIN_TERMS, *(tuple(terms) for terms in lists.values())}


def test_a_replay_of_a_changed_list_says_what_it_hits_with_its_number_and_basis(house: House, tmp_path: Path) -> None:
    say(house, {"rec_first": "the first word", "rec_third": "a third word"})
    (tmp_path / "house2.yaml").write_bytes(written(2, rules=(RED_LIST, LISTED)))
    (tmp_path / "red.txt").write_text("one dreadful thing\n")
    (tmp_path / "words.txt").write_text("third word\nfourth word\n")  # beside that file, not the house's own

    told = ask(
        house, "replay", str(tmp_path / "house2.yaml"), "--since", (house.clock() - timedelta(days=1)).isoformat()
    )

    (rule,) = told.data["rules"]
    assert (rule["rule"], rule["newly"], rule["examples"]) == ("house.listed", 1, ("rec_third",))
    assert (rule["terms"], rule["basis"]) == (2, "example/code#3")
    assert "2 terms" in told.says.en and "example/code#3" in told.says.zh
    with TestClient(build_app(house, actor=OPERATOR)) as client:  # at the other doors a list is the house's own
        since = (house.clock() - timedelta(days=1)).isoformat()
        body = {"yaml": written(2, rules=(RED_LIST, LISTED)).decode(), "since": since}
        (rule,) = client.post("/api/belt/policies/replay", json=body).json()["rules"]
        assert rule["examples"] == ["rec_first"]


def test_the_public_is_told_how_many_terms_on_which_basis_and_never_which(house: House) -> None:
    house.belt.load_policy(written(2, rules=(RED_LIST, LISTED)), "a list", by=OPERATOR)

    with TestClient(build_app(house, may=lambda _action: False)) as client:
        told = client.get("/api/public/transparency")
        page = client.get("/en/transparency")

    rule = told.json()["policies"][0]["rules"][1]
    assert (rule["terms"], rule["provision"], rule["is_house_rule"]) == (2, "example/code#3", False)
    assert "2 terms" in page.text
    assert "first word" not in told.text + page.text and "words.txt" not in told.text + page.text


def test_the_doors_say_which_list_a_rule_has_and_a_page_shows_a_part_of_a_long_one(
    house: House, tmp_path: Path
) -> None:
    (tmp_path / "screening" / "words.txt").write_text("\n".join(f"word{number:05d}" for number in range(5000)))
    (tmp_path / "screening" / "two.yaml").write_bytes(written(2, rules=(RED_LIST, LISTED)))
    checked = ask(house, "policies", "check", str(tmp_path / "screening" / "two.yaml"))
    assert "5000 terms of words.txt" in checked.says.en and "词表 words.txt" in checked.says.zh

    with TestClient(build_app(house, actor=OPERATOR)) as client:
        body = {"yaml": written(2, rules=(RED_LIST, LISTED)).decode(), "reason": "a list"}
        assert client.post("/api/belt/policies", json=body).status_code == 201
        page = client.get("/en/belt/policies/house/rules").text
        served = client.get("/api/belt/policies").json()[0]["rules"][1]

    assert "words.txt" in page and "word00199" in page and "word00200" not in page and "and 4800 more" in page
    assert served["terms_file"]["terms"] == 5000 and len(served["terms"]) == 5000
    bad = {"yaml": written(3, rules=(RED_LIST, {**LISTED, "terms_file": "../house.db.txt"})).decode(), "reason": "out"}
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        refused = client.post("/api/belt/policies", json=bad)
    assert refused.status_code == 422 and "leads out of the policy" in refused.text
