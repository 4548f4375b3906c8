"""Descriptions of many systems at once: put on record, and taken out where a whole import is undone."""

from collections.abc import Sequence

import sqlalchemy as sa

from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.store import decisions, descriptions


def put_new(tx: sa.Connection, records: Sequence[OnRecord]) -> None:
    """Put first descriptions on record; the systems have none yet."""
    if records:
        now, past = descriptions.description, descriptions.past
        tx.execute(sa.insert(now), [descriptions._row(one) for one in records])
        names = [one.name for one in now.c]
        copied = sa.select(*(now.c[name] for name in names)).where(now.c.subject.in_([one.subject for one in records]))
        tx.execute(sa.insert(past).from_select(names, copied))


def committed(tx: sa.Connection, parties: Sequence[str]) -> frozenset[str]:
    """Return which of these parties ever adopted a covenant."""
    table = decisions.commitment
    wanted = sa.select(table.c.party).where(table.c.party.in_(parties)).distinct()
    return frozenset(tx.execute(wanted).scalars()) if parties else frozenset()


def described_again(tx: sa.Connection, subjects: Sequence[str]) -> frozenset[str]:
    """Return which of these systems were described more than once."""
    table = descriptions.description
    wanted = sa.select(table.c.subject).where(table.c.subject.in_(subjects), table.c.version > 1)
    return frozenset(tx.execute(wanted).scalars())


def described_by_others(tx: sa.Connection, subjects: Sequence[str], at_first: frozenset[str]) -> frozenset[str]:
    """Return which of these systems have a description although they entered without one."""
    table = descriptions.description
    wanted = sa.select(table.c.subject).where(table.c.subject.in_(subjects))
    return frozenset(tx.execute(wanted).scalars()) - at_first


def take_out(tx: sa.Connection, subjects: Sequence[str]) -> None:
    """Take descriptions out, with all their versions."""
    for table in (descriptions.description, descriptions.past):
        tx.execute(sa.delete(table).where(table.c.subject.in_(subjects)))
