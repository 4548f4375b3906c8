"""The table of callers' keys."""

from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.belt.model import Key, KeyTerms

key = sa.Table(
    "belt_key",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("belt_harness.system_id"), nullable=False, index=True),
    sa.Column("name", sa.String(120), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("expires_at", UtcDateTime),
    sa.Column("replaced_by", sa.String(40), nullable=False, server_default=sa.text("''")),
    sa.Column("terms", sa.Text, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
)
"""`terms` is JSON: who uses the key, for what, and how much it may do."""

_PLAIN = [c.name for c in key.c if c.name != "terms"]


def to_key(row: sa.RowMapping) -> Key:
    """Read a row of `belt_key`."""
    return Key(**{name: row[name] for name in _PLAIN}, terms=msgspec.json.decode(row["terms"], type=KeyTerms))


def from_key(value: Key) -> dict[str, Any]:
    """Write a row of `belt_key`."""
    said = {name: term for name, term in msgspec.to_builtins(value.terms).items() if term}  # an older row has none
    return {name: getattr(value, name) for name in _PLAIN} | {"terms": msgspec.json.encode(said).decode()}
