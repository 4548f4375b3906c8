"""One set of facts on one day against one text: every outcome worked out at most once."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from safebelt.rooms.rulebook.decide.bench import Bench, Known
from safebelt.rooms.rulebook.model import Norm

_MISS: Any = object()


class World:
    """The outcomes: true, false, or None where the facts leave it unknown.

    A *strict* world takes nothing on trust: unverified terms, parameters and derived facts are unknown in it, and an
    unverified norm is never taken to hold.  What comes out the same in both worlds rests on verified law alone.
    """

    def __init__(self, bench: Bench, facts: Mapping[str, Any], on: date, *, is_strict: bool = False) -> None:
        self.bench = bench
        self.facts: Mapping[str, Any] = facts
        self.on = on
        self.is_strict = is_strict
        self._terms: dict[str, Known] = {}
        self._holds: dict[str, Known] = {}
        self._derived: dict[str, Any] = {}
        self._parameters: dict[str, Any] = {}
        self._strict: World | None = None

    @property
    def strict(self) -> "World":
        """The same facts, judged on verified law alone."""
        if self.is_strict:
            return self
        if self._strict is None:
            self._strict = World(self.bench, self.facts, self.on, is_strict=True)
        return self._strict

    def _distrusts(self, name: str) -> bool:
        return self.is_strict and name in self.bench.unverified

    def parameter(self, name: str) -> int | float | None:
        """Return a parameter's value on the day."""
        value = self._parameters.get(name, _MISS)
        if value is _MISS:
            value = None if self._distrusts(name) else self.bench.text.parameters[name].on(self.on)
            self._parameters[name] = value
        return value  # type: ignore[no-any-return]  # `_MISS` never gets here

    def term(self, name: str) -> Known:
        """Return whether a named condition holds."""
        outcome = self._terms.get(name, _MISS)
        if outcome is _MISS:
            outcome = self._terms[name] = None if self._distrusts(name) else self.bench.terms[name](self)
        return outcome  # type: ignore[no-any-return]  # `_MISS` never gets here

    def derived(self, name: str) -> Any:
        """Return a derived fact's value; None while an earlier row than the first that holds is unknown."""
        value = self._derived.get(name, _MISS)
        if value is _MISS:
            value = self._derived[name] = None if self._distrusts(name) else self._first_row(name)
        return value

    def _first_row(self, name: str) -> Any:
        for code, value in self.bench.derived[name]:
            outcome = code(self)
            if outcome is not False:
                return value if outcome else None
        return self.bench.text.derived[name].otherwise

    def holds(self, norm: str) -> Known:
        """Return whether a norm's conditions hold and nothing defeats it, whenever it is in force."""
        outcome = self._holds.get(norm, _MISS)
        if outcome is _MISS:
            outcome = self.bench.norms[norm](self)
            if outcome is not False and norm in self.bench.overriders:
                defeated = self.defeated(norm)
                outcome = False if defeated else None if defeated is None else outcome
            self._holds[norm] = outcome
        return outcome  # type: ignore[no-any-return]  # `_MISS` never gets here

    def applies(self, norm: str) -> Known:
        """Return whether a norm holds and is in force on the day.  In a strict world an unverified one never does."""
        outcome = conjoin(self.is_in_force(norm, self.on), self.holds, norm)
        return None if outcome and self._distrusts(norm) else outcome

    def is_in_force(self, norm: str, day: date) -> Known:
        """Return whether a norm is in force on a day."""
        entry = self.bench.text.norms[norm]
        if entry.in_force.until is not None and day >= entry.in_force.until:
            return False
        if not entry.starts:
            return entry.in_force.from_ <= day
        return self.whichever_start(entry, lambda start: start <= day)

    def whichever_start(self, norm: Norm, outcome: Callable[[date], Known]) -> Known:
        """Return what follows from the norm's first day; unknown only if the days still possible disagree."""
        outcomes = {outcome(start) for start in self.possible_starts(norm)}
        return outcomes.pop() if len(outcomes) == 1 else None

    def possible_starts(self, norm: Norm) -> tuple[date, ...]:
        """Return every first day the facts leave possible, in the order the norm names them."""
        days: list[date] = []
        for code, start in self.bench.starts.get(norm.id, ()):
            outcome = code(self)
            if outcome is not False:
                days.append(start)
            if outcome:
                return tuple(dict.fromkeys(days))
        return tuple(dict.fromkeys((*days, norm.in_force.from_)))

    def defeated(self, norm: str) -> Known:
        """Return whether a norm that overrides it holds and is in force when this one is: now, or from its start."""
        entry = self.bench.text.norms[norm]
        return self.whichever_start(entry, lambda start: self._defeated_on(norm, max(start, self.on)))

    def _defeated_on(self, norm: str, day: date) -> Known:
        outcome: Known = False
        for overrider in self.bench.overriders.get(norm, ()):
            one = self.defeats(overrider, day)
            if one:
                return True
            if one is None:
                outcome = None
        return outcome

    def defeats(self, overrider: str, day: date) -> Known:
        """Return whether an overriding norm holds and is in force on a day."""
        outcome = conjoin(self.is_in_force(overrider, day), self.holds, overrider)
        return None if outcome and self._distrusts(overrider) else outcome

    def class_holds(self, instrument: str, class_id: str) -> Known:
        """Return whether the facts fall into a class."""
        return next(code(self) for one, code in self.bench.classes[instrument] if one.id == class_id)


def conjoin(first: Known, second: Callable[[str], Known], name: str) -> Known:
    """Kleene's *and*, the second looked at only where it matters."""
    if first is False:
        return False
    other = second(name)
    if other is False:
        return False
    return None if first is None or other is None else True
