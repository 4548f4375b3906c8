"""Judgments about red lines: what a version changes in them, and which of the house's are missing (R6).

Whether a *changed* red line stops less cannot be told for certain without trying it, so every change needs two people;
`is_weaker` only says where it can be told.
"""

from collections.abc import Collection
from datetime import date

from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.unguarded import opened
from safebelt.rooms.belt.model import UNGUARDED, Policy, RedLineChange, Rule, ToolRule, Unguarded

_AnyRule = Rule | ToolRule


def changed_red_lines(old: Policy | None, new: Policy) -> tuple[RedLineChange, ...]:
    """Return what a new version does to the red lines of the one in force, in their order; a new red line changes none.

    What passes unguarded no rule reads, so a name that lets more pass changes every red line there is (ADR 0052).

    Args:
        old: The version in force; None where there is none.
        new: The version that would take its place.
    """
    rules = {rule.id: rule for rule in _rules(new)}
    lines = [rule for rule in _rules(old) if rule.is_red_line and rules.get(rule.id) != rule] if old else []
    return (*(_change(rule, rules.get(rule.id)) for rule in lines), *(_opening(each) for each in opened(old, new)))


def missing_red_lines(policy: Policy, required: Collection[str], on: date) -> tuple[str, ...]:
    """Return the red lines that the house requires and the policy does not draw on a day, by id."""
    drawn = {rule.id for rule in _rules(policy) if rule.is_red_line and not _is_over(rule, on)}
    return tuple(sorted(set(required) - drawn))


def _rules(policy: Policy) -> tuple[_AnyRule, ...]:
    """Return the rules on texts and those on tool calls; an id is one rule's in both."""
    return (*policy.rules, *(policy.tools.rules if policy.tools else ()))


def _is_over(rule: _AnyRule, on: date) -> bool:
    return rule.basis is not None and rule.basis.expires is not None and on > rule.basis.expires


def _opening(name: Unguarded) -> RedLineChange:
    methods = ", ".join(name.methods)
    return RedLineChange(
        rule=f"{UNGUARDED} {name.named}",
        says=Text(
            zh=f"不经审查放行 {methods} {name.named}{'（可带查询参数）' if name.has_query else ''}，"
            f"任何红线在此都不起作用：{name.why.zh}",
            en=f"lets {methods} {name.named}{' (with a query)' if name.has_query else ''} pass unread, "
            f"and no red line acts there: {name.why.en}",
        ),
        is_weaker=True,
    )


def _change(old: _AnyRule, new: _AnyRule | None) -> RedLineChange:
    if new is None:
        return RedLineChange(rule=old.id, says=Text(zh="删除此规则", en="the rule is removed"), is_weaker=True)
    if not new.is_red_line:
        return RedLineChange(rule=old.id, says=Text(zh="不再是红线", en="it is a red line no more"), is_weaker=True)
    lost, gained = _lost(old, new), _lost(new, old)
    parts = [
        *(Text(zh=f"减少{name.zh} {count}", en=f"{count} {name.en} fewer") for name, count in lost),
        *(Text(zh=f"增加{name.zh} {count}", en=f"{count} {name.en} more") for name, count in gained),
    ]
    if getattr(old, "terms_file", None) != getattr(new, "terms_file", None):
        parts.append(Text(zh="词表文件有改动", en="its word list's file changes"))
    if _ends_earlier(old, new):
        parts.append(Text(zh="依据更早到期", en="its basis expires earlier"))
    if not parts:
        parts = [Text(zh="措辞、条件或依据有改动", en="its wording, conditions or basis change")]
    says = Text(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))
    return RedLineChange(rule=old.id, says=says, is_weaker=bool(lost) or _ends_earlier(old, new))


_PARTS = (
    (Text(zh="词语", en="terms"), "terms"),
    (Text(zh="检测器", en="detectors"), "detectors"),
    (Text(zh="作用方向", en="sides"), "sides"),
    (Text(zh="工具", en="tools"), "tools"),
)


def _lost(old: _AnyRule, new: _AnyRule) -> list[tuple[Text, int]]:
    """Return what of `old` is not in `new`, counted."""
    counted = [(name, len(set(getattr(old, part, ())) - set(getattr(new, part, ())))) for name, part in _PARTS]
    return [(name, count) for name, count in counted if count]


def _ends_earlier(old: _AnyRule, new: _AnyRule) -> bool:
    before, after = (rule.basis.expires if rule.basis else None for rule in (old, new))
    return after is not None and (before is None or after < before)
