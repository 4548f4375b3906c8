"""What kind of change it was, and which evidence no longer shows the system as it is.

Nothing here is counted from change to change.  Evidence is stale where the facts as they are differ, in a way that
matters to it, from the facts it was made under; so a change that is undone leaves nothing behind.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from safebelt.rooms.registry.model.changes import (
    HOUSE_RULE,
    ChangeKind,
    ChangeRules,
    FactChange,
    FactRule,
    RedoRule,
    Touch,
)
from safebelt.rooms.registry.model.lifecycle import Evidence
from safebelt.rooms.rulebook.model import Judgment


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison: facts, and what they come to.

    Attributes:
        facts: Fact id to value; what is not there is unknown.
        judgment: What they come to.
    """

    facts: Mapping[str, Any]
    judgment: Judgment


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A piece of evidence and the facts it was made under."""

    evidence: Evidence
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """All evidence of a system that was ever entered, with the facts each piece was made under."""

    pieces: tuple[Holding, ...] = ()

    def valid(self, kind: str, on: date) -> tuple[Holding, ...]:
        """Return what counts on a day."""
        return tuple(one for one in self.pieces if one.evidence.kind == kind and one.evidence.counts_on(on))

    def known(self, kind: str) -> tuple[str, ...]:
        """Return the ids of everything of a kind, in order."""
        return tuple(sorted(one.evidence.id for one in self.pieces if one.evidence.kind == kind))


# ---- what kind of change


def changed_facts(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FactChange, ...]:
    """Return the facts that differ, by id; the order of a list does not count."""
    names = sorted(before.keys() | after.keys())
    pairs = ((name, before.get(name), after.get(name)) for name in names)
    return tuple(FactChange(fact=name, before=old, after=new) for name, old, new in pairs if _key(old) != _key(new))


def touched(rules: ChangeRules, changes: Iterable[FactChange]) -> dict[ChangeKind, tuple[str, ...]]:
    """Return the kinds of change that fact changes amount to, with the facts behind each.

    A fact told for the first time, or taken back, changes what is known of a system and not the system: it can call
    for new evidence, by what it leads to in law, but makes none stale.
    """
    found: dict[ChangeKind, list[str]] = {}
    for change in changes:
        if change.before is None or change.after is None:
            continue
        for kind in _kinds(rules, change):
            found.setdefault(kind, []).append(change.fact)
    return {kind: tuple(found[kind]) for kind in ChangeKind if kind in found}


def _kinds(rules: ChangeRules, change: FactChange) -> Iterator[ChangeKind]:
    nearest = max(
        (len(rule.fact) for kind in rules.kinds.values() for rule in kind.facts if matches(rule, change.fact)),
        default=0,
    )
    for kind, entry in rules.kinds.items():
        near = (rule for rule in entry.facts if len(rule.fact) == nearest and matches(rule, change.fact))
        if nearest and any(counts(rule, change) for rule in near):
            yield kind
    if not nearest:
        yield ChangeKind.OTHER


def matches(rule: FactRule, fact: str) -> bool:
    """Whether a rule is about a fact."""
    return fact.startswith(rule.fact) if rule.fact.endswith(".") else fact == rule.fact


def counts(rule: FactRule, change: FactChange) -> bool:
    """Whether a fact changed in the way a rule asks for."""
    match rule.when:
        case Touch.GROWS:
            return _grows(change.before, change.after, rule.times)
        case Touch.ADDED:
            return _joined(change.before, change.after, rule.options)
        case Touch.REMOVED:
            return _joined(change.after, change.before, rule.options)
    return True


def _grows(before: Any, after: Any, times: float) -> bool:
    """Whether a number is at least so many times what it was; from nothing, any growth is enough."""
    return bool(after > before and after >= before * times)


def _joined(without: Any, with_: Any, options: tuple[str, ...]) -> bool:
    new = _members(with_) - _members(without)
    return bool(new & frozenset(options) if options else new)


def _members(value: Any) -> frozenset[Any]:
    return frozenset(value) if isinstance(value, tuple | list | frozenset | set) else frozenset({value})


def _key(value: Any) -> tuple[str, Any]:
    if isinstance(value, tuple | list | frozenset | set):
        return "set", frozenset(value)
    return ("bool" if isinstance(value, bool) else "value"), value


# ---- what goes stale


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Why a kind of evidence does not show the system as it is."""

    kinds: tuple[ChangeKind, ...]
    rules: tuple[RedoRule, ...]


def stale_kinds(rules: ChangeRules, then: Mapping[str, Any], now: Side) -> dict[str, Stale]:
    """Return the kinds of evidence that, made under the facts of then, do not show the system as it is now.

    A rule that rests on a norm counts only where that norm is established for the system as it is.
    """
    found: dict[str, tuple[list[ChangeKind], list[RedoRule]]] = {}
    for kind in touched(rules, changed_facts(then, now.facts)):
        for rule in rules.kinds[kind].redo:
            if rule.basis != HOUSE_RULE and not _is_established(now.judgment, rule.basis):
                continue
            for evidence in rule.evidence:
                kinds, behind = found.setdefault(evidence, ([], []))
                kinds.append(kind)
                behind.append(rule)
    return {
        name: Stale(kinds=tuple(dict.fromkeys(kinds)), rules=tuple(behind)) for name, (kinds, behind) in found.items()
    }


def _is_established(judgment: Judgment, norm: str) -> bool:
    finding = judgment.findings.get(norm)
    return finding is not None and finding.is_established


def is_fresh(rules: ChangeRules, piece: Holding, now: Side) -> bool:
    """Whether a piece of evidence shows the system as it is."""
    if piece.facts == now.facts:
        return True
    return piece.evidence.kind not in stale_kinds(rules, piece.facts, now)
