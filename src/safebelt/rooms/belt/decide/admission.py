"""Whether a request is let in at all: what its key may do, how much, and until when.  A few look-ups, and pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from math import ceil
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.keys import is_over, opens
from safebelt.rooms.belt.decide.quotas import over_at, used_up
from safebelt.rooms.belt.model import AdmissionRule, Admittance, Key, Limit, Measure, OrderTerms, Span, Used


class Barred(StrEnum):
    """Why a request is not let in."""

    KEY_OVER = "key_over"
    SCOPE = "scope"
    QUOTA = "quota_exceeded"
    RULE = "not_permitted"
    UNKNOWN = "unknown_attribute"
    NO_MINORS = "minors_mode_unavailable"
    SUSPENDED = "key_suspended"
    LIMITED = "limited_by_human"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdmitted:
    """A request that is not let in.

    Attributes:
        why: Kind of reason, for programs.
        reason: What speaks against it.
        hint: What to do next.
        retry_seconds: When it is worth asking again; 0 where waiting does not help.
        rules: Ids of the rules of admission that bar it.
        facts: What the record says besides.
    """

    why: Barred
    reason: Reason
    hint: Text
    retry_seconds: int = 0
    rules: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


def admitted(key: Key, scope: str, now: datetime, used: Callable[[Span], Used]) -> NotAdmitted | None:
    """Return why a request is not let in; None where nothing speaks against it.

    Args:
        key: Who asks; known and not revoked.
        scope: What for, as `scope_of` says it.
        now: When.
        used: What the key used in the current spans.
    """
    if is_over(key, now):
        return _over(key)
    if key.terms.scopes and not opens(key, scope):
        return _out_of_scope(key, scope)
    if key.terms.limits and (limit := used_up(key.terms.limits, used)):
        return _used_up(key, limit, used(limit.span), now)
    return None


def suspended(key: Key, strike: str, appeal: Text) -> NotAdmitted:
    """Say that a person suspended a key, for which strike, and how to appeal."""
    return NotAdmitted(
        why=Barred.SUSPENDED,
        reason=Reason(
            says=Text(
                zh=f"此密钥（{key.id}）因屡次违规，经人工审核已停用（{strike}）。",
                en=f"This key ({key.id}) was suspended by a person for repeated abuse ({strike}).",
            ),
            holds=Truth.TRUE,
        ),
        hint=appeal,
        facts={"strike": strike},
    )


def limited(order_id: str, target: str, terms: OrderTerms, seconds: int) -> NotAdmitted:
    """Say that a person limited the traffic, of what and to how much, and what the limit rests on."""
    of, most = _limited_of(target), _most_of(terms)
    basis = Text(zh=terms.basis, en=terms.basis) if terms.basis else _HOUSE_RULE
    return NotAdmitted(
        why=Barred.LIMITED,
        reason=Reason(
            says=Text(
                zh=f"负责人已限制{of.zh}的流量：{most.zh}（{order_id}；依据：{basis.zh}）。",
                en=f"A person has limited the traffic of {of.en} to {most.en} ({order_id}; it rests on: {basis.en}).",
            ),
            holds=Truth.TRUE,
        ),
        hint=Text(
            zh=f"请在 {seconds} 秒后重试；如认为有误，请联系运营者，并告知命令编号。",
            en=f"Try again in {seconds} s; if you think this is wrong, write to the operator and name the order.",
        ),
        retry_seconds=seconds,
        facts={"order": order_id},
    )


def _limited_of(target: str) -> Text:
    if not target:
        return Text(zh="全部系统", en="all systems")
    kind, colon, name = target.partition(":")
    word = _KINDS.get(kind) if colon else None
    return (
        Text(zh=f"{word.zh} {name[:80]}", en=f"{word.en} {name[:80]}") if word else Text(zh="此系统", en="this system")
    )


def _most_of(terms: OrderTerms) -> Text:
    zh = [f"每分钟 {terms.per_minute} 次"] * bool(terms.per_minute) + [f"同时 {terms.at_once} 个"] * bool(terms.at_once)
    en = [f"{terms.per_minute} a minute"] * bool(terms.per_minute) + [f"{terms.at_once} at once"] * bool(terms.at_once)
    return Text(zh="、".join(zh), en=" and ".join(en))


_KINDS = {
    "model": Text(zh="模型", en="the model"),
    "tool": Text(zh="工具", en="the tool"),
    "key": Text(zh="密钥", en="the key"),
}
_HOUSE_RULE = Text(zh="本单位规则", en="a house rule")


def _over(key: Key) -> NotAdmitted:
    was = "已被新密钥替换，宽限期已过" if key.replaced_by else "已到期"
    en = "was replaced by another, and its grace is over" if key.replaced_by else "has expired"
    return NotAdmitted(
        why=Barred.KEY_OVER,
        reason=Reason(says=Text(zh=f"此密钥（{key.id}）{was}。", en=f"This key ({key.id}) {en}."), holds=Truth.TRUE),
        hint=Text(zh="请改用新密钥，或请运营者签发。", en="Use the new key, or ask the operator for one."),
    )


def _out_of_scope(key: Key, scope: str) -> NotAdmitted:
    scopes = ", ".join(key.terms.scopes)
    return NotAdmitted(
        why=Barred.SCOPE,
        reason=Reason(
            says=Text(
                zh=f"此密钥（{key.id}）不得用于 {scope[:40]}；可用于：{scopes}。",
                en=f"This key ({key.id}) cannot be used for {scope[:40]}; it can for: {scopes}.",
            ),
            holds=Truth.TRUE,
        ),
        hint=Text(
            zh="请运营者更改此密钥的用途范围，或另行签发。",
            en="Ask the operator to change its scopes, or for another key.",
        ),
    )


def _used_up(key: Key, limit: Limit, used: Used, now: datetime) -> NotAdmitted:
    free_at = over_at(limit.span, now)
    seconds = max(1, ceil((free_at - now).total_seconds()))
    (unit_zh, unit_en), (span_zh, span_en) = _MEASURES[limit.measure], _SPANS[limit.span]
    has_estimates = limit.measure is Measure.TOKENS and used.estimated > 0
    about = f"，其中 {used.estimated} 为估算" if has_estimates else ""
    said = f", {used.estimated} of them estimated" if has_estimates else ""
    amount = used.requests if limit.measure is Measure.REQUESTS else used.tokens
    return NotAdmitted(
        why=Barred.QUOTA,
        reason=Reason(
            says=Text(
                zh=f"此密钥（{key.id}）{span_zh}限额 {limit.most} {unit_zh}，已用 {amount}{about}。",
                en=f"This key ({key.id}) may use {limit.most} {unit_en} {span_en}; it has used {amount}{said}.",
            ),
            holds=Truth.TRUE,
        ),
        hint=Text(
            zh=f"请在 {seconds} 秒后（{free_at:%Y-%m-%d %H:%M} UTC）重试，或请运营者提高限额。",
            en=f"Try again in {seconds} s (at {free_at:%Y-%m-%d %H:%M} UTC), or ask the operator for a higher limit.",
        ),
        retry_seconds=seconds,
    )


_MEASURES = {Measure.REQUESTS: ("次请求", "requests"), Measure.TOKENS: ("个词元", "tokens")}
_SPANS = {
    Span.MINUTE: ("每分钟", "a minute"),
    Span.HOUR: ("每小时", "an hour"),
    Span.DAY: ("每天", "a day"),
    Span.MONTH: ("每月", "a month"),
}


def not_permitted(found: Admittance) -> NotAdmitted:
    """Say which rule bars a request, and on what it rests; or what is not known that a rule needs."""
    if found.rules or not found.unknown:
        barred, rules = _barred_by(found.rules), found.rules
    else:
        barred, rules = _not_known(found.unknown), tuple(rule for rule, _ in found.unknown)
    return replace(barred, rules=tuple(dict.fromkeys(rule.id for rule in rules)), facts=found.facts)


def _barred_by(rules: tuple[AdmissionRule, ...]) -> NotAdmitted:
    said = tuple(_because(rule) for rule in rules)
    named = ", ".join(rule.id for rule in rules)
    zh = (
        f"准入规则不允许此请求：{'；'.join(r.why.zh for r in rules)}（{named}）。"
        if rules
        else "没有准入规则允许此请求。"
    )
    en = (
        f"A rule of admission does not permit this: {'; '.join(r.why.en for r in rules)} ({named})."
        if rules
        else "No rule of admission permits this."
    )
    cites = tuple(dict.fromkeys(cite for rule in rules for cite in rule.cites))
    return NotAdmitted(
        why=Barred.RULE,
        reason=Reason(says=Text(zh=zh, en=en), holds=Truth.TRUE, cites=cites, because=said),
        hint=Text(
            zh="如认为有误，请联系运营者，并告知记录编号（X-Safebelt-Record）。",
            en="If you think this is wrong, write to the operator and name the record (X-Safebelt-Record).",
        ),
    )


def _not_known(unknown: tuple[tuple[AdmissionRule, str], ...]) -> NotAdmitted:
    names = ", ".join(dict.fromkeys(name for _, name in unknown))
    ids = ", ".join(dict.fromkeys(rule.id for rule, _ in unknown))
    headers = ", ".join(header for name, header in HEADERS.items() if name in {each for _, each in unknown})
    return NotAdmitted(
        why=Barred.UNKNOWN,
        reason=Reason(
            says=Text(
                zh=f"此请求的 {names} 未知，而准入规则（{ids}）需要它。",
                en=f"It is not known what the {names} of this request is, and a rule of admission needs it ({ids}).",
            ),
            holds=Truth.UNKNOWN,
            because=tuple(_because(rule, Truth.UNKNOWN) for rule, _ in unknown),
        ),
        hint=Text(
            zh=f"请发送请求头 {headers or '（无）'}，或请运营者在密钥上注明。",
            en=f"Send the header {headers or '(none)'}, or ask the operator to note it on the key.",
        ),
    )


NO_MINORS_MODE = NotAdmitted(
    why=Barred.NO_MINORS,
    reason=Reason(
        says=Text(
            zh="此请求应处于未成年人模式，而其内容规则不可用；不能以普通模式代替。",
            en="This request is to be in minors' mode, whose policy is not there; the ordinary mode cannot stand in.",
        ),
        holds=Truth.TRUE,
    ),
    hint=Text(
        zh="请运营者恢复 SAFEBELT_MINORS_POLICY 所指的内容规则。",
        en="Ask the operator to put the policy back that SAFEBELT_MINORS_POLICY names.",
    ),
)

HEADERS = {
    "purpose": "X-Safebelt-Purpose",
    "user_class": "X-Safebelt-User-Class",
    "region": "X-Safebelt-Region",
    "data_class": "X-Safebelt-Data-Class",
}
"""Header fields from which what a key leaves open is taken."""


def _because(rule: AdmissionRule, holds: Truth = Truth.TRUE) -> Reason:
    basis = Text(zh="" if rule.cites else "（本单位规则）", en="" if rule.cites else " (house rule)")
    says = Text(zh=f"{rule.id}：{rule.why.zh}{basis.zh}", en=f"{rule.id}: {rule.why.en}{basis.en}")
    return Reason(says=says, holds=holds, cites=rule.cites)
