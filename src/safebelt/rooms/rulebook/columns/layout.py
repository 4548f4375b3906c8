"""The table a population is judged from: one row per system, only the facts and options somebody asks about.

What is unknown is null.  Sets become bit masks (one column for each 64 options), choices and texts become small
numbers (0 is any value nobody asks about), yes and no become Booleans, numbers become doubles, dates stay dates.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from itertools import islice
from typing import Any, cast

import polars as pl

from safebelt.rooms.rulebook.columns.graph import Graph, Question
from safebelt.rooms.rulebook.decide.bench import as_measured
from safebelt.rooms.rulebook.decide.faults import is_of_type
from safebelt.rooms.rulebook.model import FactType

WORD_BITS = 64
BUILD_ROWS = 65_536  # rows held as Python objects at a time while a table is built


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """How one fact is kept.

    Attributes:
        options: For sets, choices and texts: the values that matter, in the order of their bits or codes.
        constants: For numbers: what they are compared with.
    """

    fact: str
    type: FactType
    options: tuple[str, ...] = ()
    constants: tuple[int | float, ...] = ()

    @property
    def columns(self) -> dict[str, pl.DataType]:
        """Name and type of each column, the lowest bits of a set first."""
        if self.type is FactType.SOME_OF:
            words = range(max(1, math.ceil(len(self.options) / WORD_BITS)))
            rest = len(self.options) - WORD_BITS * (len(words) - 1)
            kinds = [_UNSIGNED[64 if word < len(words) - 1 else _width(rest)] for word in words]
            return {f"{self.fact}:{word}@{self._print}": kind for word, kind in zip(words, kinds, strict=True)}
        return {f"{self.fact}:{self.type.value}@{self._print}": self._single()}

    @property
    def _print(self) -> str:
        """A fingerprint of what bits and codes stand for, so that no table is read by another layout."""
        return sha256(repr((self.options, self.constants)).encode()).hexdigest()[:8]

    def _single(self) -> pl.DataType:
        match self.type:
            case FactType.YES_NO:
                return pl.Boolean()
            case FactType.NUMBER:
                return pl.Float64()
            case FactType.DATE:
                return pl.Date()
        return _UNSIGNED[_width(len(self.options).bit_length())]

    def mask(self, wanted: Iterable[str]) -> int:
        """Return the bits of these values of a set; a value without a bit is left out."""
        return sum(1 << self.options.index(one) for one in set(wanted) if one in self.options)

    def codes(self, wanted: Iterable[str]) -> list[int]:
        """Return the codes of these values of a choice or text."""
        return sorted(1 + self.options.index(one) for one in set(wanted))

    def any_of(self, wanted: Iterable[str], prefix: str = "") -> pl.Expr:
        """Return whether a set has any of these, or a choice is one of them; null where that is unknown.

        Args:
            wanted: The values.
            prefix: What the names of the columns begin with.
        """
        if self.type is not FactType.SOME_OF:
            column = pl.col(prefix + next(iter(self.columns)))
            return pl.any_horizontal([column == code for code in self.codes(wanted)])
        mask, low = self.mask(wanted), (1 << WORD_BITS) - 1
        words = ((name, kind, mask >> (WORD_BITS * at) & low) for at, (name, kind) in enumerate(self.columns.items()))
        return pl.any_horizontal(
            [pl.col(prefix + name) & pl.lit(bits, dtype=kind) != 0 for name, kind, bits in words if bits]
        )

    def encoded(self, values: list[Any]) -> list[Any]:
        """Return a fact's values as they are kept; None for a value such a fact cannot have, and for none."""
        match self.type:
            case FactType.SOME_OF:
                return _masks({one: 1 << bit for bit, one in enumerate(self.options)}, values)
            case FactType.ONE_OF | FactType.TEXT:
                codes = {one: code for code, one in enumerate(self.options, start=1)}
                return [codes.get(one, 0) if isinstance(one, str) else None for one in values]
            case FactType.NUMBER:
                return [_number(one) for one in values]
            case FactType.YES_NO:
                return [one if one is True or one is False else None for one in values]
        return [one if isinstance(one, date) and not isinstance(one, datetime) else None for one in values]

    def decoded(self, row: Mapping[str, Any]) -> Any:
        """Return a row's value: None if unknown, of a set the options kept, `""` for a choice nobody asks about."""
        kept = [row[name] for name in self.columns]
        if kept[0] is None:
            return None
        if self.type is FactType.SOME_OF:
            mask = sum(cast(int, word) << (WORD_BITS * at) for at, word in enumerate(kept))
            return [one for bit, one in enumerate(self.options) if mask >> bit & 1]
        if self.type in (FactType.ONE_OF, FactType.TEXT):
            return ("", *self.options)[kept[0]]
        return kept[0]


_UNSIGNED: Mapping[int, pl.DataType] = {8: pl.UInt8(), 16: pl.UInt16(), 32: pl.UInt32(), 64: pl.UInt64()}


def _width(bits: int) -> int:
    return next(width for width in _UNSIGNED if bits <= width)


def _masks(bits: Mapping[str, int], values: list[Any]) -> list[int | None]:
    """Each set as bits; sets that have been seen are looked up, since registers repeat themselves."""
    seen: dict[Any, int | None] = {None: None}
    masks: list[int | None] = []
    for value in values:
        key = tuple(value) if isinstance(value, list | set) else value
        try:
            masks.append(seen[key])
        except KeyError:
            masks.append(seen.setdefault(key, _mask(bits, value)))
        except TypeError:  # something in it cannot be looked up, so it is no set of texts
            masks.append(None)
    return masks


def _mask(bits: Mapping[str, int], value: Any) -> int | None:
    if not isinstance(value, list | tuple | set | frozenset) or not all(isinstance(one, str) for one in value):
        return None
    mask = 0
    for one in value:
        mask |= bits.get(one, 0)
    return mask


def _number(value: Any) -> float | None:
    """The double that a judgment compares."""
    if value is None or not is_of_type(value, FactType.NUMBER):
        return None
    return float(as_measured(value))


class Layout:
    """The columns that a graph's tests ask for, and more where somebody wants them.

    Args:
        graph: Its tests decide.
        more: Fact id to its type and further options to keep, for example to group by.
    """

    def __init__(self, graph: Graph, more: Mapping[str, tuple[FactType, tuple[str, ...]]] | None = None) -> None:
        asked: dict[tuple[str, FactType], set[Any]] = {}
        for node in graph.nodes:
            if isinstance(node, Question):
                constants = node.constant if isinstance(node.constant, frozenset) else {node.constant} - {None}
                asked.setdefault((node.fact, node.type), set()).update(constants)
        for fact, (kind, options) in (more or {}).items():
            asked.setdefault((fact, kind), set()).update(options)
        self.slots = {key: _slot(*key, constants) for key, constants in sorted(asked.items())}

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Name and type of every column."""
        return {name: kind for slot in self.slots.values() for name, kind in slot.columns.items()}

    def table(self, population: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
        """Return a population as a table; values a fact cannot have are unknown.

        Args:
            population: For each system fact id to value; at most `BUILD_ROWS` are held at a time.
        """
        rows, parts = iter(population), [pl.DataFrame(schema=self.schema)]
        while batch := list(islice(rows, BUILD_ROWS)):
            parts.append(self._part(batch))
        return pl.concat(parts, rechunk=True)

    def _part(self, batch: list[Mapping[str, Any]]) -> pl.DataFrame:
        given: dict[str, tuple[list[int], list[Any]]] = {fact: ([], []) for fact, _ in self.slots}
        for row, facts in enumerate(batch):
            for fact, value in facts.items():
                if fact in given:
                    rows, values = given[fact]
                    rows.append(row)
                    values.append(value)
        columns = (one for slot in self.slots.values() for one in _columns(slot, *given[slot.fact], len(batch)))
        return pl.DataFrame(list(columns), height=len(batch))

    def facts(self, table: pl.DataFrame, row: int) -> dict[str, Any]:
        """Return what is known of one row, as facts that are judged as the row is."""
        kept = table.row(row, named=True)
        pairs = ((slot.fact, slot.decoded(kept)) for slot in self.slots.values())
        return {fact: value for fact, value in pairs if value is not None}


def _slot(fact: str, kind: FactType, constants: set[Any]) -> Slot:
    if kind in (FactType.SOME_OF, FactType.ONE_OF, FactType.TEXT):
        return Slot(fact=fact, type=kind, options=tuple(sorted(constants)))
    if kind is FactType.NUMBER:
        return Slot(fact=fact, type=kind, constants=tuple(sorted(constants)))
    return Slot(fact=fact, type=kind)


def _columns(slot: Slot, rows: list[int], values: list[Any], height: int) -> Iterator[pl.Series]:
    """The columns of one fact, null in every row that does not give it."""
    kept: list[Any] = [None] * height
    for row, value in zip(rows, slot.encoded(values), strict=True):
        kept[row] = value
    for at, (name, kind) in enumerate(slot.columns.items()):
        yield pl.Series(name, _word(kept, at, len(slot.columns)), dtype=kind)


def _word(values: list[Any], at: int, words: int) -> list[Any]:
    """The part of each mask that goes into one column."""
    if words == 1:
        return values
    low, shift = (1 << WORD_BITS) - 1, WORD_BITS * at
    return [None if one is None else one >> shift & low for one in values]
