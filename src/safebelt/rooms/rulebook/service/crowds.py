"""Many systems at once: judged by columns, put on record, and taken out, each inside the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
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
    from safebelt.rooms.rulebook.columns import Alike, Columns, Key, Verdicts

_SIMPLE = msgspec.json.Encoder(order="sorted")
_EXACT = 1 << 53
FEW = 8
"""So many are judged one by one where the law is not compiled into columns: that, and the library for it, take a fifth
of a second and 40 MB, and a small house's work process never needs either."""
KINDS_REMEMBERED = 8192
"""Kinds of systems whose judgment is remembered: a few MB, and far more than any register has shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What judging one system of many comes to.

    Attributes:
        classes: Instrument to its strictest class, `unknown` among them; those that do not concern it are left out.
        barred_by: Red lines met and in force by verified law alone.
    """

    classes: Mapping[str, str]
    barred_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Court:
    """One text on one day, compiled, and what it said of every kind of system it was asked about."""

    text: LawText
    day: date
    columns: "Columns"
    alike: "Alike"
    said: "dict[Key, Weighed]"


class Crowds(Weighing):
    """Deeds about many systems, for whoever enters them together.

    The caller's own ledger entry covers them: these deeds append none.
    """

    _kept: _Court | None = None

    def weigh(
        self, tx: sa.Connection, systems: Sequence[tuple[Mapping[str, Any], str]], *, on: date | None = None
    ) -> list[Weighed]:
        """Judge many systems by columns, with the outcomes that judging each alone would have.

        Args:
            tx: The caller's transaction.
            systems: For each its facts and its party, whose covenants bind it.
            on: The day; today, if none is given.

        Returns:
            For each what it comes to; of many, systems that the law cannot tell apart have the same object.
        """
        day = on or self.today()
        if len(systems) <= FEW and self._kept is None:
            return [self.weigh_one(tx, facts, party, on=day) for facts, party in systems]
        court = self._court(self.text_within(tx, day), day)
        parties = crowds.committed(tx, sorted({party for _, party in systems if party}))
        bound = {party: store.decisions.commitments(tx, party=party) for party in parties}
        return _weighed(
            court,
            [deeds.with_covenants(facts, bound[party], day) if party in bound else facts for facts, party in systems],
        )

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

    def _court(self, text: LawText, day: date) -> _Court:
        from safebelt.rooms.rulebook.columns import Alike, compile_law  # noqa: PLC0415  a fifth of a second

        kept = self._kept
        if kept is None or kept.text is not text or kept.day != day:
            columns = compile_law(text, day)
            kept = self._kept = _Court(text=text, day=day, columns=columns, alike=Alike(columns.layout), said={})
        return kept


def _weighed(court: _Court, facts: Sequence[Mapping[str, Any]]) -> list[Weighed]:
    """Judge each kind of system once: the same object stands for all of a kind."""
    keys = [court.alike.key(one) for one in facts]
    said = {key: one for key in set(keys) if (one := court.said.get(key)) is not None}
    new = {key: known for key, known in zip(keys, facts, strict=True) if key not in said}
    if new:
        found = dict(zip(new, _judged(court, list(new.values())), strict=True))
        if len(court.said) + len(found) > KINDS_REMEMBERED:
            court.said.clear()
        court.said.update(found)
        said |= found
    return [said[key] for key in keys]


def _judged(court: _Court, facts: Sequence[Mapping[str, Any]]) -> list[Weighed]:
    verdicts = court.columns.judge(court.columns.table(facts))
    barred = _barred(verdicts, court.text, facts, court.day)
    return [
        Weighed(
            classes={name: one for name, one in zip(verdicts.classes, row, strict=True) if one},
            barred_by=barred.get(at, ()),
        )
        for at, row in enumerate(verdicts.every_strictest())
    ]


def facts_digest(description: Description) -> str:
    """Return the SHA-256 of the canonical JSON of a description's facts."""
    facts = {name: plain(one.value) for name, one in description.facts.items()}
    if all(name.isascii() and _is_simple(one) for name, one in facts.items()):
        return sha256(_SIMPLE.encode(facts)).hexdigest()
    return digest(facts)


def _is_simple(value: Any) -> bool:
    """Whether any JSON writer that sorts keys and leaves out blanks writes a value canonically: no fractions in it.

    RFC 8785 differs from what others write in how it writes fractions, in the order of keys that are not ASCII, and
    in what it refuses.
    """
    if type(value) is str:
        return value.isprintable()
    if type(value) is list:
        return all(type(one) is str and one.isprintable() for one in value)
    return type(value) is bool or (type(value) is int and abs(value) < _EXACT)


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
