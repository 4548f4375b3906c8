"""From a tool call to a verdict with its reason: pure.

Of the rules that speak on a call, the strictest decides.  A rule that allows speaks only where its conditions surely
hold; one that denies or holds, also where they cannot be told.  Where no rule speaks, `unknown_tools` decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fnmatch import translate
from functools import lru_cache
from typing import Any

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.arguments import Matches, Unreadable, holds, plain, read_arguments
from safebelt.rooms.belt.model import (
    Compare,
    Offered,
    Policy,
    Stance,
    ToolAction,
    ToolCall,
    ToolCondition,
    ToolPolicy,
    ToolRule,
    ToolVerdict,
)

MAX_NAME_CHARS = 256
"""A name longer than this is none: model interfaces take 64, the Model Context Protocol recommends 128."""
UNKNOWN_TOOL = Text(zh="未列入规则的工具调用", en="Tool calls that no rule allows")
NAMELESS = Text(zh="无法辨认的工具调用", en="Tool calls without a readable name")
_UNTOLD = Text(zh="规则所定的值（不公开）", en="what the rule sets (not told)")
_UNREAD: Any = object()
_DEEDS = {
    ToolAction.ALLOW: Text(zh="放行", en="allow"),
    ToolAction.HOLD: Text(zh="等待人工批准", en="hold for a person"),
    ToolAction.DENY: Text(zh="拒绝", en="deny"),
}
_COMPARED = {
    Compare.IS: Text(zh="等于", en="is"),
    Compare.ONE_OF: Text(zh="是其中之一：", en="is one of"),
    Compare.CONTAINS: Text(zh="包含", en="contains"),
    Compare.MATCHES: Text(zh="匹配", en="matches"),
    Compare.MORE_THAN: Text(zh="大于", en="is more than"),
    Compare.AT_LEAST: Text(zh="不小于", en="is at least"),
    Compare.LESS_THAN: Text(zh="小于", en="is less than"),
    Compare.AT_MOST: Text(zh="不大于", en="is at most"),
}


@dataclass(frozen=True, slots=True)
class _Spoken:
    rule: ToolRule
    truths: tuple[Truth, ...]

    @property
    def holds(self) -> Truth:
        return conjunction(self.truths)

    @property
    def counts(self) -> bool:
        """Whether the rule speaks: an unknown never allows, and never lets a rule that denies fall silent."""
        if self.rule.action is ToolAction.ALLOW:
            return self.holds is Truth.TRUE
        return self.holds is not Truth.FALSE


def judge_call(policy: Policy, stance: Stance, call: ToolCall, on: date, matches: Matches) -> ToolVerdict:
    """Come to a verdict on one call, whole.

    Args:
        policy: The policy, whose section `tools` is there.
        stance: Whether it acts or only observes; red lines always act.
        call: The call.
        on: The day, for rules whose basis expires.
        matches: Looks for a regular expression.

    Raises:
        ValueError: The policy says nothing on tools.
    """
    tools = _section(policy)
    if not call.name.strip() or len(call.name) > MAX_NAME_CHARS:
        return _verdict(policy, title=NAMELESS, would=ToolAction.DENY, done=_in_stance(ToolAction.DENY, stance))
    spoken = tuple(each for each in _spoken(tools, call, on, matches) if each.counts)
    if not spoken:
        would = tools.unknown_tools
        return _verdict(policy, title=UNKNOWN_TOOL, would=would, done=_in_stance(would, stance))
    would = max((each.rule.action for each in spoken), key=lambda action: action.weight)
    done = max((done_by(each.rule, stance) for each in spoken), key=lambda action: action.weight)
    rules = [each.rule for each in spoken]
    first = next((rule for rule in rules if done is not ToolAction.ALLOW and done_by(rule, stance) is done), None)
    first = first or next(rule for rule in rules if rule.action is would)
    return _verdict(policy, title=first.title, would=would, done=done, spoken=spoken, rule=first.id)


def done_by(rule: ToolRule, stance: Stance) -> ToolAction:
    """Return what a rule really does: its action, or nothing while only observing."""
    return rule.action if rule.is_red_line else _in_stance(rule.action, stance)


def _in_stance(action: ToolAction, stance: Stance) -> ToolAction:
    return action if stance is Stance.ENFORCE else ToolAction.ALLOW


def is_offered(policy: Policy, stance: Stance, call: ToolCall, on: date, *, is_hosted: bool = False) -> bool:
    """Whether a tool may stand in what a model, or an MCP client, is offered.

    Args:
        policy: The policy, whose section `tools` is there.
        stance: Whether it acts or only observes.
        call: The tool; its arguments are not looked at.
        on: The day.
        is_hosted: Whether it would run at the upstream, where the belt sees no call: then only a tool that is allowed
            whatever its arguments is offered, and none that a person must approve.
    """
    tools = _section(policy)
    rules = list(naming(tools, call, on))
    silent = _in_stance(tools.unknown_tools, stance)
    flat = [done_by(rule, stance) for rule in rules if not rule.when]
    if is_hosted:
        strict = [done_by(rule, stance) for rule in rules if rule.when and rule.action is not ToolAction.ALLOW]
        every = [*flat, *strict] or [silent]
        return all(action is ToolAction.ALLOW for action in every)
    if tools.offered is Offered.LEAVE:
        return True
    if ToolAction.DENY in flat:
        return False
    return any(rule.action is not ToolAction.DENY for rule in rules) or silent is not ToolAction.DENY


def _section(policy: Policy) -> ToolPolicy:
    if policy.tools is None:
        raise ValueError(f"{policy.id} says nothing on tools")
    return policy.tools


def _spoken(tools: ToolPolicy, call: ToolCall, on: date, matches: Matches) -> Iterator[_Spoken]:
    try:
        arguments = read_arguments(call.arguments, is_json=call.is_json)
    except Unreadable:
        arguments = _UNREAD
    for rule in naming(tools, call, on):
        is_strict = rule.action is ToolAction.ALLOW
        yield _Spoken(rule, tuple(_truth(each, arguments, matches, is_strict) for each in rule.when))


def _truth(condition: ToolCondition, arguments: Any, matches: Matches, is_strict: bool) -> Truth:
    return Truth.UNKNOWN if arguments is _UNREAD else holds(condition, arguments, matches, is_strict=is_strict)


def naming(tools: ToolPolicy, call: ToolCall, on: date) -> Iterator[ToolRule]:
    """Yield the rules in force that speak of this tool and this caller."""
    names = (call.name, f"{call.server}/{call.name}") if call.server else (call.name,)
    for rule in tools.rules:
        is_expired = rule.basis is not None and rule.basis.expires is not None and on > rule.basis.expires
        is_strict = rule.action is ToolAction.ALLOW
        if is_expired or (rule.callers and not _is_named(rule.callers, (call.caller,), is_strict=is_strict)):
            continue
        if _is_named(rule.tools, names, is_strict=is_strict):
            yield rule


def _is_named(patterns: tuple[str, ...], names: tuple[str, ...], *, is_strict: bool) -> bool:
    forms = names if is_strict else (*names, *map(plain, names))
    return any(
        _pattern(pattern if is_strict else each).fullmatch(form)
        for pattern in patterns
        for each in ((pattern,) if is_strict else (pattern, plain(pattern)))
        for form in forms
    )


@lru_cache(maxsize=1024)
def _pattern(glob: str) -> re.Pattern[str]:
    """Return a name with `*` and `?` as an expression that never goes back to an earlier star; `[` is only itself."""
    return re.compile(translate(glob.replace("[", "[[]")))


def _verdict(
    policy: Policy,
    *,
    title: Text,
    would: ToolAction,
    done: ToolAction,
    spoken: tuple[_Spoken, ...] = (),
    rule: str = "",
) -> ToolVerdict:
    asked, did = _DEEDS[would], _DEEDS[done]
    observed = (
        Text(zh="", en="") if done is would else Text(zh="（观察模式，仅记录）", en=" (observing: recorded only)")
    )
    says = Text(
        zh=f"「{title.zh}」：规则要求{asked.zh}，实际{did.zh}{observed.zh}。",
        en=f"“{title.en}”: the policy asks to {asked.en}, done: {did.en}{observed.en}.",
    )
    cited = f"{policy.id}@{policy.version}"
    because = tuple(_rule_reason(cited, each) for each in spoken)
    cites = (f"{cited}#{rule}" if rule else cited,)
    reason = Reason(says=says, holds=Truth.TRUE, cites=cites, because=because)
    return ToolVerdict(would=would, done=done, rule=rule, title=title, reason=reason)


def _rule_reason(cited: str, spoken: _Spoken) -> Reason:
    rule, deed = spoken.rule, _DEEDS[spoken.rule.action]
    base = rule.basis.provision if rule.basis else ""
    zh = f"依据 {base}" if base else "内部规则，无法定依据"
    en = f"rests on {base}" if base else "house rule, without a legal basis"
    return Reason(
        says=Text(zh=f"「{rule.title.zh}」要求{deed.zh}；{zh}。", en=f"“{rule.title.en}” asks to {deed.en}; {en}."),
        holds=spoken.holds,
        cites=(f"{cited}#{rule.id}", *((base,) if base else ())),
        because=tuple(
            Reason(says=condition_says(condition), holds=truth)
            for condition, truth in zip(rule.when, spoken.truths, strict=True)
        ),
    )


def condition_says(condition: ToolCondition) -> Text:
    """Say a condition in words."""
    constant = condition.constant
    shown = ", ".join(map(str, constant)) if isinstance(constant, tuple) else str(constant)
    return _condition(condition, Text(zh=shown, en=shown))


def condition_openly(condition: ToolCondition) -> Text:
    """Say a condition in words for everybody: what it compares with is a secret of the house, as a list's terms are."""
    return _condition(condition, _UNTOLD)


def _condition(condition: ToolCondition, shown: Text) -> Text:
    zh, en = ("不满足：", "not: ") if condition.is_negated else ("", "")
    if condition.compare is Compare.PRESENT:
        is_asked = condition.constant is True
        says = Text(zh="存在" if is_asked else "不存在", en="is there" if is_asked else "is not there")
    else:
        compared = _COMPARED[condition.compare]
        says = Text(zh=f"{compared.zh} {shown.zh}", en=f"{compared.en} {shown.en}")
    return Text(zh=f"{zh}参数 {condition.argument} {says.zh}", en=f"{en}argument {condition.argument} {says.en}")
