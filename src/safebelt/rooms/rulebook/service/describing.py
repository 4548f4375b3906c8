"""Facts on record, and what they come to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import decide, store
from safebelt.rooms.rulebook.decide import deeds
from safebelt.rooms.rulebook.model import Description, Judgment, LawText
from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.service.base import About, Desk, digest
from safebelt.rooms.rulebook.store.descriptions import plain

VERSIONS_SHOWN = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A registered system, judged.

    Attributes:
        record: The facts that count.
        text: The law it was judged by.
        touched: Instruments of the places the facts mention, and those that belong to no place.
        barred_by: Red lines that bar it from service: met, verified, in force, and not set aside.
    """

    record: OnRecord
    judgment: Judgment
    text: LawText
    touched: frozenset[str]
    barred_by: tuple[str, ...]


class Describing(Desk):
    """Deeds about descriptions of registered systems."""

    def describe(
        self, tx: sa.Connection, system: str, description: Description, *, party: str = "", by: Actor
    ) -> tuple[OnRecord, tuple[str, ...]]:
        """Put a registered system's facts on record, inside the caller's transaction.

        Args:
            tx: The transaction; the registry holds that the system exists.
            system: Its id.
            description: The facts.
            party: The party whose covenants bind it; empty where none is known.
            by: Who does.

        Returns:
            The record, and the red lines that bar the system from service now.

        Raises:
            Conflict: These very facts are on record.
        """
        today = self.today()
        judgment = self._judged(tx, description, party, today)
        met = tuple(one.norm.id for one in decide.red_lines(judgment))
        record, event = deeds.describe(
            system,
            description,
            judgment,
            met,
            before=store.descriptions.current(tx, system),
            sha256=digest({name: plain(one.value) for name, one in description.facts.items()}),
            by=by.id,
            at=self._clock(),
        )
        store.descriptions.put(tx, record)
        self._ledger.append(tx, event, by=by)
        return record, deeds.still_barred(met, store.decisions.overrides(tx, system), today)

    def about(self, system: str) -> About:
        """Return what the register knows of a system.

        Raises:
            NotFound: It has no such system.
        """
        found = self._about(system)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有登记系统 {system}。", en=f"There is no system {system} in the register."),
                hint=Text(zh="请在系统列表中查找。", en="Look it up in the list of systems."),
            )
        return found

    def on_record(self, system: str) -> OnRecord | None:
        """Return the description of a system that counts; None where there is none."""
        with self._sql.read() as tx:
            return store.descriptions.current(tx, system)

    def versions(self, system: str) -> list[OnRecord]:
        """Return a system's descriptions, latest first, at most 50."""
        with self._sql.read() as tx:
            return store.descriptions.versions(tx, system, VERSIONS_SHOWN)

    def version(self, system: str, number: int) -> OnRecord:
        """Return one description of a system by its number: to look at, or to put back.

        Raises:
            NotFound: There is none of that number.
        """
        with self._sql.read() as tx:
            found = store.descriptions.version(tx, system, number)
        if found is None:
            raise NotFound(
                what=Text(zh=f"没有第 {number} 版描述。", en=f"There is no description {number} of {system}."),
                hint=Text(zh="请在事实记录中查找。", en="Look it up in the list of descriptions."),
            )
        return found

    def population(self) -> Iterator[OnRecord]:
        """Yield the description of every described system, by id."""
        with self._sql.read() as tx:
            yield from store.descriptions.every(tx)

    def described(self) -> int:
        """Return how many systems are described."""
        with self._sql.read() as tx:
            return store.descriptions.count(tx)

    def judgment_of(self, system: str, *, party: str = "", on: date | None = None) -> Judgment | None:
        """Judge a system by the facts on record; None where there are none: *not evaluated*."""
        with self._sql.read() as tx:
            record = store.descriptions.current(tx, system)
            return None if record is None else self._judged(tx, record.description, party, on or self.today())

    def barred_by(self, system: str, *, party: str = "") -> tuple[str, ...]:
        """Return the red lines that bar a system from service today: met, verified, in force, and not set aside."""
        with self._sql.read() as tx:
            return self.barred_within(tx, system, party=party)

    def barred_within(self, tx: sa.Connection, system: str, *, party: str = "") -> tuple[str, ...]:
        """Return the same inside a transaction: a gate must see what it is about to act on."""
        record, today = store.descriptions.current(tx, system), self.today()
        if record is None:
            return ()
        met = (one.norm.id for one in decide.red_lines(self._judged(tx, record.description, party, today)))
        return deeds.still_barred(met, store.decisions.overrides(tx, system), today)

    def judged_within(self, tx: sa.Connection, system: str, *, party: str = "") -> Judged | None:
        """Judge a registered system today, inside a transaction; None where no facts are on record: *not evaluated*."""
        record, today = store.descriptions.current(tx, system), self.today()
        if record is None:
            return None
        judgment, text = self._judged(tx, record.description, party, today), self.text_within(tx, today)
        met = (one.norm.id for one in decide.red_lines(judgment))
        return Judged(
            record=record,
            judgment=judgment,
            text=text,
            touched=decide.touched(text, record.description.values()),
            barred_by=deeds.still_barred(met, store.decisions.overrides(tx, system), today),
        )

    def facts_version_within(self, tx: sa.Connection, system: str) -> int:
        """Return the number of the description that counts, inside a transaction; 0 where there is none."""
        record = store.descriptions.current(tx, system)
        return 0 if record is None else record.version

    def _judged(self, tx: sa.Connection, description: Description, party: str, on: date) -> Judgment:
        commitments = store.decisions.commitments(tx, party=party) if party else []
        facts = deeds.with_covenants(description.values(), commitments, on)
        return decide.judge(self.text_within(tx, on), facts, on)
