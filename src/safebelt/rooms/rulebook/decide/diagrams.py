"""Outcomes of the law as decision diagrams over the facts that are still open: what a fact can still change, exactly.

A diagram is a reduced, ordered decision diagram with many-valued tests and any values at its ends (R. E. Bryant,
*Graph-Based Algorithms for Boolean Function Manipulation*, 1986; end values as in E. M. Clarke and others, *Spectral
Transforms for Large Boolean Functions*, 1993).  Reduced diagrams are canonical: a test is in one if, and only if, its
result can change the outcome.  That is more than conditions alone can say, which name every fact they mention.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Node = int
"""A place in a diagram: an index into its sheet."""

Known = bool | None


@dataclass(frozen=True, slots=True)
class Test:
    """A question with a few distinguishable answers: one option of a set fact, or a whole fact of another type.

    Attributes:
        fact: What it looks at.
        option: The option of a set fact; empty for other facts.
        cells: For each answer a value that stands for all values the law cannot tell from it.
        points: For numbers and dates the values at which the law changes its mind; else nothing.
    """

    fact: str
    option: str
    cells: tuple[Any, ...]
    points: tuple[Any, ...] = ()

    def answer(self, value: Any) -> int:
        """Return the index of the answer that a value of the fact gives."""
        if self.option:
            return int(self.option in value)
        if self.points:
            sides = [_side(value, point) for point in self.points]
            return next(at for at, cell in enumerate(self.cells) if [_side(cell, one) for one in self.points] == sides)
        return self.cells.index(value) if value in self.cells else len(self.cells) - 1


def _bits_of(tests: Iterable[Test]) -> dict[str, int]:
    bits: dict[str, int] = {}
    for level, test in enumerate(tests):
        bits[test.fact] = bits.get(test.fact, 0) | 1 << level
    return bits


def _side(value: Any, point: Any) -> int:
    return int(value > point) - int(value < point)


END = 1 << 60
"""The level of ends: below every test."""


class Sheet:
    """Where diagrams are drawn: equal ones are the same node.

    Args:
        tests: The tests, in the order in which every diagram makes them.
    """

    def __init__(self, tests: Iterable[Test]) -> None:
        self.tests = tuple(tests)
        self._bits = _bits_of(self.tests)
        self._levels: list[int] = []
        self._children: list[tuple[Node, ...]] = []
        self._values: list[Any] = []
        self._supports: list[int] = []
        self._unique: dict[Hashable, Node] = {}
        self._reached: dict[Node, frozenset[Any]] = {}
        self._joined: dict[tuple[Any, ...], Node] = {}

    def end(self, value: Any) -> Node:
        """Return the diagram that always comes to a value.  True is not 1, nor False 0."""
        return self._intern((type(value), value), END, (), value)

    def test(self, level: int, children: tuple[Node, ...]) -> Node:
        """Return the diagram that makes a test and goes on with the child of its answer."""
        if children.count(children[0]) == len(children):
            return children[0]
        return self._intern((level, children), level, children, None)

    def _intern(self, key: Hashable, level: int, children: tuple[Node, ...], value: Any) -> Node:
        node = self._unique.get(key)
        if node is None:
            node = self._unique[key] = len(self._levels)
            self._levels.append(level)
            self._children.append(children)
            self._values.append(value)
            self._supports.append(self._support_of(level, children))
        return node

    def _support_of(self, level: int, children: tuple[Node, ...]) -> int:
        made = 0 if level == END else 1 << level
        for child in children:
            made |= self._supports[child]
        return made

    def twin(self) -> "Sheet":
        """Return a sheet with the same diagrams at the same places, to draw on without touching this one."""
        made = Sheet(self.tests)
        made._levels, made._children, made._values = [*self._levels], [*self._children], [*self._values]
        made._supports, made._unique = [*self._supports], dict(self._unique)
        return made

    def __len__(self) -> int:
        """Return how many places there are on the sheet."""
        return len(self._levels)

    def copied(self, nodes: Iterable[Node]) -> tuple["Sheet", list[Node]]:
        """Return a new sheet with these diagrams and nothing else, and where they are on it."""
        sheet, done = Sheet(self.tests), dict[Node, Node]()

        def copy(node: Node) -> Node:
            made = done.get(node)
            if made is None:
                children = tuple([copy(child) for child in self._children[node]])
                made = sheet.end(self._values[node]) if not children else sheet.test(self._levels[node], children)
                done[node] = made
            return made

        return sheet, [copy(node) for node in nodes]

    def is_end(self, node: Node) -> bool:
        """Whether no test can change the outcome any more."""
        return self._levels[node] == END

    def value(self, node: Node) -> Any:
        """Return the value of an end."""
        return self._values[node]

    def join(self, name: Hashable, combine: Callable[..., Any], *nodes: Node) -> Node:
        """Return the diagram of `combine` over the outcomes of others.

        Args:
            name: Stands for `combine`: equal names must mean the same function.
            combine: From values to a value.
            nodes: The diagrams.
        """
        key = (name, *nodes)
        found = self._joined.get(key)
        if found is not None:
            return found
        level = min(self._levels[one] for one in nodes)
        if level == END:
            made = self.end(combine(*(self._values[one] for one in nodes)))
        else:
            made = self.test(
                level,
                tuple(
                    self.join(name, combine, *(self._at(one, level, answer) for one in nodes))
                    for answer in range(len(self.tests[level].cells))
                ),
            )
        self._joined[key] = made
        return made

    def _at(self, node: Node, level: int, answer: int) -> Node:
        return self._children[node][answer] if self._levels[node] == level else node

    def facts(self, node: Node) -> frozenset[str]:
        """Return the facts that can change the outcome."""
        support = self._supports[node]
        return frozenset(fact for fact, bits in self._bits.items() if support & bits)

    def levels_of(self, node: Node, fact: str) -> list[int]:
        """Return the levels of the tests of a fact that can change the outcome."""
        bits = self._supports[node] & self._bits.get(fact, 0)
        return [level for level, test in enumerate(self.tests) if test.fact == fact and bits >> level & 1]

    def given(self, node: Node, known: Mapping[str, Any]) -> Node:
        """Return what is left of a diagram once some facts are known to have values."""
        answers = {
            level: self.tests[level].answer(value)
            for fact, value in known.items()
            for level in self.levels_of(node, fact)
        }
        mask, done = 0, dict[Node, Node]()
        for level in answers:
            mask |= 1 << level

        def follow(one: Node) -> Node:
            if not self._supports[one] & mask:
                return one
            found = done.get(one)
            if found is None:
                level, children = self._levels[one], self._children[one]
                if level in answers:
                    found = follow(children[answers[level]])
                else:
                    found = self.test(level, tuple([follow(child) for child in children]))
                done[one] = found
            return found

        return follow(node)

    def values(self, node: Node) -> frozenset[Any]:
        """Return every value the outcome can still have; each must be hashable."""
        found = self._reached.get(node)
        if found is None:
            ends = (self.values(child) for child in self._children[node])
            found = frozenset([self._values[node]]) if self.is_end(node) else frozenset[Any]().union(*ends)
            self._reached[node] = found
        return found

    def looked_at(self, node: Node) -> dict[str, float]:
        """Return how likely each fact is looked at on the way to an end, if answers fall as likely as not.

        Of a set, *none of these* is as likely as that there is one of them.
        """
        chances, options = {node: 1.0}, {fact: bits.bit_count() for fact, bits in self._bits.items()}
        found: dict[str, float] = {}
        for one in range(node, -1, -1):  # a diagram is drawn from its ends up, so that children come first
            chance, children = chances.get(one, 0.0), self._children[one]
            if not chance or not children:
                continue
            test = self.tests[self._levels[one]]
            found[test.fact] = found.get(test.fact, 0.0) + chance
            none = 0.5 ** (1 / options[test.fact]) if test.option else 1 / len(children)
            shares = (none, 1 - none) if test.option else (none,) * len(children)
            for child, share in zip(children, shares, strict=True):
                chances[child] = chances.get(child, 0.0) + chance * share
        return {fact: min(1.0, chance) for fact, chance in found.items()}

    def stakes(self, node: Node, fact: str) -> frozenset[Any]:
        """Return the values that a fact's answer can bring about or rule out, wherever the diagram looks at it."""
        found: frozenset[Any] = frozenset()
        for one in self._looking_at(node, fact):
            reached = [self.values(child) for child in self._children[one]]
            everywhere = frozenset.intersection(*reached)
            found |= frozenset.union(*reached) - everywhere or everywhere
        return found

    def _looking_at(self, node: Node, fact: str) -> Iterator[Node]:
        """Yield the places of a diagram that look at a fact."""
        bits, waiting, seen = self._bits.get(fact, 0), [node], {node}
        while waiting:
            one = waiting.pop()
            if self._levels[one] != END and bits >> self._levels[one] & 1:
                yield one
            further = {child for child in self._children[one] if self._supports[child] & bits} - seen
            seen |= further
            waiting += further

    # --- Kleene's logic over diagrams, with the ends that need no looking further --------------------------------

    def both(self, one: Node, other: Node) -> Node:
        """Kleene *and* of two diagrams."""
        false, true = self.end(False), self.end(True)
        if other in (one, true) or one == false:
            return one
        if one == true or other == false:
            return other
        return self.join("and", _and, min(one, other), max(one, other))

    def either(self, one: Node, other: Node) -> Node:
        """Kleene *or* of two diagrams."""
        false, true = self.end(False), self.end(True)
        if other in (one, false) or one == true:
            return one
        if one == false or other == true:
            return other
        return self.join("or", _or, min(one, other), max(one, other))

    def opposite(self, node: Node) -> Node:
        """Kleene *not* of a diagram."""
        return self.join("not", _not, node)

    def every(self, nodes: Iterable[Node]) -> Node:
        """Kleene *all*."""
        made = self.end(True)
        for node in nodes:
            made = self.both(made, node)
        return made

    def some(self, nodes: Iterable[Node]) -> Node:
        """Kleene *any*."""
        made = self.end(False)
        for node in nodes:
            made = self.either(made, node)
        return made

    def choose(self, when: Node, then: Node, otherwise: Node, undecided: Node) -> Node:
        """Return `then` where a condition holds, `otherwise` where it fails, `undecided` where it is unknown."""
        if self.is_end(when):
            return {True: then, False: otherwise}.get(self.value(when), undecided)
        return self.join("choose", _choose, when, then, otherwise, undecided)


def _and(one: Known, other: Known) -> Known:
    return False if one is False or other is False else None if one is None or other is None else True


def _or(one: Known, other: Known) -> Known:
    return True if one is True or other is True else None if one is None or other is None else False


def _not(one: Known) -> Known:
    return None if one is None else not one


def _choose(when: Known, then: Any, otherwise: Any, undecided: Any) -> Any:
    return then if when is True else otherwise if when is False else undecided
