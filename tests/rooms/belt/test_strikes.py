"""Repeated abuse comes to a strike, which warns; whatever lasts a person decides; whoever was struck appeals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import POLICY, House, build, intent, outcome
from tests.rooms.belt.test_policy_versions import RED, written

from safebelt.engines.clock import real_chance, real_ids
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import MACHINE, OWNER, Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide.strikes import COUNTED_FOR, due, evidence_of, standing
from safebelt.rooms.belt.model import Abuse, Decision, Standing, Strike, StrikeRule
from safebelt.rooms.belt.scanner.policies import read_kept, read_source
from safebelt.web.terminal import Answer

RULE = StrikeRule(rules=("injection.override",), exchanges=3, within_minutes=60)
START = datetime(2026, 11, 23, tzinfo=UTC)
CALLER = Actor(id="public", roles=frozenset({Role.PUBLIC}), door="web")

# ---------------------------------------------------------------------- the judgment

times = st.lists(st.integers(0, 300), max_size=60, unique=True).map(sorted)
rules = st.builds(StrikeRule, rules=st.just(("r",)), exchanges=st.integers(2, 8), within_minutes=st.integers(1, 120))


def abuses(minutes: list[int]) -> list[Abuse]:
    return [Abuse(START + timedelta(minutes=each), f"rec_{each}") for each in minutes]


@given(rules, times)
def test_each_strike_is_full_close_together_and_shares_nothing(rule: StrikeRule, minutes: list[int]) -> None:
    found = list(due(rule, abuses(minutes)))

    for counted in found:
        assert len(counted) == rule.exchanges
        assert counted[-1].at - counted[0].at < timedelta(minutes=rule.within_minutes)
    every = [each for counted in found for each in counted]
    assert every == sorted(every) and len(set(every)) == len(every)


@given(rules, times)
def test_where_nothing_is_due_no_window_holds_enough(rule: StrikeRule, minutes: list[int]) -> None:
    is_due = bool(list(due(rule, abuses(minutes))))

    most = max((sum(0 <= other - each < rule.within_minutes for other in minutes) for each in minutes), default=0)
    assert is_due is (most >= rule.exchanges)


@given(rules, times, st.integers(0, 60))
def test_looking_twice_gives_what_looking_once_does(rule: StrikeRule, minutes: list[int], cut: int) -> None:
    """Only the end of the last strike is remembered from one look to the next."""
    all_ = abuses(minutes)
    first = list(due(rule, all_[:cut]))
    after = first[-1][-1].at if first else None

    assert first + list(due(rule, all_, after)) == list(due(rule, all_))


@given(rules, times, st.integers(0, 300))
def test_what_came_before_the_rule_never_counts(rule: StrikeRule, minutes: list[int], since: int) -> None:
    after = START + timedelta(minutes=since)

    assert all(each.at > after for counted in due(rule, abuses(minutes), after) for each in counted)


def struck(n: int, at: datetime = START, decision: Decision | None = None) -> Strike:
    facts: dict[str, Any] = {"policy": "p", "policy_digest": "", "rules": (), "records": (), "evidence": ""}
    return Strike(
        id=f"stk_{n}",
        key_id="key_1",
        system_id="sys_1",
        at=at,
        exchanges=3,
        within_minutes=60,
        since=at,
        until=at,
        entry_id="",
        decision=decision,
        **facts,
    )


@pytest.mark.parametrize(
    ("strikes", "later", "stands"),
    [
        ([], timedelta(), None),
        ([struck(1)], timedelta(), Standing(strikes=1, newest="stk_1")),
        ([struck(1), struck(2, decision=Decision.UPHELD)], timedelta(), Standing(strikes=2, newest="stk_2")),
        ([struck(1, decision=Decision.WITHDRAWN)], timedelta(), None),
        ([struck(1)], COUNTED_FOR, None),
        (
            [struck(1, decision=Decision.SUSPENDED)],
            COUNTED_FOR * 5,
            Standing(strikes=1, newest="stk_1", suspended_by="stk_1"),
        ),
    ],
)
def test_a_key_stands_by_the_strikes_that_count(
    strikes: list[Strike], later: timedelta, stands: Standing | None
) -> None:
    assert standing(strikes, START + later) == stands


# ---------------------------------------------------------------------- policy data


def with_strikes(**more: Any) -> bytes:
    section = {"rules": [RED["id"]], "exchanges": 3, "within_minutes": 60, **more}
    return yaml.safe_dump({**yaml.safe_load(written()), "strikes": section}).encode()


def test_a_policy_says_what_a_strike_is_and_is_read_again_the_same() -> None:
    source = read_source(with_strikes())

    assert source.policy.strikes == StrikeRule(rules=("harm.red",), exchanges=3, within_minutes=60)
    assert read_kept(source.content).policy == source.policy
    assert source.policy.digest != read_source(written()).policy.digest
    assert b"strikes" not in read_source(written()).content, "older policies keep their digest"


@pytest.mark.parametrize(
    "section",
    [
        {"rules": ["house.plain"]},  # it only flags
        {"rules": ["nothing.such"]},
        {"rules": []},
        {"exchanges": 1},
        {"exchanges": 101},
        {"within_minutes": 0},
        {"within_minutes": 1441},
        {"suspend": True},  # no machine suspends
    ],
)
def test_a_policy_that_would_strike_for_anything_else_is_refused(section: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        read_source(with_strikes(**section))


# ---------------------------------------------------------------------- deeds


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> House:
    made = build(sql, tmp_path, clock=clock, new_id=real_ids(), chance=real_chance)
    made.belt._t.policies[POLICY.id] = replace(POLICY, strikes=RULE)  # type: ignore[index]
    made.belt.fit(made.system_id, POLICY.id, by=OWNER)
    return made


@pytest.fixture
def key(house: House) -> str:
    return house.belt.issue_key(house.system_id, "app", OWNER)[0].id


def refuse(house: House, clock: StillClock, key_id: str, count: int = 3, **facts: Any) -> None:
    """Have requests refused, a minute apart, and look."""
    number = refuse.__dict__["n"] = refuse.__dict__.get("n", 0) + 1
    known = {"done": "refuse", "would": "refuse", "rules": ["injection.override"], **facts}
    ended = {"status": 400, "finish": "refused", **{n: facts[n] for n in ("status", "finish") if n in facts}}
    with house.writing() as put:
        for n in range(count):
            clock.move(minutes=1)
            put(intent(f"rec_{number}_{n}", house.system_id, key_id=key_id, **known))
            put(outcome(f"rec_{number}_{n}", **ended))
    house.belt.index()
    house.belt.look_for_strikes()


def test_so_many_refused_requests_are_a_strike_and_the_ledger_has_only_their_digest(
    house: House, clock: StillClock, key: str
) -> None:
    refuse(house, clock, key, 2)
    assert house.belt.strikes().count == 0
    assert house.belt.snapshot().strikes == {}

    refuse(house, clock, key, 1)

    (found,) = house.belt.strikes().items
    assert (found.key_id, found.rules, found.decision, found.is_waiting) == (key, RULE.rules, None, True)
    assert len(found.records) == 3 and found.evidence == evidence_of(found.records)
    (told,) = house.entries("struck")
    assert (told["strike"], told["evidence"], told["key_id"]) == (found.id, found.evidence, key)
    assert not any(record in str(told) for record in found.records)
    assert house.belt.snapshot().strikes == {key: Standing(strikes=1, newest=found.id)}


def test_looking_again_or_indexing_anew_strikes_nobody_twice(house: House, clock: StillClock, key: str) -> None:
    refuse(house, clock, key)
    house.belt.look_for_strikes()
    house.belt.reindex()

    assert house.belt.look_for_strikes() == 0
    assert house.belt.strikes().count == 1
    refuse(house, clock, key, 2)
    assert house.belt.strikes().count == 1, "what made the first strike does not count again"
    refuse(house, clock, key, 1)
    assert house.belt.strikes().count == 2


@pytest.mark.parametrize(
    "facts",
    [
        {"rules": ["personal.cn_id"]},  # another rule
        {"finish": "complete", "status": 200, "done": "flag"},  # only observed
        {"status": 200},  # the answer was refused, not what was asked
        {"key_id": ""},
    ],
)
def test_what_is_no_abuse_of_the_callers_does_not_count(
    house: House, clock: StillClock, key: str, facts: dict[str, Any]
) -> None:
    more = {name: value for name, value in facts.items() if name != "key_id"}
    refuse(house, clock, facts.get("key_id", key), 6, **more)

    assert house.belt.strikes().count == 0


def test_a_policy_without_the_section_strikes_nobody(house: House, clock: StillClock, key: str) -> None:
    house.belt._t.policies[POLICY.id] = POLICY  # type: ignore[index]

    refuse(house, clock, key, 9)

    assert house.belt.strikes().count == 0


def test_a_person_decides_and_decides_anew_and_only_that_suspends(house: House, clock: StillClock, key: str) -> None:
    refuse(house, clock, key, 3)
    strike = house.belt.strikes().items[0].id

    with pytest.raises(Refused):
        house.belt.review_strike(strike, Decision.SUSPENDED, "a machine", by=MACHINE)
    with pytest.raises(Invalid):
        house.belt.review_strike(strike, Decision.UPHELD, " ", by=OWNER)
    with pytest.raises(NotFound):
        house.belt.review_strike("stk_none", Decision.UPHELD, "why", by=OWNER)
    house.belt.review_strike(strike, Decision.UPHELD, "read all three", by=OWNER)
    assert house.belt.snapshot().strikes[key].suspended_by == ""
    house.belt.review_strike(strike, Decision.SUSPENDED, "it went on", by=OWNER)
    assert house.belt.snapshot().strikes[key].suspended_by == strike
    with pytest.raises(Conflict):
        house.belt.review_strike(strike, Decision.SUSPENDED, "again", by=OWNER)
    with pytest.raises(Conflict, match="suspended"):
        house.belt.rotate_key(key, "out of it", OWNER)
    house.belt.review_strike(strike, Decision.WITHDRAWN, "it was a test", by=OWNER)
    assert house.belt.snapshot().strikes == {}
    house.belt.rotate_key(key, "as every year", OWNER)

    told = house.entries("strike_reviewed")
    assert [each["decision"] for each in told] == ["upheld", "suspended", "withdrawn"]
    assert not any("reason" in each for each in told), "what people type stays out of the public leaf"


def test_an_appeal_brings_it_back_before_a_person(house: House, clock: StillClock, key: str) -> None:
    refuse(house, clock, key)
    strike = house.belt.strikes().items[0].id
    house.belt.review_strike(strike, Decision.SUSPENDED, "all three", by=OWNER)
    assert house.belt.strikes().waiting == 0
    clock.move(hours=1)

    house.belt.appeal_strike(strike, "cpl_1", by=CALLER)

    found = house.belt.strikes()
    assert (found.waiting, found.items[0].appeal) == (1, "cpl_1")
    assert house.belt.snapshot().strikes[key].suspended_by == strike, "it stays until a person decides"
    with pytest.raises(Conflict):
        house.belt.appeal_strike(strike, "cpl_2", by=CALLER)
    clock.move(hours=1)
    house.belt.review_strike(strike, Decision.WITHDRAWN, "they are right", by=OWNER)
    assert house.belt.strikes().waiting == 0
    with pytest.raises(Conflict):
        house.belt.appeal_strike(strike, "cpl_3", by=CALLER)
    assert [each["case"] for each in house.entries("strike_appealed")] == ["cpl_1"]
    assert house.entries("strike_reviewed")[-1]["appeal"] == "cpl_1"


def test_the_public_is_told_how_many_in_fives(house: House, clock: StillClock, key: str) -> None:
    for _ in range(5):
        refuse(house, clock, key)
    for strike in house.belt.strikes().items:
        house.belt.review_strike(strike.id, Decision.UPHELD, "read", by=OWNER)

    told = house.belt.transparency().strikes

    assert told == {"given": 5, "withdrawn": 0, "upheld": 5, "suspended": 0, "appealed": 0}


# ---------------------------------------------------------------------- doors


def test_the_doors_show_and_decide(house: House, clock: StillClock, key: str) -> None:
    refuse(house, clock, key)
    strike = house.belt.strikes().items[0].id
    with TestClient(build_app(house)) as client:
        listed = client.get("/api/belt/strikes", params={"key": key}).json()
        assert (listed["waiting"], listed["items"][0]["id"]) == (1, strike)
        for lang, word in (("zh", "待审核"), ("en", "waits")):
            assert word in client.get(f"/{lang}/belt/strikes").text
            page = client.get(f"/{lang}/belt/strikes/{strike}").text
            assert strike in page and "injection.override" in page
        assert client.get("/en/belt/strikes/stk_none").status_code == 404
        assert "suspended" not in client.get(f"/en/belt/keys/{key}").text
        form = f"/en/belt/strikes/{strike}/review"
        assert client.post(form, data={"decision": "suspended", "reason": ""}).status_code == 422
        assert client.post(form, data={"decision": "delete", "reason": "x"}).status_code == 422
        assert house.belt.strike(strike).decision is None
        done = client.post(form, data={"decision": "suspended", "reason": "read"}, follow_redirects=True)
        assert "The decision stands" in done.text
        assert "suspended" in client.get(f"/en/belt/keys/{key}").text
        answer = client.post(f"/api/belt/strikes/{strike}/review", json={"decision": "upheld", "reason": "milder"})

    assert (answer.status_code, answer.json()["decision"]) == (200, "upheld")


def test_who_may_not_configure_decides_nothing(house: House, clock: StillClock, key: str) -> None:
    refuse(house, clock, key)
    strike = house.belt.strikes().items[0].id
    with TestClient(build_app(house, may=lambda action: action == "belt.read")) as client:
        page = client.get(f"/en/belt/strikes/{strike}")
        answer = client.post(f"/en/belt/strikes/{strike}/review", data={"decision": "withdrawn", "reason": "mine"})

    assert page.status_code == 200 and "/review" not in page.text
    assert answer.status_code == 403
    assert house.belt.strike(strike).decision is None


def test_the_shell_lists_shows_and_decides(house: House, clock: StillClock, key: str) -> None:
    app = commands(house.belt)

    def run(*words: str) -> Answer:
        answer: Any = app(["strikes", *words], exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        assert answer.as_text("zh") and answer.as_text("en")
        return answer

    assert run("list").data["count"] == 0
    refuse(house, clock, key)
    strike = run("list").data["strikes"][0]["id"]
    assert run("show", strike).data["is_waiting"] is True
    decided = run("review", strike, "suspended", "--reason", "read all")

    assert decided.data["decision"] == "suspended"
    assert run("show", strike).data["is_waiting"] is False
