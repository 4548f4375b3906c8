"""Memory of labelling: which contents this house marked, by digest, by watermark and by what they look like."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import Sql, UtcDateTime, metadata
from safebelt.rooms.labelling.model.copies import Copy, Recipient
from safebelt.rooms.labelling.model.events import Remembered

mark = sa.Table(
    "labelling_mark",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Column("ident", sa.BigInteger, nullable=True),  # what its watermark carries; none where it has none
    sa.Index("ix_labelling_mark_sha256", "sha256"),
    sa.Index("ix_labelling_mark_ident", "ident"),
    sa.Index("ix_labelling_mark_system_id", "system_id", "at"),
)

likeness = sa.Table(
    "labelling_likeness",
    metadata,
    sa.Column("slot", sa.Integer, nullable=False),  # kind, piece and the piece's value: `decide.likeness`
    sa.Column("bits", sa.BigInteger, nullable=False),  # the fingerprint, less 2⁶³: both databases keep it so
    sa.Column("mark_id", sa.String(40), nullable=False),
    sa.PrimaryKeyConstraint("slot", "bits", "mark_id"),  # an answer needs nothing but this index
    sqlite_with_rowid=False,
)

copy = sa.Table(
    "labelling_copy",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("mark_id", sa.String(40), nullable=False),
    sa.Column("system_id", sa.String(40), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("agreement", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("keep_until", sa.Date, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Index("ix_labelling_copy_at", "at"),
)
recipient = sa.Table(  # personal data, by itself: a row is erased when its time is over
    "labelling_recipient",
    metadata,
    sa.Column("copy_id", sa.String(40), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("salt", sa.String(64), nullable=False),
    sa.Column("keep_until", sa.Date, nullable=False),
    sa.Index("ix_labelling_recipient_keep_until", "keep_until"),
)

TABLES: tuple[sa.Table, ...] = (mark, likeness, copy, recipient)
_HALF = 1 << 63
_IN_LEDGER = mark.c.entry_id != ""
"""Marks on files; those that passed the belt stand in its records, and only their watermarks are remembered here."""
_BY_DIGEST = (
    sa.select(mark.c.at, mark.c.entry_id)
    .where(mark.c.sha256 == sa.bindparam("sha256"))
    .order_by(mark.c.at, mark.c.id)
    .limit(1)
)


def insert(tx: sa.Connection, one: Remembered) -> None:
    """Remember a mark."""
    tx.execute(
        sa.insert(mark).values(
            id=one.id, system_id=one.system_id, sha256=one.sha256, at=one.at, entry_id=one.entry_id, ident=one.ident
        )
    )


def by_digest(sql: Sql, sha256: str) -> tuple[datetime, str] | None:
    """Return when the first mark was put on a file with this digest, and the ledger's entry.  Every check asks it."""
    found = sql.row(_BY_DIGEST, sha256=sha256)
    return (found[0], found[1]) if found else None


def by_ident(tx: sa.Connection, ident: int) -> Remembered | None:
    """Return the mark whose watermark carries an id."""
    found = tx.execute(sa.select(mark).where(mark.c.ident == ident).order_by(mark.c.at, mark.c.id).limit(1)).first()
    return Remembered(**found._mapping) if found else None


def by_ids(tx: sa.Connection, ids: Iterable[str]) -> list[Remembered]:
    """Return marks by their ids, the oldest first."""
    found = tx.execute(sa.select(mark).where(mark.c.id.in_(list(ids))).order_by(mark.c.at, mark.c.id))
    return [Remembered(**row._mapping) for row in found]


def counted(tx: sa.Connection, system_id: str, limit: int) -> tuple[int, datetime | None, datetime | None]:
    """Return how many marks a system's contents bear, at most `limit`, and when the first and the last was put."""
    of_system = sa.and_(mark.c.system_id == system_id, _IN_LEDGER)
    some = sa.select(mark.c.id).where(of_system).limit(limit).subquery()
    count = tx.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    first, last = (
        tx.execute(sa.select(mark.c.at).where(of_system).order_by(order).limit(1)).scalar_one_or_none()
        for order in (mark.c.at.asc(), mark.c.at.desc())
    )
    return count, first, last


def marks(tx: sa.Connection, *, system_id: str, find: str, before: str, limit: int) -> list[Remembered]:
    """Return marks, the latest first.

    Args:
        tx: The transaction.
        system_id: Only those of this system; empty for all.
        find: Only the mark of this id, or those on files with this digest; empty for all.
        before: Only those older than the mark of this id; empty from the latest on.
        limit: How many.
    """
    asked = sa.select(mark).where(_IN_LEDGER)
    if system_id:
        asked = asked.where(mark.c.system_id == system_id)
    if find:
        asked = asked.where(sa.or_(mark.c.id == find, mark.c.sha256 == find.lower()))
    if before:
        asked = asked.where(mark.c.id < before)
    rows = tx.execute(asked.order_by(mark.c.id.desc()).limit(limit))  # ids begin with their time
    return [Remembered(**row._mapping) for row in rows]


def insert_likeness(tx: sa.Connection, mark_id: str, bits: int, slots: Iterable[int]) -> None:
    """Remember what a marked content looks like."""
    tx.execute(
        sa.insert(likeness), [{"slot": slot, "bits": bits - _HALF, "mark_id": mark_id} for slot in sorted(set(slots))]
    )


def in_slots(tx: sa.Connection, slots: Iterable[int], limit: int) -> list[tuple[int, str]]:
    """Return fingerprints that stand in any of some slots, with their marks' ids: at most `limit`, and some twice."""
    asked = sa.select(likeness.c.bits, likeness.c.mark_id).where(likeness.c.slot.in_(sorted(set(slots)))).limit(limit)
    return [(bits + _HALF, mark_id) for bits, mark_id in tx.execute(asked)]


def insert_copy(tx: sa.Connection, one: Copy, salt: str) -> None:
    """Remember a copy that was given, and who received it."""
    values = asdict(one)
    values.pop("recipient")
    tx.execute(sa.insert(copy).values(values))
    if one.recipient is not None:
        who = asdict(one.recipient) | {"copy_id": one.id, "salt": salt, "keep_until": one.keep_until}
        tx.execute(sa.insert(recipient).values(who))


def copies(tx: sa.Connection, *, find: str = "", system_id: str = "", limit: int, offset: int = 0) -> list[Copy]:
    """Return copies, the latest first.

    Args:
        tx: The transaction.
        find: Only those with this text in who received them, why, or by which agreement; case does not count.
        system_id: Only those of this system.
        limit: How many.
        offset: How many are passed over.
    """
    asked = sa.select(copy, recipient.c.name, recipient.c.contact, recipient.c.reason).outerjoin(
        recipient, recipient.c.copy_id == copy.c.id
    )
    if system_id:
        asked = asked.where(copy.c.system_id == system_id)
    if find:
        where = (recipient.c.name, recipient.c.contact, recipient.c.reason, copy.c.agreement)
        asked = asked.where(sa.or_(*(column.icontains(find, autoescape=True) for column in where)))
    rows = tx.execute(asked.order_by(copy.c.at.desc(), copy.c.id.desc()).limit(limit).offset(offset))
    return [_copy(dict(row._mapping)) for row in rows]


def over(tx: sa.Connection, on: date, limit: int) -> list[tuple[str, date]]:
    """Return the copies whose recipient's time was over before a day, with that time."""
    asked = sa.select(recipient.c.copy_id, recipient.c.keep_until).where(recipient.c.keep_until < on)
    rows = tx.execute(asked.order_by(recipient.c.keep_until, recipient.c.copy_id).limit(limit).with_for_update())
    return [(copy_id, until) for copy_id, until in rows]


def erase_recipient(tx: sa.Connection, copy_id: str) -> None:
    """Erase who received a copy."""
    tx.execute(sa.delete(recipient).where(recipient.c.copy_id == copy_id))


def _copy(row: dict[str, Any]) -> Copy:
    name, contact, reason = row.pop("name"), row.pop("contact"), row.pop("reason")
    who = None if name is None else Recipient(name=name, contact=contact, reason=reason)
    return Copy(**row, recipient=who)
