"""What is owed, by whom, when, with what evidence held; and how far evidence reaches.  It never says a duty is met."""

from collections.abc import Collection, Mapping
from datetime import date

from safebelt.rooms.rulebook.model import (
    Bearer,
    Coverage,
    Duty,
    Finding,
    Held,
    Judgment,
    LawText,
    Modality,
    Norm,
    Verdict,
)

EVERYBODYS = frozenset({Bearer.ANYONE, Bearer.ORGANISATION})
"""Bearers whose duties lie on every party, whatever its roles."""


def owe(
    judgment: Judgment,
    *,
    held: Collection[str] = (),
    persons: Mapping[Bearer, tuple[str, ...]] | None = None,
    roles: Collection[Bearer] | None = None,
) -> tuple[Duty, ...]:
    """Return the duties and prohibitions that apply, those with a date first, then by when they begin to bite.

    Args:
        judgment: What applies.
        held: Ids of the evidence that is held.
        persons: Who is named for a bearer's role.
        roles: Only the duties of these bearers, and those that lie on everybody; None for all.
    """
    named = persons or {}
    duties = (
        _duty(finding, frozenset(held), named)
        for finding in judgment.findings.values()
        if finding.verdict is Verdict.APPLIES
        and finding.norm.modality in (Modality.MUST, Modality.MUST_NOT)
        and (roles is None or finding.norm.bearer in roles or finding.norm.bearer in EVERYBODYS)
    )
    return tuple(sorted(duties, key=_when))


def _when(duty: Duty) -> tuple[bool, date, date, str]:
    on = duty.due.on if duty.due else None
    return on is None, on or date.max, duty.finding.effective, duty.finding.norm.id


def _duty(finding: Finding, held: frozenset[str], persons: Mapping[Bearer, tuple[str, ...]]) -> Duty:
    norm = finding.norm
    return Duty(
        finding=finding,
        bearer=norm.bearer,
        persons=persons.get(norm.bearer, ()),
        due=finding.due,
        held=tuple(one for one in norm.evidence if one in held),
        lacking=tuple(one for one in norm.evidence if one not in held),
    )


def coverage(text: LawText, held: Collection[str], instruments: Collection[str] | None = None) -> dict[str, Coverage]:
    """Return, per instrument, how much of each duty's evidence is held, whomever the duty binds.

    Prohibitions, rights and exemptions name no evidence of their own accord; those that do are counted like duties.
    """
    found: dict[str, list[Norm]] = {}
    for norm in text.norms.values():
        is_asked = instruments is None or norm.instrument in instruments
        if is_asked and (norm.modality is Modality.MUST or norm.evidence):
            found.setdefault(norm.instrument, []).append(norm)
    return {instrument: _coverage(instrument, norms, frozenset(held)) for instrument, norms in found.items()}


def _coverage(instrument: str, norms: list[Norm], held: frozenset[str]) -> Coverage:
    return Coverage(
        instrument=instrument,
        norms={norm.id: how_held(norm.evidence, held) for norm in norms},
        lacking={norm.id: tuple(one for one in norm.evidence if one not in held) for norm in norms},
    )


def how_held(evidence: tuple[str, ...], held: Collection[str]) -> Held:
    """Return how much of named evidence is held."""
    if not evidence:
        return Held.NONE_NAMED
    have = sum(1 for one in evidence if one in held)
    return Held.FULLY if have == len(evidence) else Held.PARTLY if have else Held.NOT
