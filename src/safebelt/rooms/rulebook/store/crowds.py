"""Descriptions of many systems at once: put on record, and taken out where a whole import is undone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import among, as_json, insert_rows, stored
from safebelt.rooms.rulebook.model.deeds import OnRecord
from safebelt.rooms.rulebook.store import decisions, descriptions


def put_new(tx: sa.Connection, records: Sequence[OnRecord]) -> None:
    """Put first descriptions on record; the systems have none yet."""
    at: dict[datetime, Any] = {}
    rows = []
    for one in records:
        if one.at not in at:
            at[one.at] = stored(tx, descriptions.description.c.at, one.at)
        body = as_json(descriptions.body(one.description))
        rows.append((one.subject, one.version, body, one.sha256, one.by, at[one.at]))
    for table in descriptions.TABLES:
        insert_rows(tx, table, ("subject", "version", "body", "sha256", "by", "at"), rows)


def committed(tx: sa.Connection, parties: Sequence[str]) -> frozenset[str]:
    """Return which of these parties ever adopted a covenant."""
    table = decisions.commitment
    wanted = sa.select(table.c.party).where(among(tx, table.c.party, parties)).distinct()
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
