"""What everybody may know of a policy besides its content rules: tools of agents, and repeated abuse."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.openly import coarse
from safebelt.rooms.belt.decide.toolcalls import condition_openly
from safebelt.rooms.belt.model import Decision, StrikeRule, ToolAction, ToolPolicy, ToolRule, Unguarded


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenToolRule:
    """A rule on tool calls as everybody may know it; never what it compares arguments with, nor whose keys it names.

    Attributes:
        id, title, action, tools: As authored; `action` is *allow*, *hold* (a person decides) or *deny*.
        when: Its conditions in words: which argument, and how it is looked at; none: whatever the arguments.
        is_for_some_callers: Whether it speaks of some callers only.
        is_red_line: Whether it acts while the policy only observes.
        provision, authority, scope, expires: What it rests on; empty or None for a house rule.
        is_house_rule: Whether it has no legal basis.
        is_counted: Whether exchanges are counted by it: what a rule lets pass is not.
        exchanges: In how many exchanges it held or denied a call in the period, in whole fives; None for fewer than
            five, and where it is not counted.
    """

    id: str
    title: Text
    action: str
    tools: tuple[str, ...]
    when: tuple[Text, ...]
    is_for_some_callers: bool
    is_red_line: bool
    provision: str
    authority: Text | None
    scope: Text | None
    expires: str | None
    is_house_rule: bool
    is_counted: bool
    exchanges: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTools:
    """What a policy says of tools of agents.

    Attributes:
        unknown_tools: What becomes of a call on which no rule speaks: *allow*, *hold* or *deny*.
        hold_seconds: How long a held call waits for a person; then it is denied.
        offered: Whether the model is offered tools that are denied anyway: *remove* or *leave*.
        rules: The rules in force.
    """

    unknown_tools: str
    hold_seconds: int
    offered: str
    rules: tuple[OpenToolRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStrikes:
    """When refused requests of one key come to a strike; what it rests on is what its rules rest on.

    Attributes:
        rules: Ids of the rules that count.
        exchanges, within_minutes: So many refused requests in so long.
        decisions: What a person may decide about one; nothing but a notice comes of it before.
    """

    rules: tuple[str, ...]
    exchanges: int
    within_minutes: int
    decisions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPath:
    """A path that passes without being screened, because the policy names it.

    Attributes:
        path: The path, or what such paths begin with, to a `/`.
        is_under: Whether everything under it is meant.
        methods: By which methods.
        why: Why it may.
    """

    path: str
    is_under: bool
    methods: tuple[str, ...]
    why: Text


def open_paths(names: Iterable[Unguarded]) -> tuple[OpenPath, ...]:
    """Return what is told of a section `unguarded`."""
    return tuple(OpenPath(path=each.path, is_under=each.is_under, methods=each.methods, why=each.why) for each in names)


def open_tools(tools: ToolPolicy | None, on: date, hits: Mapping[str, int]) -> OpenTools | None:
    """Return what is told of a section `tools`; None where a policy has none.

    Args:
        tools: The section.
        on: The day, for rules whose basis expires.
        hits: In how many exchanges each rule held or denied.
    """
    if tools is None:
        return None
    return OpenTools(
        unknown_tools=tools.unknown_tools.value,
        hold_seconds=tools.hold_seconds,
        offered=tools.offered.value,
        rules=tuple(_rule(rule, hits.get(rule.id, 0)) for rule in tools.rules if _holds(rule, on)),
    )


def open_strikes(strikes: StrikeRule | None) -> OpenStrikes | None:
    """Return what is told of a section `strikes`; None where a policy has none."""
    if strikes is None:
        return None
    return OpenStrikes(
        rules=strikes.rules,
        exchanges=strikes.exchanges,
        within_minutes=strikes.within_minutes,
        decisions=tuple(each.value for each in Decision),
    )


def _holds(rule: ToolRule, on: date) -> bool:
    return rule.basis is None or rule.basis.expires is None or on <= rule.basis.expires


def _rule(rule: ToolRule, count: int) -> OpenToolRule:
    basis, is_counted = rule.basis, rule.action is not ToolAction.ALLOW
    return OpenToolRule(
        id=rule.id,
        title=rule.title,
        action=rule.action.value,
        tools=rule.tools,
        when=tuple(condition_openly(each) for each in rule.when),
        is_for_some_callers=bool(rule.callers),
        is_red_line=rule.is_red_line,
        provision=basis.provision if basis else "",
        authority=basis.authority if basis else None,
        scope=basis.scope if basis else None,
        expires=basis.expires.isoformat() if basis and basis.expires else None,
        is_house_rule=basis is None,
        is_counted=is_counted,
        exchanges=coarse(count) if is_counted else None,
    )
