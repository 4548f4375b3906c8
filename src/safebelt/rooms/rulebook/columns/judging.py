"""Judge a whole population at once, with the same outcomes as `decide.judge` system by system."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from safebelt.rooms.rulebook.columns.graph import Graph
from safebelt.rooms.rulebook.columns.layout import Layout
from safebelt.rooms.rulebook.columns.planes import Planes, false_plane, true_plane
from safebelt.rooms.rulebook.columns.reading import Reading
from safebelt.rooms.rulebook.columns.verdicts import Verdicts
from safebelt.rooms.rulebook.model import FactType, LawText

BATCH_ROWS = 131_072
"""Systems worked out at a time.  Of one batch every plane is in memory: 16 KB each, some 25 MB for the whole law."""


class Columns:
    """One text on one day, or several that share what they have in common, compiled to columns.

    Args:
        readings: What to judge by; if several, read into the same graph.
        more: Facts and options to keep in the table although no norm asks for them.
        also: Further literals of the graph whose planes the results are to have.

    Attributes:
        readings: Each text as literals of one graph.
        layout: How the table of a population is laid out.
    """

    def __init__(
        self,
        readings: Sequence[Reading],
        *,
        more: Mapping[str, tuple[FactType, tuple[str, ...]]] | None = None,
        also: Iterable[int] = (),
    ) -> None:
        graph = readings[0].graph
        self.readings = tuple(readings)
        self.layout = Layout(graph, more)
        wanted = sorted({one for reading in readings for one in literals(reading)} | set(also))
        self._planes = Planes(graph, self.layout, wanted)
        self._kept = sorted({plane(one) for one in wanted for plane in (true_plane, false_plane)})

    def table(self, population: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """Return a population (for each system fact id to value) as the table that is judged."""
        return self.layout.table(population)

    def judge(self, table: pl.DataFrame) -> Verdicts:
        """Judge a table by the first text.  Under the whole law the result takes some 100 bytes for each system.

        Raises:
            ValueError: The table was not laid out by this layout.
        """
        return self.judge_all(table)[0]

    def judge_all(self, table: pl.DataFrame) -> list[Verdicts]:
        """Judge a table by every text; what they share is worked out once."""
        return self._verdicts(pl.concat([self._work_out(part) for part in _parts(table)], rechunk=False))

    def batches(self, table: pl.DataFrame) -> Iterator[list[Verdicts]]:
        """Yield the verdicts of `BATCH_ROWS` systems at a time, where only counts are wanted."""
        for part in _parts(table):
            yield self._verdicts(self._work_out(part))

    def _work_out(self, part: pl.DataFrame) -> pl.DataFrame:
        if part.schema != pl.Schema(self.layout.schema):
            raise ValueError("the table was laid out for other questions; make it with `table` of these columns")
        return self._planes.work_out(part).select(self._kept)

    def _verdicts(self, planes: pl.DataFrame) -> list[Verdicts]:
        return [
            Verdicts(on=one.on, planes=planes, norms=one.norms, in_force=one.in_force, classes=one.classes)
            for one in self.readings
        ]


def literals(reading: Reading) -> Iterator[int]:
    """Yield what a reading's results are read from."""
    yield from reading.norms.values()
    yield from reading.in_force.values()
    for classes in reading.classes.values():
        yield from (literal for _, literal in classes)


def _parts(table: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield a table in batches; an empty one is one batch."""
    yield from table.iter_slices(BATCH_ROWS) if table.height else (table,)


def compile_law(text: LawText, on: date) -> Columns:
    """Compile a text, as it reads on a day, to columns.

    Raises:
        Invalid: The text has faults.
    """
    return compile_together((text, on))


def compile_together(*texts: tuple[LawText, date]) -> Columns:
    """Compile several texts, each on its day, so that what they share is worked out once.

    Raises:
        Invalid: A text has faults.
    """
    graph = Graph()
    return Columns([Reading(graph, text, on) for text, on in texts])
