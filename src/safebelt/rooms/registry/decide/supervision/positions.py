"""Where a case stands: its served steps, told one after the other."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date

from safebelt.rooms.registry.model.supervision import (
    OPERATOR_KINDS,
    Outcome,
    Position,
    Stage,
    Step,
    StepKind,
    WaitsOn,
)

BURDENS = frozenset({Outcome.WARNING, Outcome.RECTIFY, Outcome.SUSPEND, Outcome.WITHDRAW})
"""Decisions that take something from the operator."""

Telling = Callable[[Position, Step], Position]


def opportunity(pos: Position, on: date) -> bool:
    """Whether the operator could be heard: it answered, a hearing is recorded, or the day named is past."""
    return any(one.id in pos.heard or _day_of(one, pos) < on for one in pos.hearings)


def _day_of(hearing: Step, pos: Position) -> date:
    """The last day on which somebody invited can still be heard; one that cannot be told is never past."""
    due = pos.dues.get(hearing.id)
    has_unknown = hearing.deadline.days > 0 and due is None
    days = [day for day in (hearing.held_on, due) if day is not None]
    return date.max if has_unknown or not days else max(days)


def _without(steps: tuple[Step, ...], *ids: str) -> tuple[Step, ...]:
    return tuple(step for step in steps if step.id not in ids)


def _asking(pos: Position, step: Step) -> Position:
    return replace(pos, asked=(*pos.asked, step), dues={**pos.dues, step.id: step.due_on})


def _inviting(pos: Position, step: Step) -> Position:
    return replace(_asking(pos, step), hearings=(*pos.hearings, step))


def _finding(pos: Position, step: Step) -> Position:
    return replace(pos, findings=(*pos.findings, step))


def _ordering(pos: Position, step: Step) -> Position:
    return replace(pos, orders=(*pos.orders, step), dues={**pos.dues, step.id: step.due_on})


def _answered(pos: Position, step: Step) -> Position:
    heard = pos.heard | {step.re} if any(one.id == step.re for one in pos.hearings) else pos.heard
    return replace(pos, asked=_without(pos.asked, step.re), heard=heard)


def _reported(pos: Position, step: Step) -> Position:
    return replace(pos, reports=(*pos.reports, step))


def _verified(pos: Position, step: Step) -> Position:
    order = next((one.re for one in pos.reports if one.id == step.re), "")
    left = replace(pos, reports=_without(pos.reports, step.re))
    if step.outcome is Outcome.DONE:
        return replace(left, orders=_without(pos.orders, order))
    return replace(left, dues={**pos.dues, order: step.due_on})


def _requested(pos: Position, step: Step) -> Position:
    return replace(pos, requests=(*pos.requests, step))


def _extended(pos: Position, step: Step) -> Position:
    target = next((one.re for one in pos.requests if one.id == step.re), "")
    left = replace(pos, requests=_without(pos.requests, step.re))
    return replace(left, dues={**pos.dues, target: step.due_on}) if step.outcome is Outcome.GRANTED else left


def _decided(pos: Position, step: Step) -> Position:
    if step.outcome is Outcome.NO_MEASURE:
        return Position(stage=Stage.CLOSED)
    on = step.served.on if step.served else date.min
    fresh = replace(
        pos,
        stage=Stage.DECIDED,
        decision=step,
        appeal=None,
        is_final=False,
        is_stayed=False,
        unheard=not opportunity(pos, on),
        hearings=(),
        heard=frozenset(),
    )
    return _ordering(fresh, step) if step.outcome is Outcome.RECTIFY else fresh


def _appealed(pos: Position, step: Step) -> Position:
    stays = bool(pos.decision and pos.decision.is_suspensive)
    return replace(pos, stage=Stage.APPEALED, appeal=step, is_stayed=stays)


def _appeal_decided(pos: Position, step: Step) -> Position:
    decided = replace(pos, stage=Stage.DECIDED, is_final=True, is_stayed=False)
    decision = pos.decision.id if pos.decision else ""
    if step.outcome is Outcome.UPHELD:
        new_due = {decision: step.due_on} if step.due_on else {}
        return replace(decided, dues={**pos.dues, **new_due})
    undone = replace(
        decided,
        decision=None,
        unheard=False,
        orders=_without(pos.orders, decision),
        reports=tuple(one for one in pos.reports if one.re != decision),
        requests=tuple(one for one in pos.requests if one.re != decision),
    )
    if step.outcome is Outcome.ANNULLED:
        return undone
    return replace(undone, stage=Stage.INQUIRY, appeal=None, is_final=False)


def _referred(pos: Position, step: Step) -> Position:
    return replace(pos, before=pos.stage, stage=Stage.REFERRED, referral=step)


def _referral_ended(pos: Position, _step: Step) -> Position:
    return replace(pos, stage=pos.before, referral=None)


def _closed(pos: Position, _step: Step) -> Position:
    return Position(stage=Stage.CLOSED, decision=pos.decision, is_final=pos.is_final)


def _reopened(pos: Position, _step: Step) -> Position:
    return Position(stage=Stage.INQUIRY, decision=pos.decision, is_final=pos.is_final)


def _noted(pos: Position, _step: Step) -> Position:
    return pos


TELLINGS: Mapping[StepKind, Telling] = {
    StepKind.QUESTION: _asking,
    StepKind.DOCUMENTS: _asking,
    StepKind.INSPECTION_NOTICE: _noted,
    StepKind.INSPECTION: _noted,
    StepKind.FACT: _finding,
    StepKind.BREACH: _finding,
    StepKind.HEARING: _inviting,
    StepKind.HEARING_RECORD: _answered,
    StepKind.ORDER: _ordering,
    StepKind.EXTENSION: _extended,
    StepKind.VERIFICATION: _verified,
    StepKind.DECISION: _decided,
    StepKind.APPEAL_DECISION: _appeal_decided,
    StepKind.REFERRAL: _referred,
    StepKind.ACCEPTANCE: _referral_ended,
    StepKind.DECLINE: _referral_ended,
    StepKind.CLOSING: _closed,
    StepKind.REOPENING: _reopened,
    StepKind.ANSWER: _answered,
    StepKind.RECTIFIED: _reported,
    StepKind.EXTENSION_REQUEST: _requested,
    StepKind.APPEAL: _appealed,
}
"""What each kind of step does to a case."""


def position(steps: Iterable[Step]) -> Position:
    """Return where a case stands.

    Args:
        steps: Its served steps, in their order.
    """
    pos = Position()
    for step in steps:
        if pos.stage is Stage.PREPARED:
            pos = replace(pos, stage=Stage.INQUIRY)
        pos = TELLINGS[step.kind](pos, step)
    return pos


def pressing(pos: Position) -> tuple[Step, ...]:
    """Return what the operator owes: steps to answer, and orders not reported on, unless an appeal stays them."""
    reported = {one.re for one in pos.reports}
    stayed = {pos.decision.id} if pos.is_stayed and pos.decision else set()
    return (*pos.asked, *(one for one in pos.orders if one.id not in reported | stayed))


def next_due(pos: Position) -> date | None:
    """Return the first day on which something the operator owes is due; None where no day can be told."""
    days = [day for step in pressing(pos) if (day := pos.dues.get(step.id)) is not None]
    return min(days, default=None)


def waits_on(pos: Position) -> WaitsOn:
    """Return whose turn it is."""
    if pos.stage is Stage.CLOSED:
        return WaitsOn.NOBODY
    is_ours = pos.stage in {Stage.APPEALED, Stage.REFERRED} or pos.requests or pos.reports
    return WaitsOn.OPERATOR if pressing(pos) and not is_ours else WaitsOn.AUTHORITY


def targets(pos: Position, kind: StepKind, steps: Iterable[Step] = ()) -> tuple[Step, ...]:
    """Return the steps that a step of this kind can reply to.

    Args:
        pos: Where the case stands.
        kind: Of the reply.
        steps: Its served steps; an answer may take up any that the authority took.
    """
    asked_for = {one.re for one in pos.requests}
    reported = {one.re for one in pos.reports}
    found: Mapping[StepKind, tuple[Step | None, ...]] = {
        StepKind.HEARING_RECORD: pos.hearings,
        StepKind.EXTENSION: pos.requests,
        StepKind.VERIFICATION: pos.reports,
        StepKind.RECTIFIED: tuple(one for one in pos.orders if one.id not in reported),
        StepKind.EXTENSION_REQUEST: tuple(
            one for one in pressing(pos) if pos.dues.get(one.id) and one.id not in asked_for
        ),
        StepKind.APPEAL: (pos.decision,),
        StepKind.APPEAL_DECISION: (pos.appeal,),
        StepKind.ACCEPTANCE: (pos.referral,),
        StepKind.DECLINE: (pos.referral,),
    }
    if kind is StepKind.ANSWER:
        asked = {one.id for one in pos.asked}
        rest = tuple(one for one in steps if one.kind not in OPERATOR_KINDS and one.id not in asked)
        return (*pos.asked, *reversed(rest))
    return tuple(one for one in found.get(kind, ()) if one is not None)


def measure_of(steps: Iterable[Step]) -> Step | None:
    """Return the decision that keeps a system out of service now: to suspend or withdraw it, and not stayed."""
    pos = position(steps)
    stands = pos.decision is not None and pos.decision.outcome in {Outcome.SUSPEND, Outcome.WITHDRAW}
    return pos.decision if stands and not pos.is_stayed else None


def standing_of(decision: Step, steps: Iterable[Step]) -> str:
    """Return what became of a decision: `stands`, `appealed`, `upheld`, `annulled`, `remitted` or `superseded`."""
    standing = "stands"
    for step in steps:
        if step.number <= decision.number:
            continue
        if step.kind is StepKind.DECISION:
            return "superseded"
        if step.kind is StepKind.APPEAL:
            standing = "appealed"
        if step.kind is StepKind.APPEAL_DECISION and step.outcome is not None:
            standing = step.outcome.value
    return standing
