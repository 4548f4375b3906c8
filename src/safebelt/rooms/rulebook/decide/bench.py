"""A text made ready for judging: every condition becomes a small function, once per text, not once per system.

The functions give True, False or None (unknown), with the same outcome as `Condition.judge`, which is slower because it
keeps what it takes to explain.  A property test holds the two together.
"""

import math
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, Protocol

from safebelt.kernel.conditions import OPERATORS, Condition
from safebelt.rooms.rulebook.decide.faults import faults, is_of_type
from safebelt.rooms.rulebook.decide.overlays import refuse
from safebelt.rooms.rulebook.decide.walking import Reach, Walker, overriders
from safebelt.rooms.rulebook.model import Derived, Fact, FactType, LawText, Norm, Status, Term

Known = bool | None


class Scope(Protocol):
    """What a condition made ready looks at: facts, and the outcomes of what is named."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Known facts."""

    def parameter(self, name: str) -> int | float | None:
        """A parameter's value."""

    def derived(self, name: str) -> Any:
        """A derived fact's value."""

    def term(self, name: str) -> Known:
        """Whether a named condition holds."""

    def applies(self, name: str) -> Known:
        """Whether a norm applies on the day."""


Code = Callable[[Scope], Known]
"""A condition made ready: a scope in; true, false or unknown out."""


class Bench:
    """One text, ready.

    Attributes:
        text: The text.
        overriders: Norm id to those that override it.
        norms: Norm id to its own condition (`when` and not `unless`).
        terms: Term id likewise.
        derived: Derived fact id to its rows.
        starts: Norm id to its other starts, for norms that have any.
        upons: Norm id to what it waits for, for norms that do.
        classes: Instrument id to its classes, strictest first.
        class_reach: `<instrument>.<class>` to what its condition reaches.
        shaky: Ids of norms, and `<instrument>.<class>`, whose outcome may rest on something unverified.
        unverified: Ids of unverified terms, norms, parameters and derived facts.
        walker: Follows conditions through this text.
    """

    def __init__(self, text: LawText) -> None:
        refuse(faults(text))
        self.text = text
        self.silent = {one.id: _SILENCE[one.type] for one in text.facts.values() if one.is_presumed_no}
        self.overriders = overriders(text)
        self.walker = Walker(text)
        self.terms = {one.id: self._both(one) for one in text.terms.values()}
        self.norms = {one.id: self._both(one) for one in text.norms.values()}
        self.derived = {one.id: self._rows(one) for one in text.derived.values()}
        self.starts = {one.id: self._starts(one) for one in text.norms.values() if one.starts}
        self.upons = {one.id: self.code(one.upon) for one in text.norms.values() if one.upon is not None}
        self.classes = {
            instrument.id: [(one, self.code(one.when)) for one in instrument.classes]
            for instrument in text.instruments.values()
            if instrument.classes
        }
        shelves: tuple[Mapping[str, Any], ...] = (text.terms, text.norms, text.parameters, text.derived)
        self.unverified = frozenset(
            one.id for shelf in shelves for one in shelf.values() if one.status is Status.UNVERIFIED
        )
        self.class_reach: dict[str, Reach] = {
            f"{instrument.id}.{one.id}": self.walker.from_conditions(one.when)
            for instrument in text.instruments.values()
            for one in instrument.classes
        }
        self.shaky = self._shaky()

    def _shaky(self) -> frozenset[str]:
        if not self.unverified:
            return frozenset()
        text, walker = self.text, self.walker
        norms = {one for one in text.norms if walker.from_norm(one).is_shaky(text)}
        classes = {name for name, reach in self.class_reach.items() if reach.is_shaky(text)}
        return frozenset(norms | classes)

    def _both(self, entry: Term | Norm) -> Code:
        when = None if entry.when is None else self.code(entry.when)
        if entry.unless is None:
            return when or _always
        return _all([code for code in (when, _not(self.code(entry.unless))) if code is not None])

    def _rows(self, derived: Derived) -> list[tuple[Code, Any]]:
        return [(self.code(row.when), row.value) for row in derived.rows]

    def _starts(self, norm: Norm) -> list[tuple[Code, date]]:
        return [(self.code(start.when), start.from_) for start in norm.starts]

    def code(self, condition: Condition) -> Code:
        """Make a condition of this text ready."""
        match condition.form:
            case "all":
                return _all([self.code(part) for part in condition.parts])
            case "any":
                return _any([self.code(part) for part in condition.parts])
            case "not":
                return _not(self.code(condition.parts[0]))
            case "term":
                return _term(condition.names[0])
            case "applies":
                return _any([_applies(name) for name in condition.names])
        return _comparison(condition, is_derived=condition.fact in self.text.derived)

    def admitted(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts this text knows whose values are what such facts can be; sets become frozen sets.

        Doors refuse the others and say why; here a value that cannot be is as good as none: unknown.
        """
        declared = self.text.facts
        pairs = (
            (name, _admit(declared[name], value))
            for name, value in facts.items()
            if value is not None and name in declared
        )
        return {name: value for name, value in pairs if value is not None}

    def presuming(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the facts admitted, with *no* or *none* for each on which silence counts as that."""
        return self.silent | self.admitted(facts)


_SILENCE: Mapping[FactType, Any] = {FactType.YES_NO: False, FactType.SOME_OF: frozenset()}
"""What silence counts as, for facts on which it counts: *no*, *none of these*."""


@lru_cache(maxsize=32)
def prepare(text: LawText) -> Bench:
    """Return a text made ready; the same text is made ready once.

    Raises:
        Invalid: The text has faults; all are named.
    """
    return Bench(text)


def _admit(fact: Fact, value: Any) -> Any:
    if fact.type is not FactType.SOME_OF:
        return as_measured(value) if is_of_type(value, fact.type) else None
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(one, str) for one in value):
        return frozenset(value)
    return None


def as_measured(value: Any) -> Any:
    """Return a very large whole number as the nearest float; everything else as it is.

    Limits such as 10^26 are floats, and the float nearest to 10^26 is a little more: compared exactly, a system
    trained with just 10^26 operations would miss a limit of *at least 10^26*.
    """
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) <= _EXACT:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


_EXACT = 2**53
"""Whole numbers up to here are floats without loss (IEEE 754, binary64)."""


def _always(_: Scope) -> Known:
    return True


def _all(codes: list[Code]) -> Code:
    if len(codes) == 1:
        return codes[0]

    def run(scope: Scope) -> Known:
        outcome: Known = True
        for code in codes:
            one = code(scope)
            if one is False:
                return False
            if one is None:
                outcome = None
        return outcome

    return run


def _any(codes: list[Code]) -> Code:
    if len(codes) == 1:
        return codes[0]

    def run(scope: Scope) -> Known:
        outcome: Known = False
        for code in codes:
            one = code(scope)
            if one is True:
                return True
            if one is None:
                outcome = None
        return outcome

    return run


def _not(code: Code) -> Code:
    def run(scope: Scope) -> Known:
        one = code(scope)
        return None if one is None else not one

    return run


def _term(name: str) -> Code:
    def run(scope: Scope) -> Known:
        return scope.term(name)

    return run


def _applies(name: str) -> Code:
    def run(scope: Scope) -> Known:
        return scope.applies(name)

    return run


def _comparison(leaf: Condition, *, is_derived: bool) -> Code:
    fact = leaf.fact
    if leaf.parameter or is_derived:
        return _slow_comparison(leaf, is_derived=is_derived)
    if leaf.operator in ("includes", "includes_any"):
        wanted = frozenset([leaf.constant] if leaf.operator == "includes" else leaf.constant)

        def run(scope: Scope) -> Known:
            value = scope.facts.get(fact)
            return None if value is None else not wanted.isdisjoint(value)

        return run
    compare, constant = OPERATORS[leaf.operator], leaf.constant

    def run_any(scope: Scope) -> Known:
        value = scope.facts.get(fact)
        return None if value is None else compare(value, constant)

    return run_any


def _slow_comparison(leaf: Condition, *, is_derived: bool) -> Code:
    """A comparison with a parameter or of a derived fact."""
    compare, fact, constant, parameter = OPERATORS[leaf.operator], leaf.fact, leaf.constant, leaf.parameter

    def run(scope: Scope) -> Known:
        value = scope.derived(fact) if is_derived else scope.facts.get(fact)
        against = scope.parameter(parameter) if parameter else constant
        return None if value is None or against is None else compare(value, against)

    return run
