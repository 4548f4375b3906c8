"""Who may take which step, in which state, and why: the state machine of a case, as data and small statements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.supervision.positions import BURDENS, opportunity, targets
from safebelt.rooms.registry.model.supervision import (
    OPERATOR_KINDS,
    STAGES,
    STEP_KINDS,
    Case,
    CaseKind,
    Moment,
    Outcome,
    Position,
    Side,
    Stage,
    StepKind,
)

HEARD_FIRST: Mapping[CaseKind, frozenset[Outcome]] = {
    CaseKind.ROUTINE: frozenset({Outcome.RECTIFY, Outcome.SUSPEND, Outcome.WITHDRAW}),
    CaseKind.INVESTIGATION: BURDENS,
    CaseKind.URGENT: frozenset({Outcome.WITHDRAW}),
}
"""Decisions before which the operator must have had the opportunity to be heard, by kind of case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A step that is being thought of.

    Attributes:
        outcome: What it would decide; None while that is open.
    """

    case: Case
    pos: Position
    kind: StepKind
    moment: Moment
    outcome: Outcome | None = None


Need = Callable[[Asking], Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a kind of step can be taken: at these stages, and where every need holds."""

    stages: frozenset[Stage]
    needs: tuple[Need, ...] = ()


def _says(zh: str, en: str, holds: bool, *cites: str) -> Reason:
    return Reason(says=Text(zh=zh, en=en), holds=Truth.of(holds), cites=cites)


def _has_target(ask: Asking) -> Reason:
    found = targets(ask.pos, ask.kind)
    return _says("有可以回应的步骤", "There is a step it replies to", bool(found), *(one.id for one in found))


def _has_finding(ask: Asking) -> Reason:
    is_needed = ask.kind is StepKind.ORDER or ask.outcome in BURDENS
    found = ask.pos.findings
    return _says(
        "已有事实或违反的认定作为基础",
        "A finding of fact or of breach is there to rest on",
        bool(found) or not is_needed,
        *(one.id for one in found),
    )


def _heard_before(ask: Asking) -> Reason:
    is_needed = ask.outcome in HEARD_FIRST[ask.case.kind]
    return _says(
        "运营者已有机会陈述意见（已答复、已笔录，或所定日期已过）",
        "The operator has had the opportunity to be heard (it answered, a record was made, or the day named is past)",
        opportunity(ask.pos, ask.moment.today) or not is_needed,
        *(one.id for one in ask.pos.hearings),
    )


def _heard_in_the_end(ask: Asking) -> Reason:
    has_been = not ask.pos.unheard or opportunity(ask.pos, ask.moment.today)
    is_needed = ask.case.kind is CaseKind.URGENT
    return _says(
        "先行采取措施的，运营者事后已有机会陈述意见",
        "Where a measure came first, the operator has since had the opportunity to be heard",
        has_been or not is_needed,
    )


def _no_order_open(ask: Asking) -> Reason:
    is_free = ask.outcome is not Outcome.NO_MEASURE and ask.kind is not StepKind.CLOSING
    return _says(
        "没有尚待完成或核查的整改",
        "No order waits to be carried out or verified",
        not ask.pos.orders or is_free,
        *(one.id for one in ask.pos.orders),
    )


def _appeal_time_over(ask: Asking) -> Reason:
    return _says(
        "不再能够申诉（期限已过、申诉已决定，或决定不可申诉）",
        "No appeal can come any more (its time is over, it was decided, or none is given)",
        not _can_still_appeal(ask),
    )


def _can_still_appeal(ask: Asking) -> bool:
    decision = ask.pos.decision
    if decision is None or ask.pos.is_final or not decision.appeal.days or ask.pos.stage is not Stage.DECIDED:
        return False
    return decision.appeal_until is None or ask.moment.today <= decision.appeal_until


def _within_appeal_time(ask: Asking) -> Reason:
    decision = ask.pos.decision
    return _says(
        "决定可以申诉，且申诉期限未过",
        "The decision can be appealed, and its time of appeal is not over",
        _can_still_appeal(ask),
        *((decision.id,) if decision else ()),
    )


_EARLY = frozenset({Stage.PREPARED, Stage.INQUIRY})
_RUNNING = _EARLY | {Stage.DECIDED}
_LIVE = frozenset({Stage.INQUIRY, Stage.DECIDED, Stage.APPEALED, Stage.REFERRED})

RULES: Mapping[StepKind, Rule] = {
    StepKind.QUESTION: Rule(stages=_RUNNING | {Stage.APPEALED}),
    StepKind.DOCUMENTS: Rule(stages=_RUNNING | {Stage.APPEALED}),
    StepKind.INSPECTION_NOTICE: Rule(stages=_RUNNING),
    StepKind.INSPECTION: Rule(stages=_RUNNING),
    StepKind.FACT: Rule(stages=_RUNNING),
    StepKind.BREACH: Rule(stages=_RUNNING),
    StepKind.HEARING: Rule(stages=_RUNNING | {Stage.APPEALED}),
    StepKind.HEARING_RECORD: Rule(stages=_RUNNING | {Stage.APPEALED}, needs=(_has_target,)),
    StepKind.ORDER: Rule(stages=frozenset({Stage.INQUIRY, Stage.DECIDED}), needs=(_has_finding,)),
    StepKind.EXTENSION: Rule(stages=_LIVE - {Stage.REFERRED}, needs=(_has_target,)),
    StepKind.VERIFICATION: Rule(stages=_LIVE - {Stage.REFERRED}, needs=(_has_target,)),
    StepKind.DECISION: Rule(
        stages=frozenset({Stage.INQUIRY, Stage.DECIDED}), needs=(_has_finding, _heard_before, _no_order_open)
    ),
    StepKind.APPEAL_DECISION: Rule(stages=frozenset({Stage.APPEALED}), needs=(_has_target,)),
    StepKind.REFERRAL: Rule(stages=_RUNNING),
    StepKind.ACCEPTANCE: Rule(stages=frozenset({Stage.REFERRED}), needs=(_has_target,)),
    StepKind.DECLINE: Rule(stages=frozenset({Stage.REFERRED}), needs=(_has_target,)),
    StepKind.CLOSING: Rule(
        stages=frozenset({Stage.INQUIRY, Stage.DECIDED}), needs=(_no_order_open, _appeal_time_over, _heard_in_the_end)
    ),
    StepKind.REOPENING: Rule(stages=frozenset({Stage.CLOSED})),
    StepKind.ANSWER: Rule(stages=_LIVE),
    StepKind.RECTIFIED: Rule(stages=_LIVE, needs=(_has_target,)),
    StepKind.EXTENSION_REQUEST: Rule(stages=_LIVE, needs=(_has_target,)),
    StepKind.APPEAL: Rule(stages=frozenset({Stage.DECIDED}), needs=(_within_appeal_time,)),
}
"""The state machine of a case.  A closed case takes one step only: to be reopened."""


def who(ask: Asking) -> Reason:
    """Judge whether the one who asks may take such a step at all: side, authority, another person for appeals."""
    is_operators = ask.kind in OPERATOR_KINDS
    is_side = (ask.moment.side is Side.OPERATOR) == is_operators
    parts = [
        _says("由运营者作出", "It is the operator's", is_side)
        if is_operators
        else _says("由主管部门作出", "It is the authority's", is_side)
    ]
    if not is_operators:
        office = office_for(ask.case, ask.pos, ask.kind)
        parts.append(
            _says(
                "由此刻负责该步骤的主管部门作出",
                "It is for the authority whose turn it is",
                office == ask.moment.office,
                office,
            )
        )
    if ask.kind is StepKind.APPEAL_DECISION:
        parts.append(_another_person(ask))
    return _all(Text(zh="您可以作出这一步", en="You may take this step"), parts)


def office_for(case: Case, pos: Position, kind: StepKind) -> str:
    """Return the authority whose step it is: who has the case, who is asked to take it, or who decides the appeal."""
    if kind in {StepKind.ACCEPTANCE, StepKind.DECLINE} and pos.referral is not None:
        return pos.referral.to_office
    if pos.stage is Stage.APPEALED and kind is StepKind.APPEAL_DECISION and pos.decision is not None:
        return pos.decision.appeal_to or case.office_id
    return case.office_id


def _another_person(ask: Asking) -> Reason:
    decision = ask.pos.decision
    deciders = {decision.written_by, decision.served.by if decision.served else ""} if decision else set()
    return _says(
        "由没有参与原决定的人作出",
        "It is taken by somebody who had no hand in the decision",
        ask.moment.by not in deciders,
        *((decision.id,) if decision else ()),
    )


def when(ask: Asking) -> Reason:
    """Judge whether the case stands where this step can be taken."""
    rule = RULES[ask.kind]
    stage = STAGES[ask.pos.stage]
    at_stage = _says(
        f"案件处于“{stage.zh}”，此时可以作出这一步",
        f"The case is “{stage.en}”, and the step can be taken there",
        ask.pos.stage in rule.stages,
    )
    parts = [at_stage, *(need(ask) for need in rule.needs)]
    return _all(Text(zh="此时可以作出这一步", en="The step can be taken now"), parts)


def may(case: Case, pos: Position, kind: StepKind, moment: Moment, outcome: Outcome | None = None) -> Reason:
    """Judge whether a step can be taken by somebody now.

    Args:
        case: The case.
        pos: Where it stands.
        kind: Of the step.
        moment: Who asks, on which day.
        outcome: What it would decide; None asks whether any outcome is possible.
    """
    ask = Asking(case=case, pos=pos, kind=kind, moment=moment, outcome=outcome)
    title = STEP_KINDS[kind]
    says = Text(zh=f"可以作出“{title.zh}”", en=f"The step “{title.en}” can be taken")
    return _all(says, [who(ask), when(ask)])


def _all(says: Text, parts: list[Reason]) -> Reason:
    return Reason(says=says, holds=conjunction(tuple(part.holds for part in parts)), because=tuple(parts))
