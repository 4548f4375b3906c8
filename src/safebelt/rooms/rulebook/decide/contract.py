"""Judgments as JSON-ready data: the contract of the command line and the API."""

from collections.abc import Iterable, Mapping
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import (
    LANGUAGE_VERSION,
    NOT_LEGAL_ADVICE,
    ClassResult,
    DueOn,
    Duty,
    Finding,
    Judgment,
    LawText,
    ParameterRef,
    Verdict,
)

UNKNOWN_TITLE = Text(zh="尚不能判断", en="not known yet")
"""How the class `unknown` is shown."""


def judgment_data(judgment: Judgment, text: LawText, *, only: Iterable[Verdict] = tuple(Verdict)) -> dict[str, Any]:
    """Return `{on, results, classes, language, overlays, notice}`.

    Args:
        judgment: What was judged.
        text: The text it was judged by.
        only: Verdicts whose findings are listed; all by default.
    """
    wanted = frozenset(only)
    return {
        "on": judgment.on.isoformat(),
        "results": [finding_data(one, text, judgment) for one in judgment.findings.values() if one.verdict in wanted],
        "classes": {name: class_data(one) for name, one in judgment.classes.items()},
        "language": LANGUAGE_VERSION,
        "overlays": list(text.overlays),
        "notice": words(NOT_LEGAL_ADVICE),
    }


def finding_data(finding: Finding, text: LawText, judgment: Judgment) -> dict[str, Any]:
    """Return one finding, with its reason."""
    norm, span = finding.norm, finding.in_force
    return {
        "norm": norm.id,
        "instrument": norm.instrument,
        "title": words(norm.title),
        "kind": norm.modality.value,
        "duty": words(norm.says),
        "bearer": norm.bearer.value,
        "verdict": finding.verdict.value,
        "why": finding.why.as_data(),
        "missing": list(finding.missing),
        "cites": list(norm.cites),
        "in_force": {
            "from": span.from_.isoformat(),
            "until": span.until.isoformat() if span.until else None,
            "now": _as_bool(span.now),
        },
        "effective": finding.effective.isoformat(),
        "due": due_data(finding.due),
        "upon": _upon(finding),
        "status": finding.status.value,
        "defeated_by": list(finding.defeated_by),
        "evidence": list(norm.evidence),
        "controls": controls_data(finding, text, judgment),
        "red_line": norm.red_line,
        "penalty": words(norm.penalty.says) if norm.penalty else None,
    }


def class_data(result: ClassResult) -> dict[str, Any]:
    """Return the classes of one instrument: `all`, strictest first, with `unknown` before them where it is."""
    held = [one for one in result.all if one != result.strictest]
    return {
        "all": [result.strictest, *held] if result.strictest else held,
        "strictest": result.strictest,
        "why": result.why.as_data(),
        "missing": list(result.missing),
        "status": result.status.value,
        "barred_by": list(result.barred_by),
        "coming": [
            {
                "class": one.class_id,
                "on": one.on.isoformat(),
                "norms": list(one.norms),
                "title": words(one.title),
                "status": one.status.value,
            }
            for one in result.coming
        ],
    }


def duty_data(duty: Duty, text: LawText, judgment: Judgment) -> dict[str, Any]:
    """Return one line of *what I owe*: the finding, who, when, and which evidence is there."""
    return {
        **finding_data(duty.finding, text, judgment),
        "bearer": duty.bearer.value,
        "persons": list(duty.persons),
        "held": list(duty.held),
        "lacking": list(duty.lacking),
    }


def due_data(due: DueOn | None) -> dict[str, Any] | None:
    """Return when something is due, in words and, where a known date fixes it, as a date."""
    if due is None:
        return None
    day = due.on.isoformat() if due.on else None
    return {"kind": due.kind.value, "text": words(due.text), "date": day, "fact": due.fact or None}


def controls_data(finding: Finding, text: LawText, judgment: Judgment) -> list[dict[str, Any]]:
    """Return what a machine is to enforce, parameters filled in as they are on the day."""
    return [
        {"kind": one.kind, **{name: _field(value, text, judgment) for name, value in one.fields.items()}}
        for one in finding.norm.controls
    ]


def words(text: Text) -> dict[str, str]:
    """Return a text as data."""
    return {"zh": text.zh, "en": text.en}


def plain_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as JSON carries them: dates as ISO text, sets as lists."""
    return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | frozenset | set):
        return sorted(value) if isinstance(value, frozenset | set) else list(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _field(value: Any, text: LawText, judgment: Judgment) -> Any:
    if isinstance(value, ParameterRef):
        return text.parameters[value.parameter].on(judgment.on)
    return list(value) if isinstance(value, tuple) else value


def _upon(finding: Finding) -> dict[str, Any] | None:
    if finding.norm.upon is None:
        return None
    happened = finding.upon
    return {"happened": None if happened is None else _as_bool(happened), "missing": list(finding.upon_missing)}


def _as_bool(truth: Truth) -> bool | None:
    return {Truth.TRUE: True, Truth.FALSE: False}.get(truth)
