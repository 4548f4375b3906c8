"""Judgments of a replay over tool calls: which calls a record tells of, and what a policy asks for on each.  Pure.

A record names the calls that were judged; their arguments stand among its texts, masked.  Where arguments were not
kept, or what a condition looks at was masked, a policy's answer is told only if it is the same whatever stood there.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.rooms.belt.decide.arguments import (
    Matches,
    Unreadable,
    holds,
    looks_at,
    names_in,
    read_arguments,
    texts_in,
)
from safebelt.rooms.belt.decide.replaying import has_masked, remember
from safebelt.rooms.belt.decide.toolcalls import MAX_NAME_CHARS, is_offered, naming
from safebelt.rooms.belt.model import (
    Policy,
    Stance,
    ToolAction,
    ToolCall,
    ToolCondition,
    ToolDifference,
    ToolPolicy,
    ToolReplay,
    ToolRule,
)

_NAMED = re.compile(r"(.+)\.name")
_ARGUMENTS = re.compile(r"(.+)\.(?:arguments|partial_json)|(.+function_call_arguments\[\d+\])\.text")
_WITHHELD = re.compile(r"tools\[\d+\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """A call as far as a record tells of it.

    Attributes:
        tool: Its name; empty where it is not kept.
        arguments: Its arguments' source, masked; None where they are not kept.
        server: The MCP server it went to.
        before: What the policy that judged it asked for; `allow` where that said nothing on tools.
    """

    tool: str
    arguments: str | None
    server: str
    before: ToolAction


def kept_calls(outcome: Mapping[str, Any], texts: Mapping[str, str], asked: Mapping[str, str]) -> list[KeptCall]:
    """Return the calls of one exchange.

    Args:
        outcome: The facts of its outcome.
        texts: The texts that the outcome kept, by path.
        asked: Those of the intent: a call by an MCP client is what was asked.
    """
    notes = [note for note in outcome.get("tools") or () if isinstance(note, dict)]
    if not notes:
        return [*_unjudged(texts), *_unjudged_of_client(asked)]
    found = _Arguments(texts, asked, passed=sum(note.get("done") != ToolAction.DENY.value for note in notes))
    calls = [_noted(note, found) for note in notes]
    missing = int(outcome.get("tool_calls") or 0) - len(calls)
    nameless = KeptCall(tool="", arguments=None, server="", before=ToolAction.ALLOW)
    return [*calls, *[nameless] * max(0, missing)]


class _Arguments:
    """Finds the arguments of judged calls among the texts: by name, else by order where their number fits."""

    def __init__(self, texts: Mapping[str, str], asked: Mapping[str, str], *, passed: int) -> None:
        self._texts, self._denied = texts, 0
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for name, arguments in _pairs(texts):
            self._by_name[name].append(arguments)
        alone = [*_alone(texts), *([asked["params.arguments"]] if "params.arguments" in asked else ())]
        self._in_order = alone if not self._by_name and len(alone) == passed else []

    def of(self, note: Mapping[str, Any]) -> str | None:
        """Return the arguments of the next call, in the order of the record's notes."""
        if note.get("done") == ToolAction.DENY.value:
            self._denied += 1
            return self._texts.get(f"tools[{self._denied - 1}].arguments")
        if named := self._by_name.get(str(note.get("tool"))):
            return named.pop(0)
        return self._in_order.pop(0) if self._in_order else None


def _noted(note: Mapping[str, Any], found: _Arguments) -> KeptCall:
    try:
        before = ToolAction(str(note.get("would")))
    except ValueError:
        before = ToolAction.ALLOW
    tool, server = str(note.get("tool") or ""), str(note.get("server") or "")
    return KeptCall(tool=tool, arguments=found.of(note), server=server, before=before)


def _unjudged(texts: Mapping[str, str]) -> Iterator[KeptCall]:
    """Yield the calls of an exchange whose policy said nothing on tools; some interfaces keep no names."""
    for name, arguments in _pairs(texts):
        yield KeptCall(tool=name, arguments=arguments, server="", before=ToolAction.ALLOW)
    for arguments in _alone(texts):
        yield KeptCall(tool="", arguments=arguments, server="", before=ToolAction.ALLOW)


def _unjudged_of_client(asked: Mapping[str, str]) -> Iterator[KeptCall]:
    if "params.arguments" in asked:
        name = asked.get("params.name", "")
        yield KeptCall(tool=name, arguments=asked["params.arguments"], server="", before=ToolAction.ALLOW)


def _pairs(texts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for path, name in texts.items():
        if (at := _NAMED.fullmatch(path)) and f"{at[1]}.arguments" in texts:
            yield name, texts[f"{at[1]}.arguments"]


def _alone(texts: Mapping[str, str]) -> Iterator[str]:
    """Yield arguments that no name stands beside, in the order in which they were said."""
    for path, text in texts.items():
        at = _ARGUMENTS.fullmatch(path)
        if at and f"{at[1]}.name" not in texts and not _WITHHELD.fullmatch(at[1] or ""):
            yield text


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a policy asks for on a kept call.

    Attributes:
        action: What it asks for; None where that depends on what was not kept.
        rule: Id of a rule that asks for it; empty where no rule speaks.
        why_not: Why it cannot be told.
    """

    action: ToolAction | None
    rule: str = ""
    why_not: str = ""


def would_do(policy: Policy, call: KeptCall, caller: str | None, on: date, matches: Matches) -> Answered:
    """Say what a policy asks for on a call.

    Args:
        policy: The policy; where it says nothing on tools, every call is allowed.
        call: The call.
        caller: Name of the caller's key; None where it is not known.
        on: The day, for rules whose basis expires.
        matches: Looks for a regular expression.
    """
    if policy.tools is None:
        return Answered(action=ToolAction.ALLOW)
    if why_not := _unknown(policy.tools, call, caller):
        return Answered(action=None, why_not=why_not)
    asked = ToolCall(name=call.tool, arguments="", server=call.server, caller=caller or "")
    judged = list(_truths(policy, call, asked, on, matches))
    maybe = [rule for rule, truth in judged if truth is None]
    sure = [rule for rule, truth in judged if truth is not None and _speaks(rule, truth)]
    certain, rule_id = _strictest(sure, policy.tools.unknown_tools)
    if all(_is_idle(rule, certain, has_sure=bool(sure)) for rule in maybe):
        return Answered(action=certain, rule=rule_id)
    return Answered(action=None, why_not="arguments_not_kept" if call.arguments is None else "arguments_masked")


def _unknown(tools: ToolPolicy, call: KeptCall, caller: str | None) -> str:
    """Return why nobody can say which tool was called, or by whom; nothing where that is known."""
    if not call.tool.strip() or has_masked(call.tool) or len(call.tool) >= MAX_NAME_CHARS:  # a longer name was cut
        return "call_not_named"
    return "caller_not_kept" if caller is None and any(rule.callers for rule in tools.rules) else ""


def _speaks(rule: ToolRule, truth: Truth) -> bool:
    """As `judge_call` has it: an unknown never allows, and never lets a rule that denies or holds fall silent."""
    return truth is Truth.TRUE or (truth is Truth.UNKNOWN and rule.action is not ToolAction.ALLOW)


def _strictest(rules: Iterable[ToolRule], silent: ToolAction) -> tuple[ToolAction, str]:
    found = max(rules, key=lambda rule: rule.action.weight, default=None)
    return (found.action, found.id) if found else (silent, "")


def _is_idle(rule: ToolRule, certain: ToolAction, *, has_sure: bool) -> bool:
    """Whether it makes no difference if a rule speaks besides those that surely do."""
    return rule.action is certain or (has_sure and rule.action.weight < certain.weight)


def _truths(
    policy: Policy, call: KeptCall, asked: ToolCall, on: date, matches: Matches
) -> Iterator[tuple[ToolRule, Truth | None]]:
    """Yield the rules that name the call, each with whether its conditions hold; None where what they ask is hidden."""
    try:
        arguments, is_read = read_arguments(call.arguments or "", is_json=True), True
    except Unreadable:
        arguments, is_read = None, False
    has_hidden_names = any(map(has_masked, names_in(arguments)))
    is_read = is_read and not has_hidden_names  # which argument is which cannot be told
    is_hidden = call.arguments is None or has_hidden_names or has_masked(call.arguments)
    is_hidden = is_hidden or any(map(has_masked, texts_in(arguments)))
    for rule in naming(policy.tools, asked, on) if policy.tools else ():
        is_strict = rule.action is ToolAction.ALLOW
        truths = [_truth(each, arguments, matches, is_strict, is_read, is_hidden) for each in rule.when]
        if Truth.FALSE in truths:
            yield rule, Truth.FALSE
        else:
            known = tuple(truth for truth in truths if truth is not None)
            yield rule, conjunction(known) if len(known) == len(truths) else None


def _truth(  # noqa: PLR0917  one condition, and what is known of the arguments
    condition: ToolCondition, arguments: Any, matches: Matches, is_strict: bool, is_read: bool, is_hidden: bool
) -> Truth | None:
    if not is_read:
        return None if is_hidden else Truth.UNKNOWN  # a source that no reader understands was unknown then too
    if is_hidden and looks_at(condition, arguments, has_masked):
        return None
    return holds(condition, arguments, matches, is_strict=is_strict)


def newly_offered(policy: Policy, names: Iterable[Any], caller: str | None, on: date) -> list[str]:
    """Return the tools that a request lost then and that a policy would let stand: what came of them nobody knows."""
    calls = [ToolCall(name=str(name), arguments="", caller=caller or "") for name in names]
    if policy.tools is None:
        return [call.name for call in calls]
    return [call.name for call in calls if is_offered(policy, Stance.ENFORCE, call, on)]


@dataclass(slots=True)
class CallTally:
    """Counts what changes, call by call."""

    calls: int = 0
    evaluated: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    not_evaluated: Counter[str] = field(default_factory=Counter)
    _examples_not: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _changes: Counter[tuple[str, str, str, str, str]] = field(default_factory=Counter)
    _examples: dict[tuple[str, str, str, str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def take(self, record_id: str, call: KeptCall, answered: Answered) -> None:
        """Count one call."""
        self.calls += 1
        if answered.action is None:
            self.leave(record_id, answered.why_not)
            return
        self.evaluated += 1
        self.before[call.before.value] += 1
        self.after[answered.action.value] += 1
        if answered.action is not call.before:
            change = call.tool, call.server, call.before.value, answered.action.value, answered.rule
            self._changes[change] += 1
            remember(self._examples[change], record_id)

    def leave(self, record_id: str, reason: str) -> None:
        """Count what could not be evaluated."""
        self.not_evaluated[reason] += 1
        remember(self._examples_not[reason], record_id)

    def told(self) -> ToolReplay:
        """Return what was counted; the most frequent changes first."""
        return ToolReplay(
            calls=self.calls,
            evaluated=self.evaluated,
            before=dict(self.before),
            after=dict(self.after),
            changes=tuple(
                ToolDifference(
                    tool=tool,
                    server=server,
                    before=before,
                    after=after,
                    rule=rule,
                    calls=count,
                    examples=tuple(self._examples[tool, server, before, after, rule]),
                )
                for (tool, server, before, after, rule), count in sorted(
                    self._changes.items(), key=lambda item: (-item[1], item[0])
                )
            ),
            not_evaluated=dict(sorted(self.not_evaluated.items())),
            not_evaluated_examples={reason: tuple(ids) for reason, ids in sorted(self._examples_not.items())},
        )
