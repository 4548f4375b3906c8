"""What a policy says of a tool call: the strictest rule decides, and what cannot be read never allows."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.decide import is_offered, judge_call, steps
from safebelt.rooms.belt.model import Policy, Stance, ToolAction, ToolCall, ToolVerdict
from safebelt.rooms.belt.scanner import load_policies
from safebelt.rooms.belt.scanner.linear import matches
from safebelt.rooms.belt.scanner.policies import read_source

TODAY = date(2026, 11, 22)
HEAD = """\
policy: acme/agents
version: 1
title: {zh: 代理, en: Agents}
appeal: {zh: 可申诉, en: You may appeal}
rules:
  - {id: a.one, kind: keywords, title: {zh: 一, en: One}, sides: [input], action: flag, terms: [坏词]}
"""
TOOLS = (
    HEAD
    + """\
tools:
  unknown_tools: deny
  hold_seconds: 60
  rules:
    - id: tools.read
      title: {zh: 读取, en: Reading}
      tools: [search_*, "get_?eather"]
      action: allow
    - id: tools.pay
      title: {zh: 付款, en: Payments}
      tools: [pay]
      action: allow
      when: [{argument: amount, at_most: 100}]
    - id: tools.pay_more
      title: {zh: 大额付款, en: Large payments}
      tools: [pay]
      action: hold
      when: [{argument: amount, more_than: 100}]
    - id: tools.pay_abroad
      title: {zh: 境外付款, en: Payments abroad}
      tools: [pay]
      action: deny
      red_line: true
      when: [{argument: country, is: XX}, {argument: country, present: true}]
    - id: tools.mail
      title: {zh: 外发邮件, en: Mail to others}
      tools: [mail]
      action: deny
      when: [{argument: "to[*]", matches: "@acme\\\\.example$", negated: true}]
    - id: tools.mail_ours
      title: {zh: 内部邮件, en: Mail to ours}
      tools: [mail]
      action: allow
      when: [{argument: "to[*]", matches: "@acme\\\\.example$"}]
    - id: tools.secrets
      title: {zh: 密钥文件, en: Key files}
      tools: ["*"]
      action: deny
      when: [{argument: "**", contains: .ssh/}]
    - id: tools.night_shift
      title: {zh: 夜班, en: Night shift}
      tools: [restart]
      callers: [night-*]
      action: allow
    - id: tools.lapsed
      title: {zh: 已过期, en: Lapsed}
      tools: [restart]
      action: allow
      basis: {provision: cn/x#art_1, authority: {zh: 甲, en: A}, scope: {zh: 全部, en: all}, expires: 2026-01-01}
    - id: tools.mcp_files
      title: {zh: 文件服务, en: File server}
      tools: ["files/read*"]
      action: allow
"""
)
POLICY = read_source(TOOLS.encode()).policy


def judged(name: str, arguments: str = "{}", stance: Stance = Stance.ENFORCE, **more: Any) -> ToolVerdict:
    return judge_call(POLICY, stance, ToolCall(name=name, arguments=arguments, **more), TODAY, matches)


@pytest.mark.parametrize(
    ("name", "arguments", "done", "rule"),
    [
        ("search_web", "{}", "allow", "tools.read"),
        ("get_weather", "not even JSON", "deny", "tools.secrets"),  # who knows what stands in it
        ("delete_all", "{}", "deny", ""),
        ("", "{}", "deny", ""),
        ("x" * 257, "{}", "deny", ""),
        ("pay", '{"amount": 100}', "allow", "tools.pay"),
        ("pay", '{"amount": 100.01}', "hold", "tools.pay_more"),
        ("pay", '{"amount": 1, "country": "XX"}', "deny", "tools.pay_abroad"),
        ("pay", '{"amount": 1, "country": "ｘｘ"}', "deny", "tools.pay_abroad"),  # full-width letters
        ("PAY", '{"amount": 1}', "deny", ""),  # a rule that allows is taken by the letter
        ("mail", '{"to": ["a@acme.example"]}', "allow", "tools.mail_ours"),
        ("mail", '{"to": ["a@acme.example", "b@else.example"]}', "deny", "tools.mail"),
        ("mail", '{"to": []}', "deny", ""),  # nothing stated allows nothing
        ("search_web", '{"q": {"deep": [1, "~/.SSH/id"]}}', "deny", "tools.secrets"),
    ],
)
def test_the_strictest_rule_that_speaks_decides(name: str, arguments: str, done: str, rule: str) -> None:
    verdict = judged(name, arguments)

    assert (verdict.done, verdict.rule) == (ToolAction(done), rule)
    assert verdict.reason.says.zh
    assert verdict.reason.cites


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "{",
        "[]",
        '{"amount": "100"}',  # a tool may convert it, the rule must not guess
        '{"amount": true}',
        '{"amount": null}',
        '{"amount": [1]}',
        '{"amount": NaN}',
        '{"amount": 1, "amount": 1000000}',  # readers differ on which one counts
        '{"Amount": 1}',
        '{"amount": 1} trailing',
        "[" * 100_000,
        '{"amount": ' + "9" * 5000 + "}",
        '{"amount": 1, "pad": "' + "x" * 300_000 + '"}',
    ],
)
def test_an_argument_that_cannot_be_read_never_allows(arguments: str) -> None:
    assert judged("pay", arguments).done is ToolAction.HOLD or judged("pay", arguments).done is ToolAction.DENY
    assert judged("pay", '{"amount": 1}').done is ToolAction.ALLOW  # the control: it would have been allowed


def test_a_condition_on_presence_is_surely_false_where_the_argument_is_not_there() -> None:
    assert judged("pay", '{"amount": 1}').rule == "tools.pay"
    assert judged("pay", '{"amount": 1, "country": 7}').rule == "tools.pay_abroad"  # there, and unreadable


def test_a_rule_may_speak_of_some_callers_only_and_no_longer_than_its_basis_lasts() -> None:
    assert judged("restart", caller="night-desk").done is ToolAction.ALLOW
    assert judged("restart", caller="day-desk").done is ToolAction.DENY


def test_a_tool_of_a_server_is_known_by_both_names() -> None:
    assert judged("read_file", server="files").rule == "tools.mcp_files"
    assert judged("read_file", server="other").done is ToolAction.DENY
    assert judged("search_web", server="other").rule == "tools.read"


def test_while_observing_only_a_red_line_acts_and_what_would_have_been_is_told() -> None:
    verdict = judged("delete_all", stance=Stance.OBSERVE)
    red = judged("pay", '{"amount": 500, "country": "XX"}', stance=Stance.OBSERVE)

    assert (verdict.would, verdict.done) == (ToolAction.DENY, ToolAction.ALLOW)
    assert "observing" in verdict.reason.says.en
    assert (red.done, red.rule) == (ToolAction.DENY, "tools.pay_abroad")


def test_a_tool_denied_whatever_its_arguments_is_not_offered() -> None:
    def offered(name: str, stance: Stance = Stance.ENFORCE, **more: Any) -> bool:
        return is_offered(POLICY, stance, ToolCall(name=name, arguments=""), TODAY, **more)

    assert offered("search_web")
    assert offered("pay")  # by its arguments
    assert offered("mail")
    assert not offered("delete_all")
    assert offered("delete_all", Stance.OBSERVE)
    assert not offered("pay", is_hosted=True)  # it would run where nobody sees its arguments
    assert not offered("search_web", is_hosted=True)  # the same: a rule looks for key files in its arguments


def test_without_a_section_a_policy_governs_no_tool_and_its_digest_is_what_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(HEAD, encoding="utf-8")
    bare = load_policies(tmp_path)["acme/agents"]

    assert bare.tools is None
    assert bare.digest != POLICY.digest
    assert b'"tools"' not in read_source(HEAD.encode()).content
    with pytest.raises(ValueError, match="nothing on tools"):
        judge_call(bare, Stance.ENFORCE, ToolCall(name="x", arguments=""), TODAY, matches)


def test_a_policy_with_tools_is_read_again_from_its_canonical_content() -> None:
    source = read_source(TOOLS.encode())

    assert read_source(source.content) == source


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("unknown_tools: deny", "unknown_tools: maybe"), 8, "unknown_tools"),
        (("  unknown_tools: deny\n", ""), 7, "unknown_tools"),
        (("hold_seconds: 60", "hold_seconds: 0"), 9, "hold_seconds"),
        (("hold_seconds: 60", "hold_seconds: 3601"), 9, "hold_seconds"),
        (("at_most: 100}", "at_most: many}"), 19, "at_most"),
        (("at_most: 100}", "at_most: 100, at_least: 1}"), 19, "exactly one of"),
        (("argument: amount, at_most", "argument: 'a..b', at_most"), 19, "not a path"),
        (("argument: amount, at_most", "argument: '', at_most"), 19, "empty"),
        (('@acme\\\\.example$", negated', '(?=a)b", negated'), 35, "bounded time"),
        (("id: tools.pay\n", "id: a.one\n"), 15, "stands more than once"),
        (("tools: [pay]\n      action: allow", "tools: []\n      action: allow"), 17, "tools"),
        (("action: deny\n      red_line", "action: allow\n      red_line"), 25, "red line"),
    ],
)
def test_every_error_of_the_section_is_named_with_its_line(change: tuple[str, str], line: int, says: str) -> None:
    assert change[0] in TOOLS
    with pytest.raises(Invalid) as caught:
        read_source(TOOLS.replace(*change, 1).encode())
    listed = [f"{where} {message}" for where, message in caught.value.details.items()]

    assert any(f"policy.yaml:{line}" in each and says in each for each in listed), listed


def test_a_path_has_one_form_only() -> None:
    assert steps("message.to[0]") == ("message", "to", 0)
    assert steps("items[*].price") == ("items", None, "price")
    for wrong in ("", ".a", "a.", "a[", "a[-1]", "a]", "a[0]b", "a..b"):
        with pytest.raises(ValueError, match=r"path"):
            steps(wrong)


def test_a_regular_expression_that_would_take_forever_elsewhere_takes_no_time_here() -> None:
    assert matches("(a+)+$", "a" * 100_000 + "b") is False
    assert matches("a", "half \ud800") is None


@given(st.text(max_size=200), st.text(max_size=300))
def test_no_call_whatever_breaks_the_judgment(name: str, arguments: str) -> None:
    assert judged(name, arguments).done in ToolAction


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
    )
)
def test_no_payment_without_a_small_readable_amount_is_ever_allowed(arguments: Any) -> None:
    import json

    verdict = judged("pay", json.dumps(arguments))
    amount = arguments.get("amount") if isinstance(arguments, dict) else None
    if verdict.done is ToolAction.ALLOW:
        assert isinstance(amount, int | float)
        assert amount <= 100


def test_the_policy_is_what_the_file_says() -> None:
    assert isinstance(POLICY, Policy)
    assert POLICY.tools is not None
    assert len(POLICY.tools.rules) == 10
