"""The table of rules of admission: every version that was ever in force, whole."""

from collections.abc import Iterator

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.belt.model import AdmissionVersion, Brought

admission = sa.Table(
    "belt_admission",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("brought", sa.String(10), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
)
"""The highest number is in force."""


def admission_versions(tx: sa.Connection) -> Iterator[AdmissionVersion]:
    """Yield the versions, newest first."""
    for row in tx.execute(sa.select(admission).order_by(admission.c.number.desc())).mappings():
        yield AdmissionVersion(**{**row, "brought": Brought(row["brought"])})


def newest_admission(tx: sa.Connection) -> AdmissionVersion | None:
    """Return the version in force; None where none was ever brought."""
    row = tx.execute(sa.select(admission).order_by(admission.c.number.desc()).limit(1)).mappings().first()
    return AdmissionVersion(**{**row, "brought": Brought(row["brought"])}) if row else None
