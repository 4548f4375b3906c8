"""Read a law's text, as it is on a day, into a graph: the same outcomes as `decide.World`, for any facts at all."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from safebelt.kernel.conditions import OPERATORS, Condition
from safebelt.rooms.rulebook.columns.graph import FALSE, TRUE, UNKNOWN, Graph, Question, negated
from safebelt.rooms.rulebook.decide import prepare
from safebelt.rooms.rulebook.model import FactType, LawText, Norm, Term


class Reading:
    """One text on one day, every outcome as a literal of a graph.

    Several readings may share a graph; what they have in common then has the same literals.

    Args:
        graph: Where it is read into.
        text: The text as it reads on the day.
        on: The day.

    Attributes:
        norms: Norm id to whether it applies, for norms that have not ended.
        in_force: Norm id to whether it is in force on the day.
        classes: Instrument id to its classes, strictest first, and whether each holds.

    Raises:
        Invalid: The text has faults.
    """

    def __init__(self, graph: Graph, text: LawText, on: date) -> None:
        self._overriders = prepare(text).overriders
        self.graph, self.text, self.on = graph, text, on
        self._terms: dict[str, int] = {}
        self._holds: dict[str, int] = {}
        standing = [one for one in text.norms.values() if one.in_force.until is None or on < one.in_force.until]
        self.norms = {norm.id: self.holds(norm.id) for norm in standing}
        self.in_force = {norm.id: self.is_in_force(norm.id, on) for norm in standing}
        self.classes = {
            instrument.id: [(one.id, self.condition(one.when)) for one in instrument.classes]
            for instrument in text.instruments.values()
            if instrument.classes
        }

    def starts(self, norm: str) -> list[tuple[int, date]]:
        """Return a norm's possible first days in the order in which they are tried; the last one always holds."""
        entry = self.text.norms[norm]
        return [
            *((self.condition(start.when), start.from_) for start in entry.starts),
            (TRUE, entry.in_force.from_),
        ]

    def holds(self, norm: str) -> int:
        """Return whether a norm's conditions hold and nothing defeats it."""
        if norm not in self._holds:
            own = self._both(self.text.norms[norm])
            self._holds[norm] = self.graph.every(own, negated(self._defeated(norm)))
        return self._holds[norm]

    def applies(self, norm: str) -> int:
        """Return whether a norm holds and is in force on the day."""
        return self.graph.every(self.is_in_force(norm, self.on), self.holds(norm))

    def is_in_force(self, norm: str, day: date) -> int:
        """Return whether a norm is in force on a day."""
        until = self.text.norms[norm].in_force.until
        if until is not None and day >= until:
            return FALSE
        return self._whichever_start(norm, lambda start: TRUE if start <= day else FALSE)

    def _whichever_start(self, norm: str, outcome: Callable[[date], int]) -> int:
        *starts, (_, last) = self.starts(norm)
        result = outcome(last)
        for when, start in reversed(starts):
            result = self.graph.agreed(when, outcome(start), result)
        return result

    def _defeated(self, norm: str) -> int:
        overriders = self._overriders.get(norm, ())
        if not overriders:
            return FALSE

        def on(start: date) -> int:
            day = max(start, self.on)
            return self.graph.some(
                *(self.graph.every(self.is_in_force(one, day), self.holds(one)) for one in overriders)
            )

        return self._whichever_start(norm, on)

    def term(self, name: str) -> int:
        """Return whether a named condition holds."""
        if name not in self._terms:
            self._terms[name] = self._both(self.text.terms[name])
        return self._terms[name]

    def _both(self, entry: Term | Norm) -> int:
        when = TRUE if entry.when is None else self.condition(entry.when)
        return when if entry.unless is None else self.graph.every(when, negated(self.condition(entry.unless)))

    def condition(self, condition: Condition) -> int:
        """Return whether a condition of this text holds."""
        match condition.form:
            case "all":
                return self.graph.every(*map(self.condition, condition.parts))
            case "any":
                return self.graph.some(*map(self.condition, condition.parts))
            case "not":
                return negated(self.condition(condition.parts[0]))
            case "term":
                return self.term(condition.names[0])
            case "applies":
                return self.graph.some(*map(self.applies, condition.names))
        return self._comparison(condition)

    def _comparison(self, leaf: Condition) -> int:
        constant = self.text.parameters[leaf.parameter].on(self.on) if leaf.parameter else leaf.constant
        if leaf.fact in self.text.derived:
            return self._derived(leaf.fact, OPERATORS[leaf.operator], constant)
        fact = self.text.facts[leaf.fact]
        if fact.is_presumed_no:
            return self._claim(leaf, fact.type, constant)
        return _TESTS[leaf.operator](self.graph, leaf.fact, fact.type, constant)

    def _claim(self, leaf: Condition, kind: FactType, constant: Any) -> int:
        """A comparison of a fact on which silence counts as *no* or *none of these*."""
        if kind is FactType.YES_NO:
            claimed = self.graph.question(Question(leaf.fact, kind, "yes", is_claim=True))
            return claimed if constant else negated(claimed)
        options = frozenset(constant) if leaf.operator == "includes_any" else frozenset([constant])
        return self.graph.question(Question(leaf.fact, kind, "includes", options, is_claim=True))

    def _derived(self, name: str, compare: Callable[[Any, Any], bool | None], constant: Any) -> int:
        """What comparing comes to, row by row; unknown while an earlier row is."""
        derived = self.text.derived[name]
        result = _known(compare(derived.otherwise, constant))
        for row in reversed(derived.rows):
            result = self.graph.settled(self.condition(row.when), _known(compare(row.value, constant)), result)
        return result


def _known(outcome: bool | None) -> int:
    return UNKNOWN if outcome is None else TRUE if outcome else FALSE


Comparison = Callable[[Graph, str, FactType, Any], int]


def _is(graph: Graph, fact: str, kind: FactType, constant: Any) -> int:
    if kind is FactType.YES_NO:
        yes = graph.question(Question(fact, kind, "yes"))
        return yes if constant else negated(yes)
    if kind in (FactType.NUMBER, FactType.DATE):
        return graph.every(_at_least(graph, fact, kind, constant), negated(_more_than(graph, fact, kind, constant)))
    return graph.question(Question(fact, kind, "among", frozenset([constant])))


def _one_of(graph: Graph, fact: str, kind: FactType, constant: Any) -> int:
    if kind is FactType.NUMBER:
        return graph.some(*(_is(graph, fact, kind, one) for one in constant))
    return graph.question(Question(fact, kind, "among", frozenset(constant)))


def _includes(graph: Graph, fact: str, kind: FactType, constant: Any) -> int:
    return graph.question(Question(fact, kind, "includes", frozenset([constant])))


def _includes_any(graph: Graph, fact: str, kind: FactType, constant: Any) -> int:
    return graph.question(Question(fact, kind, "includes", frozenset(constant)))


def _at_least(graph: Graph, fact: str, kind: FactType, constant: Any) -> int:
    return graph.question(Question(fact, kind, "ge", constant))


def _more_than(graph: Graph, fact: str, kind: FactType, constant: Any) -> int:
    return graph.question(Question(fact, kind, "gt", constant))


def _not(comparison: Comparison) -> Comparison:
    return lambda graph, fact, kind, constant: negated(comparison(graph, fact, kind, constant))


_TESTS: Mapping[str, Comparison] = {
    "is": _is,
    "one_of": _one_of,
    "includes": _includes,
    "includes_any": _includes_any,
    "at_least": _at_least,
    "more_than": _more_than,
    "at_most": _not(_more_than),
    "less_than": _not(_at_least),
}
