"""What a change of the law does to a population of any size: who changes class or duties, exactly counted.

The text before and the text after are read into one graph.  What the change does not touch has the same literal in
both, so it is worked out once and never compared.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice

import polars as pl

from safebelt.rooms.rulebook.columns.graph import FALSE, Graph
from safebelt.rooms.rulebook.columns.judging import Columns
from safebelt.rooms.rulebook.columns.planes import false_plane, true_plane
from safebelt.rooms.rulebook.columns.population import Member, Population
from safebelt.rooms.rulebook.columns.reading import Reading
from safebelt.rooms.rulebook.columns.verdicts import strictest_of
from safebelt.rooms.rulebook.decide.impact import (
    DUTIES,
    NOT_STATED,
    NOT_STATED_LABEL,
    SECTOR_FACT,
    SIZE_FACT,
    Affected,
    Count,
    Division,
    Impact,
    NormCount,
    Reform,
    Transition,
    divisions,
    effect_on,
    ranked,
)

LISTED = 200
"""Systems listed one by one unless asked otherwise; each is judged twice more, one by one, to say what changes."""
BATCH = 20_000
"""Systems held as Python objects at a time."""

_KINDS = ("gained", "lost", "opened", "moved")


def impact(change: Reform, population: Population, *, listed: int = LISTED) -> Impact:
    """Return what a change of the law does to a population.

    Args:
        change: What changes (`decide.impact.reform`), and the day judged on.
        population: Whom; it is read once.
        listed: How many of those affected are listed one by one; the counts are exact whatever it is.

    Raises:
        Invalid: A text has faults.
    """
    comparison, systems, found = Comparison(change), iter(population), list[Affected]()
    while batch := list(islice(systems, BATCH)):
        affected = comparison.add(comparison.table(batch))
        found += _listed(change, batch, affected.head(listed - len(found)).to_list())
    return comparison.impact(tuple(found))


def _listed(change: Reform, batch: list[Member], rows: list[int]) -> Iterator[Affected]:
    for row in rows:
        one = batch[row]
        yield Affected(id=one.id, name=one.name, effect=effect_on(change, one.facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delta:
    """Where one norm changes, as expressions over the planes; by kind of change."""

    norm: str
    is_duty: bool
    where: Mapping[str, pl.Expr]


class Comparison:
    """Counts what a change does, batch after batch.

    Attributes:
        columns: Both texts, compiled together: before, after.
    """

    def __init__(self, change: Reform) -> None:
        graph = Graph()
        self._change = change
        before, after = Reading(graph, change.before, change.on), Reading(graph, change.after, change.on)
        self._deltas = list(_deltas(before, after))
        self._regrades = _regrades(before, after)
        self._parts = {fact: divisions(change.after, fact) for fact in (SECTOR_FACT, SIZE_FACT)}
        more = {
            fact: (change.after.facts[fact].type, tuple(one for _, _, options in parts for one in options))
            for fact, parts in self._parts.items()
            if parts
        }
        needed = {FALSE, *(one for name in before.norms | after.norms for one in _start_literals(name, before, after))}
        self.columns = Columns([before, after], more=more, also=needed)
        self._counts: dict[tuple[str, str], Count] = {}
        self._norms: Counter[tuple[str, str]] = Counter()
        self._transitions: Counter[tuple[str, str, str]] = Counter()

    def table(self, batch: list[Member]) -> pl.DataFrame:
        """Return systems as the table that is judged."""
        return self.columns.table(one.facts for one in batch)

    def add(self, table: pl.DataFrame) -> pl.Series:
        """Count in more systems; return the numbers of the rows that are affected."""
        planes = self.columns.judge(table).planes
        kinds = planes.select(**self._kinds()).with_columns(affected=pl.any_horizontal(pl.exclude("opened")))
        self._count(table, kinds)
        self._count_norms(planes)
        self._count_transitions(planes)
        return kinds["affected"].arg_true()

    def impact(self, listed: tuple[Affected, ...]) -> Impact:
        """Return what has been counted."""
        norms = {one.norm: {kind: self._norms[one.norm, kind] for kind in _KINDS} for one in self._deltas}
        transitions = sorted(self._transitions.items(), key=lambda pair: (-pair[1], pair[0]))
        return Impact(
            reform=self._change,
            total=self._counts.get(("", ""), Count()),
            by_sector=self._divided(SECTOR_FACT),
            by_size=self._divided(SIZE_FACT),
            transitions=tuple(
                Transition(instrument=instrument, before=before, after=after, systems=many)
                for (instrument, before, after), many in transitions
            ),
            norms=ranked(NormCount(norm=norm, **counts) for norm, counts in norms.items()),
            listed=listed,
        )

    # --- counting ------------------------------------------------------------------------------------------------

    def _kinds(self) -> dict[str, pl.Expr]:
        """Where anything of a kind happens.  Gaining and losing are of duties alone; rights make a system affected."""

        def anywhere(kind: str, deltas: list[_Delta]) -> pl.Expr:
            found = [one.where[kind] for one in deltas if kind in one.where]
            return pl.any_horizontal([pl.col(_NEVER), *found])

        duties = [one for one in self._deltas if one.is_duty]
        rights = [one for one in self._deltas if not one.is_duty]
        return {
            "regraded": pl.any_horizontal([pl.col(_NEVER), *(old != new for old, new in self._regrades.values())]),
            "gain": anywhere("gained", duties),
            "lose": anywhere("lost", duties),
            "opened": anywhere("opened", self._deltas),
            "moved": anywhere("moved", self._deltas),
            "rights": anywhere("gained", rights) | anywhere("lost", rights),
        }

    def _count(self, table: pl.DataFrame, kinds: pl.DataFrame) -> None:
        parts = {("", ""): pl.repeat(value=True, n=table.height, eager=True, dtype=pl.Boolean)}
        for fact, found in self._parts.items():
            parts |= {(fact, name): one for name, one in self._members(table, fact, found).items()}
        for key, members in parts.items():
            within = kinds.filter(members)
            sums = {name: int(within[name].sum()) for name in kinds.columns if name != "rights"}
            self._counts[key] = self._counts.get(key, Count()) + Count(systems=within.height, **sums)

    def _members(
        self, table: pl.DataFrame, fact: str, found: tuple[tuple[str, object, tuple[str, ...]], ...]
    ) -> dict[str, pl.Series]:
        """Which systems belong to each part; to the last those that belong to none."""
        if not found:
            return {}
        slot = self.columns.layout.slots[fact, self._change.after.facts[fact].type]
        exprs = {name: slot.any_of(options).fill_null(value=False) for name, _, options in found if options}
        if not exprs:
            return {}
        exprs[NOT_STATED] = ~pl.any_horizontal(list(exprs.values()))
        return table.select(**exprs).to_dict()

    def _count_norms(self, planes: pl.DataFrame) -> None:
        wanted = [(one.norm, kind, where) for one in self._deltas for kind, where in one.where.items()]
        if wanted:
            sums = planes.select(where.sum().alias(str(at)) for at, (_, _, where) in enumerate(wanted)).row(0)
            self._norms.update({(norm, kind): int(many) for (norm, kind, _), many in zip(wanted, sums, strict=True)})

    def _count_transitions(self, planes: pl.DataFrame) -> None:
        for instrument, (old, new) in self._regrades.items():
            pairs = planes.select(old=old, new=new).filter(pl.col("old") != pl.col("new"))
            for before, after, many in pairs.group_by("old", "new").len().iter_rows():
                self._transitions[instrument, before, after] += many

    def _divided(self, fact: str) -> tuple[Division, ...]:
        parts = [(name, label) for name, label, _ in self._parts[fact]]
        if parts:
            parts.append((NOT_STATED, NOT_STATED_LABEL))
        return tuple(
            Division(id=name, label=label, count=self._counts.get((fact, name), Count())) for name, label in parts
        )


_NEVER = true_plane(FALSE)


def _deltas(before: Reading, after: Reading) -> Iterator[_Delta]:
    """Yield every norm that may change for somebody."""
    for name in dict.fromkeys((*before.norms, *after.norms)):
        old, new = before.norms.get(name, FALSE), after.norms.get(name, FALSE)
        where: dict[str, pl.Expr] = {}
        if old != new:
            where |= _turns(old, new)
        if name in before.norms and name in after.norms and before.starts(name) != after.starts(name):
            first, later = _first_day(before.starts(name)), _first_day(after.starts(name))
            where["moved"] = pl.col(true_plane(old)) & pl.col(true_plane(new)) & (first != later)
        if where:
            norm = (after if name in after.norms else before).text.norms[name]
            yield _Delta(norm=name, is_duty=norm.modality in DUTIES, where=where)


def _turns(old: int, new: int) -> dict[str, pl.Expr]:
    was, was_not = pl.col(true_plane(old)), pl.col(false_plane(old))
    now, is_not = pl.col(true_plane(new)), pl.col(false_plane(new))
    return {"gained": now & ~was, "lost": was & is_not, "opened": (was | was_not) & ~(now | is_not)}


def _first_day(starts: list[tuple[int, date]]) -> pl.Expr:
    """The earliest first day that the facts leave possible."""
    *others, (_, last) = starts
    result = pl.lit(last)
    for when, start in reversed(others):
        open_ = pl.min_horizontal(pl.lit(start), result)
        rest = pl.when(pl.col(false_plane(when))).then(result).otherwise(open_)
        result = pl.when(pl.col(true_plane(when))).then(pl.lit(start)).otherwise(rest)
    return result


def _start_literals(name: str, *readings: Reading) -> Iterator[int]:
    for reading in readings:
        if name in reading.norms:
            yield from (when for when, _ in reading.starts(name))


def _regrades(before: Reading, after: Reading) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """For instruments whose classes may change for somebody, the strictest before and after, as text."""
    return {
        name: (
            strictest_of(before.classes.get(name, [])).cast(pl.String),
            strictest_of(after.classes.get(name, [])).cast(pl.String),
        )
        for name in dict.fromkeys((*before.classes, *after.classes))
        if before.classes.get(name) != after.classes.get(name)
    }
