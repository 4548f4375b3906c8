"""The ledger's tables."""

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata

entry = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("index", sa.BigInteger, unique=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(120), nullable=False, index=True),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
)

personal = sa.Table(
    "ledger_personal",
    metadata,
    sa.Column("entry_id", sa.String(40), sa.ForeignKey("ledger_entry.id"), primary_key=True),
    sa.Column("salt", sa.LargeBinary(16)),
    sa.Column("data", sa.JSON),
    sa.Column("erased_at", UtcDateTime),
)
