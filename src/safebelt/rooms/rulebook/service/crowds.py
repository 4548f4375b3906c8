"""Many systems at once: judged by columns, put on record, and taken out, each inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.rooms.rulebook import decide, store
from safebelt.rooms.rulebook.decide import deeds
from safebelt.rooms.rulebook.model import Description, LawText
from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.service.base import digest
from safebelt.rooms.rulebook.service.weighing import Weighing
from safebelt.rooms.rulebook.store import crowds
from safebelt.rooms.rulebook.store.descriptions import plain

if TYPE_CHECKING:
    from safebelt.rooms.rulebook.columns import Columns, Verdicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What judging one system of many comes to.

    Attributes:
        classes: Instrument to its strictest class, `unknown` among them; those that do not concern it are left out.
        barred_by: Red lines met and in force by verified law alone.
    """

    classes: Mapping[str, str]
    barred_by: tuple[str, ...]


class Crowds(Weighing):
    """Deeds about many systems, for whoever enters them together.

    The caller's own ledger entry covers them: these deeds append none.
    """

    _compiled: "tuple[LawText, date, Columns] | None" = None

    def weigh(
        self, tx: sa.Connection, systems: Sequence[tuple[Mapping[str, Any], str]], *, on: date | None = None
    ) -> list[Weighed]:
        """Judge many systems by columns, with the outcomes that judging each alone would have.

        Args:
            tx: The caller's transaction.
            systems: For each its facts and its party, whose covenants bind it.
            on: The day; today, if none is given.
        """
        if not systems:
            return []
        day = on or self.today()
        text = self.text_within(tx, day)
        columns = self._columns(text, day)
        parties = crowds.committed(tx, sorted({party for _, party in systems if party}))
        bound = {party: store.decisions.commitments(tx, party=party) for party in parties}
        facts = [deeds.with_covenants(facts, bound.get(party, ()), day) for facts, party in systems]
        verdicts = columns.judge(columns.table(facts))
        barred = _barred(verdicts, text, facts, day)
        strictest = {name: verdicts.strictest(name).cast(str).to_list() for name in verdicts.classes}
        return [
            Weighed(
                classes={name: found[row] for name, found in strictest.items() if found[row]},
                barred_by=barred.get(row, ()),
            )
            for row in range(len(facts))
        ]

    def weigh_one(self, tx: sa.Connection, facts: Mapping[str, Any], party: str, *, on: date | None = None) -> Weighed:
        """Judge one system alone: the same outcome, without compiling the law into columns."""
        day = on or self.today()
        bound = store.decisions.commitments(tx, party=party) if party else []
        judgment = decide.judge(self.text_within(tx, day), deeds.with_covenants(facts, bound, day), day)
        return Weighed(
            classes={name: one.strictest for name, one in judgment.classes.items() if one.strictest},
            barred_by=tuple(one.norm.id for one in decide.red_lines(judgment)),
        )

    def describe_new(
        self, tx: sa.Connection, described: Sequence[tuple[str, Description]], *, by: Actor
    ) -> dict[str, str]:
        """Put the first facts of newly registered systems on record.

        Returns:
            System to the SHA-256 of its facts, for the caller's entry on the ledger.
        """
        at = self._clock()
        records = [
            OnRecord(subject=system, version=1, description=one, sha256=facts_digest(one), by=by.id, at=at)
            for system, one in described
        ]
        crowds.put_new(tx, records)
        return {one.subject: one.sha256 for one in records}

    def described_since(self, tx: sa.Connection, systems: Sequence[str], at_first: frozenset[str]) -> frozenset[str]:
        """Return which systems were described after they entered.

        Args:
            tx: The caller's transaction.
            systems: Which.
            at_first: Those of them that entered with facts.
        """
        return crowds.described_again(tx, systems) | crowds.described_by_others(tx, systems, at_first)

    def take_out(self, tx: sa.Connection, systems: Sequence[str]) -> None:
        """Take the descriptions of systems out that leave the register as if they had never entered."""
        crowds.take_out(tx, systems)

    def _columns(self, text: LawText, day: date) -> "Columns":
        from safebelt.rooms.rulebook.columns import compile_law  # noqa: PLC0415  a fifth of a second only this needs

        kept = self._compiled
        if kept is None or kept[0] is not text or kept[1] != day:
            kept = self._compiled = (text, day, compile_law(text, day))
        return kept[2]


def facts_digest(description: Description) -> str:
    """Return the SHA-256 of the canonical JSON of a description's facts."""
    return digest({name: plain(one.value) for name, one in description.facts.items()})


def _barred(
    verdicts: "Verdicts", text: LawText, facts: Sequence[Mapping[str, Any]], day: date
) -> dict[int, tuple[str, ...]]:
    """Whom a red line bars: columns find the candidates, and each is judged alone on whether verified law says so."""
    lines = [name for name in verdicts.norms if text.norms[name].red_line]
    rows: set[int] = set()
    for name in lines:
        rows.update((verdicts.applies(name) & verdicts.in_force_now(name)).fill_null(value=False).arg_true().to_list())
    found = {}
    for row in sorted(rows):
        met = tuple(one.norm.id for one in decide.red_lines(decide.judge(text, facts[row], day)))
        if met:
            found[row] = met
    return found
