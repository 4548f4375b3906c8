"""What a new day, or a new state of the law, turns: which systems of many are touched at all, found by columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from safebelt.rooms.rulebook import decide, store
from safebelt.rooms.rulebook.decide import deeds
from safebelt.rooms.rulebook.model import Judgment, LawText, Modality
from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.service.weighing import Weighing
from safebelt.rooms.rulebook.store import ranges

if TYPE_CHECKING:
    from safebelt.rooms.rulebook.columns import Columns

_DUTIES = frozenset({Modality.MUST, Modality.MUST_NOT})


class Turn:
    """The law on one day beside the law on another, compiled together: what they share is never compared.

    Attributes:
        before, after: How it reads, and on which day.
    """

    def __init__(self, before: tuple[LawText, date], after: tuple[LawText, date]) -> None:
        from safebelt.rooms.rulebook.columns.graph import FALSE, Graph  # noqa: PLC0415  polars, which only this needs
        from safebelt.rooms.rulebook.columns.reading import Reading  # noqa: PLC0415

        graph = Graph()
        self.before, self.after = before, after
        self._readings = [Reading(graph, *before), Reading(graph, *after)]
        old, new = self._readings
        self._pairs: set[tuple[int, int]] = set()
        for name in dict.fromkeys((*old.norms, *new.norms)):
            text = new.text if name in new.norms else old.text
            if text.norms[name].modality in _DUTIES:
                was, now = (one.applies(name) if name in one.norms else FALSE for one in (old, new))
                self._pairs |= {(was, now)} if was != now else set()
        self._never = FALSE

    @property
    def can_differ(self) -> bool:
        """Whether there is any system that could owe something else."""
        return bool(self._pairs)

    @property
    def can_relabel(self) -> bool:
        """Whether there could be any system of another class, or that meets a red line it did not meet."""
        old, new = self._readings
        lines = {name for one in (old, new) for name, norm in one.text.norms.items() if norm.red_line}
        return old.classes != new.classes or any(
            (old.norms.get(name), old.in_force.get(name)) != (new.norms.get(name), new.in_force.get(name))
            for name in lines
        )

    def differing(self, facts: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the rows of those for whom a duty in force begins or ends."""
        if not self._pairs or not facts:
            return []
        import polars as pl  # noqa: PLC0415

        from safebelt.rooms.rulebook.columns.planes import true_plane  # noqa: PLC0415

        planes = self._columns.judge(self._columns.table(facts)).planes
        apart = [pl.col(true_plane(was)) != pl.col(true_plane(now)) for was, now in sorted(self._pairs)]
        rows: list[int] = planes.select(pl.any_horizontal(apart).alias("apart"))["apart"].arg_true().to_list()
        return rows

    @cached_property
    def _columns(self) -> "Columns":
        from safebelt.rooms.rulebook.columns.judging import Columns  # noqa: PLC0415

        return Columns(self._readings, also={self._never, *(one for pair in self._pairs for one in pair)})


class Turning(Weighing):
    """Deeds for whoever looks after many systems from day to day; they change nothing."""

    @cached_property
    def law_digest(self) -> str:
        """SHA-256 over the law's own files, so that a law that came with an update is noticed."""
        found = sha256()
        for path in sorted(self.folder.rglob("*.yaml")):
            found.update(path.relative_to(self.folder).as_posix().encode())
            found.update(sha256(path.read_bytes()).digest())
        return found.hexdigest()

    def adopted_within(self, tx: sa.Connection) -> tuple[tuple[str, str], ...]:
        """Return id and digest of every adopted draft, in order."""
        return tuple(sorted(store.decisions.adopted(tx)))

    def turn(self, since: date, until: date, *, adopted: Iterable[str]) -> Turn:
        """Put the law of an earlier day beside that of a later one.

        Args:
            since: The earlier day.
            until: The later day.
            adopted: Ids of the drafts that had been adopted on the earlier day.
        """
        book, ours = self.rulebook, {one.id for one in self.shipped.enacted} | set(adopted)
        then = replace(book, enacted=tuple(one for one in book.enacted if one.id in ours))
        earlier = decide.text_on(book if len(then.enacted) == len(book.enacted) else then, since)
        return Turn((earlier, since), (decide.text_on(book, until), until))

    def judged_by(self, text: LawText, facts: Mapping[str, Any], on: date, *, party: str = "") -> Judgment:
        """Judge facts by a text on a day, with the covenants that bind a party then."""
        with self._sql.read() as tx:
            commitments = store.decisions.commitments(tx, party=party) if party else []
        return decide.judge(text, deeds.with_covenants(facts, commitments, on), on)

    def facts_within(self, tx: sa.Connection, system: str, versions: Iterable[int]) -> dict[int, Mapping[str, Any]]:
        """Return the facts of some of a system's descriptions, by number; those it does not have are left out."""
        found = {number: store.descriptions.version(tx, system, number) for number in set(versions)}
        return {number: one.description.values() for number, one in found.items() if one is not None}

    def between_within(self, tx: sa.Connection, after: str, last: str) -> dict[str, OnRecord]:
        """Return the descriptions that count of the systems between two ids, the first left out, by system."""
        return {one.subject: one for one in ranges.between(tx, after, last)}
