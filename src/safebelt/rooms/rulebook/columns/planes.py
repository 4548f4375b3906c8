"""A graph as Polars expressions over two planes of bits: *is true* and *is false*; where neither is set, unknown.

Polars' own nulls follow Kleene as well: null is unknown in the table that goes in and in the verdicts that come out.
Between them, over planes, *and* is `and` of what is true and `or` of what is false, *not* swaps the planes at no cost,
and every operation is a plain bitwise one on 64 systems at a time.
"""

from collections.abc import Iterable

import polars as pl

from safebelt.rooms.rulebook.columns.graph import Graph, Question
from safebelt.rooms.rulebook.columns.layout import Layout, Slot
from safebelt.rooms.rulebook.model import FactType

_NO = pl.lit(value=False)


def true_plane(literal: int) -> str:
    """Return the name of the column that says where a literal is true."""
    return f"{'f' if literal & 1 else 't'}{literal >> 1}"


def false_plane(literal: int) -> str:
    """Return the name of the column that says where a literal is false."""
    return true_plane(literal ^ 1)


class Planes:
    """The steps that turn a table into planes; each distinct test and each distinct *and* is worked out once.

    Args:
        graph: What is worked out.
        layout: How the table is laid out; it must cover the graph.
        literals: Only what these need is worked out.

    Attributes:
        steps: Expressions to add to the table, one step after the other; those of one step do not need each other.
    """

    def __init__(self, graph: Graph, layout: Layout, literals: Iterable[int]) -> None:
        self._graph, self._layout = graph, layout
        needed = self._needed(literals)
        tests = {at: one for at in needed if isinstance(one := graph.nodes[at], Question)}
        self.steps = [self._ready(tests.values()), self._trues(tests), self._falses(tests), *self._ands(needed)]

    def work_out(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return a table's rows with every plane added; they all are in memory, so give it batches."""
        for step in self.steps:
            table = table.with_columns(step)
        return table

    def _needed(self, literals: Iterable[int]) -> list[int]:
        """Nodes in the order in which they can be worked out."""
        waiting, found = {one >> 1 for one in literals}, {0, 1}
        while waiting:
            at = waiting.pop()
            found.add(at)
            node = self._graph.nodes[at]
            if isinstance(node, tuple):
                waiting |= {part >> 1 for part in node} - found
        return sorted(found)

    def _slot(self, test: Question) -> Slot:
        return self._layout.slots[test.fact, test.type]

    def _ready(self, tests: Iterable[Question]) -> list[pl.Expr]:
        """For each fact where it is known, and its values with the nulls taken out."""
        ready = [pl.lit(value=True).alias("t0"), _NO.alias("f0"), _NO.alias("t1"), _NO.alias("f1")]
        for slot in {self._slot(test).fact: self._slot(test) for test in tests}.values():
            columns = list(slot.columns)
            ready.append(pl.col(columns[0]).is_not_null().alias(_known(slot)))
            ready += [pl.col(name).fill_null(_blank(slot)).alias(f"value {name}") for name in columns]
        return ready

    def _trues(self, tests: dict[int, Question]) -> list[pl.Expr]:
        return [_is_true(self._slot(test), test).alias(f"t{at}") for at, test in tests.items()]

    def _falses(self, tests: dict[int, Question]) -> list[pl.Expr]:
        return [(self._answered(test) & ~pl.col(f"t{at}")).alias(f"f{at}") for at, test in tests.items()]

    def _answered(self, test: Question) -> pl.Expr:
        """Where a test has an outcome: where its fact is known, or everywhere if silence counts as no."""
        return pl.lit(value=True) if test.is_claim else pl.col(_known(self._slot(test)))

    def _ands(self, needed: list[int]) -> list[list[pl.Expr]]:
        """By level, so that each needs only those before."""
        level = dict.fromkeys(needed, 0)
        steps: list[list[pl.Expr]] = []
        for at in needed:
            parts = self._graph.nodes[at]
            if not isinstance(parts, tuple):
                continue
            level[at] = 1 + max(level[part >> 1] for part in parts)
            steps += [[] for _ in range(level[at] - len(steps))]
            steps[level[at] - 1] += [
                pl.all_horizontal([true_plane(part) for part in parts]).alias(f"t{at}"),
                pl.any_horizontal([false_plane(part) for part in parts]).alias(f"f{at}"),
            ]
        return steps


def _known(slot: Slot) -> str:
    return f"known {slot.fact}:{slot.type.value}"


def _blank(slot: Slot) -> pl.Expr:
    """What stands in for a null; no test takes it for an answer, since what is unknown is masked or has no bits."""
    if slot.type is FactType.YES_NO:
        return _NO
    if slot.type is FactType.DATE:
        return pl.lit(0, dtype=pl.Date)
    return pl.lit(0, dtype=next(iter(slot.columns.values())))


def _is_true(slot: Slot, test: Question) -> pl.Expr:
    first = pl.col(f"value {next(iter(slot.columns))}")
    match test.kind:
        case "yes":
            return first
        case "among" | "includes" if isinstance(test.constant, frozenset):
            return slot.any_of(test.constant, prefix="value ")
        case "ge":
            return (first >= _literal(test)) & pl.col(_known(slot))
    return (first > _literal(test)) & pl.col(_known(slot))


def _literal(test: Question) -> pl.Expr:
    if isinstance(test.constant, int | float):
        return pl.lit(float(test.constant))
    return pl.lit(test.constant)
