"""Memory of labelling: which contents this house marked, by digest."""

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

TABLES: tuple[sa.Table, ...] = (mark,)


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
