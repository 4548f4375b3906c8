"""From findings to a verdict with its reason: pure, so that the same findings always come to the same end."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.masking import mask
from safebelt.rooms.belt.model import Action, Hit, Policy, Rule, Side, Stance, Verdict


@dataclass(frozen=True, slots=True)
class RawHit:
    """What a scanner found, before any policy stance is applied.

    Attributes:
        rule: Id of the rule.
        detector: Name of the detector; `keyword` for terms.
        start, end: Character offsets in the original text, `start < end`.
    """

    rule: str
    detector: str
    start: int
    end: int


def done_by(rule: Rule, stance: Stance) -> Action:
    """Return what a rule really does: its action, or no more than a flag while only observing."""
    if stance is Stance.ENFORCE or rule.is_red_line or rule.action is Action.ALLOW:
        return rule.action
    return Action.FLAG


def is_acting(rule: Rule, stance: Stance) -> bool:
    """Whether a rule changes the text or ends it, so that the text must wait for its judgment."""
    return done_by(rule, stance).weight >= Action.MASK.weight


def strictest(actions: Iterable[Action]) -> Action:
    """Return the strictest of several actions; `allow` where there are none."""
    return max(actions, key=lambda action: action.weight, default=Action.ALLOW)


def in_force(policy: Policy, on: date) -> Policy:
    """Return the policy without the rules whose basis has expired before `on`.

    The digest stays: it names the policy as it was authored, not the day it was read.
    """

    def holds(rule: Rule) -> bool:
        return rule.basis is None or rule.basis.expires is None or on <= rule.basis.expires

    return replace(policy, rules=tuple(rule for rule in policy.rules if holds(rule)))


class Resolver:
    """Decides which of overlapping findings stand.

    Findings must come in `order`.  One falls away where another covers it whole and is at least as strict, both in
    what is done and in what the policy asks for.  Only findings that begin no later can cover another, so a stream
    comes to the same result as the whole text.
    """

    def __init__(self) -> None:
        self._standing: list[Hit] = []

    @staticmethod
    def order(hit: Hit) -> tuple[int, int, int, int]:
        """Sort key: where it begins, then the strictest, then the longest."""
        return hit.start, -hit.done.weight, -hit.would.weight, -hit.end

    def forget(self, before: int) -> None:
        """Forget findings that end before a place that every later finding begins at or after."""
        if self._standing:
            self._standing = [other for other in self._standing if other.end > before]

    def stands(self, hit: Hit) -> bool:
        """Whether the next finding stands beside those before it."""
        if any(self._covers(other, hit) for other in self._standing):
            return False
        self._standing.append(hit)
        return True

    def extend(self, hit: Hit, longer: Hit) -> None:
        """Let a standing finding reach further: its end was not yet seen when it was judged."""
        self._standing = [*(other for other in self._standing if other is not hit), longer]

    @staticmethod
    def _covers(other: Hit, hit: Hit) -> bool:
        return other.end >= hit.end and other.done.weight >= hit.done.weight and other.would.weight >= hit.would.weight


def hits_of(policy: Policy, stance: Stance, side: Side, part: str, found: Iterable[RawHit]) -> tuple[Hit, ...]:
    """Judge the findings in one part, in order, overlaps resolved.

    Raises:
        KeyError: A finding names a rule that the policy does not have.
    """
    judged = sorted((as_hit(policy, stance, side, part, raw) for raw in found), key=Resolver.order)
    resolver, standing = Resolver(), []
    for hit in judged:
        resolver.forget(hit.start)
        if resolver.stands(hit):
            standing.append(hit)
    return tuple(standing)


def as_hit(policy: Policy, stance: Stance, side: Side, part: str, raw: RawHit) -> Hit:
    """Judge one finding by itself.

    Raises:
        KeyError: It names a rule that the policy does not have.
    """
    rule = {rule.id: rule for rule in policy.rules}[raw.rule]
    return Hit(
        rule=raw.rule,
        detector=raw.detector,
        side=side,
        part=part,
        start=raw.start,
        end=raw.end,
        would=rule.action,
        done=done_by(rule, stance),
    )


def apply(text: str, hits: Sequence[Hit], *, as_json: bool = False) -> tuple[str, bool]:
    """Return what of a whole text may be passed on, and whether it was refused.

    What stands before a refused finding is passed on; the finding and all after it are not.

    Args:
        text: The original text.
        hits: Its findings, as `hits_of` gives them.
        as_json: The text is JSON source, and must stay valid JSON (unless cut).
    """
    acting: list[Hit] = []
    for hit in sorted(hits, key=Resolver.order):
        if hit.done is Action.REFUSE:
            return mask(text[: hit.start], acting, as_json=as_json), True
        if hit.done is Action.MASK:
            acting.append(hit)
    return mask(text, acting, as_json=as_json), False


def joined(first: Verdict, second: Verdict) -> Verdict:
    """Return one verdict of two on the same side, each of which judged by itself; the stricter acts."""
    if not first.hits and not first.not_evaluated:
        return second
    return Verdict(
        done=strictest((first.done, second.done)),
        would=strictest((first.would, second.would)),
        hits=(*first.hits, *second.hits),
        not_evaluated=(*first.not_evaluated, *second.not_evaluated),
        reason=Reason(
            says=Text(
                zh=f"{first.reason.says.zh}{second.reason.says.zh}",
                en=f"{first.reason.says.en} {second.reason.says.en}",
            ),
            holds=second.reason.holds if first.reason.holds is Truth.TRUE else first.reason.holds,
            cites=tuple(dict.fromkeys((*first.reason.cites, *second.reason.cites))),
            because=(*first.reason.because, *second.reason.because),
        ),
    )


def judge(
    policy: Policy,
    stance: Stance,
    side: Side,
    found: Mapping[str, Sequence[RawHit]],
    not_evaluated: Sequence[str] = (),
) -> Verdict:
    """Come to a verdict on one side of an exchange.

    Args:
        policy: The policy in force.
        stance: Whether it acts or only observes; red lines always act.
        side: Input or output.
        found: Part path → what the scanner found there.
        not_evaluated: Parts that no rule could read.  They are told apart, never counted as clean.
    """
    hits = tuple(hit for part, raw in found.items() for hit in hits_of(policy, stance, side, part, raw))
    done = strictest(hit.done for hit in hits)
    return Verdict(
        done=done,
        would=strictest(hit.would for hit in hits),
        hits=hits,
        not_evaluated=tuple(not_evaluated),
        reason=_reason(policy, stance, side, hits, not_evaluated),
    )


_SIDES = {Side.INPUT: Text(zh="输入", en="input"), Side.OUTPUT: Text(zh="输出", en="output")}
_DEEDS = {
    Action.ALLOW: Text(zh="放行", en="allow"),
    Action.FLAG: Text(zh="标记", en="flag"),
    Action.MASK: Text(zh="遮盖", en="mask"),
    Action.REFUSE: Text(zh="拒绝", en="refuse"),
}


def _reason(policy: Policy, stance: Stance, side: Side, hits: Sequence[Hit], not_evaluated: Sequence[str]) -> Reason:
    """Say what came of screening, and the statements it follows from."""
    where, deed = _SIDES[side], _DEEDS[strictest(hit.done for hit in hits)]
    by_rule = tuple(
        _rule_reason(policy, stance, rule, [hit for hit in hits if hit.rule == rule.id])
        for rule in policy.rules
        if any(hit.rule == rule.id for hit in hits)
    )
    unread = tuple(
        Reason(says=Text(zh=f"未评估：{part}", en=f"Not evaluated: {part}."), holds=Truth.UNKNOWN)
        for part in not_evaluated
    )
    if hits:
        says = Text(
            zh=f"{where.zh}共命中 {len(hits)} 处，处置：{deed.zh}。",
            en=f"Screening of the {where.en} found {len(hits)}; what was done: {deed.en}.",
        )
    elif not_evaluated:
        says = Text(
            zh=f"{where.zh}中可读的部分没有命中，但有内容无法评估。",
            en=f"Nothing was found in the readable {where.en}, but some of it could not be evaluated.",
        )
    else:
        says = Text(zh=f"{where.zh}没有命中任何规则。", en=f"No rule found anything in the {where.en}.")
    holds = Truth.UNKNOWN if not_evaluated and not hits else Truth.TRUE
    return Reason(says=says, holds=holds, cites=(f"{policy.id}@{policy.version}",), because=by_rule + unread)


def _rule_reason(policy: Policy, stance: Stance, rule: Rule, hits: Sequence[Hit]) -> Reason:
    """Say what one rule found, what it asks for, what was done, and what it rests on."""
    would, did = _DEEDS[rule.action], _DEEDS[done_by(rule, stance)]
    observed = rule.action is not done_by(rule, stance)
    base_zh = f"依据 {rule.basis.provision}" if rule.basis else "内部规则，无法定依据"
    base_en = f"rests on {rule.basis.provision}" if rule.basis else "house rule, without a legal basis"
    cites = (f"{policy.id}@{policy.version}#{rule.id}", *((rule.basis.provision,) if rule.basis else ()))
    return Reason(
        says=Text(
            zh=f"「{rule.title.zh}」命中 {len(hits)} 处；规则要求{would.zh}，实际{did.zh}"
            f"{'（观察模式，仅记录）' if observed else ''}；{base_zh}。",
            en=f"“{rule.title.en}” found {len(hits)}; the rule asks to {would.en}, done: {did.en}"
            f"{' (observing: recorded only)' if observed else ''}; {base_en}.",
        ),
        holds=Truth.TRUE,
        cites=cites,
        because=(Reason(says=rule.advice, holds=Truth.TRUE, cites=cites[:1]),) if rule.advice else (),
    )
