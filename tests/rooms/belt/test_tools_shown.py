"""What agents did with tools, and what a policy says of them, is shown: on its exchange, on the policy's page, in the shell."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cyclopts import CycloptsError
from litestar.testing import TestClient
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_policy_versions import OPERATOR, RED, written
from tests.rooms.belt.test_toolcalls import TOOLS

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide.toolcalls import condition_says
from safebelt.rooms.belt.model import Compare, ToolCondition
from safebelt.web.terminal import NOT_EVALUATED, Answer

CALLS = [
    {
        "tool": "pay",
        "would": "hold",
        "done": "deny",
        "rule": "tools.pay_more",
        "approval": "apr_1",
        "answered": "refused",
    },
    {
        "tool": "send",
        "would": "hold",
        "done": "hold",
        "rule": "tools.pay_more",
        "approval": "apr_2",
        "answered": "approved",
    },
    {"tool": "drop", "would": "deny", "done": "deny", "rule": "", "server": "files"},
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    folder = tmp_path / "screening"
    folder.mkdir()
    strikes = {"rules": ["harm.red"], "exchanges": 3, "within_minutes": 60}
    tools = yaml.safe_load(TOOLS)["tools"]
    policy = {**yaml.safe_load(written(rules=(RED,))), "strikes": strikes, "tools": tools}
    (folder / "house.yaml").write_text(yaml.safe_dump(policy, allow_unicode=True))
    (folder / "plain.yaml").write_bytes(written(id_="house/plain", rules=(RED,)))
    (folder / "red-lines.txt").write_text("harm.red\n")
    house = build(sql, tmp_path, screening=folder, default_policy="house/rules")
    house.belt.open_policies()
    house.belt.fit(house.system_id, by=OWNER)
    with house.writing() as put:
        put(intent("rec_calls", house.system_id, done="allow", would="allow", rules=[], hits=[]))
        facts = {"done": "refuse", "would": "refuse", "rules": ["tools.pay_more"], "tools": CALLS, "tool_calls": 40}
        put(outcome("rec_calls", **facts, tools_not_offered=["shred"]))
        put(intent("rec_flagged", house.system_id, done="allow", would="flag"))
    house.belt.index()
    yield house
    sql.close()


@pytest.fixture
def client(house: House) -> Iterator[TestClient[Any]]:
    with TestClient(build_app(house, actor=OPERATOR)) as client:
        yield client


def run(house: House, *words: str) -> Answer:
    app = commands(house.belt)
    answer: Any = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(answer, Answer) and answer.as_text("zh")
    return answer


def test_an_exchange_names_every_tool_call_its_rule_and_what_became_of_it(client: TestClient[Any]) -> None:
    english, chinese = (client.get(f"/{lang}/belt/exchanges/rec_calls").text for lang in ("en", "zh"))

    for said in ("a person refused it", "a person let it pass", "no rule speaks on it", "denied", "files", "shred"):
        assert said in english
    assert "40 calls in all; the record names the first 3" in english
    assert "/en/belt/approvals/apr_1" in english and "经人拒绝" in chinese and "没有规则可适用" in chinese


def test_the_wait_for_a_person_is_shown_apart_only_where_there_was_one(client: TestClient[Any], house: House) -> None:
    with house.writing() as put:
        put(intent("rec_waited", house.system_id))
        put(outcome("rec_waited", waited_ms=20_017.0, total_ms=20_437.0, before_ms=1.0))
    house.belt.index()
    pages = {lang: client.get(f"/{lang}/belt/exchanges/rec_waited").text for lang in ("en", "zh")}
    shown = {lang: run(house, "exchanges", "show", "rec_waited").as_text(lang) for lang in ("en", "zh")}

    assert "waiting for a person" in pages["en"] and "等待人工" in pages["zh"]
    assert "waiting for a person 20017.0 ms, apart from the belt's own 1.2 ms" in shown["en"]
    assert "等待人工 20017.0 ms" in shown["zh"]
    for lang, words in (("en", "waiting for a person"), ("zh", "等待人工")):
        assert words not in client.get(f"/{lang}/belt/exchanges/rec_flagged").text
        assert words not in run(house, "exchanges", "show", "rec_flagged").as_text(lang)


def test_an_exchange_without_calls_has_no_table_of_them_and_who_enforces_is_not_said_to_observe(
    client: TestClient[Any], house: House
) -> None:
    page = client.get("/en/belt/exchanges/rec_flagged").text

    assert "Tool calls" not in page
    assert "Observing" not in page  # the record's stance is enforce: a held call passes as flagged
    with house.writing() as put:
        put(intent("rec_observed", house.system_id, done="flag", would="refuse", stance="observe"))
    house.belt.index()
    assert "Observing; the policy would have" in client.get("/en/belt/exchanges/rec_observed").text


def test_a_policys_page_shows_its_rules_on_tools_and_on_repeated_abuse(client: TestClient[Any]) -> None:
    english, chinese = (client.get(f"/{lang}/belt/policies/house/rules").text for lang in ("en", "zh"))
    plain = client.get("/en/belt/policies/house/plain").text

    assert "tools.pay_more" in english and "argument amount is more than 100" in english
    assert "参数 amount 大于 100" in chinese and "more_than" not in chinese
    assert "3 requests of one key that these rules refuse within 60 minutes" in english
    assert "does not govern tool calls" in plain and "gives no strikes" in plain


@pytest.mark.parametrize("compare", Compare)
def test_every_condition_on_an_argument_is_said_in_words(compare: Compare) -> None:
    constant = (1, 2) if compare is Compare.ONE_OF else True if compare is Compare.PRESENT else "x"

    says = condition_says(ToolCondition(argument="to", compare=compare, constant=constant))

    assert says.zh != says.en and "_" not in says.en
    assert says.en.isascii() and not says.zh.isascii()


def test_the_shell_shows_tool_calls_too(house: House) -> None:
    shown = run(house, "exchanges", "show", "rec_calls").as_text("en")

    assert "pay()  hold → refused  tools.pay_more  apr_1" in shown
    assert "drop()  deny → deny  -" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("exchanges", "list", "--done", "banana"),
        ("exchanges", "list", "--finish", "banana"),
        ("exchanges", "list", "--page", "0"),
        ("exchanges", "list", "--limit", "100000"),
        ("exchanges", "list", "--page", "9" * 30),
        ("approvals", "--page", "9" * 30),
        ("stops", "--page", "9" * 30),
        ("admission", "try", "--hour", "24"),
        ("strikes", "list", "--page", "9" * 30),
        ("replay", "house/rules", "--since", "7d", "--most", "-1"),
    ],
)
def test_a_filter_that_is_none_is_refused_and_not_taken_for_another(house: House, words: tuple[str, ...]) -> None:
    with pytest.raises(CycloptsError):
        run(house, *words)


def test_the_last_day_there_is_can_be_asked_for(house: House) -> None:
    found = run(house, "exchanges", "list", "--until", "9999-12-31", "--since", "0001-01-01")

    assert found.data["count"] == 2


def test_a_slip_in_an_id_is_told_and_no_empty_answer(house: House) -> None:
    with pytest.raises(NotFound):
        run(house, "replay", "house/rules", "--since", "7d", "--system", "sys_slip")
    with pytest.raises(NotFound):
        run(house, "policies", "versions", "house/slip")


def test_a_replay_over_nothing_is_not_evaluated(house: House) -> None:
    nothing = run(house, "replay", "house/rules", "--since", house.clock().isoformat())

    assert (nothing.data["exchanges"], nothing.exit_code) == (0, NOT_EVALUATED)


def test_the_end_of_a_key_stands_in_its_form_as_it_is_typed(client: TestClient[Any], house: House) -> None:
    day = house.clock().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=30)
    ends = {day: f"{day:%Y-%m-%d}", day + timedelta(hours=12): f"{day:%Y-%m-%d}T12:00:00Z"}

    for end, typed in ends.items():
        key, _ = house.belt.issue_key(house.system_id, "app", OWNER, expires_at=end)
        assert f'value="{typed}"' in client.get(f"/en/belt/keys/{key.id}").text


@pytest.mark.parametrize(("name", "says"), [("binary", "not UTF-8"), ("none", "No such file"), ("folder", "directory")])
def test_a_file_that_cannot_be_held_against_a_record_is_told_in_words(
    house: House, tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "folder").mkdir()

    with pytest.raises(Invalid) as told:
        run(house, "check-text", "rec_calls", str(tmp_path / name))

    assert says in told.value.what.en and "codec" not in told.value.what.en and "Errno" not in told.value.what.en
