"""What of a judgment is published: the class under each regime, and why, in a size that people read.

A published record stands by itself: it carries what it cites, with the official address, so that whoever has it needs
nothing else of ours.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.publication import Counted, Graded, KeptBack, PublicationRules
from safebelt.rooms.rulebook.model import (
    UNKNOWN_CLASS,
    ClassResult,
    Instrument,
    Judgment,
    LawText,
    Status,
    Verdict,
)

NODES = 150
"""Statements of a reason that are told for one regime; beyond it nobody reads on, and a count says what is left."""
MISSING = 12
"""Missing facts that are named for one regime."""

Facts = Mapping[str, Any]


def graded(
    judgment: Judgment, text: LawText, facts: Facts, rules: PublicationRules, *, version: int, sha256: str
) -> Graded:
    """Return what is published of a judgment.

    Args:
        judgment: The facts, judged.
        text: The law it was judged by.
        facts: Fact id to value.
        rules: What is told, and counted by.
        version: Which facts on record.
        sha256: Their digest.
    """
    places = _places(facts, rules)
    told = [
        (text.instruments[name], result)
        for name, result in judgment.classes.items()
        if _is_told(result, text.instruments[name], places, rules)
    ]
    regimes = tuple(_regime(instrument, result, text) for instrument, result in told)
    cited = dict.fromkeys(cite for one in regimes for cite in _cites(one["why"]))
    classes = (("class", f"{name.id}:{result.strictest or 'none'}") for name, result in told)
    counted = (mark for name, one in rules.counted_by.items() for mark in _marks(name, one, facts, text))
    return Graded(
        on=judgment.on,
        facts_version=version,
        facts_sha256=sha256,
        regimes=regimes,
        cites={cite: found for cite in cited if (found := _citation(cite, text)) is not None},
        marks=tuple(dict.fromkeys((*classes, *counted))),
    )


def kept_back(judgment: Judgment | None, rules: PublicationRules) -> KeptBack:
    """Judge whether the law keeps a system out of the public part; without facts that is unknown."""
    if judgment is None:
        reason = Reason(
            says=Text(
                zh="没有记录事实，无法判断法律是否要求不公开",
                en="No facts are on record, so it is not known whether a law keeps this entry back",
            ),
            holds=Truth.UNKNOWN,
        )
        return KeptBack(holds=Truth.UNKNOWN, norms=(), reason=reason)
    found = [judgment.findings[norm] for norm in rules.restricted_by if norm in judgment.findings]
    firm = tuple(one.norm.id for one in found if one.is_established)
    open_ = tuple(one.norm.id for one in found if not one.is_established and one.verdict is not Verdict.DOES_NOT)
    holds = Truth.TRUE if firm else Truth.UNKNOWN if open_ else Truth.FALSE
    says = {
        Truth.TRUE: Text(zh="法律要求该条目不公开", en="The law keeps this entry out of the public part"),
        Truth.FALSE: Text(zh="没有规则要求该条目不公开", en="No rule keeps this entry out of the public part"),
        Truth.UNKNOWN: Text(
            zh="尚不能确定法律是否要求该条目不公开", en="It is not settled whether a law keeps this entry back"
        ),
    }[holds]
    because = tuple(one.why for one in found)
    reason = Reason(says=says, holds=holds, cites=tuple(one.norm.id for one in found), because=because)
    return KeptBack(holds=holds, norms=firm or open_, reason=reason)


def knows(text: LawText, basis: str) -> bool:
    """Whether the rulebook has a norm or provision of that id."""
    return basis in text.norms or basis in text.provisions


def told_reason(reason: Reason, limit: int = NODES) -> dict[str, Any]:
    """Return a reason as JSON-ready values, the first `limit` statements of it.

    A statement whose grounds are cut short says how many were left out, as `left_out`.
    """
    room = [limit - 1]

    def tell(node: Reason) -> dict[str, Any]:
        parts: list[dict[str, Any]] = []
        for child in node.because:
            if room[0] <= 0:
                break
            room[0] -= 1
            parts.append(tell(child))
        told: dict[str, Any] = {
            "says": _both(node.says),
            "holds": node.holds.value,
            "cites": list(node.cites),
            "because": parts,
        }
        return told if len(parts) == len(node.because) else {**told, "left_out": len(node.because) - len(parts)}

    return tell(reason)


def _is_told(result: ClassResult, instrument: Instrument, places: frozenset[str], rules: PublicationRules) -> bool:
    """Whether a regime has anything to say to the public about this system."""
    is_here = instrument.jurisdiction in places or instrument.jurisdiction in rules.everywhere
    if result.strictest == UNKNOWN_CLASS:
        return is_here or not places
    if result.strictest in rules.silent_classes:
        return False
    mildest = instrument.classes[-1].id if instrument.classes else ""
    return is_here or result.strictest not in ("", mildest)


def _places(facts: Facts, rules: PublicationRules) -> frozenset[str]:
    return frozenset(place for name in rules.places for place in _values(facts.get(name)))


def _regime(instrument: Instrument, result: ClassResult, text: LawText) -> dict[str, Any]:
    titles = {one.id: one.title for one in instrument.classes}
    is_open = result.strictest == UNKNOWN_CLASS
    missing = result.missing if is_open else ()
    return {
        "instrument": instrument.id,
        "name": _both(instrument.short),
        "authority": _both(instrument.authority),
        "source": instrument.url,
        "class": result.strictest,
        "classes": [{"id": name, "title": _both(titles[name])} for name in result.all],
        "open": is_open,
        "missing": [_both(_label(text, name)) for name in missing[:MISSING]],
        "missing_total": len(missing),
        "verified": result.status is Status.VERIFIED,
        "why": None if is_open else told_reason(result.why),
    }


def _label(text: LawText, name: str) -> Text:
    if name in text.facts:
        return text.facts[name].label
    return text.derived[name].title if name in text.derived else Text(zh=name, en=name)


def _cites(told: Mapping[str, Any] | None) -> Iterable[str]:
    if told is not None:
        yield from told["cites"]
        for part in told["because"]:
            yield from _cites(part)


def _citation(cite: str, text: LawText) -> dict[str, Any] | None:
    """Return what a citation is called and where the official text is; None for words of our own."""
    if cite in text.provisions:
        provision = text.provisions[cite]
        instrument = text.instruments[provision.instrument]
        title = provision.title or provision.summary
        label = Text(zh=f"{instrument.short.zh}：{title.zh}", en=f"{instrument.short.en}: {title.en}")
        return {"label": _both(label), "url": instrument.url}
    if cite in text.norms:
        norm = text.norms[cite]
        return {"label": _both(norm.title), "url": text.instruments[norm.instrument].url}
    return None


def _marks(name: str, counted: Counted, facts: Facts, text: LawText) -> Iterable[tuple[str, str]]:
    groups = {one.id: one.group for one in text.facts[counted.fact].options} if counted.fact in text.facts else {}
    for value in _values(facts.get(counted.fact)):
        mark = groups.get(value, "") if counted.by_group else value
        if mark:
            yield name, mark


def _values(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(sorted(str(one) for one in value)) if isinstance(value, tuple | list | set | frozenset) else ()


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
