"""A replay says what a changed policy would have done, and by name of which records it cannot say it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_policy_versions import PLAIN, RED, written

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.cli.replaying import moment
from safebelt.rooms.belt.model import Policy, Replay
from safebelt.rooms.belt.scanner.policies import read_source
from safebelt.web.terminal import Answer

MOBILE: dict[str, object] = {
    "id": "personal.mobile",
    "kind": "personal",
    "title": {"zh": "手机号", "en": "Mobile numbers"},
    "sides": ["input", "output"],
    "action": "mask",
    "detectors": ["cn_mobile"],
}


@pytest.fixture
def house(tmp_path: Path, clock: StillClock) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "house.yaml").write_bytes(written())
    (folder / "red-lines.txt").write_text("")
    house = build(sql, tmp_path, clock=clock, screening=folder)
    house.belt.open_policies()
    yield house
    sql.close()


def say(
    house: House, texts: dict[str, str], *, answer: str = "Good.", rules: tuple[str, ...] = (), **facts: Any
) -> None:
    """Record exchanges as a belt does that judged by the policy in force."""
    now = house.belt.policy("house/rules")
    judged = {"policy": now.id, "policy_version": now.version, "policy_digest": now.digest, "rules": list(rules)}
    with house.writing() as put:
        for record_id, text in texts.items():
            put(intent(record_id, house.system_id, text=text, **{**judged, **facts}))
            put(outcome(record_id, text=answer))
    house.belt.index()


def replayed(house: House, *rules: dict[str, object]) -> Replay:
    return house.belt.replay(policy(*rules), house.clock() - timedelta(days=1))


def policy(*rules: dict[str, object]) -> Policy:
    return read_source(written(2, rules=rules)).policy


def test_newly_hit_no_longer_hit_and_another_action_are_told_rule_by_rule(house: House) -> None:
    say(house, {"rec_new": "a white whale"})
    say(house, {"rec_old": "a blue whale", "rec_both": "Blue Whale!"}, rules=("house.plain",))

    more = replayed(house, RED, {**PLAIN, "terms": ["white whale"]})
    (plain,) = more.rules
    assert (plain.newly, plain.no_longer, plain.changed) == (1, 2, 0)
    assert set(plain.examples) == {"rec_new", "rec_old", "rec_both"}

    stricter = replayed(house, RED, {**PLAIN, "action": "refuse"})
    assert [(rule.rule, rule.changed) for rule in stricter.rules] == [("house.plain", 2)]
    assert (stricter.before, stricter.after) == ({"allow": 1, "flag": 2}, {"allow": 1, "refuse": 2})
    assert (stricter.exchanges, stricter.evaluated, stricter.not_evaluated) == (3, 3, {})


def test_the_same_policy_changes_nothing(house: House) -> None:
    say(house, {"rec_1": "a blue whale"}, rules=("house.plain",))

    assert replayed(house, RED, PLAIN).rules == ()


def test_a_rule_on_personal_data_is_judged_by_what_stands_for_it(house: House) -> None:
    say(house, {"rec_1": "call ⟦手机号 mobile⟧", "rec_2": "write to ⟦邮箱 email⟧"})

    found = replayed(house, RED, PLAIN, MOBILE)

    assert [(rule.rule, rule.newly, rule.examples) for rule in found.rules] == [("personal.mobile", 1, ("rec_1",))]
    assert found.not_evaluated == {}


def test_the_words_of_a_placeholder_are_nobodys_and_what_it_hides_is_not_evaluated(house: House) -> None:
    say(house, {"rec_1": "call ⟦手机号 mobile⟧", "rec_2": "nothing hidden"})

    found = replayed(house, RED, {**PLAIN, "terms": ["手机号", "mobile"]})

    assert found.rules == ()
    assert (found.not_evaluated, found.not_evaluated_examples) == ({"masked": 1}, {"masked": ("rec_1",)})
    assert (found.exchanges, found.evaluated) == (2, 1)


def test_what_cannot_be_evaluated_is_counted_by_name_and_never_as_unchanged(house: House) -> None:
    say(house, {"rec_gone": "a white whale"})
    house.belt.erase("rec_gone", "asked", OWNER)
    say(house, {"rec_picture": "a white whale"}, not_evaluated=["messages[0].content[1]"])
    say(house, {"rec_unkept": "a white whale"}, policy_digest="77" * 32)
    say(house, {"rec_else": "text that was cut"}, rules=("house.plain",))

    found = replayed(house, RED, {**PLAIN, "terms": ["white whale"]})

    assert found.not_evaluated == {"erased": 1, "not_reproduced": 1, "not_text": 1, "policy_not_kept": 1}
    assert found.not_evaluated_examples["erased"] == ("rec_gone",)
    assert found.evaluated == 0
    assert [(rule.rule, rule.examples) for rule in found.rules] == [("house.plain", ("rec_picture",))]


def test_a_changed_record_is_unreadable_and_a_cap_is_told(house: House) -> None:
    say(house, {"rec_1": "a blue whale", "rec_2": "a blue whale"}, rules=("house.plain",))
    segment = next(house.records.glob("seg-*.log"))
    segment.write_bytes(segment.read_bytes().replace(b"a blue whale", b"a blue wheel", 1))

    found = house.belt.replay(policy(RED), house.clock() - timedelta(days=1), most=2)
    capped = house.belt.replay(policy(RED), house.clock() - timedelta(days=1), most=1)

    assert found.not_evaluated == {"unreadable": 1}
    assert (found.is_capped, capped.is_capped, capped.exchanges) == (False, True, 1)
    with pytest.raises(Invalid):
        house.belt.replay(policy(RED), house.clock() + timedelta(days=1))


def test_the_doors_tell_the_same_numbers_and_no_contents(house: House, tmp_path: Path, capsys: Any) -> None:
    say(house, {"rec_1": "a very secret white whale"}, would="refuse")
    house.belt.fit(house.system_id, by=OWNER)
    (tmp_path / "new.yaml").write_bytes(written(2, rules=(RED, {**PLAIN, "terms": ["white whale"]})))
    app = commands(house.belt)

    words = ["replay", str(tmp_path / "new.yaml"), "--since", "2026-11-20"]
    answer: Any = app(words, exit_on_error=False, print_error=False, result_action="return_value")

    assert isinstance(answer, Answer) and answer.exit_code == 0
    assert answer.data["rules"][0]["newly"] == 1 and "secret" not in answer.as_text("en")
    assert capsys.readouterr().err.endswith("1/1\n")
    text = (tmp_path / "new.yaml").read_text()
    with TestClient(build_app(house)) as client:
        body = {"yaml": text, "since": "2026-11-20T00:00:00Z"}
        assert client.post("/api/belt/policies/replay", json=body).json()["rules"][0]["newly"] == 1
        assert client.post("/api/belt/policies/replay", json={**body, "since": "soon"}).status_code == 400
        for lang in ("zh", "en"):
            page = client.post(f"/{lang}/belt/replay", data={"yaml": text, "days": "3650"})
            assert page.status_code == 200 and "rec_1" in page.text and "secret" not in page.text
        assert client.post("/en/belt/replay", data={"yaml": "no"}).status_code == 422
        assert "asked to refuse 1" in client.get(f"/en/belt/systems/{house.system_id}").text


@pytest.mark.parametrize("typed", ["", "soon", "9999999d", "2026-13-01", "-3d"])
def test_what_is_no_moment_is_told(typed: str) -> None:
    with pytest.raises(Invalid):
        moment(typed)
