"""Memory of labelling: which contents this house marked, by digest, by watermark and by what they look like."""

from collections.abc import Iterable

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
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

TABLES: tuple[sa.Table, ...] = (mark, likeness)
_HALF = 1 << 63


def insert(tx: sa.Connection, one: Remembered) -> None:
    """Remember a mark."""
    tx.execute(
        sa.insert(mark).values(
            id=one.id, system_id=one.system_id, sha256=one.sha256, at=one.at, entry_id=one.entry_id, ident=one.ident
        )
    )


def by_digest(tx: sa.Connection, sha256: str) -> Remembered | None:
    """Return the first mark put on a file with this digest."""
    found = tx.execute(sa.select(mark).where(mark.c.sha256 == sha256).order_by(mark.c.at, mark.c.id).limit(1)).first()
    return Remembered(**found._mapping) if found else None


def by_ident(tx: sa.Connection, ident: int) -> Remembered | None:
    """Return the mark whose watermark carries an id."""
    found = tx.execute(sa.select(mark).where(mark.c.ident == ident).order_by(mark.c.at, mark.c.id).limit(1)).first()
    return Remembered(**found._mapping) if found else None


def by_ids(tx: sa.Connection, ids: Iterable[str]) -> list[Remembered]:
    """Return marks by their ids, the oldest first."""
    found = tx.execute(sa.select(mark).where(mark.c.id.in_(list(ids))).order_by(mark.c.at, mark.c.id))
    return [Remembered(**row._mapping) for row in found]


def insert_likeness(tx: sa.Connection, mark_id: str, bits: int, slots: Iterable[int]) -> None:
    """Remember what a marked content looks like."""
    tx.execute(
        sa.insert(likeness), [{"slot": slot, "bits": bits - _HALF, "mark_id": mark_id} for slot in sorted(set(slots))]
    )


def in_slots(tx: sa.Connection, slots: Iterable[int], limit: int) -> list[tuple[int, str]]:
    """Return fingerprints that stand in any of some slots, with their marks' ids: at most `limit`, and some twice."""
    asked = sa.select(likeness.c.bits, likeness.c.mark_id).where(likeness.c.slot.in_(sorted(set(slots)))).limit(limit)
    return [(bits + _HALF, mark_id) for bits, mark_id in tx.execute(asked)]
