"""The table of strikes."""

import json
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.belt.model import Decision, Strike

_NONE = sa.text("''")
strike = sa.Table(
    "belt_strike",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("key_id", sa.String(40), nullable=False, index=True),
    sa.Column("system_id", sa.String(40), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("policy", sa.String(80), nullable=False),
    sa.Column("policy_digest", sa.String(64), nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("exchanges", sa.Integer, nullable=False),
    sa.Column("within_minutes", sa.Integer, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("records", sa.Text, nullable=False),
    sa.Column("evidence", sa.String(64), nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("decision", sa.String(12)),
    sa.Column("decided_at", UtcDateTime),
    sa.Column("decided_by", sa.String(80), nullable=False, server_default=_NONE),
    sa.Column("decided_reason", sa.Text, nullable=False, server_default=_NONE),
    sa.Column("appeal", sa.String(40), nullable=False, server_default=_NONE),
    sa.Column("appealed_at", UtcDateTime),
)
"""`rules` and `records` are JSON lists."""


def to_strike(row: sa.RowMapping) -> Strike:
    """Read a row of `belt_strike`."""
    lists = {name: tuple(json.loads(row[name])) for name in ("rules", "records")}
    return Strike(**{**row, **lists, "decision": Decision(row["decision"]) if row["decision"] else None})


def from_strike(value: Strike) -> dict[str, Any]:
    """Write a row of `belt_strike`."""
    row = {column.name: getattr(value, column.name) for column in strike.c}
    lists = {name: json.dumps(row[name]) for name in ("rules", "records")}
    return {**row, **lists, "decision": value.decision.value if value.decision else None}
