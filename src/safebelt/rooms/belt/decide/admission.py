"""Whether a request is let in at all: what its key may do, how much, and until when.  A few look-ups, and pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import ceil

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.keys import is_over, opens, scope_of
from safebelt.rooms.belt.decide.quotas import over_at, used_up
from safebelt.rooms.belt.model import Key, Limit, Measure, Span, Used


class Barred(StrEnum):
    """Why a request is not let in."""

    KEY_OVER = "key_over"
    SCOPE = "scope"
    QUOTA = "quota_exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdmitted:
    """A request that is not let in.

    Attributes:
        why: Kind of reason, for programs.
        reason: What speaks against it.
        hint: What to do next.
        retry_seconds: When it is worth asking again; 0 where waiting does not help.
    """

    why: Barred
    reason: Reason
    hint: Text
    retry_seconds: int = 0


def admitted(key: Key, path: str, now: datetime, used: Callable[[Span], Used]) -> NotAdmitted | None:
    """Return why a request is not let in; None where nothing speaks against it.

    Args:
        key: Who asks; known and not revoked.
        path: What for.
        now: When.
        used: What the key used in the current spans.
    """
    if is_over(key, now):
        return _over(key)
    if key.terms.scopes and not opens(key, scope := scope_of(path)):
        return _out_of_scope(key, scope)
    if key.terms.limits and (limit := used_up(key.terms.limits, used)):
        return _used_up(key, limit, used(limit.span), now)
    return None


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
