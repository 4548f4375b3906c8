"""What judging a population comes to, two bits for each norm and system."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from safebelt.kernel.conditions import Truth
from safebelt.rooms.rulebook.columns.planes import false_plane, true_plane
from safebelt.rooms.rulebook.decide.classes import strictest_of as strictest_class
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many systems a norm applies to, does not, or may."""

    applies: int
    does_not: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdicts:
    """Of one text on one day, for every system of a population, in its order.

    Attributes:
        planes: Two Boolean columns without nulls for each distinct outcome: where it is true, where it is false.
            Norms that always come out alike share them.
        norms: Norm id to its outcome's literal; norms that have ended are left out.
        in_force: Norm id to the literal of whether it is in force on the day.
        classes: Instrument id to its classes, strictest first, and their literals.
    """

    on: date
    planes: pl.DataFrame
    norms: Mapping[str, int]
    in_force: Mapping[str, int]
    classes: Mapping[str, list[tuple[str, int]]]

    @property
    def height(self) -> int:
        """How many systems."""
        return self.planes.height

    def applies(self, norm: str) -> pl.Series:
        """Return whether a norm applies: true, false, or null where that is unknown; whether or not in force yet."""
        return self._truth(self.norms[norm]).alias(norm)

    def in_force_now(self, norm: str) -> pl.Series:
        """Return whether a norm is in force on the day; null where facts leave it open."""
        return self._truth(self.in_force[norm]).alias(norm)

    def class_holds(self, instrument: str, class_id: str) -> pl.Series:
        """Return whether systems fall into a class; null where that is unknown."""
        return self._truth(dict(self.classes[instrument])[class_id]).alias(class_id)

    def strictest(self, instrument: str) -> pl.Series:
        """Return the strictest class by name; `unknown` while a stricter one could hold, empty where none can."""
        return self.planes.select(strictest_of(self.classes[instrument]).alias(instrument)).to_series()

    def every_strictest(self) -> list[tuple[str, ...]]:
        """Return for each system the strictest class of every instrument, in the order of `classes`."""
        named = [strictest_of(found).cast(pl.String).alias(name) for name, found in self.classes.items()]
        return self.planes.select(named).rows() if named else [()] * self.height

    def tally(self, norm: str) -> Tally:
        """Return how many systems a norm applies to."""
        literal = self.norms[norm]
        yes, no = self._count(true_plane(literal)), self._count(false_plane(literal))
        return Tally(applies=yes, does_not=no, unknown=self.height - yes - no)

    def row(self, at: int) -> "RowVerdicts":
        """Return everything about one system."""
        planes = self.planes.row(at, named=True)

        def truth(literal: int) -> Truth:
            return Truth.of(True if planes[true_plane(literal)] else False if planes[false_plane(literal)] else None)

        classes = {name: {one: truth(literal) for one, literal in found} for name, found in self.classes.items()}
        return RowVerdicts(
            norms={name: _VERDICT[truth(literal)] for name, literal in self.norms.items()},
            in_force={name: truth(literal) for name, literal in self.in_force.items()},
            classes=classes,
            strictest={name: strictest_class(found) for name, found in classes.items()},
        )

    def _count(self, plane: str) -> int:
        return int(self.planes[plane].sum())

    def _truth(self, literal: int) -> pl.Series:
        return self.planes.select(nullable(literal).alias("truth")).to_series()


_VERDICT: Mapping[Truth, Verdict] = {
    Truth.TRUE: Verdict.APPLIES,
    Truth.FALSE: Verdict.DOES_NOT,
    Truth.UNKNOWN: Verdict.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVerdicts:
    """One system's outcomes, in the words of `decide.judge`."""

    norms: Mapping[str, Verdict]
    in_force: Mapping[str, Truth]
    classes: Mapping[str, Mapping[str, Truth]]
    strictest: Mapping[str, str]

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "norms": {name: one.value for name, one in self.norms.items()},
            "in_force": {name: one.value for name, one in self.in_force.items()},
            "strictest": dict(self.strictest),
        }


def nullable(literal: int) -> pl.Expr:
    """Return an outcome as a Boolean that is null where it is unknown."""
    yes, no = pl.col(true_plane(literal)), pl.col(false_plane(literal))
    return pl.when(yes | no).then(yes)


def strictest_of(classes: list[tuple[str, int]]) -> pl.Expr:
    """Return the name of the strictest class: the first that is not false, `unknown` if that is not true either."""
    names = pl.Enum(list(dict.fromkeys([*(name for name, _ in classes), UNKNOWN_CLASS, ""])))
    result = pl.lit("", dtype=names)
    for name, literal in reversed(classes):
        below = pl.when(pl.col(false_plane(literal))).then(result).otherwise(pl.lit(UNKNOWN_CLASS, dtype=names))
        result = pl.when(pl.col(true_plane(literal))).then(pl.lit(name, dtype=names)).otherwise(below)
    return result
