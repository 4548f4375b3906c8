"""A replay tells of recorded tool calls what a policy asks for, and by name of which calls nobody can say."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.proxy.bench import POLICY as PLAIN_POLICY
from tests.rooms.belt.proxy.test_toolcalls import GOVERNED, asking, call, calling, through
from tests.rooms.belt.test_policy_versions import PLAIN, RED, written
from tests.rooms.belt.test_toolcalls import TODAY, TOOLS

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide import judge_call
from safebelt.rooms.belt.decide.replaying_calls import KeptCall, kept_calls, newly_offered, would_do
from safebelt.rooms.belt.model import Policy, Stance, ToolAction, ToolCall, ToolReplay
from safebelt.rooms.belt.scanner.linear import matches
from safebelt.rooms.belt.scanner.policies import read_source

AGENTS = read_source(TOOLS.encode()).policy
MASK = "⟦手机号 mobile⟧"
ALLOWED = ToolAction.ALLOW


def asked_for(tool: str, arguments: str | None, *, policy: Policy = AGENTS, caller: str | None = "app") -> Any:
    kept = KeptCall(tool=tool, arguments=arguments, server="", before=ALLOWED)
    found = would_do(policy, kept, caller, TODAY, matches)
    return found.action.value if found.action else found.why_not


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("search_web", '{"q": "x"}', "allow"),
        ("pay", '{"amount": 7, "country": "DE"}', "allow"),
        ("pay", '{"amount": 700, "country": "DE"}', "hold"),
        ("pay", '{"amount": 7, "country": "XX"}', "deny"),
        ("pay", None, "arguments_not_kept"),
        ("pay", json.dumps({"amount": 700, "country": "DE", "note": MASK}), "arguments_masked"),  # `**` looks at it
        ("pay", json.dumps({"amount": 7, "country": "XX", "note": MASK}), "deny"),  # whatever else stood there
        ("mail", json.dumps({"to": [MASK]}), "arguments_masked"),
        ("mail", json.dumps({"to": [MASK]}, ensure_ascii=False), "arguments_masked"),
        ("pay", f'{{"amount": {MASK}, "country": "DE"}}', "arguments_masked"),
        ("pay", json.dumps({MASK: 7, "country": "DE"}), "arguments_masked"),
        ("mail", json.dumps({"to": ["a@elsewhere.example"], "text": MASK}), "deny"),
        ("rm", None, "deny"),  # no rule lets it pass, whatever its arguments
        ("rm", "{", "deny"),
        ("", "{}", "call_not_named"),
        (f"tool {MASK}", "{}", "call_not_named"),
    ],
)
def test_a_call_is_told_or_it_is_said_why_not(tool: str, arguments: str | None, says: str) -> None:
    assert asked_for(tool, arguments) == says


def test_a_policy_without_a_section_on_tools_allows_and_one_that_asks_for_callers_wants_to_know_them() -> None:
    assert asked_for("rm", None, policy=replace(AGENTS, tools=None)) == "allow"
    assert asked_for("rm", "{}", caller=None) == "caller_not_kept"


_VALUES = st.sampled_from(
    [7, 100, 700, "XX", "DE", "a@acme.example", "b@elsewhere.example", "/home/x/.ssh/id", True, None]
)
_ARGUMENTS = st.dictionaries(
    st.sampled_from(["amount", "country", "to", "note"]), _VALUES | st.lists(_VALUES, max_size=2)
)
_TOOLS = st.sampled_from(["search_a", "pay", "mail", "rm", "get_weather"])


@given(_TOOLS, _ARGUMENTS)
def test_where_everything_is_kept_a_replay_says_what_the_belt_would(tool: str, arguments: dict[str, Any]) -> None:
    source = json.dumps(arguments)
    judged = judge_call(AGENTS, Stance.ENFORCE, ToolCall(name=tool, arguments=source, caller="app"), TODAY, matches)

    assert asked_for(tool, source) == judged.would.value


@given(_TOOLS, _ARGUMENTS, st.data())
def test_what_is_told_in_spite_of_a_mask_is_what_the_belt_says_without_it(
    tool: str, arguments: dict[str, Any], data: st.DataObject
) -> None:
    texts = [name for name, value in arguments.items() if isinstance(value, str)]
    hidden = data.draw(st.sampled_from(texts)) if texts else ""
    masked = json.dumps({**arguments, **({hidden: MASK} if hidden else {})})
    whole = ToolCall(name=tool, arguments=json.dumps(arguments), caller="app")

    told = asked_for(tool, masked)

    judged = judge_call(AGENTS, Stance.ENFORCE, whole, TODAY, matches).would.value
    assert told in {judged, "arguments_masked"} and asked_for(tool, None) in {judged, "arguments_not_kept"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("policy", [GOVERNED, PLAIN_POLICY], ids=["governed", "plain"])
def test_calls_are_found_in_what_the_belt_really_records(tmp_path: Path, stream: bool, policy: Policy) -> None:
    script = calling(
        call("delete_all", '{"path": "/"}', "call_a"),
        call("read", '{"path": "x"}', "call_b"),
        call("read", '{"path": "13812345678"}', "call_c"),
        text="let me see",
    )

    _, record = through(tmp_path, script, asking(stream=stream), policy=policy)
    found = kept_calls(record, record["content"]["texts"], {})

    said = [(each.tool, json.loads(each.arguments or "{}"), each.before.value) for each in found]
    before = "deny" if policy is GOVERNED else "allow"
    assert said == [
        ("delete_all", {"path": "/"}, before),
        ("read", {"path": "x"}, "allow"),
        ("read", {"path": MASK}, "allow"),
    ]


def test_calls_of_interfaces_that_keep_no_names_are_paired_only_where_their_number_fits() -> None:
    notes = [{"tool": "read", "would": "allow", "done": "allow"}, {"tool": "rm", "would": "deny", "done": "deny"}]
    texts = {"output[0].arguments": '{"k": 1}', "output[1].content[0].text": "no", "tools[0].arguments": '{"k": 2}'}

    fits = kept_calls({"tools": notes, "tool_calls": 2}, texts, {})
    more = kept_calls({"tools": notes, "tool_calls": 3}, {**texts, "output[2].arguments": "{}"}, {})
    silent = kept_calls({}, texts | {"content[0].partial_json": "{}"}, {})

    assert [(each.tool, each.arguments) for each in fits] == [("read", '{"k": 1}'), ("rm", '{"k": 2}')]
    assert [(each.tool, each.arguments) for each in more] == [("read", None), ("rm", '{"k": 2}'), ("", None)]
    assert [each.tool for each in silent] == ["", ""]


def test_a_call_by_a_client_of_a_server_is_what_was_asked() -> None:
    note = {"tool": "pay", "server": "files", "would": "hold", "done": "allow"}
    asked = {"params.arguments": '{"amount": 500}', "params.name": "pay"}

    judged = kept_calls({"tools": [note], "tool_calls": 1}, {}, asked)
    unjudged = kept_calls({}, {}, asked)

    assert judged == [KeptCall(tool="pay", arguments='{"amount": 500}', server="files", before=ToolAction.HOLD)]
    assert unjudged == [KeptCall(tool="pay", arguments='{"amount": 500}', server="", before=ALLOWED)]


def test_a_tool_that_was_not_offered_and_would_be_is_named() -> None:
    assert newly_offered(AGENTS, ["rm", "search_x"], "app", TODAY) == ["search_x"]
    assert newly_offered(replace(AGENTS, tools=None), ["rm"], "app", date(2026, 1, 1)) == ["rm"]


# ---- through the doors


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
    house.belt.fit(house.system_id, by=OWNER)
    yield house
    sql.close()


def rule(id_: str, tool: str, action: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "title": {"zh": "工具", "en": "Tools"}, "tools": [tool], "action": action, **more}


def with_tools(*rules: dict[str, Any], unknown: str = "deny") -> bytes:
    content = yaml.safe_load(written(2, rules=(RED, PLAIN)))
    return yaml.safe_dump(content | {"tools": {"unknown_tools": unknown, "rules": list(rules)}}).encode()


def replayed(house: House, *rules: dict[str, Any]) -> ToolReplay:
    policy = read_source(with_tools(*rules)).policy
    return house.belt.replay(policy, house.clock() - timedelta(days=1)).tools


def record_calls(house: House) -> None:
    """Three exchanges: judged calls, calls of before there were rules on tools, and one of which only digests are kept."""
    now = house.belt.policy("house/rules")
    judged = {"policy": now.id, "policy_version": now.version, "policy_digest": now.digest, "rules": []}
    notes = [
        {"tool": "pay", "would": "hold", "done": "allow", "rule": "t.pay", "answered": "approved"},
        {"tool": "rm", "would": "deny", "done": "deny", "rule": ""},
    ]
    at = "choices[0].message.tool_calls[0].function"
    named = {f"{at}.name": "pay", f"{at}.arguments": '{"amount": 500}'}
    denied = {"tools[0].arguments": '{"path": "/"}'}
    facts = {"tools": notes, "tool_calls": 2, "tools_not_offered": ["mail"]}
    texts = {"rec_judged": (named | denied, facts), "rec_plain": (named, {}), "rec_digest": (None, facts)}
    with house.writing() as put:
        for record_id, (said, told) in texts.items():
            put(intent(record_id, house.system_id, text="hi", **judged))
            put(replace(outcome(record_id, **told), content={"texts": said} if said is not None else {"digests": {}}))
    house.belt.index()


def test_a_changed_tool_policy_is_told_call_by_call_with_the_rule_and_the_calls_it_cannot_judge(house: House) -> None:
    record_calls(house)

    small = replayed(house, rule("t.pay", "pay", "allow", when=[{"argument": "amount", "at_most": 100}]))
    all_of_them = replayed(
        house, rule("t.pay", "pay", "allow"), rule("t.rm", "rm", "deny"), rule("t.mail", "mail", "allow")
    )

    assert small.calls == 5 and small.evaluated == 4
    assert small.not_evaluated == {"arguments_not_kept": 1}
    assert small.not_evaluated_examples == {"arguments_not_kept": ("rec_digest",)}
    changes = {(one.tool, one.before, one.after): (one.calls, one.rule) for one in small.changes}
    assert changes == {("pay", "hold", "deny"): (1, ""), ("pay", "allow", "deny"): (1, "")}
    assert all_of_them.evaluated == 5 and all_of_them.not_evaluated == {"not_offered": 2}
    (only,) = all_of_them.changes
    assert (only.tool, only.before, only.after, only.calls, only.rule) == ("pay", "hold", "allow", 2, "t.pay")
    assert set(only.examples) == {"rec_judged", "rec_digest"}


def test_the_same_rules_change_nothing(house: House) -> None:
    record_calls(house)

    same = replayed(house, rule("t.pay", "pay", "hold"))

    assert [(one.tool, one.before, one.after) for one in same.changes] == [
        ("pay", "allow", "hold")
    ]  # rec_plain had none


def test_an_exchange_without_calls_has_none(house: House) -> None:
    with house.writing() as put:
        put(intent("rec_1", house.system_id))
        put(outcome("rec_1"))
    house.belt.index()

    assert replayed(house, rule("t.pay", "pay", "hold")) == ToolReplay()


def test_the_doors_tell_of_calls_and_never_of_arguments(house: House, tmp_path: Path) -> None:
    record_calls(house)
    source = with_tools(rule("t.pay", "pay", "deny"))
    (tmp_path / "agents.yaml").write_bytes(source)
    since = (house.clock() - timedelta(days=1)).isoformat()

    words = ["replay", str(tmp_path / "agents.yaml"), "--since", since]
    told: Any = commands(house.belt)(words, exit_on_error=False, print_error=False, result_action="return_value")
    with TestClient(build_app(house)) as client:
        served = client.post("/api/belt/policies/replay", json={"yaml": source.decode(), "since": since})
        pages = [
            client.post(f"/{lang}/belt/replay", data={"yaml": source.decode(), "days": "3650"}) for lang in ("zh", "en")
        ]

    assert "pay  hold → deny  2  t.pay" in told.says.en and "工具调用共 5 次" in told.says.zh
    assert served.json()["tools"]["changes"][0]["after"] == "deny"
    assert all(page.status_code == 200 and "t.pay" in page.text for page in pages)
    assert "hold for a person" in pages[1].text and "等待人工批准" in pages[0].text
    assert "500" not in served.text + pages[1].text
