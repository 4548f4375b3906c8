"""Draw what judging would come to as diagrams over the facts that are still open.

The same outcomes as `World`, for every way the open facts could turn out at once; a property test holds the two
together.
"""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from safebelt.kernel.conditions import OPERATORS, Condition
from safebelt.rooms.rulebook.decide.bench import Bench, prepare
from safebelt.rooms.rulebook.decide.diagrams import Node, Sheet, Test
from safebelt.rooms.rulebook.decide.explaining import both
from safebelt.rooms.rulebook.decide.walking import conditions_of, leaves
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS, Fact, FactType, LawText, Norm


class Outcomes:
    """Classes and norms of one text on one day, drawn over the facts that are open.

    Args:
        roots: Conditions whose order of mention is the order of tests: those of what will be drawn.
        text: The text as it reads on the day.
        known: Fact id to value, as `Bench.admitted` gives it.
        unknowable: Facts that nobody will answer: whatever rests on them stays unknown.
        on: The day.
    """

    def __init__(
        self,
        text: LawText,
        roots: Iterable[Condition | None],
        known: Mapping[str, Any],
        unknowable: Collection[str],
        on: date,
    ) -> None:
        self.bench = prepare(text)
        self.sheet = Sheet(tests_of(self.bench, roots, on))
        self._text, self._on = text, on
        self._known, self._unknowable = known, frozenset(unknowable)
        self._levels = {(test.fact, test.option): level for level, test in enumerate(self.sheet.tests)}
        self._failed: frozenset[Node] = frozenset()
        self._drawn: dict[tuple[str, str, frozenset[Node]], Node] = {}

    def strictest(self, instrument: str) -> Node:
        """Return the strictest class of an instrument: its id, `unknown`, or empty where none holds or can."""
        return self._once("strictest", instrument, self._draw_strictest)

    def _draw_strictest(self, instrument: str) -> Node:
        """Strictest first, each drawn as if the stricter ones had failed: elsewhere nobody looks at it."""
        sheet = self.sheet
        drawn: list[tuple[Node, str]] = []
        for label, _ in self.bench.classes[instrument]:
            node = self._condition(label.when)
            drawn.append((node, label.id))
            self._failed |= {node}
        self._failed = frozenset()
        made, unknown = sheet.end(""), sheet.end(UNKNOWN_CLASS)
        for node, class_id in reversed(drawn):
            made = sheet.choose(node, sheet.end(class_id), made, unknown)
        return made

    def holds(self, norm: str) -> Node:
        """Return whether a norm's conditions hold and nothing defeats it, whenever it is in force."""
        return self._once("holds", norm, self._draw_holds)

    def _draw_holds(self, name: str) -> Node:
        norm = self._text.norms[name]
        own = self._either_or(norm)
        if name not in self.bench.overriders:
            return own
        defeated = self._on_its_start(norm, lambda start: self._defeated_on(name, max(start, self._on)))
        return self.sheet.both(own, self.sheet.opposite(defeated))

    def _either_or(self, entry: Any) -> Node:
        """An entry's own condition: `when` and not `unless`."""
        if entry.when is None and entry.unless is None:
            return self.sheet.end(True)
        return self._condition(both(entry.when, entry.unless))

    def _once(self, kind: str, name: str, draw: Callable[[str], Node]) -> Node:
        key = (kind, name, self._failed)
        node = self._drawn.get(key)
        if node is None:
            drawn = draw(name)
            node = self._drawn[key] = self.sheet.end(False) if drawn in self._failed else drawn
        return node

    # --- conditions -----------------------------------------------------------------------------------------------

    def _condition(self, condition: Condition) -> Node:
        sheet = self.sheet
        match condition.form:
            case "all":
                return sheet.every(self._condition(part) for part in condition.parts)
            case "any":
                return sheet.some(self._condition(part) for part in condition.parts)
            case "not":
                return sheet.opposite(self._condition(condition.parts[0]))
            case "term":
                return self._once("term", condition.names[0], lambda name: self._either_or(self._text.terms[name]))
            case "applies":
                return sheet.some(self._once("applies", name, self._draw_applies) for name in condition.names)
        return self._comparison(condition)

    def _draw_applies(self, name: str) -> Node:
        return self.sheet.both(self._in_force(name, self._on), self.holds(name))

    def _comparison(self, leaf: Condition) -> Node:
        constant = _constant(self._text, leaf, self._on)
        compare = OPERATORS[leaf.operator]

        def judged(value: Any) -> bool | None:
            return None if value is None or constant is None else compare(value, constant)

        if leaf.fact in self._text.derived:
            derived = self._once("derived", leaf.fact, self._draw_derived)
            return self.sheet.join((leaf.operator, repr(constant)), judged, derived)
        if leaf.fact in self._known or leaf.fact in self._unknowable:
            return self.sheet.end(judged(self._known.get(leaf.fact)))
        if self._text.facts[leaf.fact].type is FactType.SOME_OF:
            wanted = [constant] if leaf.operator == "includes" else constant
            return self.sheet.some(self._test(leaf.fact, one, lambda has: has) for one in wanted)
        return self._test(leaf.fact, "", judged)

    def _test(self, fact: str, option: str, judged: Callable[[Any], Any]) -> Node:
        level = self._levels[fact, option]
        return self.sheet.test(level, tuple(self.sheet.end(judged(cell)) for cell in self.sheet.tests[level].cells))

    def _draw_derived(self, name: str) -> Node:
        derived, sheet = self._text.derived[name], self.sheet
        made, unknown = sheet.end(derived.otherwise), sheet.end(None)
        for row in reversed(derived.rows):
            made = sheet.choose(self._condition(row.when), sheet.end(row.value), made, unknown)
        return made

    # --- time -----------------------------------------------------------------------------------------------------

    def _in_force(self, name: str, day: date) -> Node:
        norm = self._text.norms[name]
        if norm.in_force.until is not None and day >= norm.in_force.until:
            return self.sheet.end(False)
        return self._on_its_start(norm, lambda start: self.sheet.end(start <= day))

    def _on_its_start(self, norm: Norm, outcome: Callable[[date], Node]) -> Node:
        """What follows from the norm's first day; unknown only if the days still possible disagree."""
        if not norm.starts:
            return outcome(norm.in_force.from_)
        sheet = self.sheet
        made = sheet.join("one", _one, outcome(norm.in_force.from_))
        for start in reversed(norm.starts):
            made = sheet.join("starts", _starts, self._condition(start.when), outcome(start.from_), made)
        return sheet.join("agreed", _agreed, made)

    def _defeated_on(self, name: str, day: date) -> Node:
        return self.sheet.some(self._defeat(one, day) for one in self.bench.overriders.get(name, ()))

    def _defeat(self, overrider: str, day: date) -> Node:
        return self.sheet.both(self._in_force(overrider, day), self.holds(overrider))


def _constant(text: LawText, leaf: Condition, on: date) -> Any:
    return text.parameters[leaf.parameter].on(on) if leaf.parameter else leaf.constant


def _one(outcome: bool | None) -> Hashable:
    return frozenset([outcome])


def _starts(when: bool | None, outcome: bool | None, otherwise: frozenset[bool | None]) -> Hashable:
    if when is False:
        return otherwise
    return frozenset([outcome]) if when else otherwise | {outcome}


def _agreed(outcomes: frozenset[bool | None]) -> bool | None:
    return next(iter(outcomes)) if len(outcomes) == 1 else None


# --- what the law can tell apart ----------------------------------------------------------------------------------


def tests_of(bench: Bench, conditions: Iterable[Condition | None], on: date) -> tuple[Test, ...]:
    """Return every test that conditions make of facts, directly or through names, in the order of first mention.

    That order keeps what is decided together close together, and diagrams small.
    """
    text = bench.text
    found: dict[tuple[str, str], Fact] = {}
    constants: dict[str, set[Any]] = {}
    for leaf in _mentioned(bench, conditions, set()):
        constant = _constant(text, leaf, on)
        if leaf.fact not in text.facts or constant is None:
            continue
        fact, several = text.facts[leaf.fact], constant if isinstance(constant, list) else [constant]
        constants.setdefault(fact.id, set()).update(several)
        for option in several if fact.type is FactType.SOME_OF else ("",):
            found[fact.id, option] = fact
    return tuple(_test_of(fact, option, constants[fact.id]) for (_, option), fact in found.items())


def _mentioned(bench: Bench, conditions: Iterable[Condition | None], seen: set[str]) -> Iterator[Condition]:
    """Yield comparisons as a reader meets them who looks up every name where it stands, and only once."""
    text = bench.text
    for leaf in leaves(*conditions):
        names = leaf.names or ((leaf.fact,) if leaf.fact in text.derived else ())
        if not names:
            yield leaf
        for name in names:
            if name not in seen:
                seen.add(name)
                yield from _mentioned(bench, _behind(bench, name), seen)


def _behind(bench: Bench, name: str) -> Iterator[Condition | None]:
    text = bench.text
    if name in text.norms:
        yield from (start.when for start in text.norms[name].starts)
        yield from conditions_of(text.norms[name])
        yield from (Condition(form="applies", names=(one,)) for one in bench.overriders.get(name, ()))
    else:
        yield from conditions_of(text.terms[name] if name in text.terms else text.derived[name])


def _test_of(fact: Fact, option: str, constants: set[Any]) -> Test:
    if fact.type in (FactType.SOME_OF, FactType.YES_NO):
        return Test(fact=fact.id, option=option, cells=(False, True))
    named = sorted(constants)
    if fact.type in (FactType.NUMBER, FactType.DATE):
        return Test(fact=fact.id, option="", cells=tuple(_stretches(fact, named)), points=tuple(named))
    rest = [one.id for one in fact.options if one.id not in constants]
    others = () if fact.options and not rest else (rest[0] if rest else "",)
    return Test(fact=fact.id, option="", cells=(*named, *others))


def _stretches(fact: Fact, points: list[Any]) -> Iterator[Any]:
    """Yield a value below the first point, each point, a value between any two, and one above the last."""
    least = fact.minimum
    if least is None or points[0] > least:
        yield _beyond(points[0], -1) if least is None else least
    for point, after in pairwise(points):
        yield point
        between = point + (after - point) / 2
        if point < between < after:
            yield between
    yield points[-1]
    yield _beyond(points[-1], 1)


def _beyond(point: Any, direction: int) -> Any:
    """A value clearly beyond a point: 1 more is no more where numbers have 26 digits."""
    if isinstance(point, date):
        return point + direction * timedelta(days=1)
    return point + direction * (abs(point) + 1)
