"""Everybody may know what a policy says of agents' tools and of repeated abuse, and never what conditions compare with."""

import html
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from litestar.testing import TestClient
from pypdf import PdfReader
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_policy_versions import RED, written

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.toolcalls import condition_openly, condition_says
from safebelt.rooms.belt.model import Compare, ToolCondition

BASIS = {
    "provision": "cn/pipl#art_51",
    "authority": {"zh": "示例主管机关", "en": "Sample authority"},
    "scope": {"zh": "境内", "en": "inland"},
}
TOOLS: dict[str, Any] = {
    "unknown_tools": "deny",
    "hold_seconds": 60,
    "rules": [
        {"id": "t.read", "title": {"zh": "读取", "en": "Reading"}, "tools": ["search_*"], "action": "allow"},
        {
            "id": "t.pay_more",
            "title": {"zh": "大额付款", "en": "Large payments"},
            "tools": ["pay"],
            "action": "hold",
            "when": [{"argument": "amount", "more_than": 7319}, {"argument": "to", "is": "vault-secret"}],
        },
        {
            "id": "t.delete",
            "title": {"zh": "删除", "en": "Deleting"},
            "tools": ["delete_*"],
            "callers": ["night-shift-*"],
            "action": "deny",
            "basis": BASIS,
        },
        {
            "id": "t.lapsed",
            "title": {"zh": "已过期", "en": "Lapsed"},
            "tools": ["lapse"],
            "action": "deny",
            "basis": {**BASIS, "expires": "2001-01-01"},
        },
    ],
}
STRIKES = {"rules": ["harm.red"], "exchanges": 3, "within_minutes": 60}
SECRETS = ("7319", "vault-secret", "night-shift")


def fitted(home: Path, sql: Sql, clock: StillClock, **sections: Any) -> House:
    folder = home / "screening"
    folder.mkdir()
    policy = {**yaml.safe_load(written(rules=(RED,))), **sections}
    (folder / "house.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True))
    (folder / "red-lines.txt").write_text("harm.red\n")
    house = build(sql, home, clock=clock, screening=folder, default_policy="house/rules")
    house.belt.open_policies()
    house.belt.fit(house.system_id, by=OWNER)
    return house


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[Sql]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    yield sql
    sql.close()


@pytest.fixture
def house(tmp_path: Path, sql: Sql, clock: StillClock) -> House:
    return fitted(tmp_path, sql, clock, tools=TOOLS, strikes=STRIKES)


def acted(house: House, rule: str, count: int) -> None:
    with house.writing() as put:
        for number in range(count):
            id_ = f"rec_{rule.replace('.', '_')}_{number}"
            put(intent(id_, house.system_id, done="allow", would="allow", rules=[], hits=[]))
            put(outcome(id_, done="refuse", would="refuse", rules=[rule]))
    house.belt.index()


def paper_of(client: TestClient[Any], lang: str) -> str:
    answer = client.get(f"/{lang}/transparency/report.pdf")
    said = "".join(each.extract_text() for each in PdfReader(io.BytesIO(answer.content)).pages)
    return "".join(said.replace("\u200b", "").split())


def test_tool_rules_are_told_with_what_they_do_and_rest_on_and_how_often_they_acted(
    house: House, clock: StillClock
) -> None:
    acted(house, "t.pay_more", 12)
    acted(house, "t.delete", 3)

    (policy,) = house.belt.transparency().policies

    assert policy.tools is not None
    assert (policy.tools.unknown_tools, policy.tools.hold_seconds, policy.tools.offered) == ("deny", 60, "remove")
    rules = {rule.id: rule for rule in policy.tools.rules}
    assert list(rules) == ["t.read", "t.pay_more", "t.delete"]  # what has expired is no rule in use
    assert [(rule.action, rule.exchanges, rule.is_counted) for rule in rules.values()] == [
        ("allow", None, False),
        ("hold", 10, True),
        ("deny", None, True),
    ]
    assert rules["t.pay_more"].is_house_rule and rules["t.pay_more"].provision == ""
    deleting = rules["t.delete"]
    assert (deleting.provision, deleting.authority, deleting.is_for_some_callers) == (
        "cn/pipl#art_51",
        Text(**BASIS["authority"]),  # type: ignore[arg-type]
        True,
    )
    acted(house, "t.delete", 7)
    clock.move(minutes=6)
    (later,) = house.belt.transparency().policies
    assert later.tools is not None and later.tools.rules[2].exchanges == 5


def test_repeated_abuse_is_told_with_its_rules_its_measure_and_what_a_person_may_decide(house: House) -> None:
    (policy,) = house.belt.transparency().policies

    assert policy.strikes is not None
    assert (policy.strikes.rules, policy.strikes.exchanges, policy.strikes.within_minutes) == (("harm.red",), 3, 60)
    assert policy.strikes.decisions == ("withdrawn", "upheld", "suspended")


def test_numbers_page_and_paper_say_the_same_in_both_languages_and_no_secret(house: House) -> None:
    acted(house, "t.pay_more", 12)
    with TestClient(build_app(house, may=lambda _action: False)) as client:  # whoever asks may do nothing
        told = client.get("/api/public/transparency")
        pages = {lang: html.unescape(client.get(f"/{lang}/transparency").text) for lang in ("zh", "en")}
        papers = {lang: paper_of(client, lang) for lang in ("zh", "en")}

    says = {
        "zh": [
            *("大额付款", "参数 amount 大于", "等待人工批准至多 60 秒", "只适用于部分调用方", "不计数", "示例主管机关"),
            *("60 分钟内有 3 个请求", "由人决定"),
        ],
        "en": [
            *("Large payments", "argument amount is more than", "waits at most 60 s", "only for some callers"),
            *("not counted", "Sample authority", "refuse within 60 minutes", "suspends the key"),
        ],
    }
    (policy,) = told.json()["policies"]
    assert policy["tools"]["rules"][1]["exchanges"] == 10 and policy["strikes"]["exchanges"] == 3
    for lang, words in says.items():
        for word in (*words, "t.pay_more", "harm.red", "delete_*"):
            assert word in pages[lang], (lang, word)
            assert "".join(word.split()) in papers[lang], (lang, word)
    for text in (told.text, *pages.values(), *papers.values()):
        assert not any(secret in text for secret in SECRETS) and "t.lapsed" not in text
        assert "compliant" not in text and house.system_id not in text


def test_a_policy_that_says_nothing_of_tools_and_abuse_is_told_to_say_nothing(
    tmp_path: Path, sql: Sql, clock: StillClock
) -> None:
    house = fitted(tmp_path, sql, clock)
    with TestClient(build_app(house, may=lambda _action: False)) as client:
        (policy,) = client.get("/api/public/transparency").json()["policies"]
        page, paper = client.get("/en/transparency").text, paper_of(client, "zh")

    assert policy["tools"] is None and policy["strikes"] is None
    assert "does not govern tool calls" in page and "gives no strikes" in page
    assert "不管控工具调用" in paper and "不记违规" in paper
    assert "suspends the key" not in page


def test_a_provision_leads_to_the_rulebook_for_whoever_may_read_it_and_to_no_closed_door(house: House) -> None:
    link = 'href="/en/rulebook/instruments/cn/pipl#art_51"'
    with TestClient(build_app(house, may=lambda _action: False)) as client:
        closed = client.get("/en/transparency").text
    with TestClient(build_app(house)) as client:
        open_ = client.get("/en/transparency").text

    assert link in open_ and link not in closed
    assert "cn/pipl#art_51" in closed


@pytest.mark.parametrize("compare", Compare)
def test_a_condition_is_told_openly_without_what_it_compares_with(compare: Compare) -> None:
    constant = ("ab12", "cd34") if compare is Compare.ONE_OF else True if compare is Compare.PRESENT else "ab12"
    condition = ToolCondition(argument="to", compare=compare, constant=constant, is_negated=True)

    openly, inside = condition_openly(condition), condition_says(condition)

    for lang in ("zh", "en"):
        assert "to" in openly.in_(lang) and "ab12" not in openly.in_(lang)
        assert ("ab12" in inside.in_(lang)) is (compare is not Compare.PRESENT)
