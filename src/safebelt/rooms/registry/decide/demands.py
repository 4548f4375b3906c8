"""What the rulebook asks of a system at its gates: established duties, what waits for facts, and what only informs."""

from collections.abc import Collection
from datetime import date

from safebelt.kernel.conditions import Truth
from safebelt.rooms.registry.model.road import Demand, Demands, Open, Road
from safebelt.rooms.rulebook.model import Finding, Instrument, Judgment, LawText, Modality, Status, Verdict

_BINDING = (Modality.MUST, Modality.MUST_NOT)


def demands(judgment: Judgment, text: LawText, road: Road, touched: Collection[str]) -> Demands:
    """Return what gates have to ask by a judgment.

    A duty is asked for only if verified law alone establishes it, it is in force, its bearer is one this register
    answers for, and its time does not begin with something that has yet to happen.

    Args:
        judgment: The system's facts, judged.
        text: The law it was judged by.
        road: Which kinds are asked for by when, and whose duties count.
        touched: Instruments of the places the facts mention (`rulebook.decide.touched`).
    """
    counted = {one for one in touched if _counts(text.instruments[one], road)}
    ours = [
        one
        for one in judgment.findings.values()
        if one.norm.modality in _BINDING and one.norm.bearer in road.bearers and not one.contingent
    ]
    return Demands(
        duties=tuple(_demand(one, road, judgment.on) for one in ours if one.is_established and one.norm.evidence),
        open=tuple(_open(one, road, judgment.on) for one in ours if one.norm.instrument in counted and _is_open(one)),
        advice=tuple(one.norm.id for one in ours if one.norm.evidence and _only_informs(one)),
    )


def _counts(instrument: Instrument, road: Road) -> bool:
    return instrument.standing in road.standings or instrument.kind in road.kinds


def _is_open(finding: Finding) -> bool:
    """Verified, and either its conditions or its first day wait for facts; a norm that has not begun asks nothing."""
    if finding.verdict is Verdict.DOES_NOT or finding.is_established or finding.in_force.now is Truth.FALSE:
        return False
    is_unknown = finding.verdict is Verdict.UNKNOWN or finding.in_force.now is Truth.UNKNOWN
    return is_unknown and finding.status is Status.VERIFIED


def _only_informs(finding: Finding) -> bool:
    applies = finding.verdict is Verdict.APPLIES and finding.in_force.now is Truth.TRUE
    return applies and not finding.is_established


def _demand(finding: Finding, road: Road, on: date) -> Demand:
    kinds = _asked_now(finding, road, on)
    return Demand(
        norm=finding.norm.id,
        title=finding.norm.title,
        kinds=kinds,
        later=tuple(one for one in finding.norm.evidence if one not in kinds),
        cites=finding.norm.cites,
    )


def _open(finding: Finding, road: Road, on: date) -> Open:
    missing = dict.fromkeys((*finding.missing, *finding.in_force.missing))
    return Open(
        norm=finding.norm.id,
        title=finding.norm.title,
        kinds=_asked_now(finding, road, on),
        missing=tuple(missing),
    )


def _asked_now(finding: Finding, road: Road, on: date) -> tuple[str, ...]:
    """Which of the evidence it names a gate may ask for: what can be there before service, once it is due."""
    due = finding.due
    if due is not None and due.kind in road.due_later and (due.on is None or due.on > on):
        return ()
    return tuple(one for one in finding.norm.evidence if one not in road.after_service)
